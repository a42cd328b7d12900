// Package store keeps the files that the stand-ins are sent.
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
	"context"
	"errors"
	"io"
	"io/fs"
	"time"
)

// Store keeps objects under keys. All methods may be called from many
// goroutines at once.
//
// A key is a path with slashes that the program made up itself, never a name
// that a user chose; [CheckKey] says which keys are taken. No key may be a
// folder of another ("a" beside "a/b"): a store may refuse the second of them.
// A content type is kept character for character, and an empty one stands for
// [DefaultContentType]; [CheckContentType] says which are taken. A key or a
// content type that is not taken is [fs.ErrInvalid].
//
// Errors name the operation and the key and hold the cause. They never show a
// credential or the query of a URL.
type Store interface {
	// Put stores what r gives up to io.EOF and returns its size. The object
	// appears whole or not at all, in place of an earlier one under the key.
	// Any other error of r stores nothing, io.ErrUnexpectedEOF too, and leaves
	// an earlier object as it was; the returned error holds it. Put asks ctx
	// between reads, so a Read that blocks is for its owner to end. Put does
	// not close r. Of several puts of one key at the same time one wins whole.
	//
	// After an error the key holds what it held before. There is one exception:
	// where the answer of a store across the network was lost, the new object
	// may be there all the same, and then it is whole.
	Put(ctx context.Context, key, contentType string, r io.Reader) (size int64, err error)

	// Open returns the object as it is now: later puts and deletes do not
	// change what the reader yields. The caller closes the reader. ctx may end
	// the reading as well, so it must live as long as the reader is used. A
	// missing key is fs.ErrNotExist.
	Open(ctx context.Context, key string) (io.ReadCloser, Info, error)

	// Stat describes the object without opening it. A missing key is
	// fs.ErrNotExist.
	Stat(ctx context.Context, key string) (Info, error)

	// Delete removes the object, and no other. To remove what is not there is
	// no error, as in S3: a delete may be repeated.
	Delete(ctx context.Context, key string) error

	// PresignPut returns a URL to which anyone may PUT the object with exactly
	// this content type, for as long as life says, give or take a second. The
	// URL may be used again within that time and then overwrites. A store that
	// cannot be reached by URL returns ErrNoPresign: its caller takes the bytes
	// in and calls Put.
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
	// ErrFull says that an object is more than the store may hold by its own
	// bound: its sender is answered with 413. A disk that has no room left is
	// an ordinary failure and not ErrFull.
	ErrFull = errors.New("store is full")

	// ErrNoPresign says that the store has no URLs of its own to give out.
	ErrNoPresign = errors.New("store has no presigned URLs")
)

// wrap names what failed, in the form of the os package:
// "put inbox/0001: no space left on device".
func wrap(op, key string, err error) error {
	return &fs.PathError{Op: op, Path: key, Err: err}
}

// noPresign refuses to presign, and checks the arguments first.
func noPresign(key, contentType string) error {
	if _, err := checkPut(key, contentType); err != nil {
		return wrap("presign", key, err)
	}
	return wrap("presign", key, ErrNoPresign)
}
