// Package standin is a stand-in for 24SevenOffice: an http.Handler that accepts
// files like the real service, for development and tests.
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
// /download/, and POST /oauth/token. Its only state is the store. Ids,
// presigned URLs and tokens contain an authentication code. Its key is derived
// from the credentials. So they outlive a restart, and replicas with the same
// credentials and the same store are one service. An unused id or an expired
// URL takes no room.
//
// Scripts of other origins may call every operation and read the trace ids.
//
// # Limits
//
//   - JSON, and the form that asks for a token: 64 KiB in a minute at most
//     ([Config.Stall]).
//   - A file: no limit but the store's unless [Config.MaxSize] sets one. It may
//     take any time, but not a minute without a byte (Stall).
//   - An answer: a caller who reads nothing of it for two minutes (twice Stall)
//     loses the connection.
//   - Headers: the limits of the http.Server. Set its ReadHeaderTimeout, and
//     its MaxHeaderBytes if 1 MiB is too much. A ReadTimeout or a WriteTimeout
//     would end large files.
//
// A body is read only if the bearer token or the presigned URL is right. The
// form that asks for a token is an exception, because it holds the credentials.
// A refused request stores nothing.
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

// Config configures a stand-in. Token, or ClientID with ClientSecret, is
// required.
type Config struct {
	Store        store.Store      // where the files go; nil is a memory store of the default size
	Token        string           // a bearer token that is always valid
	ClientID     string           // the client that may ask POST /oauth/token for a token
	ClientSecret string           // the client's secret
	MaxSize      int64            // the largest file in bytes; zero means no limit but the store's
	URLLife      time.Duration    // how long a presigned URL lives; zero means 15 minutes
	TokenLife    time.Duration    // how long an issued token lives; zero means an hour
	Stall        time.Duration    // the limit for a file without a byte, and for any other body; zero means a minute
	StatusDelay  time.Duration    // how long the status is Pending after a file has arrived; zero means not at all
	Logger       *slog.Logger     // gets the reason of each refusal, with the trace id; nil logs nothing
	Now          func() time.Time // the clock; nil is time.Now

	// Origin returns the address by which the caller reaches this server, like
	// https://host. Presigned URLs begin with it. If it is nil, the request
	// gives the address. That is wrong behind some proxies.
	Origin func(*http.Request) string
}

// Format prints the configuration without its secrets, whatever the verb.
func (c Config) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "standin.Config{Token:%s ClientID:%s ClientSecret:%s "+
		"MaxSize:%d URLLife:%s TokenLife:%s Stall:%s StatusDelay:%s}",
		standinhttp.Hide(c.Token), standinhttp.Hide(c.ClientID), standinhttp.Hide(c.ClientSecret),
		c.MaxSize, c.URLLife, c.TokenLife, c.Stall, c.StatusDelay)
}

// MarshalText returns what Format prints, so JSON and slog show no secret
// either.
func (c Config) MarshalText() ([]byte, error) { return fmt.Append(nil, c), nil }

// Handler is the stand-in. Make one with [New]. It is safe for concurrent use,
// and need not be closed.
type Handler struct {
	store     store.Store
	maxSize   int64
	urlLife   time.Duration
	tokenLife time.Duration
	delay     time.Duration // of the status
	now       func() time.Time
	origin    func(*http.Request) string
	serve     http.Handler

	// Funcs hide the secrets: fmt prints only a func's address.
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
	if cfg.MaxSize < 0 || cfg.URLLife < 0 || cfg.TokenLife < 0 || cfg.Stall < 0 || cfg.StatusDelay < 0 {
		return nil, errors.New("twentyfourseven stand-in: a limit is negative")
	}
	h := &Handler{
		store:     cmp.Or(cfg.Store, store.Memory(0)),
		maxSize:   cfg.MaxSize,
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
		h.origin = standinhttp.Origin
	}
	h.isStaticToken = func(token string) bool { return cfg.Token != "" && standinhttp.Same(token, cfg.Token) }
	h.isClient = func(id, secret string) bool {
		// Both are always compared, so the time says nothing about the first.
		goodID, goodSecret := standinhttp.Same(id, cfg.ClientID), standinhttp.Same(secret, cfg.ClientSecret)
		return cfg.ClientID != "" && goodID && goodSecret
	}
	keys, err := derive([]string{cfg.Token, cfg.ClientID, cfg.ClientSecret}, "fileId", "presigned URL", "token")
	if err != nil {
		return nil, fmt.Errorf("twentyfourseven stand-in: %w", err)
	}
	h.ids, h.urls, h.tokens = keys[0], keys[1], keys[2]
	h.serve = standinhttp.Handler{Next: h.route(), Logger: cfg.Logger, Now: cfg.Now, Stall: cfg.Stall}
	return h, nil
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.serve.ServeHTTP(w, r) }

// Format prints a name and no more, whatever the verb.
func (h *Handler) Format(s fmt.State, _ rune) {
	io.WriteString(s, "24SevenOffice stand-in")
}
