package contract

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// documentRules holds the rules of a document of this module for one operation.
type documentRules struct {
	about
	OperationID string
	Tags        any
	Parameters  []*parameter
	RequestBody *struct {
		about
		Required bool
		Content  map[string]*media
	}
	Responses map[string]*answer
}

type parameter struct {
	about
	Name, In string
	Required bool
	Schema   *schema
}

type media struct {
	about
	Schema   *schema
	Examples map[string]struct {
		about
		Value json.RawMessage
	}
	Media `json:"-"`
}

type answer struct {
	about
	Headers map[string]*parameter
	Content map[string]*media
}

// compile prepares the rules. It refuses rules that the rest of this file
// cannot check. The parameters of the operation go before those of its path.
func (r *documentRules) compile(shared []*parameter) error {
	for _, p := range shared {
		same := func(own *parameter) bool { return own.In == p.In && own.Name == p.Name }
		if !slices.ContainsFunc(r.Parameters, same) {
			r.Parameters = append([]*parameter{p}, r.Parameters...)
		}
	}
	for _, p := range r.Parameters {
		if !slices.Contains([]string{"path", "query", "header"}, p.In) {
			return fmt.Errorf("parameter %s: its place %q is not known", p.Name, p.In)
		}
		if err := p.compile(); err != nil {
			return fmt.Errorf("parameter %s: %w", p.Name, err)
		}
	}
	if r.RequestBody != nil {
		for typ, m := range r.RequestBody.Content {
			if err := m.compile(typ); err != nil {
				return fmt.Errorf("the request as %s: %w", typ, err)
			}
		}
	}
	for status, a := range r.Responses {
		delete(a.Headers, "Content-Type") // OpenAPI ignores it here
		for name, h := range a.Headers {
			if err := h.compile(); err != nil {
				return fmt.Errorf("status %s: header %s: %w", status, name, err)
			}
		}
		for typ, m := range a.Content {
			if err := m.compile(typ); err != nil {
				return fmt.Errorf("status %s as %s: %w", status, typ, err)
			}
		}
	}
	return nil
}

// compile refuses a parameter whose value is not one word.
func (p *parameter) compile() error {
	if p.Schema == nil || !slices.Contains([]string{"string", "integer", "number", "boolean"}, p.Schema.Type) {
		return fmt.Errorf("it must have a schema with a simple type")
	}
	return p.Schema.compile()
}

func (m *media) compile(typ string) error {
	if m.Schema == nil {
		return fmt.Errorf("it must have a schema")
	}
	s := m.Schema
	m.Bytes = s.Format == "binary" || s.Type == "" && len(s.Properties) == 0
	if typ == "multipart/form-data" {
		if s.Type != "object" || s.Additional != nil {
			return fmt.Errorf("the schema of a form must be an object that names all fields")
		}
		for name, field := range s.Properties {
			if field.Type == "array" && field.Items != nil {
				field = field.Items
			}
			if field.Type != "string" || field.Format != "binary" {
				return fmt.Errorf("field %s: it must be a file, or an array of files", name)
			}
		}
		m.Fields = slices.Sorted(maps.Keys(s.Properties))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Examples)) {
		m.Media.Example = m.Examples[name].Value
		break
	}
	return s.compile()
}

// mediaOf returns the declaration of a media type: for the type itself, for all
// of its kind, or for any type.
func mediaOf(content map[string]*media, said string) *media {
	said = strings.ToLower(strings.TrimSpace(said))
	plain, _, _ := strings.Cut(said, ";")
	plain = strings.TrimSpace(plain)
	kind, _, isType := strings.Cut(plain, "/")
	for i, typ := range []string{said, plain, kind + "/*", "*/*"} {
		if i == 2 && said != "" && !isType {
			return nil
		}
		if m := content[typ]; m != nil && typ != "" {
			return m
		}
	}
	return nil
}

func (r *documentRules) Media(contentType string) *Media {
	if r.RequestBody == nil {
		return nil
	}
	if m := mediaOf(r.RequestBody.Content, contentType); m != nil {
		return &m.Media
	}
	return nil
}

