package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is an OpenAPI 3.0 document, with the words that the documents of
// this module use. Any other word is an error, so that no rule is ignored in
// silence.
type document struct {
	about
	OpenAPI      string
	Tags         any
	ExternalDocs any
	Info         struct {
		about
		Title                     string
		Version, Contact, License any
	}
	Servers  []server
	Security []map[string]any
	Paths    map[string]struct {
		about
		Parameters             []*parameter
		Get, Put, Post, Delete *documentRules
	}
	Components struct {
		SecuritySchemes map[string]scheme
		// Parse has put these values in the places that refer to them.
		Headers, Examples, Responses, Schemas, Parameters any
	}
}

// about holds the words that only inform people and make no rule.
type about struct {
	Title, Description, Summary, Example, Examples any
	Source                                         string `json:"x-source"`
}

type server struct {
	about
	URL       string
	Variables map[string]struct {
		about
		Default string
		Enum    []string
	}
}

type scheme struct {
	about
	Type, In, Name, Scheme string
	Flows                  map[string]struct {
		about
		TokenURL string
		Scopes   any
	}
}

func (s scheme) scheme() Scheme {
	it := Scheme{Type: s.Type, In: s.In, Name: s.Name, Scheme: s.Scheme}
	for _, flow := range s.Flows {
		it.TokenURLs = append(it.TokenURLs, flow.TokenURL)
	}
	return it
}

// Parse reads a document of this module.
func Parse(text []byte) (*Contract, error) {
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	tree, err := resolve(tree, tree, "", nil)
	if err != nil {
		return nil, err
	}
	plain, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	var doc document
	if err := decode(plain, &doc); err != nil {
		return nil, err
	}
	spec := Spec{Title: doc.Info.Title}
	for _, server := range doc.Servers {
		variables := map[string][]string{}
		for name, v := range server.Variables {
			variables[name] = append([]string{v.Default}, v.Enum...)
		}
		if err := spec.AddServer(server.URL, variables); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Components.SecuritySchemes)) {
		spec.Schemes = append(spec.Schemes, doc.Components.SecuritySchemes[name].scheme())
	}
	var headers []string
	for path, item := range doc.Paths {
		for method, op := range map[string]*documentRules{
			http.MethodGet: item.Get, http.MethodPut: item.Put, http.MethodPost: item.Post,
			http.MethodDelete: item.Delete,
		} {
			if op == nil {
				continue
			}
			if err := op.compile(item.Parameters); err != nil {
				return nil, fmt.Errorf("%s: %w", op.OperationID, err)
			}
			spec.Operations = append(spec.Operations, &Operation{
				Name: op.OperationID, Method: method, Path: Template(path), TakesBody: op.RequestBody != nil,
				Security: doc.security(), Rules: op,
			})
			for _, answer := range op.Responses {
				headers = slices.AppendSeq(headers, maps.Keys(answer.Headers))
				for _, media := range answer.Content {
					spec.HandsOut = spec.HandsOut || media.Schema.holdsURL()
				}
			}
		}
	}
	spec.TraceHeader = TraceHeader(headers)
	return New(spec), nil
}

// security returns the credentials that all operations ask for.
func (doc *document) security() (all [][]Scheme) {
	for _, names := range doc.Security {
		var together []Scheme
		for _, name := range slices.Sorted(maps.Keys(names)) {
			together = append(together, doc.Components.SecuritySchemes[name].scheme())
		}
		all = append(all, together)
	}
	return all
}

// AddServer adds the paths of a server to the bases, with each value that its
// variables may have.
func (spec *Spec) AddServer(address string, variables map[string][]string) error {
	addresses := []string{address}
	for name, values := range variables {
		var expanded []string
		for _, value := range values {
			for _, a := range addresses {
				expanded = append(expanded, strings.ReplaceAll(a, "{"+name+"}", value))
			}
		}
		addresses = expanded
	}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			return err
		}
		if base := strings.TrimRight(u.EscapedPath(), "/"); !slices.Contains(spec.Bases, base) {
			spec.Bases = append(spec.Bases, base)
		}
	}
	return nil
}

// decode reads JSON and refuses a word that is not known.
func decode(text []byte, to any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	return decoder.Decode(to)
}

// resolve returns the value of a word. It replaces references, and leaves out
// extensions other than x-source. Within lists the references around the value.
func resolve(tree, root any, under string, within []string) (any, error) {
	var err error
	switch v := tree.(type) {
	case []any:
		whole := make([]any, len(v))
		for i, element := range v {
			if whole[i], err = resolve(element, root, "", within); err != nil {
				return nil, err
			}
		}
		return whole, nil
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			if slices.Contains(within, ref) {
				return nil, fmt.Errorf("references go round in a circle")
			}
			at := root
			for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
				object, _ := at.(map[string]any)
				if at = object[name]; at == nil {
					return nil, fmt.Errorf("%s refers to nothing in this document", ref)
				}
			}
			return resolve(at, root, under, slices.Concat(within, []string{ref}))
		}
		names := under == "headers" || under == "properties" // of the document's own choice
		whole := make(map[string]any, len(v))
		for name, value := range v {
			word := name
			if names {
				word = ""
			} else if strings.HasPrefix(name, "x-") && name != "x-source" {
				continue
			}
			if whole[name], err = resolve(value, root, word, within); err != nil {
				return nil, err
			}
		}
		return whole, nil
	}
	return tree, nil
}

// TraceHeader returns the canonical name of the header that is declared for a
// trace id, or nothing. It looks for a name with "trace" first, and then for
// one with "request-id".
func TraceHeader(names []string) string {
	slices.Sort(names)
	for _, word := range []string{"trace", "request-id"} {
		for _, name := range names {
			if strings.Contains(strings.ToLower(name), word) {
				return http.CanonicalHeaderKey(name)
			}
		}
	}
	return ""
}
