package store

import (
	"context"
	"io"
	"sync"
)

// Fill reads from r until buf is full or r ends, for implementations of
// [Store]. If buf is full, err is nil. If r ends first, err is io.EOF, and n
// may be zero or more. Unlike [io.ReadFull], Fill returns every error of r
// unchanged, so an upload that was cut off (io.ErrUnexpectedEOF) does not look
// like a short one. Fill returns the error of ctx if ctx ends between two
// reads.
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

// copyBlocks reads r in blocks, calls write for each, and returns the number of
// bytes. Write must not keep a block, because it is used again.
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
