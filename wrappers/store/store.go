// Package store keeps the files that clients upload to the stand-ins.
//
// A [Store] maps keys to whole objects. [Memory] holds them in the process and
// [Disk] in a folder. Package s3, beside this one, holds them in a bucket.
// Package storetest tests a store of your own against the same rules.
//
//	st, err := store.Disk("files")
//	if err != nil {
//		return err
//	}
//	size, err := st.Put(ctx, "inbox/0001", "application/pdf", file)
package store

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"time"
)

// Store keeps objects under keys. All methods may be called from many
// goroutines at once.
//
// A key is a path with slashes that the program makes up, never a name that a
// user chose; see [CheckKey]. No key may be a folder of another, as "a" is of
// "a/b": a store may refuse the second of them. A content type is kept
// character for character; see [CheckContentType]. An empty one stands for
// [DefaultContentType]. For a key or a content type that these checks refuse,
// the error is [fs.ErrInvalid].
//
// A call whose ctx has already ended does nothing and returns ctx.Err(),
// wrapped. Only PresignPut may still succeed.
//
// Errors name the operation and the key, and wrap the cause. They never show a
// credential or the query of a URL.
type Store interface {
	// Put reads r up to io.EOF, stores the bytes and returns their number. The
	// object appears whole or not at all, and replaces an earlier one under the
	// key. If r returns another error, such as io.ErrUnexpectedEOF, Put stores
	// nothing and returns an error that wraps it. Put checks ctx after every
	// read, also after the one that returns io.EOF: if ctx has ended by then,
	// Put stores nothing. The caller must end a Read that blocks. Put does not
	// close r, and keeps none of its memory. If several puts of one key run at
	// the same time, one of them makes the object.
	//
	// After an error the key holds the earlier object, if there was one. There
	// is one exception: if the answer of a store across the network was lost,
	// the key may hold the new object, whole.
	Put(ctx context.Context, key, contentType string, r io.Reader) (size int64, err error)

	// Open returns the object as it is now: later puts and deletes do not
	// change what the reader yields. The caller closes the reader, which then
	// leaves no file open. Keep ctx alive until then, because its end may end
	// the reading. If the key is missing, the error is fs.ErrNotExist.
	Open(ctx context.Context, key string) (io.ReadCloser, Info, error)

	// Stat describes the object without opening it. If the key is missing, the
	// error is fs.ErrNotExist.
	Stat(ctx context.Context, key string) (Info, error)

	// Delete removes the object, and no other. A missing key is no error, as in
	// S3, so a delete may be repeated.
	Delete(ctx context.Context, key string) error

	// PresignPut returns a URL to which anyone may PUT the object with exactly
	// this content type. The URL is valid for life, give or take a second.
	// Until then each PUT overwrites the object. A store without URLs returns
	// ErrNoPresign: then the caller receives the bytes itself and calls Put.
	PresignPut(ctx context.Context, key, contentType string, life time.Duration) (string, error)
}

// Info describes an object.
type Info struct {
	Size        int64     // in bytes
	ContentType string    // never empty
	ModTime     time.Time // when the object was stored, by the store's clock
}

// DefaultContentType is the type of an object that was stored without one.
const DefaultContentType = "application/octet-stream"

var (
	// ErrFull says that the object would exceed the store's own limit. A
	// stand-in then answers 413. A full disk is an ordinary failure and not
	// ErrFull.
	ErrFull = errors.New("store is full")

	// ErrNoPresign says that the store has no presigned URLs.
	ErrNoPresign = errors.New("store has no presigned URLs")
)

// wrap names what failed, in the form of the os package:
// "put inbox/0001: no space left on device".
func wrap(op, key string, err error) error {
	return &fs.PathError{Op: op, Path: key, Err: err}
}

// unsigned is the part of a store without URLs.
type unsigned struct{}

func (unsigned) PresignPut(_ context.Context, key, contentType string, _ time.Duration) (string, error) {
	_, err := checkPut(key, contentType)
	return "", wrap("presign", key, cmp.Or(err, ErrNoPresign))
}
