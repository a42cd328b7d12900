package probe

import (
	"bytes"
	"cmp"
	"encoding/base64"
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

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// sample is a body, and the object that it was made from.
type sample struct {
	contentType string
	body        []byte
	typ         string // as the spec spells it
	schema      *openapi3.Schema
	object      map[string]any // of JSON and of forms
	fileName    string         // of the files in a form
	names       []string       // of several files; none: made of fileName
	types       []string       // of several files, in turn; none: that of the field
	fileType    string         // of the files in a form whose encoding names none; empty: text/plain
	filesFirst  bool           // in a form, before the other fields
	encoding    map[string]*openapi3.Encoding
	params      map[string]string     // values of parameters in place of the examples
	options     []*openapi3.Parameter // that are not required, and are sent
	later       []byte                // the bytes that go to the URL that the answer hands out
	unsized     bool                  // the request does not state its length
}

// sentFile is one file as it was sent. A raw one has no name.
type sentFile struct {
	field, name, contentType string
	content                  []byte
}

// bodyObject is an object in a body: the whole, a member, or an element of a list.
type bodyObject struct {
	name   string // before those of its members; a list's ends with "[]."
	object map[string]any
	schema *openapi3.Schema
	of     func(map[string]any) sample // in its place, or last in its list
}

func (s sample) isJSON() bool { return strings.HasSuffix(s.typ, "json") }
func (s sample) isForm() bool { return s.typ == "multipart/form-data" }

// samples returns a body for each media type and each example of an operation;
// one without a body has one sample that is none.
func samples(r *operation) []sample {
	content := apispec.ContentOf(r.Operation)
	if content == nil {
		return []sample{{later: presignedContent}}
	}
	var list []sample
	for _, typ := range slices.Sorted(maps.Keys(content)) {
		media := content[typ]
		given := apispec.Examples(media.Example, media.Examples, media.Schema)
		if len(given) > 1 {
			delete(given, "") // it is one of the others
		}
		for _, name := range slices.Sorted(maps.Keys(given)) {
			if s, ok := newSample(typ, apispec.Resolved(media.Schema), media.Encoding, given[name]); ok {
				if r.Method == http.MethodPatch && len(s.object) == 0 && s.object != nil {
					s = s.of(changes(s.schema), s.fileName)
				}
				list = append(list, s)
			}
		}
	}
	return list
}

// firstSample returns the first of the samples, or none where no body can be
// built.
func firstSample(r *operation) sample {
	return append(samples(r), sample{})[0]
}

func newSample(
	typ string, schema *openapi3.Schema, encoding map[string]*openapi3.Encoding, value any,
) (sample, bool) {
	isFile := func(name string) bool {
		return apispec.IsBinary(apispec.PropertyOf(schema, name)) && !apispec.PropertyOf(schema, name).ReadOnly
	}
	if object, ok := value.(map[string]any); ok {
		object = maps.Clone(object)
		for _, name := range schema.Required {
			if _, given := object[name]; !given {
				object[name] = apispec.MadeUp(schema.Properties[name], 0)
			}
		}
		if typ == "multipart/form-data" && !slices.ContainsFunc(slices.Collect(maps.Keys(object)), isFile) {
			for name, property := range schema.Properties { // none is required, and a form is for files
				if isFile(name) {
					object[name] = apispec.MadeUp(property, 0)
				}
			}
		}
		for name, inner := range object { // announces tries several files
			if list, _ := inner.([]any); len(list) > 0 {
				if _, isObject := list[0].(map[string]any); isObject {
					object[name] = list[:min(len(list), max(1, int(apispec.PropertyOf(schema, name).MinItems)))]
				}
			}
		}
		s := sample{typ: typ, schema: schema, encoding: encoding, object: object, fileName: "uploadtest.txt"}
		s.later = presignedContent
		for _, name := range s.fields(true) {
			if text, isText := object[name].(string); isText && s.isJSON() {
				if content, err := base64.StdEncoding.DecodeString(text); err == nil {
					object[name] = content
				}
			}
		}
		s = s.stating()
		return s, s.body != nil
	}
	if strings.HasPrefix(typ, "multipart/") || strings.HasSuffix(typ, "json") {
		return sample{}, false
	}
	return sample{typ: typ, schema: schema, contentType: concrete(typ), body: []byte(apispec.TextOf(value))}, true
}

// concrete returns a media type of a range.
func concrete(typ string) string {
	return strings.ReplaceAll(strings.Replace(typ, "*/*", "application/octet-stream", 1), "/*", "/x-uploadtest")
}

// typeOf returns the media type of a field of a form: the first that the spec
// names. A plain value needs none.
func (s sample) typeOf(field string) string {
	schema := apispec.PropertyOf(s.schema, field)
	switch said := s.encoding[field]; {
	case said != nil && s.fileType == "text/plain" && anyText.MatchString(said.ContentType):
		return s.fileType
	case said != nil && said.ContentType != "":
		first, _, _ := strings.Cut(said.ContentType, ",")
		return concrete(first)
	case s.isJSON():
		return s.statedType()
	case apispec.IsBinary(schema):
		return cmp.Or(s.statedType(), s.fileType, "text/plain")
	case schema.Type.Is("object"):
		return "application/json"
	}
	return ""
}

// typesOf returns the media types that files of a field may have: all that the spec
// names, or two if it names none.
func (s sample) typesOf(field string) []string {
	all := []string{s.typeOf(field)}
	switch said := s.encoding[field]; {
	case said != nil && said.ContentType != "":
		for typ := range strings.SplitSeq(said.ContentType, ",") {
			all = append(all, concrete(strings.TrimSpace(typ)))
		}
	case s.statedType() == "":
		all = append(all, "application/pdf")
	}
	return slices.Compact(all)
}

// of returns the same body with another object in it, or with other names of
// its files.
func (s sample) of(object map[string]any, fileName string) sample {
	s.object, s.fileName = object, fileName
	s.contentType, s.body = s.encode()
	return s
}

// with returns the same body with another value of one of its members.
func (s sample) with(name string, value any) sample {
	object := maps.Clone(s.object)
	object[name] = value
	return s.of(object, s.fileName)
}

// replaced returns the object with each member replaced by what with returns.
func (s sample) replaced(with func(m member, value any) any) map[string]any {
	object, _ := member{schema: cmp.Or(s.schema, apispec.Unknown)}.replaced(s.object, with).(map[string]any)
	return object
}

// at returns the value at a path in the object of the body, and its schema.
func (s sample) at(path string) (value any, schema *openapi3.Schema, there bool) {
	object, schema := s.object, s.schema
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		object, _ = object[name].(map[string]any)
		schema = apispec.PropertyOf(schema, name)
	}
	last := names[len(names)-1]
	value, there = object[last]
	return value, apispec.PropertyOf(schema, last), there
}

