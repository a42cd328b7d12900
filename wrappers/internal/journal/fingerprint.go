package journal

import (
	"cmp"
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

// Fingerprint identifies a file and its content.
type Fingerprint struct {
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Changed  time.Time `json:"changed,omitzero"` // ctime: nobody can set it back; zero if the system has none
	SHA256   string    `json:"sha256,omitempty"` // lower-case hex, of the bytes that were sent
	Noted    time.Time `json:"noted,omitzero"`   // when the times were taken, before the first byte was read
}

// FingerprintOf returns a fingerprint without SHA256 and Noted.
func FingerprintOf(info os.FileInfo) Fingerprint {
	return Fingerprint{Size: info.Size(), Modified: JSONTime(info.ModTime()), Changed: JSONTime(changeTime(info))}
}

// JSONTime returns t in UTC, or the zero time if JSON cannot hold t's year.
func JSONTime(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// Same reports whether the file at path is the one that was sent. now is its
// present fingerprint. Another size or modification time means another file. If
// only the change time differs, Same compares the hash of the bytes: the owner
// or mode may have changed, or the bytes and then the modification time was set
// back. It compares them, too, if the times are too close to tell.
func (sent Fingerprint) Same(ctx context.Context, path string, now Fingerprint) (bool, error) {
	if sent.Size != now.Size || !sent.Modified.Equal(now.Modified) {
		return false, nil
	}
	if sent.Changed.Equal(now.Changed) && !sent.racy() {
		return true, nil
	}
	sum, err := sumFile(ctx, path)
	return err == nil && sum == sent.SHA256, err
}

const (
	// tick is longer than one step of a kernel's clock.
	tick = 20 * time.Millisecond
	// coarseTick is for file systems with times in whole seconds, or in two as
	// on FAT. It is longer, because a network's clock may differ from ours.
	coarseTick = 10 * time.Second
)

// racy reports whether the file may have changed after Noted and still have the
// same times. This is so if Noted is within a tick of them.
func (sent Fingerprint) racy() bool {
	latest, ticks := sent.Modified, tick
	if sent.Changed.After(latest) {
		latest = sent.Changed
	}
	if latest.Nanosecond() == 0 {
		ticks = coarseTick
	}
	return sent.Noted.Sub(latest) < ticks
}

func sumFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	defer context.AfterFunc(ctx, func() { f.Close() })() // ends the copy
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Summed returns src, and a func that returns the hash of its bytes if they are
// all read. If src was opened several times, the last reader counts.
func Summed(src upload.Source) (upload.Source, func() string) {
	var mu sync.Mutex // a transport may still read after the answer
	latest := &summer{n: -1}
	open := src.Open
	src.Open = func() (io.ReadCloser, error) {
		rc, err := open()
		if err != nil {
			return nil, err
		}
		s := &summer{ReadCloser: rc, mu: &mu, h: sha256.New()}
		mu.Lock()
		defer mu.Unlock()
		latest = s
		return s, nil
	}
	return src, func() string {
		mu.Lock()
		defer mu.Unlock()
		if latest.n != src.Size {
			return ""
		}
		return hex.EncodeToString(latest.h.Sum(nil))
	}
}

type summer struct {
	io.ReadCloser
	mu *sync.Mutex
	h  hash.Hash
	n  int64 // bytes that were read
}

func (s *summer) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.Write(p[:n])
	s.n += int64(n)
	return n, err
}
