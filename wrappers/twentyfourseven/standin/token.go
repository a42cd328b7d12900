package standin

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// audience stands in a request for a token, and scope in the answer. The client
// has its own copy of both on purpose, so that one mistake does not make both
// sides wrong together.
const (
	audience = "https://api.24sevenoffice.com"
	scope    = "api.accounting.transaction:write"
)

// claims are the contents of an issued token. A token is its claims in JSON and
// their authentication code, each in base64url, with a dot between.
type claims struct {
	Organization string `json:"org"`
	Expires      int64  `json:"exp"` // in seconds since 1970
}

// authenticate checks the bearer token of an API call.
func (h *Handler) authenticate(r *http.Request) error {
	token, err := standinhttp.Bearer(r)
	if err == nil && !h.isStaticToken(token) {
		err = h.checkToken(token)
	}
	if err != nil {
		return refuse(http.StatusUnauthorized, "%w", err)
	}
	return nil
}

func (h *Handler) issueToken(organization string) string {
	text, _ := json.Marshal(claims{organization, h.now().Add(h.tokenLife).Unix()}) // it can always be encoded
	payload := base64.RawURLEncoding.EncodeToString(text)
	return payload + "." + base64.RawURLEncoding.EncodeToString(h.tokens(payload))
}

// checkToken checks an issued token by its authentication code.
func (h *Handler) checkToken(token string) error {
	payload, code, _ := strings.Cut(token, ".")
	if !standinhttp.Same(code, base64.RawURLEncoding.EncodeToString(h.tokens(payload))) {
		return errors.New("the token was not issued here")
	}
	var c claims
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return fmt.Errorf("the token does not decode: %w", err)
	}
	if h.now().Unix() >= c.Expires {
		return fmt.Errorf("the token expired at %s", time.Unix(c.Expires, 0).UTC().Format(time.RFC3339))
	}
	return nil
}

// oauthError is an error in the form of RFC 6749, section 5.2.
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`

	status int
}

func (e *oauthError) Error() string { return e.Code + ": " + e.Description }

func invalidRequest(description string) *oauthError {
	return &oauthError{"invalid_request", description, http.StatusBadRequest}
}

// token serves POST /oauth/token, the client credentials grant.
func (h *Handler) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	if standinhttp.CrossOrigin(w, r, http.MethodPost, traceIDHeader) {
		return
	}
	organization, refused := h.grant(r)
	if refused != nil {
		answerOAuth(w, r, refused)
		return
	}
	standinhttp.JSON(http.StatusOK, map[string]any{
		"access_token": h.issueToken(organization),
		"token_type":   "Bearer",
		"expires_in":   int64(h.tokenLife / time.Second),
		"scope":        scope,
	}).Write(w)
}

// answerOAuth writes every refusal of the token service.
func answerOAuth(w http.ResponseWriter, r *http.Request, e *oauthError) {
	switch e.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Basic") // RFC 6749 wants it if the client tried Basic
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	}
	standinhttp.Refuse(w, r, standinhttp.JSON(e.status, e), e)
}

// grant checks a request for a token and returns its organization.
func (h *Handler) grant(r *http.Request) (organization string, refused *oauthError) {
	if r.Method != http.MethodPost {
		return "", &oauthError{"invalid_request", "The method is not POST.", http.StatusMethodNotAllowed}
	}
	if len(r.Header.Values("Authorization")) > 0 {
		return "", &oauthError{
			"invalid_client", "The credentials go in the body, not in the Authorization header.",
			http.StatusUnauthorized,
		}
	}
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || t != "application/x-www-form-urlencoded" {
		return "", invalidRequest("Content-Type is not application/x-www-form-urlencoded.")
	}
	text, unread := readText(r)
	if unread != nil {
		return "", &oauthError{"invalid_request", unread.Error(), unread.status}
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return "", invalidRequest("The body is no form.")
	}
	for name, values := range form {
		if len(values) > 1 {
			return "", invalidRequest(fmt.Sprintf("The field %.40q is there more than once.", name))
		}
	}
	for _, name := range []string{"grant_type", "client_id", "client_secret", "audience", "login_organization"} {
		if form.Get(name) == "" {
			return "", invalidRequest("The field " + name + " is missing.")
		}
	}
	if form.Get("grant_type") != "client_credentials" {
		return "", &oauthError{"unsupported_grant_type", "The grant_type is not client_credentials.",
			http.StatusBadRequest}
	}
	if !h.isClient(form.Get("client_id"), form.Get("client_secret")) {
		return "", &oauthError{"invalid_client", "The client_id or the client_secret is wrong.",
			http.StatusUnauthorized}
	}
	if form.Get("audience") != audience {
		return "", invalidRequest("The audience is not " + audience + ".")
	}
	return form.Get("login_organization"), nil
}
