package standinhttp

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Bearer returns the token of the request's only Authorization header.
func Bearer(r *http.Request) (token string, err error) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", fmt.Errorf("%d Authorization headers instead of one", len(values))
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errors.New("the Authorization header is not of the form: Bearer TOKEN")
	}
	return strings.TrimLeft(token, " "), nil
}

// Same compares secrets in a time that depends only on their length.
func Same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Hide returns text to print instead of a secret. It shows whether it is set.
func Hide(secret string) string {
	if secret == "" {
		return "unset"
	}
	return "[redacted]"
}
