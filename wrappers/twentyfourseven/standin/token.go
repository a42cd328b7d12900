package standin

import (
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
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

// issueToken returns a token: its end in seconds since 1970 and an
// authentication code of that, with a dot between.
func (h *Handler) issueToken() string {
	return h.sealed(strconv.FormatInt(h.now().Add(h.tokenLife).Unix(), 10))
}

func (h *Handler) sealed(end string) string {
	return end + "." + base64.RawURLEncoding.EncodeToString(h.tokens(end))
}

// checkToken checks an issued token by its authentication code.
func (h *Handler) checkToken(token string) error {
	text, _, _ := strings.Cut(token, ".")
	if !standinhttp.Same(token, h.sealed(text)) {
		return errors.New("the token was not issued here")
	}
	end, _ := strconv.ParseInt(text, 10, 64) // it was issued, so it is a number
	if h.now().Unix() >= end {
		return fmt.Errorf("the token expired at %s", time.Unix(end, 0).UTC().Format(time.RFC3339))
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
	if refused := h.grant(r); refused != nil {
		answerOAuth(w, r, refused)
		return
	}
	standinhttp.JSON(http.StatusOK, map[string]any{
		"access_token": h.issueToken(),
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

// grant checks a request for a token.
func (h *Handler) grant(r *http.Request) *oauthError {
	if r.Method != http.MethodPost {
		return &oauthError{"invalid_request", "The method is not POST.", http.StatusMethodNotAllowed}
	}
	if len(r.Header.Values("Authorization")) > 0 {
		return &oauthError{
			"invalid_client", "The credentials go in the body, not in the Authorization header.",
			http.StatusUnauthorized,
		}
	}
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || t != "application/x-www-form-urlencoded" {
		return invalidRequest("Content-Type is not application/x-www-form-urlencoded.")
	}
	text, unread := readText(r)
	if unread != nil {
		return &oauthError{"invalid_request", unread.Error(), unread.status}
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return invalidRequest("The body is no form.")
	}
	for name, values := range form {
		if len(values) > 1 {
			return invalidRequest(fmt.Sprintf("The field %.40q is there more than once.", name))
		}
	}
	for _, name := range []string{"grant_type", "client_id", "client_secret", "audience", "login_organization"} {
		if form.Get(name) == "" {
			return invalidRequest("The field " + name + " is missing.")
		}
	}
	if form.Get("grant_type") != "client_credentials" {
		return &oauthError{"unsupported_grant_type", "The grant_type is not client_credentials.",
			http.StatusBadRequest}
	}
	if !h.isClient(form.Get("client_id"), form.Get("client_secret")) {
		return &oauthError{"invalid_client", "The client_id or the client_secret is wrong.",
			http.StatusUnauthorized}
	}
	if form.Get("audience") != audience {
		return invalidRequest("The audience is not " + audience + ".")
	}
	return nil
}
