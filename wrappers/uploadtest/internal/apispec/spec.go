// Package apispec reads an OpenAPI 3.0 document of any API, and holds
// exchanges to it with kin-openapi. Package contract, which the program uses,
// has rules of its own. So each holds the other to what it says.
package apispec

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// Spec is a document of any API, and the contract that it is.
type Spec struct {
	*contract.Contract
	Doc    *openapi3.T
	Routes []*routers.Route // POST first and DELETE last, that of a part before that of the whole
}

// Parse reads a document. A base path replaces the paths of its servers. If
// others pass, calls that are no operation break no rule.
func Parse(text []byte, basePath string, othersPass bool) (*Spec, error) {
	doc, err := loaded(text)
	if err != nil {
		return nil, refuse(err.Error())
	}
	facts := contract.Spec{Title: doc.Info.Title}
	if basePath != "" {
		facts.Bases = []string{strings.TrimRight("/"+strings.TrimLeft(basePath, "/"), "/")}
	} else if err := addServers(&facts, doc.Servers); err != nil {
		return nil, refuse(err.Error())
	}
	it := &Spec{Doc: doc, Routes: routesOf(doc)}
	takesFiles := false
	var headers []string
	schemes := map[string]contract.Scheme{}
	if doc.Components != nil {
		for _, name := range slices.Sorted(maps.Keys(doc.Components.SecuritySchemes)) {
			schemes[name] = schemeOf(doc.Components.SecuritySchemes[name].Value)
			facts.Schemes = append(facts.Schemes, schemes[name])
		}
	}
	for _, r := range it.Routes {
		security := r.Operation.Security
		if security == nil {
			security = &doc.Security
		}
		op := &contract.Operation{
			Name: NameOf(r), Method: r.Method, Path: contract.Template(r.Path),
			TakesBody: r.Operation.RequestBody != nil, Rules: newRules(r),
		}
		for _, requirement := range *security {
			var all []contract.Scheme
			for _, name := range slices.Sorted(maps.Keys(requirement)) {
				all = append(all, schemes[name])
			}
			op.Security = append(op.Security, all)
		}
		facts.Operations = append(facts.Operations, op)
		for typ, media := range ContentOf(r.Operation) {
			if media == nil {
				return nil, refuse(fmt.Sprintf("%s: its body %s is declared, but empty", op.Name, typ))
			}
			takesFiles = takesFiles || strings.HasPrefix(typ, "multipart/") || contract.IsRaw(typ, op.Media(typ))
		}
		for _, response := range r.Operation.Responses.Map() {
			for name := range response.Value.Headers {
				headers = append(headers, name)
				facts.HandsOut = facts.HandsOut || strings.EqualFold(name, "Location")
			}
			for typ, media := range response.Value.Content {
				if media == nil {
					return nil, refuse(fmt.Sprintf("%s: its answer %s is declared, but empty", op.Name, typ))
				}
				facts.HandsOut = facts.HandsOut || mayHoldURL(media.Schema, 0)
			}
		}
	}
	if !takesFiles && !facts.HandsOut {
		return nil, refuse("at /paths: no operation takes a file or hands out a URL for one")
	}
	facts.TraceHeader = contract.TraceHeader(headers)
	it.Contract = contract.New(facts)
	it.OthersPass = othersPass
	return it, nil
}

// refuse makes one line of the fault of a document.
func refuse(why string) error {
	why, _, _ = strings.Cut(why, "\n")
	return fmt.Errorf("uploadtest: the spec cannot be used: %s", why)
}

// loaded is load for a text that is used again and again: each property of a
// client has a server of its own.
func loaded(text []byte) (*openapi3.T, error) {
	once, _ := documents.LoadOrStore(string(text), sync.OnceValues(func() (*openapi3.T, error) { return load(text) }))
	return once.(func() (*openapi3.T, error))()
}

var documents sync.Map

// load reads a document, and refuses one that no exchange can be held to. The
// error says what is wrong and where.
func load(text []byte) (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(text)
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return nil, errors.New("it is empty")
	case err != nil:
		return nil, errors.New(explainLoading(text, err.Error()))
	case doc.OpenAPI == "":
		return nil, errors.New("at /openapi: no version is stated, and only OpenAPI 3.0 is understood, not Swagger 2.0")
	case !strings.HasPrefix(doc.OpenAPI, "3.0."):
		return nil, fmt.Errorf("at /openapi: version %s, but only OpenAPI 3.0 is understood", Quoted(doc.OpenAPI))
	case doc.Info == nil:
		return nil, errors.New("at /info: it is missing")
	case doc.Paths.Len() == 0:
		return nil, errors.New("at /paths: there is no operation")
	}
	anyHost := *doc // it is the contract of any
	anyHost.Servers = nil
	// An example may be incomplete: in a form nobody writes the file down.
	if _, err := legacy.NewRouter(&anyHost, openapi3.DisableExamplesValidation()); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "validating OpenAPI failed: "))
	}
	return doc, nil
}

