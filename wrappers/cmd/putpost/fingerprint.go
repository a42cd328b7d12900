package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"sync"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// fingerprint is what a file is recognised by: that of the file as it was sent, beside
// that of the file as it is now.
type fingerprint struct {
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Changed  time.Time `json:"changed,omitzero"` // ctime, which nobody can set back; zero where the system has none
	SHA256   string    `json:"sha256,omitempty"` // lower-case hex, of the bytes that were sent
}

func fingerprintOf(info os.FileInfo) fingerprint {
	return fingerprint{Size: info.Size(), Modified: plain(info.ModTime()), Changed: plain(changeTime(info))}
}

// plain is t as JSON gives it back, which takes no year beyond 9999.
func plain(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// same says whether the file at path, now of the fingerprint now, is still the one
// that was sent. Another size or modification time is another file. Where
// these agree and only the change time does not (another owner or mode, or
// bytes exchanged under a modification time that was set back), the bytes decide.
func (sent fingerprint) same(ctx context.Context, path string, now fingerprint) (bool, error) {
	if sent.Size != now.Size || !sent.Modified.Equal(now.Modified) {
		return false, nil
	}
	if sent.Changed.Equal(now.Changed) {
		return true, nil
	}
	sum, err := sumFile(ctx, path)
	return err == nil && sum == sent.SHA256, err
}

func sumFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	buf := make([]byte, 256<<10)
	for ctx.Err() == nil {
		n, err := f.Read(buf)
		h.Write(buf[:n])
		if err == io.EOF {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", ctx.Err()
}

// summed is src, and what its bytes add up to once they were read to the end:
// the hash is that of the attempt opened last.
func summed(src upload.Source) (upload.Source, func() string) {
	var mu sync.Mutex
	var latest *summer
	open := src.Open
	src.Open = func() (io.ReadCloser, error) {
		rc, err := open()
		if err != nil {
			return nil, err
		}
		s := &summer{ReadCloser: rc, h: sha256.New()}
		mu.Lock()
		defer mu.Unlock()
		latest = s
		return s, nil
	}
	return src, func() string {
		mu.Lock()
		defer mu.Unlock()
		if latest == nil {
			return ""
		}
		return latest.sum(src.Size)
	}
}

type summer struct {
	io.ReadCloser
	mu sync.Mutex // a transport may still read when its answer has come
	h  hash.Hash
	n  int64
}

func (s *summer) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.Write(p[:n])
	s.n += int64(n)
	return n, err
}

// sum is empty unless exactly size bytes were read.
func (s *summer) sum(size int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n != size {
		return ""
	}
	return hex.EncodeToString(s.h.Sum(nil))
}
