package uploadtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
)

// Requests are built from the spec's examples, else from its schemas.

// sample is a body, and the object that it was made from.
type sample struct {
	contentType string
	body        []byte
	typ         string // as the spec spells it
	schema      *openapi3.Schema
	object      map[string]any // of JSON and of forms
	fileName    string         // of the files in a form
	names       []string       // of several files; none: made of fileName
	fileType    string         // of the files in a form whose encoding names none; empty: text/plain
	encoding    map[string]*openapi3.Encoding
	params      map[string]string // values of parameters in place of the examples
	later       []byte            // the bytes that go to the URL that the answer hands out
}

// called returns the name of one of n files in a form.
func (s sample) called(i, n int) string {
	switch {
	case i < len(s.names):
		return s.names[i]
	case n > 1:
		return fmt.Sprintf("%d-%s", i+1, s.fileName)
	}
	return s.fileName
}

// of returns the same body with another object in it, or with other names of
// its files.
func (s sample) of(object map[string]any, fileName string) sample {
	s.object, s.fileName = object, fileName
	s.contentType, s.body = s.encode()
	return s
}

// part is an object in a body: the whole, a member, or an element of a list.
type part struct {
	name   string // before those of its members
	object map[string]any
	schema *openapi3.Schema
	list   bool
	of     func(map[string]any) sample // in its place, or last in its list
}

// objects returns the object of the body, and those in its members.
func (s sample) objects() []part {
	if s.object == nil {
		return nil
	}
	all := []part{{"", s.object, s.schema, false, func(o map[string]any) sample { return s.of(o, s.fileName) }}}
	for _, name := range slices.Sorted(maps.Keys(s.object)) {
		schema := s.schema.Properties[name]
		if schema == nil || schema.Value == nil || !strings.HasSuffix(s.typ, "json") {
			continue
		}
		switch value := s.object[name].(type) {
		case map[string]any:
			all = append(all, part{name + ".", value, schema.Value, false,
				func(o map[string]any) sample { return s.of(s.with(name, o), s.fileName) }})
		case []any:
			if first, ok := slices.Concat(value, []any{nil})[0].(map[string]any); ok && schema.Value.Items != nil {
				all = append(all, part{name + "[].", first, schema.Value.Items.Value, true,
					func(o map[string]any) sample { return s.of(s.with(name, append(slices.Clone(value), o)), s.fileName) }})
			}
		}
	}
	return all
}

// with returns the object with another value of one of its members.
func (s sample) with(name string, value any) map[string]any {
	object := maps.Clone(s.object)
	object[name] = value
	return object
}

// samples returns a body for each media type and each example of an operation;
// one without a body has one sample that is none.
func samples(r *routers.Route) []sample {
	content := contentOf(r.Operation)
	if content == nil {
		return []sample{{}}
	}
	var list []sample
	for _, typ := range slices.Sorted(maps.Keys(content)) {
		media := content[typ]
		given := examples(media.Example, media.Examples, media.Schema)
		if len(given) > 1 {
			delete(given, "") // it is one of the others
		}
		schema := cmp.Or(media.Schema, &openapi3.SchemaRef{Value: &openapi3.Schema{}}).Value
		for _, name := range slices.Sorted(maps.Keys(given)) {
			if s, ok := newSample(typ, schema, media.Encoding, given[name]); ok {
				list = append(list, s)
			}
		}
	}
	return list
}

// firstSample returns the first of the samples, or none where no body can be
// built.
func firstSample(r *routers.Route) sample {
	return append(samples(r), sample{})[0]
}

func newSample(
	typ string, schema *openapi3.Schema, encoding map[string]*openapi3.Encoding, value any,
) (sample, bool) {
	if object, ok := value.(map[string]any); ok {
		object = maps.Clone(object)
		for _, name := range schema.Required {
			if _, given := object[name]; !given {
				object[name] = madeUp(schema.Properties[name], 0)
			}
		}
		s := sample{typ: typ, schema: schema, encoding: encoding, object: object, fileName: "uploadtest.txt"}
		s.later = presignedContent
		s = s.stating()
		return s, s.body != nil
	}
	if strings.HasPrefix(typ, "multipart/") || strings.HasSuffix(typ, "json") {
		return sample{}, false
	}
	return sample{typ: typ, schema: schema, contentType: concrete(typ), body: []byte(textOf(value))}, true
}