var (
	elsewhere = regexp.MustCompile(`external reference: "([^"]+)"`)
	nowhere   = regexp.MustCompile(`^failed to resolve .* in URI: "([^"]+)"`)
	yamlLine  = regexp.MustCompile(`yaml: (?:unmarshal errors:\s+)?(line \d+: .*)`)
	wrongType = regexp.MustCompile(`cannot unmarshal (\w+) into field (\S+) of type (\w+)$`)
)

// explainLoading says in a sentence why a document could not be read, and
// where.
func explainLoading(text []byte, why string) string {
	line := func(of string) int {
		return 1 + bytes.Count(text[:max(0, bytes.Index(text, []byte(of)))], []byte("\n"))
	}
	if ref := elsewhere.FindStringSubmatch(why); ref != nil {
		return fmt.Sprintf("line %d: it refers to another document, %s, "+
			"and only references within the spec are read", line(ref[1]), Quoted(ref[1]))
	}
	if ref := nowhere.FindStringSubmatch(why); ref != nil {
		return fmt.Sprintf("line %d: it refers to %s, which is not there", line(ref[1]), Quoted(ref[1]))
	}
	if !strings.HasPrefix(why, "failed to unmarshal data") {
		return why
	}
	text = bytes.TrimSpace(text)
	switch err := json.Unmarshal(text, new(any)); {
	case text[0] == '<':
		return "it is no OpenAPI document: it begins with <, as HTML and XML do"
	case err != nil && err.Error() == "unexpected end of JSON input":
		return fmt.Sprintf("line %d: the text ends in the middle of its JSON", 1+bytes.Count(text, []byte("\n")))
	}
	if at := yamlLine.FindStringSubmatch(why); at != nil {
		return strings.Replace(at[1], "found character", "found a character, such as a tab,", 1)
	}
	if at := wrongType.FindStringSubmatch(why); at != nil {
		return fmt.Sprintf("at %s: it is a %s and must be a %s", at[2], at[1], at[3])
	}
	return "it is no OpenAPI document: neither YAML nor JSON with members such as openapi and paths"
}

// addServers adds the paths of all servers. The default of a variable comes
// first.
func addServers(facts *contract.Spec, servers openapi3.Servers) error {
	for _, server := range servers {
		if server == nil || slices.Contains(slices.Collect(maps.Values(server.Variables)), nil) {
			return errors.New("at /servers: one of them, or a variable of one, is empty")
		}
		variables := map[string][]string{}
		for name, v := range server.Variables {
			variables[name] = append([]string{v.Default}, v.Enum...)
		}
		if facts.AddServer(server.URL, variables) != nil {
			return fmt.Errorf("at /servers: %s is no URL", Quoted(server.URL))
		}
	}
	if len(facts.Bases) == 0 {
		return errors.New("at /servers: there is none, and no base path is given instead")
	}
	return nil
}

var urlName = regexp.MustCompile(`(?i)ur[il]|href|link|location`)

// mayHoldURL reports whether a value of a schema may hold a URL. One without a
// schema may.
func mayHoldURL(ref *openapi3.SchemaRef, depth int) bool {
	if ref == nil || depth > 8 {
		return depth == 0
	}
	schema := ref.Value
	for name, property := range schema.Properties {
		if urlName.MatchString(name) || mayHoldURL(property, depth+1) {
			return true
		}
	}
	for _, list := range [][]*openapi3.SchemaRef{schema.OneOf, schema.AnyOf, schema.AllOf,
		{schema.Items, schema.AdditionalProperties.Schema}} {
		for _, part := range list {
			if mayHoldURL(part, depth+1) {
				return true
			}
		}
	}
	return strings.HasPrefix(schema.Format, "ur")
}