// objects returns the object of the body, and those in its members.
func (s sample) objects() []bodyObject {
	if s.object == nil {
		return nil
	}
	all := []bodyObject{{"", s.object, s.schema, func(o map[string]any) sample { return s.of(o, s.fileName) }}}
	for _, name := range slices.Sorted(maps.Keys(s.object)) {
		schema := apispec.PropertyOf(s.schema, name)
		if !s.isJSON() && !strings.HasSuffix(s.typeOf(name), "json") {
			continue
		}
		switch value := s.object[name].(type) {
		case map[string]any:
			all = append(all, bodyObject{name + ".", value, schema,
				func(o map[string]any) sample { return s.with(name, o) }})
		case []any:
			if first, ok := slices.Concat(value, []any{nil})[0].(map[string]any); ok {
				all = append(all, bodyObject{name + "[].", first, apispec.Resolved(schema.Items),
					func(o map[string]any) sample { return s.with(name, append(slices.Clone(value), o)) }})
			}
		}
	}
	return all
}

// content returns the one file that a sample carries, or that is sent later to
// the URL in the answer.
func (s sample) content() []byte {
	if content, ok := s.file(); ok {
		return content
	}
	return s.later
}

// file returns the bytes of the one file that a sample carries. More than one
// file has no one size.
func (s sample) file() (content []byte, ok bool) {
	files := s.files()
	if len(files) != 1 {
		return nil, false
	}
	return files[0].content, true
}

