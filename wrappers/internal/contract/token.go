package contract

import (
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// isTokenCall reports whether a request is the call for a token. It is a POST
// of a URL-encoded form, or it goes to the path that the spec has for tokens.
func (c *Contract) isTokenCall(method, path string, header http.Header) bool {
	return method == http.MethodPost && isURLEncoded(header) || c.isTokenPath(path)
}

func isURLEncoded(header http.Header) bool {
	typ, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return typ == "application/x-www-form-urlencoded"
}

// isTokenPath reports whether tokens are issued at a path. The host does not
// count, as for all paths of the spec.
func (c *Contract) isTokenPath(path string) bool {
	for _, scheme := range c.Schemes {
		for _, address := range scheme.TokenURLs {
			if u, err := url.Parse(address); err == nil && u.Path != "" && u.Path == path {
				return true
			}
		}
	}
	return false
}

// checkToken checks the head of a request for a token, by RFC 6749.
func (x *Exchange) checkToken() {
	switch {
	case x.head.Method != http.MethodPost:
		x.broke(RuleToken, "the method is not POST (RFC 6749, 3.2)")
	case !isURLEncoded(x.head.Header):
		x.broke(RuleToken, "Content-Type %.100q, not application/x-www-form-urlencoded (RFC 6749, 4.4.2)",
			x.head.Header.Get("Content-Type"))
	}
	if x.head.URL.RawQuery != "" {
		x.broke(RuleToken, "the address has a query: parameters belong into the body (RFC 6749, 2.3.1)")
	}
	if x.head.Header.Get("Cookie") != "" {
		x.broke(RuleToken, "the request has a cookie")
	}
}

// checkGrantType checks the body of a request for a token, by RFC 6749.
func (x *Exchange) checkGrantType() {
	if x.body == nil || !strings.Contains("&"+string(x.body.digest.head), "&grant_type=") {
		x.broke(RuleToken, "the form has no grant_type (RFC 6749, 4.4.2)")
	}
}