// routesOf returns the operations of a document: POST first and DELETE last, then in
// the order of their paths. What is deleted takes its parts along: their DELETE is before.
func routesOf(doc *openapi3.T) (routes []*routers.Route) {
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			route := routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op}
			routes = append(routes, &route)
		}
	}
	turn := map[string]int{http.MethodPut: 1, http.MethodPatch: 1, http.MethodGet: 2, http.MethodHead: 2,
		http.MethodOptions: 2, http.MethodDelete: 3}
	slices.SortFunc(routes, func(a, b *routers.Route) int {
		paths := cmp.Compare(a.Path, b.Path)
		if a.Method == http.MethodDelete {
			paths = -paths
		}
		return cmp.Or(cmp.Compare(turn[a.Method], turn[b.Method]), paths, cmp.Compare(a.Method, b.Method))
	})
	return routes
}

// Allows reports whether the JSON answer of an operation matches its schema.
func (s *Spec) Allows(op string, status int, answer []byte) bool {
	media, value := s.answer(op, status), any(nil)
	return media != nil && json.Unmarshal(answer, &value) == nil &&
		(media.Schema == nil || media.Schema.Value.VisitJSON(value, uuids) == nil)
}

// uuids has a generated client in mind: it reads a UUID as such, or not at all.
var uuids = openapi3.WithStringFormatValidator("uuid",
	openapi3.NewRegexpFormatValidator(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`))

// Answers returns the examples of an operation's JSON answer.
func (s *Spec) Answers(op string, status int) (said [][]byte) {
	media := s.answer(op, status)
	if media == nil {
		return nil
	}
	examples := Examples(media.Example, media.Examples, media.Schema)
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		if text, err := json.Marshal(examples[name]); err == nil {
			said = append(said, text)
		}
	}
	return said
}

// answer returns what a spec says of the JSON answer of an operation, or nil.
func (s *Spec) answer(op string, status int) *openapi3.MediaType {
	it := s.Operation(op)
	if it == nil {
		return nil
	}
	response := it.Rules.(Rules).Operation.Responses.Status(status)
	if response == nil {
		return nil
	}
	return response.Value.Content.Get("application/json")
}

// Declares reports whether an operation declares a status. A request that is no
// operation declares any.
func (s *Spec) Declares(op string, status int) bool {
	it := s.Operation(op)
	return it == nil || it.Rules.(Rules).Operation.Responses.Status(status) != nil ||
		it.Rules.(Rules).Operation.Responses.Default() != nil
}

// Takes reports whether a file may travel under a media type in a request with
// such a header: as its body, or in a field of its form.
func (s *Spec) Takes(op string, header http.Header, field, contentType string) bool {
	it := s.Operation(op)
	if it == nil {
		return true
	}
	content := ContentOf(it.Rules.(Rules).Operation)
	if field == "" {
		return content.Get(contentType) != nil
	}
	media := content.Get(header.Get("Content-Type"))
	if media == nil || media.Encoding[field] == nil || media.Encoding[field].ContentType == "" {
		return true
	}
	types := openapi3.NewContentWithSchema(nil, []string{media.Encoding[field].ContentType}) // a list is split there
	return types.Get(contentType) != nil
}

// Values returns the parameters in the path and the query of a request, by
// their names. A request that is no operation has its path under no name.
func (s *Spec) Values(op, uri string) map[string]string {
	path, query, _ := strings.Cut(uri, "?")
	values := map[string]string{}
	pairs, _ := url.ParseQuery(query)
	for name := range pairs {
		values[name] = pairs.Get(name)
	}
	it := s.Operation(op)
	if it == nil {
		values[""] = path
		return values
	}
	for i := range path { // what stands before the operation's own is its base: one end has as many slashes
		maps.Copy(values, it.Path.Match(path[i:]))
	}
	return values
}

// IsInteger reports whether an operation has an integer in its path or query
// under a name.
func (s *Spec) IsInteger(op, name string) bool {
	it := s.Operation(op)
	if it == nil {
		return false
	}
	rules := it.Rules.(Rules)
	return slices.ContainsFunc(Parameters(rules.Route), func(p *openapi3.Parameter) bool {
		return p.Name == name && p.Schema != nil && p.Schema.Value.Type.Is("integer")
	})
}

// ParseAt reads a spec whose operations lie at a base URL.
func ParseAt(t testing.TB, baseURL string, spec []byte) (c *Spec, host string) {
	t.Helper()
	base, err := url.Parse(baseURL)
	if err != nil || base.Host == "" {
		t.Fatal("uploadtest: the base URL cannot be parsed")
	}
	if c, err = Parse(spec, cmp.Or(base.EscapedPath(), "/"), false); err != nil {
		t.Fatal(err)
	}
	if len(c.Doc.Servers) == 0 {
		t.Logf("uploadtest: at /servers: the spec names none, so %s is taken for its only one", Quoted(baseURL))
	}
	return c, base.Host
}
