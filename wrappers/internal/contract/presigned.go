package contract

import (
	"net/http"
	"slices"
	"strings"
)

// checkPresigned holds a presigned request to the facts that its answer gave,
// to the demands of storage services, and to the secrets that its sender must
// keep from them.
func (x *Exchange) checkPresigned() {
	g := x.is.grant
	if !g.own {
		x.checkCredentials()
	}
	if g.location {
		return // a session's URL: nothing of its requests is signed
	}
	var unsigned []string
	for name := range x.head.Header {
		// Azure requires its blob type. No other header that the sender adds
		// can be signed.
		if len(name) > 2 && strings.EqualFold(name[:2], "x-") && !strings.EqualFold(name, "x-ms-blob-type") &&
			!addedOnTheWay().MatchString(name) &&
			!containsFold(x.c.CredentialHeaders, name) && g.header.Values(name) == nil &&
			!containsFold(signedHeaders(g.query), name) {
			unsigned = append(unsigned, name)
		}
	}
	slices.Sort(unsigned)
	for _, name := range unsigned {
		x.broke(RulePresignedHeader, "header %s is not part of what was signed", name)
	}
	for _, name := range names(g.header) {
		if got := x.head.Header.Get(name); got == "" && name != "Host" && name != "Content-Length" {
			x.broke(RulePresignedHeader, "header %s was handed out with the URL and is not sent", name)
		} else if got != "" && got != g.header.Get(name) {
			x.broke(RulePresignedHeader, "header %s was handed out with the URL and is sent with another value", name)
		}
	}
	if said := g.method; said != "" && x.head.Method != said && x.head.Method != strings.ToUpper(said) {
		x.broke(RuleMethod, "%s, but the URL was handed out for %s", x.head.Method, strings.ToUpper(said))
	}
	if g.fields != nil || x.head.Header.Get("Content-Range") != "" || partNumber().MatchString(g.query) {
		return
	}
	if got, want := x.head.Header.Get("Content-Type"), g.contentType; want != "" && got != want {
		x.broke(RuleMediaType, "Content-Type %q, but %q was announced", got, want)
	}
}

// partNumber finds the number of a part in a URL's query, as S3 has it. The type
// that was announced is that of the whole file.
var partNumber = later(`(?i)(^|&)part_?number=`)

// addedOnTheWay finds the headers that proxies add. The sender does not know of
// them, and storage services do not ask that they be signed.
var addedOnTheWay = later(
	`(?i)^x-(forwarded-.*|original-.*|envoy-.*|b3-.*|real-ip|client-ip|request-id|amzn-trace-id|cloud-trace-context)$`)

// checkCredentials reports the API's credentials on a presigned request, unless
// the answer listed them.
func (x *Exchange) checkCredentials() {
	for _, name := range x.c.CredentialHeaders {
		if value := x.head.Header.Get(name); value != "" && x.is.grant.header.Get(name) != value {
			x.broke(RuleForeign, "header %s tells the storage service the API's credentials", name)
		}
	}
}

// checkFields compares a form that goes to a presigned URL with the fields that
// were handed out beside the URL.
func (x *Exchange) checkFields() {
	if x.is.grant == nil || x.is.grant.fields == nil {
		return
	}
	if x.body == nil || x.body.form == nil {
		x.broke(RuleForm, "the URL was handed out for a form, and the body is none")
		return
	}
	got := map[string]string{}
	for _, p := range x.body.form.list {
		if p.file || p.Name == "file" {
			break // what comes after the file does not count
		}
		got[p.Name] = string(p.digest.head)
	}
	missing := func(fields map[string]string) (names []string) {
		for name, value := range fields {
			if got[name] != value {
				names = append(names, name)
			}
		}
		return names
	}
	least := missing(x.is.grant.fields)
	for _, fields := range x.is.grant.earlier {
		if names := missing(fields); len(names) < len(least) {
			least = names
		}
	}
	for _, name := range slices.Sorted(slices.Values(least)) {
		x.broke(RuleForm, "the field %q does not stand before the file as it was handed out", name)
	}
}

// signedHeaders returns the headers that a URL's own query lists as signed.
func signedHeaders(query string) []string {
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(pair, "="); strings.HasSuffix(strings.ToLower(name), "-signedheaders") {
			return strings.Split(strings.NewReplacer("%3B", ";", "%3b", ";").Replace(value), ";")
		}
	}
	return nil
}

// moved remembers the new address of a presigned step after a redirect.
func (x *Exchange) moved(status int, header http.Header) {
	if status != http.StatusTemporaryRedirect && status != http.StatusPermanentRedirect {
		return
	}
	if to, err := x.url().Parse(header.Get("Location")); err == nil {
		g := *x.is.grant
		x.c.grant(to.String(), &g)
	}
}

func containsFold(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}
