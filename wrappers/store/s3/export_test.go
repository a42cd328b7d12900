package s3

import (
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// SetMaxParts sets the limit for parts, so that a test can reach it.
func SetMaxParts(s *Store, n int) { s.maxParts = n }

// OpenOnce is Open without repeated attempts, for tests of failures.
func OpenOnce(rawURL string, cred Credentials) (*Store, error) {
	return newStore(rawURL, cred, upload.Retry{Attempts: 1})
}

// SetClock stops the clock of the store's signatures.
func SetClock(s *Store, at time.Time) { s.signer.now = func() time.Time { return at } }