// concrete returns a media type of a range.
func concrete(typ string) string {
	return strings.ReplaceAll(strings.Replace(typ, "*/*", "application/octet-stream", 1), "/*", "/x-uploadtest")
}

// typeOf returns the media type of a field of a form: the first that the spec
// names. A plain value needs none.
func (s sample) typeOf(field string) string {
	schema := s.schema.Properties[field]
	switch said := s.encoding[field]; {
	case said != nil && said.ContentType != "":
		first, _, _ := strings.Cut(said.ContentType, ",")
		return concrete(first)
	case isBinary(schema):
		return cmp.Or(s.fileType, "text/plain")
	case schema != nil && schema.Value.Type.Is("object"):
		return "application/json"
	}
	return ""
}

// examples returns the examples that a spec gives of one thing, by name. The
// one to use has the empty name: a single example, the first by name, the
// schema's own, or one that is made up from the schema.
func examples(one any, many openapi3.Examples, schema *openapi3.SchemaRef) map[string]any {
	found := map[string]any{}
	for name, ref := range many {
		if ref.Value != nil && ref.Value.Value != nil {
			found[name] = ref.Value.Value
		}
	}
	switch {
	case one != nil:
		found[""] = one
	case len(found) > 0:
		found[""] = found[slices.Min(slices.Collect(maps.Keys(found)))]
	default:
		found[""] = madeUp(schema, 0)
	}
	return found
}

// madeUp returns a value that matches a schema, as far as that can be told.
func madeUp(ref *openapi3.SchemaRef, depth int) any {
	if ref == nil || ref.Value == nil || depth > 8 {
		return "uploadtest"
	}
	schema := ref.Value
	for _, one := range [][]*openapi3.SchemaRef{schema.OneOf, schema.AnyOf} {
		if len(one) > 0 && schema.Example == nil {
			return madeUp(one[0], depth+1)
		}
	}
	switch {
	case schema.Example != nil:
		return schema.Example
	case schema.Default != nil:
		return schema.Default
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case schema.Type.Is("object"), len(schema.Properties) > 0, len(schema.AllOf) > 0:
		object := map[string]any{}
		for _, part := range schema.AllOf {
			if more, ok := madeUp(part, depth+1).(map[string]any); ok {
				maps.Copy(object, more)
			}
		}
		for name, property := range schema.Properties {
			if slices.Contains(schema.Required, name) || property.Value != nil && property.Value.Example != nil {
				object[name] = madeUp(property, depth+1)
			}
		}
		return object
	case schema.Type.Is("array"):
		return slices.Repeat([]any{madeUp(schema.Items, depth+1)}, max(1, int(schema.MinItems)))
	case schema.Type.Is("integer"), schema.Type.Is("number"):
		if schema.Min != nil && *schema.Min > 1 {
			return *schema.Min + 1
		}
		return 1
	case schema.Type.Is("boolean"):
		return true
	}
	formats := map[string]string{
		"uuid": "0f8fad5b-d9cb-469f-a165-70867728950e", "date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z",
		"email": "uploadtest@example.com", "uri": "https://example.com/uploadtest", "byte": "dXBsb2FkdGVzdA==",
	}
	if text, ok := formats[schema.Format]; ok {
		return text
	}
	text := "uploadtest"
	for len(text) < int(schema.MinLength) {
		text += text
	}
	if schema.MaxLength != nil {
		text = text[:min(*schema.MaxLength, uint64(len(text)))]
	}
	return text
}

// textOf returns a value as the text of a parameter or of a part of a form.
func textOf(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, _ := json.Marshal(value) // it came out of a document of that kind
	return string(text)
}

// bytesOf returns a value as the content of a part of a form. Files are bytes
// already.
func bytesOf(value any) []byte {
	if content, ok := value.([]byte); ok {
		return content
	}
	return []byte(textOf(value))
}

const boundary = "uploadtest-boundary"

