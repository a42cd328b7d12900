package standin

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// mac authenticates a list of texts: no other list has the same code.
type mac func(texts ...string) []byte

// derive makes one mac for each purpose out of the credentials. Replicas that
// share the credentials come to the same ones.
func derive(credentials []string, purposes ...string) ([]mac, error) {
	var macs []mac
	for _, purpose := range purposes {
		key, err := hkdf.Key(sha256.New, join(credentials), nil, "putpost twentyfourseven stand-in: "+purpose, sha256.Size)
		if err != nil {
			return nil, err
		}
		macs = append(macs, func(texts ...string) []byte {
			m := hmac.New(sha256.New, key)
			m.Write(join(texts))
			return m.Sum(nil)
		})
	}
	return macs, nil
}

// join puts texts together so that they can be told apart again.
func join(texts []string) []byte {
	var b []byte
	for _, text := range texts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(text)))
		b = append(b, text...)
	}
	return b
}
