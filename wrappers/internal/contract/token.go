package contract

import "strings"

// checkToken holds what RFC 6749 asks of the head of a request for a token.
func (x *Exchange) checkToken() {
	if x.head.URL.RawQuery != "" {
		x.broke(RuleToken, "the address has a query: parameters belong into the body (RFC 6749, 2.3.1)")
	}
	if x.head.Header.Get("Cookie") != "" {
		x.broke(RuleToken, "the request has a cookie")
	}
}

// checkGrantType holds what it asks of the body.
func (x *Exchange) checkGrantType() {
	if x.body == nil || !strings.Contains("&"+x.body.digest.head.String(), "&grant_type=") {
		x.broke(RuleToken, "the form has no grant_type (RFC 6749, 4.4.2)")
	}
}
