package s3

import (
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// SetMaxParts makes the limit small enough to be reached.
func SetMaxParts(s *Store, n int) { s.maxParts = n }

// OpenOnce is Open without attempts, for tests of what fails.
func OpenOnce(rawURL string, cred Credentials) (*Store, error) {
	return newStore(rawURL, cred, upload.Retry{Attempts: 1})
}

// SetClock stops the clock of the store's signatures.
func SetClock(s *Store, at time.Time) { s.signer.now = func() time.Time { return at } }
