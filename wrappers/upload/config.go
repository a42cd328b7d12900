package upload

import (
	"log/slog"
	"net/http"
	"time"
)

// Config holds the settings that all clients share. The zero value works.
type Config struct {
	// BaseURL is where the API is, /v1 or /api/v1 included, without query and
	// user info. Empty means the provider's documented address.
	BaseURL string

	// HTTPClient.Transport sends the requests, with its own settings of
	// connections, proxy and TLS. HTTPClient.Timeout limits each attempt. Its
	// Jar and CheckRedirect are not used. Nil, or a nil Transport, means a
	// transport like [NewTransport]'s that all clients share. Do not use a
	// Transport that repeats requests by itself: most of these read a whole
	// body into memory first.
	HTTPClient *http.Client

	// Connections is the largest number of connections to one host. Zero means
	// no limit. If HTTPClient has a Transport, set its MaxConnsPerHost instead.
	Connections int

	// AnswerTimeout limits the wait for the beginning of an answer, once the
	// request is sent. Zero means 60 s, or the ResponseHeaderTimeout of
	// HTTPClient's transport if it has one. Negative means no limit. Raise it
	// for an API that works on a file before it answers: a request without an
	// answer is sent again where that does no harm.
	AnswerTimeout time.Duration

	// Header is added to API calls, but not to the presigned step. Names that
	// authenticate and names that frame the body (Content-*) are refused.
	// NAVER's x-ncp-lang goes here.
	Header http.Header

	// UserAgent replaces "putpost".
	UserAgent string

	// Retry says how often a request is sent.
	Retry Retry

	// Logger gets a line for each attempt (debug) and each wait (info), with
	// host and status, but without queries and secrets. Nil logs nothing.
	Logger *slog.Logger
}

// Retry limits the attempts of one request. A request is repeated only where
// nothing is lost by it. Each client's package comment says when.
type Retry struct {
	// Attempts is the largest number of times that a request is sent. Zero
	// means 4. 1 means that nothing is ever sent twice.
	Attempts int

	// MaxWait is the longest wait before an attempt. Zero means 30 s. A wait is
	// random, up to 0.5, 1, 2 s and so on, or the one that Retry-After asks
	// for.
	MaxWait time.Duration
}
