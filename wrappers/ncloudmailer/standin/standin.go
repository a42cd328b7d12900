// Package standin is a stand-in for NAVER's Cloud Outbound Mailer: an
// http.Handler that accepts files like the real service, for development and
// tests.
//
//	h, err := standin.New(standin.Config{AccessKey: "test-access-key", SecretKey: "test-secret-key"})
//	if err != nil {
//		return err
//	}
//	srv := httptest.NewServer(h)
//	client, err := ncloudmailer.New(cred, upload.Config{BaseURL: srv.URL + "/api/v1"})
//
// It serves POST /api/v1/files and GET and DELETE
// /api/v1/files/{tempRequestId}, and the same under /api/v1-sgn and
// /api/v1-jpn. Its only state is the store, so replicas with the same store are
// one service. Scripts of other origins may call every operation and read the
// trace ids.
//
// # Limits
//
//   - A form: 1,000 parts, and 1 MiB of bytes that are no file: boundaries, the
//     headers of parts and other fields. It may take any time, but not a minute
//     without a byte ([Config.Stall]).
//   - The files of a form: no limit but the store's unless [Config.MaxSize]
//     sets one.
//   - A boundary: the 70 characters of RFC 2046.
//   - A file's life: 24 hours ([Config.Life]). Uploads delete expired files
//     from a store that is a [store.Lister]; see [Handler.Reclaim].
//   - A clock: five minutes off, by the provider's rule.
//   - An answer: a caller who reads nothing of it for two minutes (twice Stall)
//     loses the connection.
//   - Headers: the limits of the http.Server. Set its ReadHeaderTimeout, and
//     its MaxHeaderBytes if 1 MiB is too much. A ReadTimeout or a WriteTimeout
//     would end large files.
//
// A body is read only if the signature is right. A refused request stores
// nothing.
package standin

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/store"
)

// Config configures a stand-in. The keys are required.
type Config struct {
	Store     store.Store      // where the files go; nil is a memory store of the default size
	AccessKey string           // the caller's key
	SecretKey string           // the key that signs the requests
	MaxSize   int64            // the limit in bytes for all files of one request; zero means only the store's
	Life      time.Duration    // how long files are kept; zero means the provider's 24 hours
	Stall     time.Duration    // how long a body may go without a byte; zero means a minute
	Logger    *slog.Logger     // gets the reason of each refusal, with the trace id; nil logs nothing
	Now       func() time.Time // the clock; nil is time.Now
}

// Format prints the configuration without its secrets, whatever the verb.
func (c Config) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "standin.Config{AccessKey:%s SecretKey:%s MaxSize:%d Life:%s Stall:%s}",
		standinhttp.Hide(c.AccessKey), standinhttp.Hide(c.SecretKey), c.MaxSize, c.Life, c.Stall)
}

// MarshalText returns what Format prints, so JSON and slog show no secret
// either.
func (c Config) MarshalText() ([]byte, error) { return fmt.Append(nil, c), nil }

// Handler is the stand-in. Make one with [New]. It is safe for concurrent use,
// and need not be closed.
type Handler struct {
	store     store.Store
	maxSize   int64
	life      time.Duration
	now       func() time.Time
	reclaimed atomic.Int64 // the time of the last Reclaim, in nanoseconds since 1970
	serve     http.Handler

	// A func hides the keys: fmt prints only its address.
	authenticate func(*http.Request) error
}

// New checks the configuration and returns the stand-in.
func New(cfg Config) (*Handler, error) {
	if cfg.AccessKey == "" || cfg.SecretKey == "" {
		return nil, errors.New("ncloudmailer stand-in: no credentials: AccessKey and SecretKey are needed")
	}
	if cfg.MaxSize < 0 || cfg.Life < 0 || cfg.Stall < 0 {
		return nil, errors.New("ncloudmailer stand-in: a limit is negative")
	}
	h := &Handler{
		store:   cmp.Or(cfg.Store, store.Memory(0)),
		maxSize: cfg.MaxSize,
		life:    cmp.Or(cfg.Life, 24*time.Hour),
		now:     cfg.Now,
	}
	if h.now == nil {
		h.now = time.Now
	}
	h.authenticate = signedBy(cfg.AccessKey, cfg.SecretKey, h.now)
	h.serve = standinhttp.Handler{Next: h.route(), Logger: cfg.Logger, Now: cfg.Now, Stall: cfg.Stall}
	return h, nil
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.serve.ServeHTTP(w, r) }

// Format prints a name and no more, whatever the verb.
func (h *Handler) Format(s fmt.State, _ rune) {
	io.WriteString(s, "NAVER Cloud Outbound Mailer stand-in")
}
