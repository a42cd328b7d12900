// Package contract holds HTTP exchanges to an OpenAPI 3.0 document, and to the
// few rules of uploading that no such document can state.
//
//	c, err := contract.Parse(spec)
//	x := c.Begin(r, contract.Watch{})
//	r.Body = x.Body()
//	... // the request is sent or answered
//	violations := x.FinishRequest()
//	violations = append(violations, x.FinishResponse(status, header, body)...)
//
// Each kind of rule has a file of its own: operation.go says what a request is
// an instance of, request.go and response.go hold the spec's rules, form.go the
// rules of a form, presigned.go the rules of a URL that an answer handed out,
// token.go the rules of the token call, and violation.go the names of all
// rules.
package contract

import (
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// Contract is a spec that is ready to check exchanges against, and the URLs
// that its operations have handed out so far. It is safe for concurrent use.
type Contract struct {
	Title string
	Doc   *openapi3.T
	Bases []string // the paths of the spec's servers, in their order

	// TraceHeader is the header that the spec declares for a trace id, if any.
	TraceHeader string

	// OthersPass lets calls pass that are no operation of the spec. Without it
	// each of them is a violation.
	OthersPass bool

	// AnyHost recognises a URL that was handed out under any host: behind a
	// proxy a server does not see the one that it handed out.
	AnyHost bool

	router routers.Router

	mu     sync.Mutex
	grants map[string]grant // by key
	older  map[string]grant // handed out before those
}

// Parse reads a spec, an OpenAPI 3.0 document in YAML or JSON. Its servers are
// replaced by their paths, so that it is the contract of any host. Base paths,
// where given, replace those too.
func Parse(spec []byte, bases ...string) (*Contract, error) {
	doc, err := load(spec)
	if err != nil {
		return nil, err
	}
	if len(bases) == 0 {
		if bases, err = basePaths(doc.Servers); err != nil {
			return nil, err
		}
	}
	doc.Servers = nil
	for _, base := range bases {
		if base == "" {
			base = "/"
		}
		doc.Servers = append(doc.Servers, &openapi3.Server{URL: base})
	}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		return nil, refuse(strings.TrimPrefix(err.Error(), "validating OpenAPI failed: "))
	}
	return &Contract{
		Title: doc.Info.Title, Doc: doc, Bases: bases, TraceHeader: traceHeader(doc),
		router: router, grants: map[string]grant{},
	}, nil
}
