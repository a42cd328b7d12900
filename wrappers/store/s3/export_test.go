package s3

// SetMaxParts makes the limit small enough to be reached.
func SetMaxParts(s *Store, n int) { s.maxParts = n }

// OpenOnce is Open without attempts, for tests of what fails.
func OpenOnce(rawURL string, cred Credentials) (*Store, error) { return open(rawURL, cred, 1) }
