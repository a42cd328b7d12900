package contract

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// CredentialHeaders returns the names of the headers that carry this contract's
// credentials.
func (c *Contract) CredentialHeaders() []string {
	names := []string{"Authorization", "Proxy-Authorization", "Cookie"}
	if c.Doc.Components != nil {
		for _, s := range c.Doc.Components.SecuritySchemes {
			if s.Value != nil && s.Value.Type == "apiKey" && s.Value.In == "header" {
				names = append(names, http.CanonicalHeaderKey(s.Value.Name))
			}
		}
	}
	return names
}

// carried tells whether a request carries the credentials that a security
// scheme names. Whether they are good is for the handler to say.
func carried(r *http.Request, scheme *openapi3.SecurityScheme) error {
	switch scheme.Type {
	case "apiKey":
		if scheme.In == "header" && r.Header.Get(scheme.Name) == "" {
			return fmt.Errorf("header %s is missing", scheme.Name)
		}
		if scheme.In == "query" && !r.URL.Query().Has(scheme.Name) {
			return fmt.Errorf("query parameter %s is missing", scheme.Name)
		}
		return nil
	case "http":
		return authorization(r, scheme.Scheme)
	case "oauth2", "openIdConnect":
		return authorization(r, "bearer")
	}
	return nil
}

func authorization(r *http.Request, scheme string) error {
	got, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(got, scheme) || strings.TrimSpace(credentials) == "" {
		return fmt.Errorf("header Authorization holds no %s credentials", scheme)
	}
	return nil
}
