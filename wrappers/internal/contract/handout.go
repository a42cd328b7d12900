package contract

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// grant holds the facts that an answer gave of a URL when it handed the URL
// out.
type grant struct {
	upload      bool                // it takes a file; requests to other URLs are not checked
	location    bool                // it came in the header Location
	callers     bool                // a request named it first
	own         bool                // it lies on the API's host
	method      string              // as it was written; empty: nothing was said
	contentType string              // empty: nothing was said
	query       string              // it gives access
	header      http.Header         // to be sent with the bytes
	fields      map[string]string   // to be sent before the file, in a form
	earlier     []map[string]string // such fields of earlier answers: the URL may be that of a whole bucket
	ids         []string            // of the file that it is for
}

// granted returns the grant of a URL, or nil.
func (c *Contract) granted(host, uri string) *grant {
	key := c.keyOf(host, uri)
	c.mu.Lock()
	defer c.mu.Unlock()
	return cmp.Or(c.grants[key], c.older[key])
}

// requeried reports whether a URL differs in its query only from one that was
// handed out.
func (c *Contract) requeried(host, uri string) bool {
	path, _, _ := strings.Cut(c.keyOf(host, uri), "?")
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, grants := range []map[string]*grant{c.older, c.grants} {
		for key := range grants {
			if other, _, _ := strings.Cut(key, "?"); other == path {
				return true
			}
		}
	}
	return false
}

// keyOf returns the key of the URL of a request.
func (c *Contract) keyOf(host, uri string) string {
	if c.AnyHost && strings.HasPrefix(uri, "/") {
		return uri
	}
	return c.key(host + uri)
}

// enough is the number of URLs that are remembered for certain. Twice as many
// are remembered at most: a server that runs for months hands out more.
const enough = 10_000

// key returns the part of a URL under which it is remembered: its address
// without the scheme, and without the host too if any host will do.
func (c *Contract) key(address string) string {
	if _, path, found := strings.Cut(address, "/"); c.AnyHost && found {
		return "/" + path
	}
	return address
}

// HandedOut is a URL for a file that an answer handed out.
type HandedOut struct {
	URL         string
	Method      string            // empty: nothing was said
	ContentType string            // empty: nothing was said
	Header      http.Header       // to be sent with the bytes
	Fields      map[string]string // nil, or to be sent before the file in a form
	Session     bool              // it came in the header Location
}

// HandedOut returns the URLs for files in the JSON answer of an operation.
func (c *Contract) HandedOut(answer []byte) (urls []HandedOut) {
	for _, m := range Members(answer) {
		if at, ok := address(m.Value); ok {
			if g := c.granted("", at); g != nil && g.upload {
				urls = append(urls, HandedOut{URL: m.Value, Method: strings.ToUpper(g.method),
					ContentType: g.contentType, Header: g.header, Fields: g.fields})
			}
		}
	}
	return urls
}

// address returns a URL without scheme and fragment, as a request names it.
func address(rawURL string) (address string, ok bool) {
	_, address, ok = strings.Cut(rawURL, "://")
	if !ok {
		return "", false
	}
	address, _, _ = strings.Cut(address, "#")
	slash, query := strings.IndexByte(address, '/'), strings.IndexByte(address, '?')
	switch {
	case slash < 0 && query < 0:
		address += "/"
	case slash < 0 || query >= 0 && query < slash:
		address = address[:query] + "/" + address[query:]
	}
	return address, true
}

// grant remembers a URL that was handed out.
func (c *Contract) grant(rawURL string, g *grant) {
	address, ok := address(rawURL)
	if !ok {
		return
	}
	_, g.query, _ = strings.Cut(address, "?")
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.grants) >= enough {
		c.older, c.grants = c.grants, map[string]*grant{}
	}
	key := c.key(address)
	if old := cmp.Or(c.grants[key], c.older[key]); old != nil && old.fields != nil {
		g.earlier = append(old.earlier[max(0, len(old.earlier)-enough/100):], old.fields)
	}
	c.grants[key] = g
}

// The names of a URL's member and of the objects around it show whether the URL
// is for an upload, or that it is not. The members beside it show how to use it.
var (
	uploads   = later(`(?i)upload([^e]|e[^dr]|$)|presign|signed|\bput|put_?ur[il]`)
	downloads = later(`(?i)download`)
	methods   = later(`(?i)method|verb`)
	headers   = later(`(?i)headers?$`)
	fields    = later(`(?i)fields|form_?data`)
	typeName  = later(`(?i)^(x.upload.)?(content|mime|media).?type$`)
)

