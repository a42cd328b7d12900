package standin

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
)

// mac returns a message authentication code of a list of texts. No other list
// has the same code.
type mac func(texts ...string) []byte

// derive returns one mac for each purpose, with a key that is derived from the
// credentials. Replicas that share the credentials have the same keys.
func derive(credentials []string, purposes ...string) ([]mac, error) {
	var macs []mac
	for _, purpose := range purposes {
		key, err := hkdf.Key(sha256.New, join(credentials), nil,
			"putpost twentyfourseven stand-in: "+purpose, sha256.Size)
		if err != nil {
			return nil, err
		}
		pool := &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}
		macs = append(macs, func(texts ...string) []byte {
			m := pool.Get().(hash.Hash)
			defer pool.Put(m)
			m.Reset()
			m.Write(join(texts))
			return m.Sum(nil)
		})
	}
	return macs, nil
}

// join encodes a list of texts. Different lists give different bytes.
func join(texts []string) []byte {
	b := make([]byte, 0, 256)
	for _, text := range texts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(text)))
		b = append(b, text...)
	}
	return b
}
