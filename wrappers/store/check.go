package store

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

const (
	maxKey         = 512 // S3 allows 1024 for prefix and key together
	maxElement     = 128 // file systems allow 255, some less
	maxContentType = 255
)

// CheckKey returns nil if every store takes the key, and otherwise an error
// that matches [fs.ErrInvalid]. A key has at most 512 bytes. It is one or more
// elements with single slashes between them. An element has 1 to 128 ASCII
// letters, digits, '-', '_' and '.', and neither begins nor ends with a dot. So
// a key is a valid path on every file system and needs no escaping in a URL. On
// Windows a key is not the name of a device, such as "con". Do not use two keys
// that differ only in case: on some file systems they are one.
func CheckKey(key string) error {
	if !fs.ValidPath(key) || len(key) > maxKey || !filepath.IsLocal(filepath.FromSlash(key)) {
		return fmt.Errorf("%w: not a key: %.80q", fs.ErrInvalid, key)
	}
	for element := range strings.SplitSeq(key, "/") {
		// The disk store's own names begin with a dot. Windows drops a trailing one.
		if len(element) > maxElement || element[0] == '.' || element[len(element)-1] == '.' ||
			strings.ContainsFunc(element, notInKey) {
			return fmt.Errorf("%w: not an element of a key: %.80q", fs.ErrInvalid, element)
		}
	}
	return nil
}

func notInKey(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.')
}

// CheckContentType returns nil if every store takes the content type, and
// otherwise an error that matches [fs.ErrInvalid]. A content type has at most
// 255 bytes of printable ASCII, or is empty. It neither begins nor ends with a
// space, and has no two spaces in a row, because signed requests fold them.
// CheckContentType does not check that it is a media type.
func CheckContentType(contentType string) error {
	bad := func(r rune) bool { return r < ' ' || r > '~' }
	if len(contentType) > maxContentType || strings.ContainsFunc(contentType, bad) ||
		strings.TrimSpace(contentType) != contentType || strings.Contains(contentType, "  ") {
		return fmt.Errorf("%w: not a content type: %.80q", fs.ErrInvalid, contentType)
	}
	return nil
}

// check checks the arguments of the methods that take only a key.
func check(ctx context.Context, key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	return ctx.Err()
}

// checkPut checks the arguments of Put and PresignPut. It returns the content
// type, or the default for an empty one.
func checkPut(key, contentType string) (string, error) {
	if err := CheckKey(key); err != nil {
		return "", err
	}
	if err := CheckContentType(contentType); err != nil {
		return "", err
	}
	return cmp.Or(contentType, DefaultContentType), nil
}
