package apispec

import (
	"regexp"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

func schemeOf(s *openapi3.SecurityScheme) (it contract.Scheme) {
	it = contract.Scheme{Type: s.Type, In: s.In, Name: s.Name, Scheme: s.Scheme}
	if s.Flows != nil {
		flows := []*openapi3.OAuthFlow{s.Flows.ClientCredentials, s.Flows.Password, s.Flows.AuthorizationCode}
		for _, flow := range flows {
			if flow != nil {
				it.TokenURLs = append(it.TokenURLs, flow.TokenURL)
			}
		}
	}
	return it
}

// Dated matches the names and values of credentials that hold a time.
var Dated = regexp.MustCompile(`(?i)\b(time|date|sign)|timestamp|signature|nonce|^(aws4|hmac|digest|hawk) `)