// files returns the files of a sample.
func (s sample) files() (files []sentFile) {
	if s.object == nil && s.body != nil {
		return []sentFile{{"", "", s.contentType, s.body}}
	}
	fields := s.fields(true)
	for _, part := range s.parts() {
		if slices.Contains(fields, part.field) {
			part.name = upload.BaseName(part.name)
			files = append(files, part)
		}
	}
	return files
}

// parts returns the parts of a form. Only files have names. Many servers read
// the other fields before they take a file.
func (s sample) parts() (parts []sentFile) {
	for _, name := range slices.Concat(s.fields(s.filesFirst), s.fields(!s.filesFirst)) {
		values := several(s.object[name])
		for i, value := range values {
			part := sentFile{field: name, contentType: s.typeOf(name), content: bytesOf(value)}
			if s.isForm() && apispec.IsBinary(apispec.PropertyOf(s.schema, name)) {
				part.name = s.called(i, len(values))
				if of := len(s.types); of > 0 && len(values) > 1 {
					part.contentType = s.types[i%of]
				}
			}
			parts = append(parts, part)
		}
	}
	return parts
}

// fields returns the members of a body that are files, or those that are none, in
// their order.
func (s sample) fields(files bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.object)), func(name string) bool {
		return files != s.isFile(name)
	})
}

// isFile reports whether a member of a body is a file: a field of a form, or
// base64 in JSON.
func (s sample) isFile(name string) bool {
	schema := apispec.PropertyOf(s.schema, name)
	inBase64 := (schema.Format == "byte" || schema.ContentEncoding == "base64") && !secrets.MatchString(name)
	return s.isForm() && apispec.IsBinary(schema) || s.isJSON() && inBase64 && !checksums.MatchString(name)
}

// takesSeveral reports whether a field takes several files.
func (s sample) takesSeveral(name string) bool {
	return apispec.PropertyOf(s.schema, name).Type.Is("array")
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

// holding returns the sample with other bytes in its file, or for the URL in
// the answer.
func (s sample) holding(content []byte) sample {
	s.later = content
	if s.object == nil {
		if s.body != nil {
			s.body = content
		}
		return s
	}
	s.object = maps.Clone(s.object)
	for i, name := range s.fields(true) { // no file is like that of another field, nor as long
		s.object[name] = append(slices.Clip(content), bytes.Repeat([]byte(name), i)...)
	}
	return s.stating()
}

// under returns the sample with another value of a parameter.
func (s sample) under(param, value string) sample {
	params := map[string]string{}
	maps.Copy(params, s.params)
	params[param] = value
	s.params = params
	return s
}

// encode returns the object as JSON or as a form; as anything else nothing.
func (s sample) encode() (typ string, body []byte) {
	switch {
	case s.isJSON():
		body, _ = json.Marshal(s.object) // it came out of a document of that kind
	case s.typ == "application/x-www-form-urlencoded":
		values := url.Values{}
		for _, part := range s.parts() {
			values.Add(part.field, string(part.content))
		}
		body = []byte(values.Encode())
	case s.isForm():
		return formOf(s.parts())
	}
	return s.typ, body
}

const boundary = "uploadtest-boundary"

// formOf returns a form of files and of fields. A field has no file name.
func formOf(parts []sentFile) (contentType string, body []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary(boundary)
	for _, part := range parts {
		header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", part.field)}}
		if part.name != "" {
			header.Set("Content-Disposition", multipart.FileContentDisposition(part.field, part.name))
		}
		if part.contentType != "" {
			header.Set("Content-Type", part.contentType)
		}
		b.Grow(len(part.content) + 1<<10)
		to, _ := w.CreatePart(header)
		_, _ = to.Write(part.content)
	}
	w.Close()
	return w.FormDataContentType(), b.Bytes()
}