// later compiles an expression when it is first asked for: each start of a
// program would pay for it.
func later(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// handOut remembers the URLs in the JSON answer of an operation.
func (x *Exchange) handOut(answer *Text, said []Member) {
	if !slices.ContainsFunc(said, func(m Member) bool { return strings.Contains(m.Value, "://") }) {
		return
	}
	request, found := members(x.sent), map[string]*grant{}
	var likely [3][]*grant // by what says that they take a file: their name, one around it, or nothing
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case []any:
			for _, element := range v {
				walk(path, element)
			}
		case map[string]any:
			for name, value := range v {
				text, isText := value.(string)
				if !isText {
					walk(path+" "+name, value)
				} else if u := webURL(text); u != nil && !x.c.callers(text, request) {
					g, at := beside(v), path+" "+name
					switch {
					case downloads().MatchString(at), x.hasFile():
					case uploads().MatchString(name):
						likely[0] = append(likely[0], g)
					case uploads().MatchString(at):
						likely[1] = append(likely[1], g)
					case x.mayStart() && !x.c.hasPath(u):
						likely[2] = append(likely[2], g)
					}
					found[text] = g
				}
			}
		}
	}
	root, _ := answer.JSON()
	walk("", root)
	contentType, anyMethod := "", ""
	for _, m := range request {
		if contentType == "" && typeName().MatchString(m.Name) {
			contentType = m.Value
		}
	}
	for _, m := range said {
		if sends(m.Value) {
			anyMethod = m.Value
		}
	}
	for _, grants := range likely {
		for _, g := range grants {
			g.upload = true
		}
		if len(grants) > 0 {
			break
		}
	}
	for address, g := range found {
		g.ids, g.contentType, g.method = x.ids, contentType, cmp.Or(g.method, anyMethod)
		x.c.grant(address, g)
	}
}

// callers reports whether a URL is the caller's own, such as that of a callback:
// a request named it before any answer.
func (c *Contract) callers(rawURL string, request []Member) bool {
	at, _ := address(rawURL)
	g := c.granted("", at)
	if g == nil && slices.ContainsFunc(request, func(m Member) bool { return m.Value == rawURL }) {
		g = &grant{callers: true}
		c.grant(rawURL, g)
	}
	return g != nil && g.callers
}

// hasFile reports whether the request has a file itself: it starts no other
// upload.
func (x *Exchange) hasFile() bool {
	return x.is.op != nil && (x.raw || x.typ == "multipart/form-data")
}

// mayStart reports whether the request may start an upload, although no name in
// its answer says so. A GET starts one if its operation is called so.
func (x *Exchange) mayStart() bool {
	op := x.is.op
	return op == nil || op.Method == http.MethodPost || op.Method == http.MethodPut || uploads().MatchString(op.Name)
}

// hasPath reports whether a URL has the path of an operation.
func (c *Contract) hasPath(u *url.URL) bool {
	path := (&url.URL{Path: u.Path}).EscapedPath()
	return slices.ContainsFunc(c.Operations, func(op *Operation) bool {
		it, _ := c.route(op.Method, path)
		return it != nil
	})
}

// webURL returns the URL that a text is, or nil if no request may go to it.
func webURL(text string) *url.URL {
	if !strings.Contains(text, "://") {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return u
}

// beside reads the facts that an object holds about the URL in it.
func beside(object map[string]any) *grant {
	g := &grant{}
	for name, value := range object {
		text, _ := value.(string)
		switch said := texts(value); {
		case sends(text) && methods().MatchString(name):
			g.method = text
		case said == nil:
		case fields().MatchString(name) || cmp.Or(said["policy"], said["Policy"]) != "":
			g.fields, g.method = said, http.MethodPost
		case headers().MatchString(name):
			g.header = http.Header{}
			for name, text := range said {
				g.header.Set(name, text)
			}
		}
	}
	return g
}

// sends reports whether a text names a method that sends bytes.
func sends(text string) bool {
	switch strings.ToUpper(text) {
	case http.MethodPut, http.MethodPost, http.MethodPatch:
		return true
	}
	return false
}

// texts returns the texts of an object by their names, or those of a list of
// pairs such as {"key": "acl", "value": "private"}. It returns nil for anything
// else.
func texts(v any) map[string]string {
	found := map[string]string{}
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if text, ok := value.(string); ok {
				found[name] = text
			}
		}
		return found
	case []any:
		for _, element := range v {
			pair := texts(element)
			if name := cmp.Or(pair["key"], pair["name"]); name != "" {
				found[name] = pair["value"]
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found
}

// locate remembers the URL in an answer's Location, unless it is the URL of an
// operation.
func (x *Exchange) locate(location string) {
	if location == "" {
		return
	}
	to, err := x.url().Parse(location)
	if err != nil || x.c.hasPath(to) {
		return
	}
	x.c.grant(to.String(), &grant{upload: true, location: true, ids: x.ids, own: to.Host == x.host})
}

// telling matches the names of query parameters whose values open something.
var telling = later(`(?i)sig|token|credential|secret|key`)

// Secrets returns the parts of the handed-out URLs that no error may repeat.
func (c *Contract) Secrets() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var secrets []string
	for _, grants := range []map[string]*grant{c.older, c.grants} {
		for _, g := range grants {
			if g.query == "" {
				continue
			}
			secrets = append(secrets, g.query)
			for pair := range strings.SplitSeq(g.query, "&") {
				if name, value, _ := strings.Cut(pair, "="); telling().MatchString(name) && len(value) >= 8 {
					secrets = append(secrets, value)
				}
			}
		}
	}
	return secrets
}
