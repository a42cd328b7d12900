//go:build unix

package soak

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"

	"github.com/putpost/putpost/wrappers/upload"
)

// headSize is the size of the number and the size at the beginning of a
// content.
const headSize = 16

// content returns the bytes of the upload with this number: the number and the
// size, and then pseudo-random bytes. The number and the size identify the
// content.
func content(number, size int) []byte {
	b := make([]byte, size)
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], uint64(number))
	binary.BigEndian.PutUint64(seed[8:], uint64(size))
	copy(b, seed[:headSize])
	rand.NewChaCha8(seed).Read(b[headSize:])
	return b
}

// whole returns the number of b's upload, and reports whether b is whole.
func whole(b []byte) (number int, ok bool) {
	if len(b) < headSize {
		return 0, false
	}
	number = int(binary.BigEndian.Uint64(b))
	size := int(binary.BigEndian.Uint64(b[8:]))
	return number, size == len(b) && bytes.Equal(b, content(number, size))
}

// smallSize returns the size of a small upload: 16 bytes to 8 KiB.
func smallSize(number int) int {
	return headSize + int(rand.NewPCG(uint64(number), 0).Uint64()%(8<<10-headSize+1))
}

// name returns a file's name, with one of several media types.
func name(number int) string {
	return fmt.Sprintf("%08d%s", number, []string{".txt", ".pdf", ".bin"}[number%3])
}

// numberOf returns the number in a name.
func numberOf(name string) (number int) {
	_, _ = fmt.Sscanf(name, "%d", &number)
	return number
}

// small yields the uploads from one number to another, until more returns
// false.
func small(from, to int, more func() bool) iter.Seq2[upload.Source, error] {
	return func(yield func(upload.Source, error) bool) {
		for n := from; n < to && more(); n++ {
			if !yield(upload.Bytes(name(n), content(n, smallSize(n))), nil) {
				return
			}
		}
	}
}
