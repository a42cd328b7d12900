package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"
)

// DefaultMemoryLimit is the limit of [Memory] in bytes if none is given.
const DefaultMemoryLimit = 1 << 30

// leastCost is the least number of bytes that an object counts for. An empty
// object takes about as much for its key, its content type and its map entry.
const leastCost = 512

// Memory returns a store that lives as long as the process. It holds at most
// limit bytes in all, or [DefaultMemoryLimit] if limit is not positive. An
// object counts for its size, or for 512 bytes if it is smaller. An unfinished
// put counts for the bytes that have arrived. While it replaces an object, both
// count. A put that would exceed the limit fails with [ErrFull]. The store is a
// [Lister] and gives no presigned URLs.
func Memory(limit int64) Store {
	if limit <= 0 {
		limit = DefaultMemoryLimit
	}
	return &memory{limit: limit, objects: make(map[string]object)}
}

type memory struct {
	unsigned
	limit   int64
	mu      sync.RWMutex
	used    int64 // bytes that objects and unfinished puts count for
	objects map[string]object
}

// object never changes once it is in the map, so its readers need no lock.
type object struct {
	info   Info
	chunks [][]byte // one slice that grows would hold the bytes twice
}

func (m *memory) Put(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
	contentType, err := checkPut(key, contentType)
	if err != nil {
		return 0, wrap("put", key, err)
	}
	var obj object
	var reserved int64
	reserve := func(size int64) error {
		need := max(size, leastCost) - reserved
		err := m.reserve(need)
		if err == nil {
			reserved += need
		}
		return err
	}
	if err = reserve(0); err == nil {
		_, err = copyBlocks(ctx, r, func(block []byte) error {
			obj.info.Size += int64(len(block))
			if err := reserve(obj.info.Size); err != nil {
				return err
			}
			obj.chunks = append(obj.chunks, bytes.Clone(block))
			return nil
		})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.used -= reserved
		return 0, wrap("put", key, err)
	}
	obj.info.ContentType, obj.info.ModTime = contentType, time.Now()
	m.forget(key)
	m.objects[key] = obj
	return obj.info.Size, nil
}

// reserve adds n bytes to used. If there is no room for them, it returns
// ErrFull.
func (m *memory) reserve(n int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n > m.limit-m.used {
		return fmt.Errorf("%w: it holds %d bytes in all", ErrFull, m.limit)
	}
	m.used += n
	return nil
}

// forget removes an object and frees its bytes. The caller holds the lock.
func (m *memory) forget(key string) {
	if obj, ok := m.objects[key]; ok {
		m.used -= max(obj.info.Size, leastCost)
		delete(m.objects, key)
	}
}

func (m *memory) Open(ctx context.Context, key string) (io.ReadCloser, Info, error) {
	obj, err := m.get(ctx, key)
	if err != nil {
		return nil, Info{}, wrap("open", key, err)
	}
	chunks := make([]io.Reader, len(obj.chunks))
	for i, chunk := range obj.chunks {
		chunks[i] = bytes.NewReader(chunk)
	}
	return &opened{Reader: io.MultiReader(chunks...)}, obj.info, nil
}

func (m *memory) Stat(ctx context.Context, key string) (Info, error) {
	obj, err := m.get(ctx, key)
	if err != nil {
		return Info{}, wrap("stat", key, err)
	}
	return obj.info, nil
}

func (m *memory) get(ctx context.Context, key string) (object, error) {
	if err := check(ctx, key); err != nil {
		return object{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	obj, ok := m.objects[key]
	if !ok {
		return object{}, fs.ErrNotExist
	}
	return obj, nil
}

func (m *memory) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return wrap("delete", key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(key)
	return nil
}

// opened reads an object until it is closed.
type opened struct {
	io.Reader
	closed bool
}

func (o *opened) Read(p []byte) (int, error) {
	if o.closed {
		return 0, fs.ErrClosed
	}
	return o.Reader.Read(p)
}

func (o *opened) Close() error {
	o.closed = true
	return nil
}
