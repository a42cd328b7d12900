package upload

import (
	"context"
	"time"
)

// Uploader is one provider's client. Implementations are safe for concurrent
// use and return failures as [*Error].
type Uploader interface {
	// Upload sends src whole, or fails. It closes every reader that it got from
	// src.Open before it returns.
	Upload(ctx context.Context, src Source) (Result, error)
}

// Result is the provider's answer about one uploaded file.
type Result struct {
	ID      string // the provider's fileId, opaque
	Name    string // the file's name at the provider; if the answer has none, the base name of the source
	TraceID string // the provider's trace id for its support, where it sent one
	Size    int64  // bytes

	TempRequestID string // NAVER's tempRequestId, to list and delete the files of one request; else empty
	// Expires is when the ID ends, by the caller's clock. NAVER's ends 24 hours
	// after the upload. Zero means that no end is known.
	Expires time.Time
}
