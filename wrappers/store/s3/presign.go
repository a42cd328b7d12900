package s3

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"time"
)

const maxLife = 7 * 24 * time.Hour

// PresignPut implements [store.Store]. It sends no request. The URL is S3's
// own: it is valid for one content type, and for life in whole seconds, rounded
// up. S3 counts them from the start of the current second. A life is at most
// seven days. Temporary credentials may expire before.
func (s *Store) PresignPut(ctx context.Context, key, contentType string, life time.Duration) (string, error) {
	contentType, err := checkPut(key, contentType)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && (life <= 0 || life > maxLife) {
		err = fmt.Errorf("%w: a life of %v is not within %v", fs.ErrInvalid, life, maxLife)
	}
	if err != nil {
		return "", wrap("presign", key, err)
	}
	u, err := url.Parse(s.url(s.public, key))
	if err != nil {
		return "", wrap("presign", key, err)
	}
	s.signer.presign(u, contentType, (life + time.Second - 1).Truncate(time.Second))
	return u.String(), nil
}
