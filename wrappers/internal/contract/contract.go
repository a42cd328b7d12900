// Package contract holds HTTP exchanges to an API's document, and to the few
// rules of uploading that no such document can state.
//
//	c, err := contract.Parse(document)
//	x := c.Begin(r, contract.Watch{})
//	r = x.Watching(r.Context(), r)
//	... // the request is sent or answered
//	violations := x.CheckRequest(true)
//	violations = append(violations, x.FinishResponse(status, header, body)...)
//
// Each kind of rule has a file of its own. File operation.go finds the
// operation of a request. File form.go holds the rules of a form, presigned.go
// the rules of a URL that an answer handed out, token.go the rules of the token
// call, and rule.go the names of all rules. A form waits in gathered.go until it
// is looked at, and an exchange in parked.go.
//
// [Rules] are the rules of a document for one operation: its parameters, bodies
// and answers. This package has them for the documents of this module:
// document.go reads one, and schema.go holds values to it. A word that neither
// knows is an error. Package uploadtest has others, for any document.
package contract

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Contract is a spec that is ready to check exchanges. It also holds the URLs
// that its operations have handed out so far. It is safe for concurrent use.
type Contract struct {
	Spec

	// OthersPass lets calls pass that are no operation of the spec. Without it
	// each of them is a violation.
	OthersPass bool

	// AnyHost recognises a handed-out URL under any host: behind a proxy a
	// server does not see the host of the URLs that it handed out.
	AnyHost bool

	// ServeMux takes a path for an operation's only if http.ServeMux does: it has
	// as many slashes. HEAD is then GET without the body of the answer.
	ServeMux bool

	// Issued recognises a URL that was handed out, also before this process
	// began. It returns the id of the file that the URL is for, or none if the
	// URL is not for an upload. It may be nil.
	Issued func(*http.Request) (fileID string, issued bool)

	// CredentialHeaders names the headers that carry credentials. New sets it.
	CredentialHeaders []string

	router []*Operation // if several paths fit, the first one counts

	mu     sync.Mutex
	grants map[string]*grant // by key
	older  map[string]*grant // handed out before the URLs in grants
}

// Spec holds the facts of a document that each kind of rule needs.
type Spec struct {
	Title       string
	Bases       []string // the paths of its servers, in their order
	TraceHeader string   // the header that is declared for a trace id, if any
	HandsOut    bool     // an answer may hold a URL for a file
	Schemes     []Scheme
	Operations  []*Operation
}

// New returns the contract of a spec. It is the contract of any host.
func New(spec Spec) *Contract {
	c := &Contract{
		Spec: spec, grants: map[string]*grant{},
		router: slices.SortedFunc(slices.Values(spec.Operations), func(a, b *Operation) int {
			return strings.Compare(a.Path.order(), b.Path.order())
		}),
		CredentialHeaders: []string{"Authorization", "Proxy-Authorization", "Cookie"},
	}
	for _, s := range spec.Schemes {
		if s.Type == "apiKey" && s.In == "header" {
			c.CredentialHeaders = append(c.CredentialHeaders, http.CanonicalHeaderKey(s.Name))
		}
	}
	return c
}
