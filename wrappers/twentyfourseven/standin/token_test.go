package standin_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/twentyfourseven/standin"
)

// grantForm returns a valid request for a token.
func grantForm() url.Values {
	return url.Values{
		"grant_type":         {"client_credentials"},
		"client_id":          {clientID},
		"client_secret":      {clientSecret},
		"audience":           {"https://api.24sevenoffice.com"},
		"login_organization": {"1234567"},
	}
}

type granted struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
	Scope       string `json:"scope"`

	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func (s *service) grant(form string, header ...string) (a standintest.Answer, g granted) {
	s.t.Helper()
	a = s.do(http.MethodPost, "/oauth/token", strings.NewReader(form),
		append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...).Answer
	a.Decode(&g)
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		s.t.Errorf("Cache-Control: %s", got)
	}
	return a, g
}

// opens reports whether the API accepts a token.
func (s *service) opens(token string) bool {
	s.t.Helper()
	status := s.do(http.MethodGet, "/v1/fileUpload/unknown", nil, "Authorization", "Bearer "+token).Status
	if status != http.StatusNotFound && status != http.StatusUnauthorized {
		s.t.Errorf("status %d", status)
	}
	return status == http.StatusNotFound
}

func TestIssuedTokenExpires(t *testing.T) {
	clock := standintest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s := serve(t, standin.Config{Now: clock.Now, TokenLife: 10 * time.Minute})
	a, g := s.grant(grantForm().Encode())
	if a.Is(200); g.AccessToken == "" || g.TokenType != "Bearer" || g.ExpiresIn != 600 ||
		g.Scope != "api.accounting.transaction:write" {
		t.Fatalf("%+v", g)
	}
	// The replica is like the same stand-in after a restart.
	replica := serve(t, standin.Config{Now: clock.Now})
	clock.Add(10*time.Minute - time.Second)
	if !s.opens(g.AccessToken) || !replica.opens(g.AccessToken) {
		t.Error("the token is refused within its life")
	}
	clock.Add(time.Second)
	if s.opens(g.AccessToken) || replica.opens(g.AccessToken) {
		t.Error("the token opens at its end")
	}
	if !strings.Contains(s.log.String(), "the token expired at 2026-03-01T12:10:00Z") {
		t.Errorf("the log does not say why:\n%s", s.log)
	}
	if !s.opens(token) {
		t.Error("the static token is refused")
	}
}

func TestForgedTokenIsRefused(t *testing.T) {
	s := serve(t, standin.Config{})
	_, g := s.grant(grantForm().Encode())
	if !s.opens(g.AccessToken) {
		t.Fatal("the token itself is refused")
	}
	payload, code, _ := strings.Cut(g.AccessToken, ".")
	form := grantForm()
	form.Set("client_secret", "other")
	other := serve(t, standin.Config{Token: token, ClientID: clientID, ClientSecret: "other"})
	_, foreign := other.grant(form.Encode())
	i := s.initiate("a/b")
	_, signature, _ := strings.Cut(i.UploadURL, "signature=")
	for what, forged := range map[string]string{
		"a later end":            "9" + g.AccessToken,
		"no code":                payload + ".",
		"no dot":                 payload,
		"half a code":            payload + "." + code[:20],
		"the code of a URL":      payload + "." + signature,
		"padding":                g.AccessToken + "=",
		"another bit at its end": g.AccessToken[:len(g.AccessToken)-1] + string(g.AccessToken[len(g.AccessToken)-1]^1),
		"of another secret":      foreign.AccessToken,
		"a fileId":               i.FileID,
		"nothing":                ".",
	} {
		if s.opens(forged) {
			t.Errorf("%s opens", what)
		}
	}
}

