package store

import (
	"context"
	"io"
	"sync"
)

// Fill reads from r until buf is full, and then err is nil, or until r ends,
// and then err is io.EOF and n is of any size. Unlike [io.ReadFull] it leaves
// every error of r as it is, so an upload that was cut off
// (io.ErrUnexpectedEOF) does not look like a short one. Between reads it ends
// with the error of ctx. Implementations of [Store] read with it.
func Fill(ctx context.Context, r io.Reader, buf []byte) (n int, err error) {
	for idle := 0; n < len(buf); {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		m, err := r.Read(buf[n:])
		n += m
		if err != nil {
			return n, err
		}
		if m > 0 {
			idle = 0
		} else if idle++; idle == 100 {
			return n, io.ErrNoProgress
		}
	}
	return n, nil
}

// blocks are the buffers that Memory and Disk read into, one for each put under
// way.
var blocks = sync.Pool{New: func() any { return new([128 << 10]byte) }}

// copyBlocks gives r to write in blocks and counts the bytes. The blocks are
// used again, so write must not keep them.
func copyBlocks(ctx context.Context, r io.Reader, write func([]byte) error) (size int64, err error) {
	block := blocks.Get().(*[128 << 10]byte)
	defer blocks.Put(block)
	for {
		n, err := Fill(ctx, r, block[:])
		if err != nil && err != io.EOF {
			return size, err
		}
		if n > 0 {
			if err := write(block[:n]); err != nil {
				return size, err
			}
			size += int64(n)
		}
		if err == io.EOF {
			return size, ctx.Err()
		}
	}
}