// encode returns the object as JSON or as a form; as anything else nothing.
func (s sample) encode() (sent string, body []byte) {
	typ, object := s.typ, s.object
	switch {
	case strings.HasSuffix(typ, "json"):
		body, _ = json.Marshal(object) // it came out of a document of that kind
		return typ, body
	case typ == "application/x-www-form-urlencoded":
		values := url.Values{}
		for name, value := range object {
			for _, one := range several(value) {
				values.Add(name, textOf(one))
			}
		}
		return typ, []byte(values.Encode())
	case typ != "multipart/form-data":
		return typ, nil
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary(boundary)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		values := several(object[name])
		for i, value := range values {
			header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", name)}}
			if isBinary(s.schema.Properties[name]) {
				header.Set("Content-Disposition", multipart.FileContentDisposition(name, s.called(i, len(values))))
			}
			if typ := s.typeOf(name); typ != "" {
				header.Set("Content-Type", typ)
			}
			content := bytesOf(value)
			b.Grow(len(content) + 1<<10)
			part, _ := w.CreatePart(header)
			_, _ = part.Write(content)
		}
	}
	w.Close()
	return w.FormDataContentType(), b.Bytes()
}

// several returns the values of a field, or the one that it has.
func several(value any) []any {
	if values, ok := value.([]any); ok {
		return values
	}
	return []any{value}
}

func isBinary(schema *openapi3.SchemaRef) bool {
	for schema != nil && schema.Value != nil {
		if schema.Value.Format == "binary" {
			return true
		}
		schema = schema.Value.Items
	}
	return false
}

// parameters returns the parameters of an operation.
func parameters(r *routers.Route) (params []*openapi3.Parameter) {
	for _, ref := range slices.Concat(r.PathItem.Parameters, r.Operation.Parameters) {
		params = append(params, ref.Value)
	}
	return params
}

// required returns the parameters that an operation cannot do without.
func required(r *routers.Route) []*openapi3.Parameter {
	return slices.DeleteFunc(parameters(r), func(param *openapi3.Parameter) bool { return !param.Required })
}

// known reports whether each parameter of the path names something: it came out
// of an earlier answer, or the operation makes what it names.
func (p *prober) known(r *routers.Route) bool {
	return r.Method == http.MethodPut || r.Method == http.MethodPost ||
		!slices.ContainsFunc(required(r), func(param *openapi3.Parameter) bool {
			return param.In == openapi3.ParameterInPath && p.learned[param.Name] == ""
		})
}

// pathOf returns the escaped path of an operation with a sample.
func (p *prober) pathOf(r *routers.Route, s sample) string {
	path := r.Path
	for _, param := range required(r) {
		if param.In == openapi3.ParameterInPath {
			path = strings.ReplaceAll(path, "{"+param.Name+"}", url.PathEscape(p.valueOf(param, s)))
		}
	}
	return path
}

// build returns the request of an operation with a sample.
func (p *prober) build(r *routers.Route, s sample) *http.Request {
	query, header := url.Values{}, http.Header{}
	for _, param := range required(r) {
		value := p.valueOf(param, s)
		switch param.In {
		case openapi3.ParameterInQuery:
			query.Set(param.Name, value)
		case openapi3.ParameterInHeader:
			header.Set(param.Name, value)
		}
	}
	req := p.request(r.Method, p.pathOf(r, s), s.contentType, s.body)
	req.URL.RawQuery = query.Encode()
	maps.Copy(req.Header, header)
	return req
}

// valueOf returns the value of a parameter: the sample's own, or in a path what
// an answer gave, or the spec's example.
func (p *prober) valueOf(param *openapi3.Parameter, s sample) string {
	value := textOf(examples(param.Example, param.Examples, param.Schema)[""])
	if param.In == openapi3.ParameterInPath {
		value = cmp.Or(p.learned[param.Name], value)
	} else if content := s.content(); content != nil {
		value = textOf(stated(param.Name, value, param.Schema, content))
	}
	return cmp.Or(s.params[param.Name], value)
}

// good returns the same request with good credentials.
func (p *prober) good(r *routers.Route, s sample) *http.Request { return p.authorized(p.build(r, s)) }

// valid returns the same request, or nil if it breaks a rule of the spec.
func (p *prober) valid(r *routers.Route, s sample) *http.Request {
	req := p.good(r, s)
	if len(p.faults(req)) > 0 {
		return nil
	}
	return req
}
