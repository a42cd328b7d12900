package standin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
)

// A fileId encodes, in 40 characters, the second of its issue, random bytes,
// and an authentication code of both. It is in lower case, because some file
// systems ignore case.
const (
	idTime   = 5
	idRandom = 10
	idCode   = 10
)

var idText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newID returns a new fileId.
func (h *Handler) newID() string {
	raw := make([]byte, idTime+idRandom, idTime+idRandom+idCode)
	var seconds [8]byte
	binary.BigEndian.PutUint64(seconds[:], uint64(h.now().Unix()))
	copy(raw, seconds[8-idTime:])
	rand.Read(raw[idTime:])
	return idText.EncodeToString(append(raw, h.ids(string(raw))[:idCode]...))
}

// issued reports whether newID made the text, now or before a restart. It needs
// only the text and the key.
func (h *Handler) issued(id string) bool {
	raw, err := idText.DecodeString(id)
	// The decoder skips line ends, so one id would have many forms.
	if err != nil || len(raw) != idTime+idRandom+idCode || idText.EncodeToString(raw) != id {
		return false
	}
	code := h.ids(string(raw[:idTime+idRandom]))[:idCode]
	return subtle.ConstantTimeCompare(code, raw[idTime+idRandom:]) == 1
}

// documentID returns the id of the document that a file becomes. It is always
// the same number, and small enough for a JSON reader with float64.
func documentID(fileID string) int64 {
	sum := sha256.Sum256([]byte("document " + fileID))
	return max(1, int64(binary.BigEndian.Uint64(sum[:])>>11)) // 53 bits
}
