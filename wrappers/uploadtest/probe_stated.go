package uploadtest

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// stating returns the sample of an object with the size and the checksum of its
// file.
func (s sample) stating() sample {
	object := stated("", s.object, &openapi3.SchemaRef{Value: s.schema}, s.content())
	return s.of(object.(map[string]any), s.fileName)
}

// announcesFile reports whether the request stated the size or the checksum of its
// file: another file is wrong then.
func (m *made) announcesFile() bool {
	return m.object != nil && !bytes.Equal(m.holding([]byte("uploadtest: other bytes")).body, m.body)
}

// stated returns a value of a request with each size and each checksum in it
// replaced by that of content.
func stated(name string, value any, schema *openapi3.SchemaRef, content []byte) any {
	whole := member{name: name, schema: resolved(schema)}
	return whole.replaced(value, func(m member, value any) any {
		isSize := sizes.MatchString(m.name) || lengths.MatchString(m.name)
		switch value := value.(type) {
		case int, float64:
			if isSize {
				return len(content)
			}
		case string:
			switch {
			case isSize && value != "" && numeric(value):
				return textOf(len(content))
			case checksums.MatchString(m.name) && !isBinary(m.schema):
				return checksum(m.name, value, m.schema, content)
			}
		}
		return value
	})
}

// standard has the forms of the headers that have one by their standards.
var standard = map[string]int{"content-md5": 1, "digest": 3, "content-digest": 4, "repr-digest": 4}

// checksum returns the checksum of content that has the form of an example and
// of a schema, or else the example.
func checksum(name, example string, schema *openapi3.Schema, content []byte) string {
	var all, alike []string
	for _, h := range sumsOf(content) {
		plain := strings.ReplaceAll(h.name, "-", "")
		if sure.MatchString(name) && !strings.Contains(dashes.Replace(strings.ToLower(name)), plain) {
			continue
		}
		in16, in64 := hex.EncodeToString(h.sum), base64.StdEncoding.EncodeToString(h.sum)
		forms := []string{in16, in64, plain + ":" + in16, h.name + "=" + in64, h.name + "=:" + in64 + ":"}
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
// unless it declares a 422, or its description says that it compares.
func ofOtherBytes(r *operation, s sample, name, description string, schema *openapi3.Schema) string {
	_, one := s.file()
	if !one || !checksums.MatchString(name) || schema == unknown || isBinary(schema) ||
		!declares(r, "422") && !compares.MatchString(description) && !tellsOf(r, "400", compares) {
		return ""
	}
	return checksum(name, "", schema, []byte("uploadtest: other bytes"))
}

// digestOf reports whether a text is a checksum of content, in hex or base64.
// The length of the text says which kind.
func digestOf(text string, content []byte) bool {
	if _, value, found := strings.Cut(text, ":"); found {
		text = value
	}
	return slices.ContainsFunc(sumsOf(content), func(s namedSum) bool {
		return strings.EqualFold(text, hex.EncodeToString(s.sum)) ||
			strings.TrimRight(text, "=") == base64.RawStdEncoding.EncodeToString(s.sum)
	})
}

// namedSum is a checksum and the name of its kind in HTTP.
type namedSum struct {
	name string
	sum  []byte
}

func sumsOf(content []byte) []namedSum {
	md5, sha1, sha256, sha512 := md5.Sum(content), sha1.Sum(content), sha256.Sum256(content), sha512.Sum512(content)
	return []namedSum{{"sha-256", sha256[:]}, {"md5", md5[:]}, {"sha-1", sha1[:]}, {"sha-512", sha512[:]}}
}
