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

// headSize is how much of a content says which one it is.
const headSize = 16

// content is what the upload of this number sends: the number and the size, so
// that whoever finds it knows what it should be, and then chance, the same each
// time.
func content(number, size int) []byte {
	b := make([]byte, size)
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], uint64(number))
	binary.BigEndian.PutUint64(seed[8:], uint64(size))
	copy(b, seed[:headSize])
	rand.NewChaCha8(seed).Read(b[headSize:])
	return b
}

// whole says which content b is, and whether it is all of it.
func whole(b []byte) (number int, ok bool) {
	if len(b) < headSize {
		return 0, false
	}
	number = int(binary.BigEndian.Uint64(b))
	size := int(binary.BigEndian.Uint64(b[8:]))
	return number, size == len(b) && bytes.Equal(b, content(number, size))
}

// smallSize is the size of a small upload: 16 bytes to 8 KiB.
func smallSize(number int) int {
	return headSize + int(rand.NewPCG(uint64(number), 0).Uint64()%(8<<10-headSize+1))
}

// name is a file's name, with one of several media types.
func name(number int) string {
	return fmt.Sprintf("%08d%s", number, []string{".txt", ".pdf", ".bin"}[number%3])
}

// numberOf is what name was given.
func numberOf(name string) (number int) {
	_, _ = fmt.Sscanf(name, "%d", &number)
	return number
}

// small are the uploads from one number to the next, as long as more says so.
func small(from, to int, more func() bool) iter.Seq2[upload.Source, error] {
	return func(yield func(upload.Source, error) bool) {
		for n := from; n < to && more(); n++ {
			if !yield(upload.Bytes(name(n), content(n, smallSize(n))), nil) {
				return
			}
		}
	}
}
