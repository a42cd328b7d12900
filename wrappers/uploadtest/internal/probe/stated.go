package probe

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// stating returns the sample of an object with the size and the checksum of its
// file.
func (s sample) stating() sample {
	object := stated("", s.object, &openapi3.SchemaRef{Value: s.schema}, s.content())
	return s.of(object.(map[string]any), s.fileName)
}

// announcesFile reports whether a request states the size or the checksum of its
// file: another file is wrong then.
func (s sample) announcesFile() bool {
	return s.object != nil && !bytes.Equal(s.holding([]byte("uploadtest: other bytes")).body, s.body)
}

// stated returns a value of a request with each size and each checksum in it
// replaced by that of content.
func stated(name string, value any, schema *openapi3.SchemaRef, content []byte) any {
	whole := member{name: name, schema: apispec.Resolved(schema)}
	return whole.replaced(value, func(m member, value any) any {
		switch value := value.(type) {
		case int, float64:
			if isSize(m.name) {
				return len(content)
			}
		case string:
			switch {
			case isSize(m.name) && value != "" && numeric(value):
				return apispec.TextOf(len(content))
			case checksums.MatchString(m.name) && !apispec.IsBinary(m.schema):
				return checksum(m.name, value, m.schema, content)
			}
		}
		return value
	})
}

// statedType returns the media type that a field of a form states of its file, or
// nothing.
func (s sample) statedType() string {
	for _, name := range slices.Sorted(maps.Keys(s.object)) {
		if text, _ := s.object[name].(string); saysType.MatchString(name) && mediaType.MatchString(text) {
			return text
		}
	}
	return ""
}

// isSize reports whether the name of a value of a request is that of a size.
func isSize(name string) bool { return sizes.MatchString(name) || lengths.MatchString(name) }

// standard has the forms of the headers that have one by their standards.
var standard = map[string]int{"content-md5": 1, "digest": 3, "content-digest": 4, "repr-digest": 4}

// checksum returns the checksum of content that has the form of an example and
// of a schema, or else the example.
func checksum(name, example string, schema *openapi3.Schema, content []byte) string {
	var all, alike []string
	for _, h := range payload.SumsOf(content) {
		plain := strings.ReplaceAll(h.Name, "-", "")
		if sure.MatchString(name) && !strings.Contains(dashes.Replace(strings.ToLower(name)), plain) {
			continue
		}
		in16, in64 := hex.EncodeToString(h.Sum), base64.StdEncoding.EncodeToString(h.Sum)
		forms := []string{in16, in64, plain + ":" + in16, h.Name + "=" + in64, h.Name + "=:" + in64 + ":"}
		if form, ok := standard[strings.ToLower(name)]; ok { // unless the example or the schema has another
			forms = append([]string{forms[form]}, forms...)
		}
		for _, form := range forms {
			if schema.VisitJSON(form) == nil {
				all = append(all, form)
			}
			if len(form) == len(example) {
				alike = append(alike, form)
			}
		}
	}
	return append(append(alike, all...), example)[0]
}

// ofOtherBytes returns a checksum that is not that of the request's file, or
// nothing if the value is no checksum. An operation may only keep what is stated,
// unless it declares a 422, or a description says that it compares: one of the
// value, or a sentence of the operation about it.
func ofOtherBytes(r *operation, s sample, name, description string, schema *openapi3.Schema) string {
	_, one := s.file()
	description += sentencesOn(r.Operation.Description, name)
	if !one || !checksums.MatchString(name) || schema == apispec.Unknown || apispec.IsBinary(schema) ||
		!declares(r, "422") && !comparesSum.MatchString(description) && !refusesAs(r, comparesSum) {
		return ""
	}
	return checksum(name, "", schema, []byte("uploadtest: other bytes"))
}

// comparesLater reports whether bytes that come later are compared with a checksum in
// a request: the operation of their URL declares that, or the spec tells of a refusal:
// clients may compare, or the server may later.
func (p *prober) comparesLater(r *operation, s sample, a answer) bool {
	for _, put := range p.ops {
		isIt := put.Method == a.req.Method && p.isOurs(a.req) && p.matches(put, a.req.URL) != nil
		if isIt && (declares(put, "422") || refusesAs(put, comparesSum)) {
			return true
		}
	}
	for _, in := range s.objects() {
		for name := range in.object {
			said := apispec.PropertyOf(in.schema, name).Description +
				sentencesOn(r.Operation.Description+". "+r.Spec.Info.Description, name)
			if checksums.MatchString(name) && comparesSum.MatchString(said) && refusal.MatchString(said) {
				return true
			}
		}
	}
	return false
}

// sentencesOn returns the sentences of a text that have a name in them, each in a line.
func sentencesOn(text, name string) (found string) {
	plain := func(s string) string { return strings.ToLower(dashes.Replace(s)) }
	for sentence := range strings.SplitSeq(strings.Join(strings.Fields(text), " "), ". ") {
		if strings.Contains(plain(sentence), plain(name)) {
			found += "\n" + sentence
		}
	}
	return found
}
