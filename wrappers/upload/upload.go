package upload

import (
	"context"
	"time"
)

// Uploader is one provider's client. Implementations are safe for concurrent
// use and return failures as [*Error].
type Uploader interface {
	// Upload sends src whole, or fails. Every reader that it got from
	// src.Open is closed when it returns.
	Upload(ctx context.Context, src Source) (Result, error)
}

// Result is what the provider said of one uploaded file.
type Result struct {
	ID      string // the provider's fileId, opaque
	Name    string // the name the server gives the file, or, where its answer has none, the base name that was handed over
	TraceID string // the provider's trace id for its support, where it sent one
	Size    int64  // bytes

	TempRequestID string // NAVER's tempRequestId, by which the files of one request are listed and deleted; else empty
	// when the ID ends, by the caller's clock (NAVER: 24 hours after the upload);
	// zero where no end is known
	Expires time.Time
}
