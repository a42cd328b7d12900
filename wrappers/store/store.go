// Package store is where the stand-ins keep what they are sent.
//
// A [Store] maps keys to whole objects. [Memory] holds them in the process, [Disk] in a folder, and package s3
// beside this one in a bucket; package storetest holds the rules that every one of them passes.
//
//	st, err := store.Disk("files")
//	if err != nil {
//		return err
//	}
//	size, err := st.Put(ctx, "inbox/0001", "application/pdf", file)
package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"
)

// Store keeps objects under keys. All methods may be called from many goroutines at once.
//
// A key is a slash-separated path that the program made up itself, never a name that a user chose: [CheckKey] says
// which are taken. No key may be a folder of another ("a" beside "a/b"); a store may refuse the second of them.
// A content type is kept character for character; an empty one stands for [DefaultContentType], and [CheckContentType]
// says which are taken. Either check fails with an error that matches [fs.ErrInvalid].
//
// Errors name the operation and the key, hold the cause, and never show a credential or the query of a URL.
type Store interface {
	// Put stores what r gives up to io.EOF and reports its size. The object appears whole or not at all, in place of
	// an earlier one under the key. Any other error of r, io.ErrUnexpectedEOF too, stores nothing, leaves an earlier
	// object as it was and is in the chain of the returned error. ctx is looked at between reads: a Read that blocks
	// is for its owner to end. r is not closed. Of several puts of one key at a time, one wins whole.
	//
	// After an error the key holds what it held before; only where the answer of a store across the network was lost
	// may the new object be there all the same, and then it is whole.
	Put(ctx context.Context, key, contentType string, r io.Reader) (size int64, err error)

	// Open gives the object as it is now: later puts and deletes do not change what the reader yields. The caller
	// closes it. ctx may end the reading as well, so it must live as long as the reader is used. A missing key is
	// fs.ErrNotExist.
	Open(ctx context.Context, key string) (io.ReadCloser, Info, error)

	// Stat describes the object without opening it. A missing key is fs.ErrNotExist.
	Stat(ctx context.Context, key string) (Info, error)

	// Delete removes the object. Removing what is not there is no error, as in S3: deletes may be repeated.
	Delete(ctx context.Context, key string) error

	// PresignPut gives a URL to which anyone may PUT the object with exactly this content type, for as long as life
	// says, give or take a second. It may be used again within that time and then overwrites. A store that cannot be
	// reached by URL answers ErrNoPresign; the caller then takes the bytes in and calls Put.
	PresignPut(ctx context.Context, key, contentType string, life time.Duration) (string, error)
}

// Info describes an object.
type Info struct {
	Size        int64     // in bytes
	ContentType string    // never empty
	ModTime     time.Time // when it was stored, by the store's clock
}

// DefaultContentType is the type of an object that was stored without one.
const DefaultContentType = "application/octet-stream"

var (
	// ErrFull says that an object is more than the store may hold by its own bound: the answer to its sender is 413. A
	// disk that has no room left is an ordinary failure and not ErrFull.
	ErrFull = errors.New("store is full")

	// ErrNoPresign says that the store has no URLs of its own to give out.
	ErrNoPresign = errors.New("store has no presigned URLs")
)

// wrap names what failed, in the form of the os package: "put inbox/0001: no space left on device".
func wrap(op, key string, err error) error {
	return &fs.PathError{Op: op, Path: key, Err: err}
}
