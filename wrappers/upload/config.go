package upload

import (
	"log/slog"
	"net/http"
	"time"
)

// Config is what all clients can be told. The zero value works.
type Config struct {
	// BaseURL is where the API is, /v1 or /api/v1 included, without query and
	// user info. Empty means the provider's documented address.
	BaseURL string

	// HTTPClient's Transport sends the requests, so its settings of
	// connections, proxy and TLS hold. Its Timeout holds for each attempt. Its
	// cookie jar and its redirects are left out. Nil, or a nil Transport,
	// means a transport like [NewTransport]'s that all clients share. A
	// Transport that repeats requests by itself does not belong here, since
	// most of these read a whole body into memory first.
	HTTPClient *http.Client

	// Connections is the largest number of connections to one host. Zero is
	// no bound. A transport in HTTPClient has its own MaxConnsPerHost.
	Connections int

	// AnswerTimeout is how long the beginning of an answer is waited for, once
	// the request is sent. Zero means 60 s, or the ResponseHeaderTimeout of
	// HTTPClient's transport if that has one; negative means no limit. Raise it
	// for an API that works on a file before it answers: a request without an
	// answer is sent again where that does no harm.
	AnswerTimeout time.Duration

	// Header is added to API calls, never to the presigned step. Names that
	// authenticate and those that frame the body (Content-*) are refused.
	// NAVER's x-ncp-lang goes here.
	Header http.Header

	// UserAgent replaces "putpost".
	UserAgent string

	// Retry says how often a request is sent.
	Retry Retry

	// Logger gets a line for each attempt (debug) and each wait (info), with
	// host and status and without query and secrets. Nil is silent.
	Logger *slog.Logger
}

// Retry bounds the attempts of one request. Only what loses nothing is
// repeated; each client's package says what that is.
type Retry struct {
	// Attempts is how often a request is sent at most. Zero means 4; 1 means
	// that nothing is ever sent twice.
	Attempts int

	// MaxWait is the longest wait before an attempt. Zero means 30 s. The
	// waits are random, up to 0.5, 1, 2 s and so on, or what Retry-After says.
	MaxWait time.Duration
}
