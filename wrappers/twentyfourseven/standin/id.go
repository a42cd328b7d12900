package standin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
)

// A fileId is 40 characters: the second of its issue, chance, and a code over
// both. In lower case, since some file systems know no other.
const (
	idTime   = 5
	idRandom = 10
	idCode   = 10
)

var idText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newID issues a fileId.
func (h *Handler) newID() string {
	raw := make([]byte, idTime+idRandom, idTime+idRandom+idCode)
	var seconds [8]byte
	binary.BigEndian.PutUint64(seconds[:], uint64(h.now().Unix()))
	copy(raw, seconds[8-idTime:])
	rand.Read(raw[idTime:])
	return idText.EncodeToString(append(raw, h.ids(string(raw))[:idCode]...))
}

// issued says whether newID made the text, today or before a restart. It looks
// at nothing but the text.
func (h *Handler) issued(id string) bool {
	raw, err := idText.DecodeString(id)
	// The decoder skips line ends, so one id would go by many names.
	if err != nil || len(raw) != idTime+idRandom+idCode || idText.EncodeToString(raw) != id {
		return false
	}
	code := h.ids(string(raw[:idTime+idRandom]))[:idCode]
	return subtle.ConstantTimeCompare(code, raw[idTime+idRandom:]) == 1
}

// documentID is the document that a file becomes: the same number each time it
// is asked for, and one that every JSON reader holds exactly.
func documentID(fileID string) int64 {
	sum := sha256.Sum256([]byte("document " + fileID))
	return max(1, int64(binary.BigEndian.Uint64(sum[:])>>11)) // 53 bits
}
