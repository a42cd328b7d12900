package standin

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"
)

// idSuffix is the end of every id in the provider's examples.
const idSuffix = "-99"

// newID returns an id that looks like the provider's: a UUID and "-99". The
// UUID is of version 7: its first 48 bits are the time in milliseconds.
func newID(now time.Time) string {
	var u [16]byte
	binary.BigEndian.PutUint64(u[:], uint64(now.UnixMilli())<<16)
	rand.Read(u[6:])
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	return idOf(u[:])
}

func idOf(uuid []byte) string {
	t := hex.EncodeToString(uuid)
	return t[:8] + "-" + t[8:12] + "-" + t[12:16] + "-" + t[16:20] + "-" + t[20:] + idSuffix
}

// parseID returns the time in an id of newID. ok is false for any other text.
// Such a text must not become part of a key.
func parseID(id string) (made time.Time, ok bool) {
	uuid, _ := hex.DecodeString(strings.ReplaceAll(strings.TrimSuffix(id, idSuffix), "-", ""))
	if len(uuid) != 16 || idOf(uuid) != id { // a text that is not hex differs, too
		return time.Time{}, false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(uuid) >> 16)), true
}
