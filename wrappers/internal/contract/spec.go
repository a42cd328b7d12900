package contract

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// load reads a document and refuses what no exchange can be held to. The error
// is one line that says what is wrong and where.
func load(spec []byte) (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	switch {
	case err != nil:
		return nil, refused(err)
	case !strings.HasPrefix(doc.OpenAPI, "3.0."):
		return nil, fmt.Errorf("the spec cannot be used: at /openapi: version %.20q, but only 3.0 is understood", doc.OpenAPI)
	case doc.Info == nil || doc.Paths.Len() == 0:
		return nil, errors.New("the spec cannot be used: at /paths: it has no operation")
	}
	return doc, nil
}

// refused turns a loader's error into one line.
func refused(err error) error {
	return fmt.Errorf("the spec cannot be used: %s", firstLine(err.Error()))
}

// basePaths returns the paths of all servers, each value of their variables taken.
func basePaths(servers openapi3.Servers) ([]string, error) {
	var paths []string
	for _, server := range servers {
		for _, address := range expand(server) {
			u, err := url.Parse(address)
			if err != nil {
				return nil, fmt.Errorf("the spec cannot be used: at /servers: %.100q is no URL", address)
			}
			if path := strings.TrimRight(u.EscapedPath(), "/"); !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	if len(paths) == 0 {
		return nil, errors.New("the spec cannot be used: at /servers: it has none, and no base path is given instead")
	}
	return paths, nil
}

// expand returns a server's addresses. The default of a variable comes first.
func expand(server *openapi3.Server) []string {
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
	return addresses
}

// traceHeader finds the header that the spec declares for a trace id, if any.
// A name with "trace" in it counts before one with "request-id".
func traceHeader(doc *openapi3.T) string {
	var trace, request []string
	for _, item := range doc.Paths.Map() {
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
