package probe

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// nameHeader returns the header that names the file of a POST, or nil. A Slug is only
// a hint, unless the spec calls it a name.
func (r *operation) nameHeader() *openapi3.Parameter {
	for _, param := range apispec.Parameters(r.Route) {
		isName := param.In == openapi3.ParameterInHeader && nameHeaders.MatchString(param.Name)
		isHint := strings.EqualFold(param.Name, "Slug") && !aName.MatchString(param.Description)
		if r.Method == http.MethodPost && isName && !isHint {
			return param
		}
	}
	return nil
}

// named returns the sample with another name of its file in the header that has it.
func (s sample) named(r *operation, name string) sample {
	param := r.nameHeader()
	if param == nil {
		return s
	}
	s.options = append(slices.Clip(s.options), param)
	return s.under(param.Name, inHeader(param, name))
}

// nameOf returns the name of a file in the header of a request, or nothing.
func (p *prober) nameOf(r *operation, s sample) string {
	param := r.nameHeader()
	if param == nil || !param.Required && !slices.Contains(s.options, param) {
		return ""
	}
	return nameIn(param, p.valueOf(r, param, s))
}

// inHeader returns the value of a header that gives a file a name, or its example where
// the header cannot have the name. RFC 6266 says how a Content-Disposition has one that
// is not in ASCII. In any other header the spec must tell how.
func inHeader(param *openapi3.Parameter, name string) string {
	example := apispec.TextOf(apispec.ExampleOf(param))
	name = strings.ReplaceAll(name, `"`, "'") // not all know how it is written
	isASCII := len(name) == utf8.RuneCountInString(name)
	typ, params, err := mime.ParseMediaType(example)
	switch isDisposition := strings.EqualFold(param.Name, "Content-Disposition"); {
	case isDisposition && (err != nil || len(params) != 1 || params["filename"] == ""):
		return example
	case isDisposition && isASCII:
		return fmt.Sprintf(`%s; filename="%s"`, typ, name)
	case isDisposition:
		return mime.FormatMediaType(typ, map[string]string{"filename": name})
	case isEscaped(param):
		return url.PathEscape(name)
	case isASCII:
		return name
	}
	return example
}

// nameIn returns the name of a file in the value of its header.
func nameIn(param *openapi3.Parameter, value string) string {
	if strings.EqualFold(param.Name, "Content-Disposition") {
		_, params, _ := mime.ParseMediaType(value)
		return params["filename"]
	}
	if name, err := url.PathUnescape(value); err == nil && isEscaped(param) {
		return name
	}
	return value
}

// isEscaped reports whether the spec tells that a header has the characters of a name
// as a URL has them, by its description or by its example.
func isEscaped(param *openapi3.Parameter) bool {
	example := apispec.TextOf(apispec.ExampleOf(param))
	return strings.EqualFold(param.Name, "Slug") || escapes.MatchString(param.Description+" "+example)
}
