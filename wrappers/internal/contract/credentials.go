package contract

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Scheme is one way to show credentials.
type Scheme struct {
	Type      string   // apiKey, http, oauth2 or openIdConnect
	In        string   // of an API key: header, query or cookie
	Name      string   // of an API key
	Scheme    string   // of http
	TokenURLs []string // of oauth2
}

// credentialsFault names the credentials that a request lacks. The handler
// checks whether they are good.
func credentialsFault(r *http.Request, security [][]Scheme) string {
	var missing []string
	for _, schemes := range security {
		fault := ""
		for _, s := range schemes {
			if fault = s.fault(r); fault != "" {
				break
			}
		}
		if fault == "" {
			return ""
		}
		missing = append(missing, fault)
	}
	return strings.Join(slices.Compact(missing), ", or ")
}

func (s Scheme) fault(r *http.Request) string {
	switch {
	case s.Type == "apiKey" && s.In == "header":
		if value := r.Header.Get(s.Name); value != "" {
			return repeatFault(r, s.Name, value)
		}
		return fmt.Sprintf("header %s is missing", s.Name)
	case s.Type == "apiKey" && s.In == "query" && !r.URL.Query().Has(s.Name):
		return fmt.Sprintf("query parameter %s is missing", s.Name)
	case s.Type == "http":
		return authorizationFault(r, s.Scheme)
	case s.Type == "oauth2", s.Type == "openIdConnect":
		return authorizationFault(r, "bearer")
	}
	return ""
}

func authorizationFault(r *http.Request, scheme string) string {
	got, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(got, scheme) || strings.TrimSpace(credentials) == "" {
		return fmt.Sprintf("header Authorization holds no %s credentials", scheme)
	}
	return repeatFault(r, "Authorization", credentials)
}

// repeatFault describes a credential that stands in more than one place.
func repeatFault(r *http.Request, name, credential string) string {
	switch {
	case len(r.Header.Values(name)) > 1:
		return fmt.Sprintf("header %s is there more than once", name)
	case inQuery(r, credential):
		return fmt.Sprintf("the query shows the value of header %s too", name)
	}
	return ""
}

// inQuery reports whether a credential stands in the query, where every log
// keeps it. A shorter value may stand there by chance.
func inQuery(r *http.Request, credential string) bool {
	return len(credential) >= 16 && r.URL.RawQuery != "" && (strings.Contains(r.URL.RawQuery, credential) ||
		strings.Contains(r.URL.RawQuery, url.QueryEscape(credential)))
}
