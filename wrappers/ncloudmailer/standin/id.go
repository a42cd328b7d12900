package standin

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// idSuffix is the end of every id in the provider's examples.
const idSuffix = "-99"

// newID returns an id that looks like the provider's: a UUID and "-99". The
// UUID is of version 7: its first 48 bits are the time in milliseconds.
func newID(now time.Time) string {
	var u [16]byte
	rand.Read(u[:])
	ms := now.UnixMilli()
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	t := hex.EncodeToString(u[:])
	return t[:8] + "-" + t[8:12] + "-" + t[12:16] + "-" + t[16:20] + "-" + t[20:] + idSuffix
}

// parseID returns the time in an id of newID. ok is false for any other text,
// which must not become part of a key.
func parseID(id string) (made time.Time, ok bool) {
	if len(id) != 36+len(idSuffix) || id[36:] != idSuffix {
		return time.Time{}, false
	}
	for i, c := range []byte(id[:36]) {
		switch hyphen := i == 8 || i == 13 || i == 18 || i == 23; {
		case hyphen && c == '-':
		case !hyphen && ('0' <= c && c <= '9' || 'a' <= c && c <= 'f'):
		default:
			return time.Time{}, false
		}
	}
	var ms [8]byte
	_, _ = hex.Decode(ms[2:], []byte(id[:8]+id[9:13]))
	var n int64
	for _, b := range ms {
		n = n<<8 | int64(b)
	}
	return time.UnixMilli(n), true
}
