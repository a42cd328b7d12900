package twentyfourseven

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// TokenURL is where tokens are issued.
const TokenURL = "https://login.24sevenoffice.com/oauth/token"

const audience = "https://api.24sevenoffice.com"

// tokenTable gives the answers of the token server their meaning where HTTP
// alone does not: every refusal means that the credentials are wrong.
var tokenTable = wire.Table{
	{Status: 403, Kind: upload.ErrUnauthorized},
	// Some servers refuse with status 200.
	{Code: "invalid_client", Kind: upload.ErrUnauthorized},
	{Code: "unauthorized_client", Kind: upload.ErrUnauthorized},
	{Code: "access_denied", Kind: upload.ErrUnauthorized},
	{Code: "invalid_grant", Kind: upload.ErrUnauthorized},
	{Status: 200, Code: "invalid_request", Kind: upload.ErrInvalid},
	{Status: 200, Code: "invalid_scope", Kind: upload.ErrInvalid},
	{Status: 200, Code: "unsupported_grant_type", Kind: upload.ErrInvalid},
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

// TokenSource returns a source that fetches a token when one is needed, shares
// it among all callers, and fetches the next one 10 s before it expires. If
// many callers wait, one call is made. A caller whose context ends stops
// waiting. A failed call is an [*upload.Error] with Op "token". The next caller
// tries again.
//
// The call uses the Config of the client that needs the token: HTTPClient,
// AnswerTimeout, Retry, UserAgent and Logger. If Config has no HTTPClient, or
// Token is called directly, it uses the HTTP client under oauth2.HTTPClient in
// ctx, as golang.org/x/oauth2 does.
//
// Ctx limits the source's life, not a single call.
func (c ClientCredentials) TokenSource(ctx context.Context) oauth2.TokenSource {
	s := &tokenSource{}
	s.shared.Life, s.shared.Valid = ctx, (*oauth2.Token).Valid
	client, _ := ctx.Value(oauth2.HTTPClient).(*http.Client)
	s.fetcher = func(cfg upload.Config) fetchToken { // a func, so that printing the source prints no secret
		if cfg.HTTPClient == nil {
			cfg.HTTPClient = client
		}
		return c.fetcher(cfg)
	}
	s.fetch = s.fetcher(upload.Config{})
	return s
}

type fetchToken func(context.Context) (*oauth2.Token, error)

// fetcher returns the token call, set up as cfg says. If a credential cannot be
// used, each call fails.
func (c ClientCredentials) fetcher(cfg upload.Config) fetchToken {
	unusable := func(err error) fetchToken {
		return func(context.Context) (*oauth2.Token, error) { return nil, err }
	}
	for name, value := range map[string]string{
		"ClientID": c.ClientID, "ClientSecret": c.ClientSecret, "Organization": c.Organization,
	} {
		if value == "" {
			return unusable(fmt.Errorf("%w: ClientCredentials has no %s", upload.ErrInvalid, name))
		}
	}
	tokenURL := cmp.Or(c.TokenURL, TokenURL)
	cfg.BaseURL, cfg.Header = tokenURL, nil // the API's
	doer, err := wire.NewDoer(wire.API{
		Provider:   provider,
		Table:      tokenTable,
		Read:       readTokenError,
		Hide:       func() []string { return []string{c.ClientSecret, url.QueryEscape(c.ClientSecret)} },
		Repeatable: true,
	}, cfg)
	if err != nil {
		return unusable(fmt.Errorf("TokenURL: %w", err))
	}
	form := url.Values{
		"grant_type":         {"client_credentials"},
		"client_id":          {c.ClientID},
		"client_secret":      {c.ClientSecret},
		"audience":           {audience},
		"login_organization": {c.Organization},
	}.Encode()
	return func(ctx context.Context) (*oauth2.Token, error) {
		var t token
		_, err := doer.Call(ctx, upload.OpToken, t.read, func(ctx context.Context) (*http.Response, error) {
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
}

// token is the answer that RFC 6749 specifies.
type token struct{ oauth2.Token }

func (t *token) read(body []byte) error {
	var raw struct {
		AccessToken string          `json:"access_token"`
		TokenType   wire.JSONText   `json:"token_type"`
		ExpiresIn   json.RawMessage `json:"expires_in"` // seconds; some servers quote it
	}
	err := wire.DecodeJSON(body, &raw)
	t.AccessToken, t.TokenType = raw.AccessToken, string(raw.TokenType)
	if err != nil || authorization(&t.Token) == "" {
		return errors.New("it is no OAuth2 token")
	}
	if s, err := strconv.ParseFloat(strings.Trim(string(raw.ExpiresIn), `" `), 64); err == nil && s > 0 {
		t.Expiry = time.Now().Add(time.Duration(min(s, 1<<31)) * time.Second)
	}
	return nil
}

// readTokenError reads the error that RFC 6749 specifies, even if it is nested
// or in other case. It shows nothing else of a body, because a body may repeat
// the credentials.
func readTokenError(a wire.Answer) (code, message string) {
	body := wire.ParseLenient(a.Body)
	code = strings.ToLower(body.Text("error", "error.code", "error.error", "errorCode"))
	message = body.Text("error_description", "error.error_description", "error.message")
	if code == "" && message == "" && a.Status/100 != 2 {
		message = "the token server gives no reason"
	}
	return code, message
}

// tokenSource is an oauth2.TokenSource that also takes a context for each call,
// and learns of refused tokens.
type tokenSource struct {
	shared  wire.Shared[*oauth2.Token]
	fetcher func(upload.Config) fetchToken
	fetch   fetchToken // with the zero Config
}

// Format prints no token, whatever the verb.
func (*tokenSource) Format(s fmt.State, _ rune) {
	io.WriteString(s, "twentyfourseven.TokenSource"+wire.Redacted)
}

// Token implements [oauth2.TokenSource].
func (s *tokenSource) Token() (*oauth2.Token, error) {
	return s.shared.Get(s.shared.Life, s.fetch)
}

// authorization returns the header's value for t, or an empty text if t cannot
// be sent.
func authorization(t *oauth2.Token) string {
	unfit := func(r rune) bool { return r <= ' ' || r >= 0x7f }
	if t == nil || t.AccessToken == "" || strings.ContainsFunc(t.Type()+t.AccessToken, unfit) {
		return ""
	}
	return t.Type() + " " + t.AccessToken
}

// bearer returns the hooks Authorize and Renew for a token source, set up as
// cfg says. The source stays inside the funcs, since printing it as a field
// might show a token.
func bearer(tokens oauth2.TokenSource, cfg upload.Config) (
	authorize func(*http.Request) error, renew func(*http.Request) (bool, error),
) {
	get := func(context.Context) (*oauth2.Token, error) { return tokens.Token() }
	own, _ := tokens.(*tokenSource)
	if own != nil {
		fetch := own.fetcher(cfg)
		get = func(ctx context.Context) (*oauth2.Token, error) { return own.shared.Get(ctx, fetch) }
	}
	authorize = func(req *http.Request) error {
		t, err := get(req.Context())
		value := authorization(t)
		if err == nil && value == "" {
			err = fmt.Errorf("%w: the token source gave no token that could be sent", upload.ErrInvalid)
		}
		if err != nil {
			return tokenError(req.Context(), err)
		}
		req.Header.Set("Authorization", value)
		return nil
	}
	renew = func(req *http.Request) (bool, error) {
		was := req.Header.Get("Authorization")
		if own != nil {
			own.shared.Drop(func(t *oauth2.Token) bool { return authorization(t) == was })
		}
		err := authorize(req)
		return req.Header.Get("Authorization") != was, err
	}
	return authorize, renew
}

// tokenError returns the failure of a token source as an *upload.Error. A
// foreign error may show a body, so only the two fields of RFC 6749 are kept of
// an oauth2.RetrieveError.
func tokenError(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*upload.Error](err); ok {
		return err
	}
	f := &upload.Error{Provider: provider, Op: upload.OpToken, Attempts: 1, Err: err}
	if re, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		f.Code, f.Message, f.Err = re.ErrorCode, re.ErrorDescription, upload.ErrUnavailable
		if re.Response != nil {
			f.Status = re.Response.StatusCode
			f.Err, _ = tokenTable.Meaning(f.Status, f.Code, f.Message)
		}
	} else if !errors.Is(err, upload.ErrInvalid) && ctx.Err() == nil {
		f.Err = fmt.Errorf("%w: %w", upload.ErrUnavailable, err)
	}
	return f
}
