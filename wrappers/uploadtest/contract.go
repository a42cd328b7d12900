package uploadtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// What a request is called by that no spec describes.
const (
	// Presigned is the step in which the bytes go to a URL that an answer handed out.
	Presigned = "presigned"
	// Token is the call for an OAuth 2 access token: a POST of an URL-encoded
	// form to an address that the spec does not have.
	Token = "token"
)

// contract is a spec made ready to check exchanges against, and the URLs that
// its operations have handed out so far.
type contract struct {
	title  string
	doc    *openapi3.T
	router routers.Router
	bases  []string // the paths of the spec's servers, in their order

	mu     sync.Mutex
	grants map[string]grant // by address, without scheme
}

// grant is what was said of a URL when it was handed out.
type grant struct {
	method      string // empty: nothing
	contentType string // empty: nothing
	query       string
}

// parse reads a spec. Its servers are replaced by their paths, so that it is
// the contract of any host; bases, where given, replaces those too.
func parse(spec []byte, bases ...string) (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	if err != nil {
		return nil, fmt.Errorf("uploadtest: the spec cannot be read: %s", firstLine(err.Error()))
	}
	if len(bases) == 0 {
		bases = basePaths(doc.Servers)
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
		return nil, fmt.Errorf("uploadtest: the spec is not valid: %s", firstLine(err.Error()))
	}
	return &contract{title: doc.Info.Title, doc: doc, router: router, bases: bases, grants: map[string]grant{}}, nil
}

// basePaths are the paths of all servers, each value of their variables taken.
func basePaths(servers openapi3.Servers) []string {
	var paths []string
	for _, server := range servers {
		addresses := []string{server.URL}
		for name, variable := range server.Variables {
			values := []string{variable.Default}
			for _, v := range variable.Enum {
				if v != variable.Default {
					values = append(values, v)
				}
			}
			var expanded []string
			for _, v := range values {
				for _, a := range addresses {
					expanded = append(expanded, strings.ReplaceAll(a, "{"+name+"}", v))
				}
			}
			addresses = expanded
		}
		for _, a := range addresses {
			if u, err := url.Parse(a); err == nil && !slices.Contains(paths, strings.TrimRight(u.Path, "/")) {
				paths = append(paths, strings.TrimRight(u.Path, "/"))
			}
		}
	}
	if len(paths) == 0 {
		paths = []string{""}
	}
	return paths
}

// operation is what a request is an instance of.
type operation struct {
	name   string         // empty: nothing that the contract knows
	route  *routers.Route // nil: not the spec's
	params map[string]string
	grant  *grant // of a presigned step
	fault  string // what is wrong with the address
}

// find sorts a request by its method, host and request URI. A URL that was handed out
// comes first: it may well look like an operation's.
func (c *contract) find(method, host, uri string, header http.Header) operation {
	if g, ok := c.granted(host + uri); ok {
		return operation{name: Presigned, grant: &g}
	}
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		return operation{fault: "the request URI cannot be parsed"}
	}
	u.Scheme, u.Host, u.User = "", "", nil
	route, params, err := c.router.FindRoute(&http.Request{Method: method, URL: u})
	if err == nil {
		name := route.Operation.OperationID
		if name == "" {
			name = method + " " + route.Path
		}
		return operation{name: name, route: route, params: params}
	}
	if typ, _, _ := mime.ParseMediaType(header.Get("Content-Type")); method == http.MethodPost && typ == "application/x-www-form-urlencoded" {
		return operation{name: Token}
	}
	return operation{fault: "neither an operation of the spec nor, byte for byte, a URL that an answer handed out"}
}

// credentialHeaders are the names under which this contract's credentials travel.
func (c *contract) credentialHeaders() []string {
	names := []string{"Authorization", "Proxy-Authorization", "Cookie"}
	if c.doc.Components != nil {
		for _, s := range c.doc.Components.SecuritySchemes {
			if s.Value != nil && s.Value.Type == "apiKey" && s.Value.In == "header" {
				names = append(names, http.CanonicalHeaderKey(s.Value.Name))
			}
		}
	}
	return names
}

// traceHeader is the header that the spec declares for a trace id, if any. One
// that says so counts before a request id.
func (c *contract) traceHeader() string {
	var trace, request []string
	for _, item := range c.doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, response := range op.Responses.Map() {
				for name := range response.Value.Headers {
					switch low := strings.ToLower(name); {
					case strings.Contains(low, "trace"):
						trace = append(trace, name)
					case strings.Contains(low, "request-id"):
						request = append(request, name)
					}
				}
			}
		}
	}
	for _, names := range [][]string{trace, request} {
		if len(names) > 0 {
			return slices.Min(names)
		}
	}
	return ""
}

func (c *contract) granted(address string) (grant, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g, ok := c.grants[address]
	return g, ok
}

// grant remembers a URL that was handed out.
func (c *contract) grant(rawURL string, g grant) {
	_, address, found := strings.Cut(rawURL, "://")
	if !found {
		return
	}
	address, _, _ = strings.Cut(address, "#")
	slash, query := strings.IndexByte(address, '/'), strings.IndexByte(address, '?')
	switch {
	case slash < 0 && query < 0:
		address += "/"
	case slash < 0 || query >= 0 && query < slash:
		address = address[:query] + "/" + address[query:]
	}
	_, g.query, _ = strings.Cut(address, "?")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grants[address] = g
}

// handOut remembers the URLs in the JSON answer of an operation, with the
// method that stands beside a URL and the content type that the request announced.
func (c *contract) handOut(request, answer []byte) {
	var announced string
	for _, m := range members(request) {
		if name := strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(m.name)); name == "contenttype" && announced == "" {
			announced = m.value
		}
	}
	said := members(answer)
	var method string
	for _, m := range said {
		switch upper := strings.ToUpper(m.value); upper {
		case http.MethodPut, http.MethodPost, http.MethodPatch:
			method = upper
		}
	}
	for _, m := range said {
		if u, err := url.Parse(m.value); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
			c.grant(m.value, grant{method: method, contentType: announced})
		}
	}
}

// telling matches the names of query parameters whose values open something.
var telling = regexp.MustCompile(`(?i)sig|token|credential|secret|key`)

// secrets are what no error may repeat of the URLs handed out so far.
func (c *contract) secrets() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var secrets []string
	for _, g := range c.grants {
		if g.query == "" {
			continue
		}
		secrets = append(secrets, g.query)
		for pair := range strings.SplitSeq(g.query, "&") {
			if name, value, _ := strings.Cut(pair, "="); telling.MatchString(name) && len(value) >= 8 {
				secrets = append(secrets, value)
			}
		}
	}
	return secrets
}

// member is one scalar in a JSON document and the name that it stands under;
// elements of a list go by the list's.
type member struct{ name, value string }

// members lists the strings and numbers of a JSON document; of anything else, nothing.
func members(document []byte) (found []member) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var root any
	if err := decoder.Decode(&root); err != nil {
		return nil
	}
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case string:
			found = append(found, member{name, v})
		case json.Number:
			found = append(found, member{name, v.String()})
		case []any:
			for _, element := range v {
				walk(name, element)
			}
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(key, v[key])
			}
		}
	}
	walk("", root)
	return found
}
