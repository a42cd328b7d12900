package contract

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
)

// load reads a document and refuses what no exchange can be held to. The error
// is one line that says what is wrong and where.
func load(spec []byte) (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	switch {
	case err != nil:
		return nil, refuse(explainLoading(spec, err.Error()))
	case doc.OpenAPI == "":
		return nil, refuse("at /openapi: no version is said, and only OpenAPI 3.0 is understood")
	case !strings.HasPrefix(doc.OpenAPI, "3.0."):
		return nil, refuse(fmt.Sprintf("at /openapi: version %.20q, but only OpenAPI 3.0 is understood", doc.OpenAPI))
	case doc.Info == nil:
		return nil, refuse("at /info: it is missing")
	case doc.Paths.Len() == 0:
		return nil, refuse("at /paths: there is no operation")
	}
	return doc, nil
}

// refuse makes one line of what is wrong with a spec.
func refuse(why string) error {
	return fmt.Errorf("the spec cannot be used: %s", firstLine(why))
}

var (
	elsewhere = regexp.MustCompile(`external reference: "([^"]+)"`)
	yamlLine  = regexp.MustCompile(`yaml: (line \d+: .*)`)
)

// explainLoading says in a sentence why a document could not be read, and
// where.
func explainLoading(spec []byte, why string) string {
	if ref := elsewhere.FindStringSubmatch(why); ref != nil {
		line := 1 + bytes.Count(spec[:max(0, bytes.Index(spec, []byte(ref[1])))], []byte("\n"))
		return fmt.Sprintf("line %d: it refers to another document, %.100s, "+
			"and only references within the spec are read", line, ref[1])
	}
	if !strings.HasPrefix(why, "failed to unmarshal data") {
		return why
	}
	if at := yamlLine.FindStringSubmatch(why); at != nil {
		return at[1]
	}
	return "it is no OpenAPI document: neither YAML nor JSON with members such as openapi and paths"
}

// basePaths returns the paths of all servers, each value of their variables
// taken.
func basePaths(servers openapi3.Servers) ([]string, error) {
	var paths []string
	for _, server := range servers {
		for _, address := range expand(server) {
			u, err := url.Parse(address)
			if err != nil {
				return nil, refuse(fmt.Sprintf("at /servers: %.100q is no URL", address))
			}
			if path := strings.TrimRight(u.EscapedPath(), "/"); !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	if len(paths) == 0 {
		return nil, refuse("at /servers: there is none, and no base path is given instead")
	}
	return paths, nil
}

// expand returns a server's addresses, some of them twice. The default of a
// variable comes first.
func expand(server *openapi3.Server) []string {
	addresses := []string{server.URL}
	for name, variable := range server.Variables {
		var expanded []string
		for _, v := range append([]string{variable.Default}, variable.Enum...) {
			for _, a := range addresses {
				expanded = append(expanded, strings.ReplaceAll(a, "{"+name+"}", v))
			}
		}
		addresses = expanded
	}
	return addresses
}

// traceHeader finds the header that the spec declares for a trace id, if any.
// A name with "trace" in it counts before one with "request-id".
func traceHeader(doc *openapi3.T) string {
	var names []string
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, response := range op.Responses.Map() {
				names = slices.AppendSeq(names, maps.Keys(response.Value.Headers))
			}
		}
	}
	slices.Sort(names)
	for _, word := range []string{"trace", "request-id"} {
		for _, name := range names {
			if strings.Contains(strings.ToLower(name), word) {
				return name
			}
		}
	}
	return ""
}

// TakesFiles tells whether an operation takes a file, or may hand out a URL for
// one.
func (c *Contract) TakesFiles() bool {
	return slices.ContainsFunc(c.Routes(), func(r *routers.Route) bool {
		for typ := range Content(r.Operation) {
			if strings.HasPrefix(typ, "multipart/") || isRaw(operation{route: r}, typ) {
				return true
			}
		}
		for _, response := range r.Operation.Responses.Map() {
			if response.Value == nil {
				continue
			}
			for name := range response.Value.Headers {
				if strings.EqualFold(name, "Location") {
					return true
				}
			}
			for _, media := range response.Value.Content {
				if mayHoldURL(media.Schema, 0) {
					return true
				}
			}
		}
		return false
	})
}

var urlName = regexp.MustCompile(`(?i)ur[il]|href|link|location`)

// mayHoldURL tells whether a value of a schema may hold a URL. One without a
// schema may.
func mayHoldURL(ref *openapi3.SchemaRef, depth int) bool {
	if ref == nil || ref.Value == nil || depth > 8 {
		return depth == 0
	}
	schema := ref.Value
	for name, property := range schema.Properties {
		if urlName.MatchString(name) || mayHoldURL(property, depth+1) {
			return true
		}
	}
	for _, list := range [][]*openapi3.SchemaRef{schema.OneOf, schema.AnyOf, schema.AllOf, {schema.Items}} {
		for _, part := range list {
			if mayHoldURL(part, depth+1) {
				return true
			}
		}
	}
	return strings.HasPrefix(schema.Format, "ur")
}
