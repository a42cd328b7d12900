// Package standin is a stand-in for 24SevenOffice: an http.Handler that takes
// files like the real service, to develop and test against.
//
//	h, err := standin.New(standin.Config{Token: "test-token"})
//	if err != nil {
//		return err
//	}
//	srv := httptest.NewServer(h)
//	client, err := twentyfourseven.New(tokens, upload.Config{BaseURL: srv.URL + "/v1"})
//
// It serves POST /v1/fileUpload, GET /v1/fileUpload/{fileId} and GET
// /v1/documents/{documentId}, the presigned PUT under /upload/ (unless the
// store gives out URLs of its own, as S3 does), the presigned GET under
// /download/, and POST /oauth/token. It keeps no state besides the store. The
// ids, presigned URLs and tokens carry a code, and the keys of these codes are
// derived from the credentials. So all of them outlive a restart, and any
// number of replicas with the same credentials and the same store are one
// service. An id that is never used, or a URL that expires, takes no room
// anywhere.
//
// Scripts of other origins may call all of it, and read the trace ids.
//
// # Limits
//
//   - JSON, and the form that asks for a token: 64 KiB in a minute at most
//     ([Config.MaxText], [Config.Stall]).
//   - A file: no limit but the store's unless [Config.MaxSize] sets one. It may
//     take any time, but not a minute without a byte (Stall).
//   - An answer: a caller who takes nothing of it for two minutes (twice Stall) is
//     hung up on.
//   - Headers: those of the http.Server. Let it have a ReadHeaderTimeout, and a
//     MaxHeaderBytes where its 1 MiB is too much; a ReadTimeout or a WriteTimeout
//     would end large files.
//
// A body is read only when the bearer token or the presigned URL is good; only
// the form that asks for a token brings its credentials along. What is refused
// is refused with nothing of it stored.
package standin

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/store"
)

// Config configures a stand-in. At least one way to authenticate must be there:
// Token, or ClientID with ClientSecret.
type Config struct {
	Store        store.Store      // where the files go; nil is a memory store of the default size
	Token        string           // a bearer token that is always valid
	ClientID     string           // who may ask POST /oauth/token for a token,
	ClientSecret string           // and what proves it
	MaxSize      int64            // the largest file in bytes; zero means no limit but the store's
	MaxText      int64            // the largest body in bytes that is no file; zero means 64 KiB
	URLLife      time.Duration    // how long a presigned URL lives; zero means 15 minutes
	TokenLife    time.Duration    // how long an issued token lives; zero means an hour
	Stall        time.Duration    // how long a file may go without a byte, and any other body take; zero means a minute
	StatusDelay  time.Duration    // how long the status stays Pending after a file has arrived; zero means not at all
	Logger       *slog.Logger     // says why a request was refused, under the trace id of the answer; nil is silent
	Now          func() time.Time // the clock; nil is time.Now

	// Origin returns the address under which the caller reaches this server, as
	// https://host. Presigned URLs begin with it. Behind a proxy it is not the
	// address that the request names. Nil takes the request's Host and TLS.
	Origin func(*http.Request) string
}

// Format prints the configuration without its secrets, whatever the verb.
func (c Config) Format(s fmt.State, _ rune) { io.WriteString(s, c.text()) }

// MarshalText gives what Format prints, so that JSON and slog show no secret
// either.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.text()), nil }

func (c Config) text() string {
	return fmt.Sprintf("standin.Config{Token:%s ClientID:%s ClientSecret:%s "+
		"MaxSize:%d MaxText:%d URLLife:%s TokenLife:%s Stall:%s StatusDelay:%s}",
		standinhttp.Hide(c.Token), standinhttp.Hide(c.ClientID), standinhttp.Hide(c.ClientSecret),
		c.MaxSize, c.MaxText, c.URLLife, c.TokenLife, c.Stall, c.StatusDelay)
}

// Handler is the stand-in. Make one with [New]. It may be used from many
// goroutines, and has nothing that must be closed.
type Handler struct {
	store     store.Store
	maxSize   int64
	maxText   int64
	urlLife   time.Duration
	tokenLife time.Duration
	delay     time.Duration // of the status
	now       func() time.Time
	origin    func(*http.Request) string
	serve     http.Handler

	// Secrets stand behind funcs: fmt prints a func's address and no more.
	ids, urls, tokens mac
	isStaticToken     func(token string) bool
	isClient          func(id, secret string) bool
}

// New checks the configuration and returns the stand-in.
func New(cfg Config) (*Handler, error) {
	if (cfg.ClientID == "") != (cfg.ClientSecret == "") {
		return nil, errors.New("twentyfourseven stand-in: ClientID and ClientSecret go together")
	}
	if cfg.Token == "" && cfg.ClientID == "" {
		return nil, errors.New("twentyfourseven stand-in: no credentials: neither Token nor ClientID and ClientSecret")
	}
	if cfg.MaxSize < 0 || cfg.MaxText < 0 || cfg.URLLife < 0 || cfg.TokenLife < 0 || cfg.Stall < 0 || cfg.StatusDelay < 0 {
		return nil, errors.New("twentyfourseven stand-in: a limit is negative")
	}
	h := &Handler{
		store:     cmp.Or(cfg.Store, store.Memory(0)),
		maxSize:   cfg.MaxSize,
		maxText:   cmp.Or(cfg.MaxText, 64<<10),
		urlLife:   cmp.Or(cfg.URLLife, 15*time.Minute),
		tokenLife: cmp.Or(cfg.TokenLife, time.Hour),
		delay:     cfg.StatusDelay,
		now:       cfg.Now,
		origin:    cfg.Origin,
	}
	if h.now == nil {
		h.now = time.Now
	}
	if h.origin == nil {
		h.origin = ownOrigin
	}
	h.isStaticToken = func(token string) bool { return cfg.Token != "" && standinhttp.Same(token, cfg.Token) }
	h.isClient = func(id, secret string) bool {
		// Both are compared whatever comes of the first.
		goodID, goodSecret := standinhttp.Same(id, cfg.ClientID), standinhttp.Same(secret, cfg.ClientSecret)
		return cfg.ClientID != "" && goodID && goodSecret
	}
	keys, err := derive([]string{cfg.Token, cfg.ClientID, cfg.ClientSecret}, "fileId", "presigned URL", "token")
	if err != nil {
		return nil, fmt.Errorf("twentyfourseven stand-in: %w", err)
	}
	h.ids, h.urls, h.tokens = keys[0], keys[1], keys[2]
	h.serve = standinhttp.Handler{Next: h.route(), Logger: cfg.Logger, Now: h.now, Stall: cfg.Stall}
	return h, nil
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.serve.ServeHTTP(w, r) }

// Format prints a name and no more, whatever the verb.
func (h *Handler) Format(s fmt.State, _ rune) {
	io.WriteString(s, "24SevenOffice stand-in")
}