func TestTokenRequestsAreChecked(t *testing.T) {
	s := serve(t, standin.Config{})
	set := func(name, value string) string {
		form := grantForm()
		if form.Set(name, value); value == "" {
			form.Del(name)
		}
		return form.Encode()
	}
	for _, c := range []struct {
		what, form string
		header     []string
		status     int
		code       string
	}{
		{"a wrong secret", set("client_secret", "wrong"), nil, 401, "invalid_client"},
		{"a wrong id", set("client_id", "wrong"), nil, 401, "invalid_client"},
		{"id and secret exchanged", strings.NewReplacer(clientID, clientSecret, clientSecret,
			clientID).Replace(grantForm().Encode()), nil, 401, "invalid_client"},
		{"another grant", set("grant_type", "password"), nil, 400, "unsupported_grant_type"},
		{"another audience", set("audience", "https://api.example.com"), nil, 400, "invalid_request"},
		{"no grant_type", set("grant_type", ""), nil, 400, "invalid_request"},
		{"no client_id", set("client_id", ""), nil, 400, "invalid_request"},
		{"no client_secret", set("client_secret", ""), nil, 400, "invalid_request"},
		{"no audience", set("audience", ""), nil, 400, "invalid_request"},
		{"no organization", set("login_organization", ""), nil, 400, "invalid_request"},
		{"a field twice", grantForm().Encode() + "&audience=x", nil, 400, "invalid_request"},
		{"no form", "%zz", nil, 400, "invalid_request"},
		{"nothing", "", nil, 400, "invalid_request"},
		{"JSON", `{"grant_type":"client_credentials"}`, []string{"Content-Type", "application/json"}, 400,
			"invalid_request"},
		{"too much", grantForm().Encode() + "&x=" + strings.Repeat("x", 64<<10), nil, 413, "invalid_request"},
		{"credentials in the header", grantForm().Encode(), []string{"Authorization", "Basic dGVzdA=="}, 401,
			"invalid_client"},
	} {
		t.Run(c.what, func(t *testing.T) {
			a, g := s.grant(c.form, c.header...)
			if a.Is(c.status); g.Error != c.code || g.Description == "" || g.AccessToken != "" {
				t.Errorf("%+v, want %s", g, c.code)
			}
			if c.status == 401 && a.Header.Get("WWW-Authenticate") == "" {
				t.Error("no WWW-Authenticate")
			}
		})
	}
	a := s.do(http.MethodGet, "/oauth/token?"+grantForm().Encode(), nil).Is(http.StatusMethodNotAllowed)
	if a.Header.Get("Allow") != "POST" || !strings.Contains(a.Text, `"error"`) {
		t.Errorf("GET: %v %s", a.Header, a.Text)
	}
	if strings.Contains(s.log.String(), clientSecret) {
		t.Errorf("the log shows the secret:\n%s", s.log)
	}
	// Without a client no token is issued, not even to an empty client.
	static := serve(t, standin.Config{Token: token})
	for form, want := range map[string]string{grantForm().Encode(): "invalid_client",
		set("client_id", "") + "&client_id=": "invalid_request"} {
		if _, g := static.grant(form); g.Error != want {
			t.Errorf("no client configured: %+v, want %s", g, want)
		}
	}
	// Without a static token, an empty token is not valid.
	if serve(t, standin.Config{ClientID: clientID, ClientSecret: clientSecret}).opens("") {
		t.Error("no token configured: an empty one opens")
	}
}

// The form that asks for a token is the only body that is read from an unknown
// caller.
func TestFormThatAsksForATokenCannotTrickle(t *testing.T) {
	const stall = 200 * time.Millisecond
	conn := standintest.Dial(t, serve(t, standin.Config{Stall: stall}).url, "POST /oauth/token HTTP/1.1\nHost: x\n"+
		"Content-Type: application/x-www-form-urlencoded\nContent-Length: 1000\n\n")
	go func() {
		for {
			if _, err := io.WriteString(conn, " "); err != nil {
				return
			}
			time.Sleep(stall / 10)
		}
	}()
	begun := time.Now()
	standintest.Receive(t, conn).Is(http.StatusBadRequest)
	if took := time.Since(begun); took > 20*stall {
		t.Errorf("answered after %s", took)
	}
}
