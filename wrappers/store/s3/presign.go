package s3

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"time"
)

const maxLife = 7 * 24 * time.Hour

// PresignPut is described at [store.Store]. No request is made. The URL is S3's own: it binds the content type, and
// holds for life in whole seconds, rounded up, as S3 counts them: from the start of the current one. A life is at most
// seven days; temporary credentials may end it before.
func (s *Store) PresignPut(ctx context.Context, key, contentType string, life time.Duration) (string, error) {
	contentType, err := checkPut(key, contentType)
	if err != nil {
		return "", failed("presign", key, err)
	}
	if life <= 0 || life > maxLife {
		return "", failed("presign", key, fmt.Errorf("%w: a life of %v is not within %v", fs.ErrInvalid, life, maxLife))
	}
	life = (life + time.Second - 1).Truncate(time.Second)
	u, err := s.core.PresignHeader(ctx, http.MethodPut, s.bucket, s.prefix+key, life, nil,
		http.Header{"Content-Type": {contentType}})
	if err != nil {
		return "", failed("presign", key, plain(ctx, err))
	}
	return u.String(), nil
}