func (r *documentRules) Request(q Request) (rule, detail string) {
	for _, p := range r.Parameters {
		var said []string
		switch p.In {
		case "path":
			if value := q.Params[p.Name]; value != "" {
				said = []string{value}
			}
		case "query":
			said = q.URL.Query()[p.Name]
		case "header":
			said = q.Header.Values(p.Name)
			said = said[:min(1, len(said))]
		}
		if fault := p.fault(said); fault != "" {
			return RuleParameter, fmt.Sprintf("%s parameter %q: %s", p.In, p.Name, fault)
		}
	}
	if r.RequestBody == nil || !q.Whole {
		return "", ""
	}
	if q.Form == nil && (q.Body == nil || len(q.Body.Bytes) == 0) {
		if r.RequestBody.Required {
			return RuleBody, missing
		}
		return "", ""
	}
	typ := q.Header.Get("Content-Type")
	m := mediaOf(r.RequestBody.Content, typ)
	value, err := any(nil), error(nil)
	if q.Form == nil {
		value, err = m.value(typ, q.Body)
	} else if i := slices.IndexFunc(q.Form, func(p *Part) bool { return !p.file }); i >= 0 {
		return RuleForm, fmt.Sprintf("part %d: the field %q is a file, and the part has no file name",
			i+1, q.Form[i].Name)
	} else {
		value = m.fields(q.Form)
	}
	if err != nil {
		return RuleBody, firstLine("failed to decode request body: " + err.Error())
	}
	if fault := m.Schema.fault(value, true); fault != nil {
		return RuleBody, fault.Error()
	}
	return "", ""
}

const missing = "value is required but missing"

// fault describes a fault in the values of a parameter. The first value that is
// not empty counts.
func (p *parameter) fault(said []string) string {
	if len(said) == 0 {
		if p.Required {
			return missing
		}
		return ""
	}
	text := said[max(0, slices.IndexFunc(said, func(s string) bool { return s != "" }))]
	value, err := p.Schema.parse(text)
	if err != nil {
		return err.Error()
	}
	if value == nil {
		return "empty value is not allowed"
	}
	if fault := p.Schema.fault(value, false); fault != nil {
		return fault.Error()
	}
	return ""
}

// fields returns a form as a value. Its files are empty there.
func (m *media) fields(parts []*Part) any {
	object := map[string]any{}
	for _, p := range parts {
		text := string(p.Kept())
		if list, many := object[p.Name].([]any); many || m.Schema.Properties[p.Name].Type == "array" {
			object[p.Name] = append(list, text)
		} else if object[p.Name] == nil {
			object[p.Name] = text
		}
	}
	return object
}

// value returns a body as a value.
func (m *media) value(contentType string, body *Text) (any, error) {
	typ, _, _ := strings.Cut(contentType, ";")
	switch typ = strings.ToLower(strings.TrimSpace(typ)); {
	case m.Schema.Format == "binary", typ == "application/octet-stream", typ == "text/plain":
		return string(body.Bytes), nil
	case typ == "application/json", strings.HasSuffix(typ, "+json"):
		return body.JSON()
	}
	return nil, fmt.Errorf("unsupported content type %q", typ)
}

func (r *documentRules) Response(head *http.Request, status int, header http.Header, body *Text) (rule, detail string) {
	declared := cmp.Or(r.Responses[strconv.Itoa(status)], r.Responses[strconv.Itoa(status/100)+"XX"],
		r.Responses["default"])
	if declared == nil {
		return RuleStatus, fmt.Sprintf("%d is not declared", status)
	}
	if len(declared.Content) == 0 && body != nil && len(body.Bytes) > 0 && status/100 != 3 &&
		(declared.Source == "" || declared.Source == "documented") {
		return RuleAnswer, fmt.Sprintf("%d bytes, but status %d declares no body", len(body.Bytes), status)
	}
	switch {
	case head.Method == http.MethodHead, status == http.StatusNotModified, status == http.StatusMovedPermanently,
		status == http.StatusTemporaryRedirect, status == http.StatusPermanentRedirect:
		return "", ""
	}
	rule, fault := declared.fault(header, body)
	if fault == "" {
		return "", ""
	}
	return rule, firstLine(fmt.Sprintf("status %d: %s", status, fault))
}

// fault describes the first fault of an answer.
func (a *answer) fault(header http.Header, body *Text) (rule, fault string) {
	for _, name := range names(a.Headers) {
		if fault := a.Headers[name].headerFault(name, header.Values(name)); fault != "" {
			return RuleHeader, fault
		}
	}
	if body == nil || len(a.Content) == 0 {
		return "", ""
	}
	typ := header.Get("Content-Type")
	m := mediaOf(a.Content, typ)
	if m == nil {
		return RuleAnswer, fmt.Sprintf("response header Content-Type has unexpected value: %q", typ)
	}
	value, err := m.value(typ, body)
	if err != nil {
		return RuleAnswer, "failed to decode response body: " + err.Error()
	}
	if fault := m.Schema.fault(value, false); fault != nil {
		return RuleAnswer, fault.Error()
	}
	return "", ""
}

func (p *parameter) headerFault(name string, said []string) string {
	if len(said) == 0 {
		if p.Required {
			return fmt.Sprintf("response header %q missing", name)
		}
		return ""
	}
	value, err := p.Schema.parse(said[0])
	if err != nil {
		return fmt.Sprintf("unable to decode header %q value: %v", name, err)
	}
	if fault := p.Schema.fault(value, false); fault != nil {
		return fault.Error()
	}
	return ""
}
