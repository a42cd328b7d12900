package twentyfourseven

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// TokenURL is where tokens are issued.
const TokenURL = "https://login.24sevenoffice.com/oauth/token"

const audience = "https://api.24sevenoffice.com"

// tokenTable is what the token server's answers mean, where HTTP alone does not
// say it: every refusal is one of the credentials.
var tokenTable = wire.Table{
	{Status: 400, Code: "invalid_client", Kind: upload.ErrUnauthorized},
	{Status: 400, Code: "unauthorized_client", Kind: upload.ErrUnauthorized},
	{Status: 403, Kind: upload.ErrUnauthorized},
}

// ClientCredentials is an OAuth2 client and the organization that it acts for.
// It prints redacted.
type ClientCredentials struct {
	ClientID, ClientSecret string
	Organization           string // the organization's id, sent as login_organization
	TokenURL               string // empty means [TokenURL]
}

// Format prints no secret, whatever the verb.
func (ClientCredentials) Format(s fmt.State, _ rune) {
	io.WriteString(s, "twentyfourseven.ClientCredentials"+wire.Redacted)
}

// MarshalText keeps the secret out of JSON and logs.
func (ClientCredentials) MarshalText() ([]byte, error) { return []byte(wire.Redacted), nil }

// TokenSource fetches a token when one is needed, shares it among all callers,
// and fetches the next one 10 s before it ends. However many callers wait, one
// call is made; a caller whose context ends waits no longer. A failed call is
// repeated as upload.Retry's zero value says, fails as an [*upload.Error] with
// Op "token", and is tried again by the next caller.
//
// Ctx bounds the source's life, not a single call. As everywhere with
// golang.org/x/oauth2, its value under oauth2.HTTPClient is the HTTP client to use.
func (c ClientCredentials) TokenSource(ctx context.Context) oauth2.TokenSource {
	tokenURL := c.TokenURL
	if tokenURL == "" {
		tokenURL = TokenURL
	}
	s := &tokenSource{life: ctx}
	for name, value := range map[string]string{"ClientID": c.ClientID, "ClientSecret": c.ClientSecret, "Organization": c.Organization} {
		if value == "" {
			s.unusable = fmt.Errorf("%w: ClientCredentials has no %s", upload.ErrInvalid, name)
		}
	}
	if s.unusable != nil {
		return s
	}
	client, _ := ctx.Value(oauth2.HTTPClient).(*http.Client)
	doer, err := wire.NewDoer(wire.API{
		Provider:   provider,
		BaseURL:    tokenURL,
		Table:      tokenTable,
		Read:       readTokenError,
		Hide:       func() []string { return []string{c.ClientSecret, url.QueryEscape(c.ClientSecret)} },
		Repeatable: true,
	}, upload.Config{HTTPClient: client})
	if err != nil {
		s.unusable = fmt.Errorf("TokenURL: %w", err)
		return s
	}
	form := url.Values{
		"grant_type":         {"client_credentials"},
		"client_id":          {c.ClientID},
		"client_secret":      {c.ClientSecret},
		"audience":           {audience},
		"login_organization": {c.Organization},
	}.Encode()
	s.fetch = func(ctx context.Context) (*oauth2.Token, error) { // a func, so that printing the source prints no secret
		var t token
		_, err := doer.Call(ctx, "token", t.read, func(ctx context.Context) (*http.Response, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, tokenURL, strings.NewReader(form))
			if err != nil {
				return nil, err
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Accept", "application/json")
			return doer.Do(req)
		})
		if err != nil {
			return nil, err
		}
		return &t.Token, nil
	}
	return s
}

// token is RFC 6749's answer.
type token struct{ oauth2.Token }

func (t *token) read(body []byte) error {
	var raw struct {
		AccessToken string      `json:"access_token"`
		TokenType   string      `json:"token_type"`
		ExpiresIn   json.Number `json:"expires_in"` // seconds; some servers quote it
	}
	err := json.Unmarshal(body, &raw)
	t.AccessToken, t.TokenType = raw.AccessToken, raw.TokenType
	if err != nil || authorization(&t.Token) == "" {
		return errors.New("it is no OAuth2 token")
	}
	if s, err := raw.ExpiresIn.Float64(); err == nil && s > 0 {
		t.Expiry = time.Now().Add(time.Duration(min(s, 1<<31)) * time.Second)
	}
	return nil
}

// readTokenError reads RFC 6749's error and shows nothing of any other body: it
// may repeat what was sent.
func readTokenError(a wire.Answer) (code, message string) {
	body := wire.ParseLenient(a.Body)
	code, message = body.Text("error"), body.Text("error_description")
	if code == "" && message == "" {
		message = "the token server gives no reason"
	}
	return code, message
}

