// Package payload makes the bytes that a test sends, and compares those that
// come back.
package payload

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// DigestOf reports whether a text is a checksum of content, in hex or base64.
// The length of the text says which kind.
func DigestOf(text string, content []byte) bool {
	if _, value, found := strings.Cut(text, ":"); found {
		text = value
	}
	return slices.ContainsFunc(SumsOf(content), func(s NamedSum) bool {
		return strings.EqualFold(text, hex.EncodeToString(s.Sum)) ||
			strings.TrimRight(text, "=") == base64.RawStdEncoding.EncodeToString(s.Sum)
	})
}

// NamedSum is a checksum and the name of its kind in HTTP.
type NamedSum struct {
	Name string
	Sum  []byte
}

func SumsOf(content []byte) []NamedSum {
	md5, sha1, sha256, sha512 := md5.Sum(content), sha1.Sum(content), sha256.Sum256(content), sha512.Sum512(content)
	return []NamedSum{{"sha-256", sha256[:]}, {"md5", md5[:]}, {"sha-1", sha1[:]}, {"sha-512", sha512[:]}}
}

// Sum returns the SHA-256 of content in lower-case hex.
func Sum(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}

// noises counts what noise has made.
var noises atomic.Uint64

// Noise returns n bytes in which no stretch looks like another. Another noise
// has other bytes at each place. Long ones lie in one memory, and must not be
// written to.
func Noise(n int) []byte {
	const long, spread = 64 << 10, 1 << 20
	nth := noises.Add(1)
	if n < long || n+spread > Longest {
		return newNoise(nth, n)
	}
	from := nth * 4099 % spread
	return longNoise()[from:][:n:n]
}

const Longest = 18 << 20 // enough for every large file of the kit

var longNoise = sync.OnceValue(func() []byte { return newNoise(0, Longest) })

func newNoise(nth uint64, n int) []byte {
	var key, start [aes.BlockSize]byte
	block, _ := aes.NewCipher(key[:]) // a key of this size never fails
	binary.BigEndian.PutUint64(start[:], nth)
	b := make([]byte, n)
	cipher.NewCTR(block, start[:]).XORKeyStream(b, b)
	return b
}

// Difference describes how the bytes of r differ from want. It returns "" if
// they are the same.
func Difference(r io.Reader, want []byte) (string, error) {
	buffer, got, right := make([]byte, min(32<<10, len(want)+1)), 0, 0
	for got <= len(want) {
		n, err := r.Read(buffer)
		if right == got {
			most := min(got+n, len(want))
			if bytes.Equal(buffer[:most-got], want[got:most]) {
				right = most
			}
			for right < most && buffer[right-got] == want[right] {
				right++
			}
		}
		if got += n; err == io.EOF {
			break
		} else if err != nil {
			return "", err
		}
	}
	switch {
	case got > len(want):
		return fmt.Sprintf("more than the %d bytes that were sent, the first wrong one at offset %d",
			len(want), right), nil
	case right < len(want):
		return fmt.Sprintf("%d bytes, %d were sent, the first wrong one at offset %d", got, len(want), right), nil
	}
	return "", nil
}