// tokenSource is an oauth2.TokenSource that hears the caller's context and can
// be told that a token was refused.
type tokenSource struct {
	life     context.Context
	fetch    func(context.Context) (*oauth2.Token, error)
	unusable error

	mu     sync.Mutex
	held   *oauth2.Token
	flight *flight
}

// flight is one call to the token server, made on the goroutine of whoever came
// first; the others wait for it.
type flight struct {
	done       chan struct{}
	token      *oauth2.Token
	err        error
	calledBack bool // by the context of the one who made it
}

// Format prints no token, whatever the verb.
func (*tokenSource) Format(s fmt.State, _ rune) {
	io.WriteString(s, "twentyfourseven.TokenSource"+wire.Redacted)
}

// Token is [oauth2.TokenSource]'s.
func (s *tokenSource) Token() (*oauth2.Token, error) { return s.token(s.life) }

func (s *tokenSource) token(ctx context.Context) (*oauth2.Token, error) {
	if s.unusable != nil {
		return nil, s.unusable
	}
	for {
		if s.life.Err() != nil {
			return nil, wire.Ended(s.life, nil)
		}
		s.mu.Lock()
		if s.held.Valid() {
			defer s.mu.Unlock()
			return s.held, nil
		}
		f, mine := s.flight, false
		if f == nil {
			f, mine = &flight{done: make(chan struct{})}, true
			s.flight = f
		}
		s.mu.Unlock()
		if mine {
			s.fly(ctx, f)
			return f.token, f.err
		}
		select {
		case <-ctx.Done():
			return nil, wire.Ended(ctx, nil)
		case <-f.done:
		}
		if !f.calledBack {
			return f.token, f.err
		}
		// That says nothing of the token server: the next one flies.
	}
}

func (s *tokenSource) fly(caller context.Context, f *flight) {
	ctx, cancel := context.WithCancel(caller)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	defer func() { // also when fetch panics: the others must not wait for ever
		s.mu.Lock()
		defer s.mu.Unlock()
		f.calledBack = f.token == nil && (f.err == nil || caller.Err() != nil)
		if f.err == nil {
			s.held = f.token
		}
		s.flight = nil
		close(f.done)
	}()
	f.token, f.err = s.fetch(ctx)
}

// refused drops a token that the API did not take, unless it was replaced already.
func (s *tokenSource) refused(accessToken string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil && s.held.AccessToken == accessToken {
		s.held = nil
	}
}

// authorization is the header's value for t, or nothing where t cannot be sent.
func authorization(t *oauth2.Token) string {
	unfit := func(r rune) bool { return r <= ' ' || r >= 0x7f }
	if t == nil || t.AccessToken == "" || strings.ContainsFunc(t.Type()+t.AccessToken, unfit) {
		return ""
	}
	return t.Type() + " " + t.AccessToken
}

// bearer makes a Doer's two hooks of a token source. The source stays inside
// the funcs: printed as a field it might show a token.
func bearer(tokens oauth2.TokenSource) (authorize func(*http.Request) error, renew func(*http.Request) (bool, error)) {
	get := func(context.Context) (*oauth2.Token, error) { return tokens.Token() }
	own, _ := tokens.(*tokenSource)
	if own != nil {
		get = own.token
	}
	header := func(ctx context.Context) (string, error) {
		t, err := get(ctx)
		if err != nil {
			return "", tokenError(ctx, err)
		}
		value := authorization(t)
		if value == "" {
			return "", tokenError(ctx, fmt.Errorf("%w: the token source gave no token that could be sent", upload.ErrInvalid))
		}
		return value, nil
	}
	authorize = func(req *http.Request) error {
		value, err := header(req.Context())
		if err == nil {
			req.Header.Set("Authorization", value)
		}
		return err
	}
	renew = func(req *http.Request) (bool, error) {
		was := req.Header.Get("Authorization")
		if _, refused, found := strings.Cut(was, " "); found && own != nil {
			own.refused(refused)
		}
		is, err := header(req.Context())
		if err == nil {
			req.Header.Set("Authorization", is)
		}
		return is != was, err
	}
	return authorize, renew
}

// tokenError is a token source's failure in our own form. A foreign one may
// show a URL or a body; of an oauth2.RetrieveError only RFC 6749's two fields
// are kept.
func tokenError(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*upload.Error](err); ok {
		return err
	}
	f := &upload.Error{Provider: provider, Op: "token", Attempts: 1}
	if re, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		f.Code, f.Message, f.Err = wire.Clean(re.ErrorCode), wire.Clean(re.ErrorDescription), upload.ErrUnavailable
		if re.Response != nil {
			f.Status = re.Response.StatusCode
			f.Err, _ = tokenTable.Meaning(f.Status, f.Code, f.Message)
		}
		return f
	}
	f.Err = wire.WithoutURL(err)
	if !errors.Is(err, upload.ErrInvalid) && ctx.Err() == nil {
		f.Err = fmt.Errorf("%w: %w", upload.ErrUnavailable, f.Err)
	}
	return f
}
