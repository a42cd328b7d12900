package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// schema holds the rules for a value.
type schema struct {
	about
	Default       any
	Type          string
	Format        string
	Enum          []string
	Minimum       *float64
	Maximum       *float64
	MinLength     int
	MaxLength     *int
	MinItems      int
	MinProperties int
	Nullable      bool
	ReadOnly      bool
	Required      []string
	Properties    map[string]*schema
	Additional    *additional `json:"additionalProperties"`
	Items         *schema
	OneOf         []*schema
}

// additional are the properties of an object that have no schema of their own.
type additional struct {
	allowed bool
	schema  *schema
}

func (a *additional) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, &a.allowed) == nil {
		return nil
	}
	a.allowed = true
	return decode(text, &a.schema)
}

// dateTime matches a text of the format date-time. The other formats of texts
// only tell a reader something.
var dateTime = later(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])` +
	`T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`)

// compile prepares the schema. It refuses a rule that this file cannot check.
func (s *schema) compile() error {
	if s == nil {
		return nil
	}
	number := s.Type == "integer" && s.Format == "int64" || s.Type == "number" && s.Format == "double"
	if !number && !slices.Contains([]string{"", "binary", "uri", "date-time"}, s.Format) {
		return fmt.Errorf("the format %q of a value of type %q is not known", s.Format, s.Type)
	}
	for _, part := range s.parts() {
		if err := part.compile(); err != nil {
			return err
		}
	}
	return nil
}

// parts returns the schemas in a schema. Some may be nil.
func (s *schema) parts() []*schema {
	parts := slices.Concat(slices.Collect(maps.Values(s.Properties)), s.OneOf, []*schema{s.Items})
	if s.Additional != nil {
		parts = append(parts, s.Additional.schema)
	}
	return parts
}

// holdsURL reports whether a value may hold a URL.
func (s *schema) holdsURL() bool {
	return s != nil && (s.Format == "uri" || slices.ContainsFunc(s.parts(), (*schema).holdsURL))
}

// parse reads a value that is written as plain text. It returns nil for an
// empty text.
func (s *schema) parse(text string) (value any, err error) {
	switch {
	case s.Type == "string":
		return text, nil
	case text == "":
		return nil, nil
	case s.Type == "integer":
		if _, err = strconv.ParseInt(text, 10, 64); err == nil {
			return json.Number(text), nil
		}
	case s.Type == "number":
		if _, err = strconv.ParseFloat(text, 64); err == nil {
			return json.Number(text), nil
		}
	default:
		if value, err = strconv.ParseBool(text); err == nil {
			return value, nil
		}
	}
	return nil, fmt.Errorf("value %s: an invalid %s: %w", text, s.Type, errors.Unwrap(err))
}

// mismatch says where a value does not match its schema, and why. It never
// repeats the value.
type mismatch struct {
	path []string // from the inside out
	why  string
}

func (m *mismatch) Error() string {
	path := slices.Clone(m.path)
	slices.Reverse(path)
	return firstLine("at /" + strings.Join(path, "/") + ": " + m.why)
}

func (m *mismatch) in(name string) *mismatch {
	if m != nil {
		m.path = append(m.path, name)
	}
	return m
}

func mismatched(format string, args ...any) *mismatch {
	return &mismatch{why: fmt.Sprintf(format, args...)}
}

// fault returns the first mismatch of a value, or nil. A read-only value must
// not be in a request.
func (s *schema) fault(value any, request bool) *mismatch {
	if value == nil && s.Nullable {
		return nil
	}
	if fault := s.alternatives(value, request); fault != nil {
		return fault
	}
	if word, isText := value.(string); len(s.Enum) > 0 && (!isText || !slices.Contains(s.Enum, word)) {
		allowed, _ := json.Marshal(s.Enum)
		return mismatched("value is not one of the allowed values %s", allowed)
	}
	switch v := value.(type) {
	case nil:
		return mismatched("Value is not nullable")
	case bool:
		return s.typed("boolean")
	case json.Number:
		return s.number(v)
	case string:
		return s.text(v)
	case []any:
		if fault := s.typed("array"); fault != nil {
			return fault
		}
		return s.list(v, request)
	case map[string]any:
		if fault := s.typed("object"); fault != nil {
			return fault
		}
		return s.object(v, request)
	}
	return mismatched("unhandled value")
}

func (s *schema) alternatives(value any, request bool) *mismatch {
	var fitting []int
	for i, one := range s.OneOf {
		if one.fault(value, request) == nil {
			fitting = append(fitting, i)
		}
	}
	if s.OneOf != nil && fitting == nil {
		return mismatched(`value doesn't match any schema from "oneOf"`)
	}
	if len(fitting) > 1 {
		return mismatched(`value matches more than one schema from "oneOf" (matches schemas at indices %v)`, fitting)
	}
	return nil
}

func (s *schema) typed(typ string) *mismatch {
	if s.Type == "" || s.Type == typ {
		return nil
	}
	article := "a"
	if strings.IndexByte("aio", s.Type[0]) >= 0 {
		article = "an"
	}
	return mismatched("value must be %s %s", article, s.Type)
}

func (s *schema) number(said json.Number) *mismatch {
	v, err := said.Float64()
	switch {
	case err != nil && s.Type != "":
		return mismatched("cannot convert json.Number to float64")
	case s.Type == "integer" && v != math.Trunc(v):
		return mismatched("value must be an integer")
	case s.Type != "integer" && s.Type != "number":
		if fault := s.typed("number"); fault != nil {
			return fault
		}
	}
	switch {
	case s.Format == "int64" && (v < math.MinInt64 || v > math.MaxInt64):
		return mismatched(`integer doesn't match the format "int64" (value should be between %v and %v)`,
			math.MinInt64, math.MaxInt64)
	case s.Minimum != nil && v < *s.Minimum:
		return mismatched("number must be at least %g", *s.Minimum)
	case s.Maximum != nil && v > *s.Maximum:
		return mismatched("number must be at most %g", *s.Maximum)
	}
	return nil
}

func (s *schema) text(v string) *mismatch {
	if fault := s.typed("string"); fault != nil {
		return fault
	}
	length := utf8.RuneCountInString(v)
	switch {
	case length < s.MinLength:
		return mismatched("minimum string length is %d", s.MinLength)
	case s.MaxLength != nil && length > *s.MaxLength:
		return mismatched("maximum string length is %d", *s.MaxLength)
	case s.Format == "date-time" && !dateTime().MatchString(v):
		return mismatched(`string doesn't match the format %q`, s.Format)
	}
	return nil
}

func (s *schema) list(v []any, request bool) *mismatch {
	switch {
	case len(v) < s.MinItems:
		return mismatched("minimum number of items is %d", s.MinItems)
	case s.Items == nil:
		return nil
	}
	for i, element := range v {
		if fault := s.Items.fault(element, request); fault != nil {
			return fault.in(strconv.Itoa(i))
		}
	}
	return nil
}

func (s *schema) object(v map[string]any, request bool) *mismatch {
	var fault *mismatch
	for _, name := range names(v) {
		var found *mismatch
		value := v[name]
		switch property := s.Properties[name]; {
		case property != nil && request && property.ReadOnly && value != nil:
			return mismatched("readOnly property %q in request", name).in(name)
		case property != nil:
			found = property.fault(value, request).in(name)
		case s.Additional != nil && !s.Additional.allowed:
			found = mismatched("property %q is unsupported", name)
		case s.Additional != nil && s.Additional.schema != nil:
			found = s.Additional.schema.fault(value, request).in(name)
		}
		if fault == nil {
			fault = found
		}
	}
	if len(v) < s.MinProperties {
		return mismatched("there must be at least %d properties", s.MinProperties)
	}
	if fault != nil {
		return fault
	}
	for _, name := range s.Required {
		if _, there := v[name]; !there && !(request && s.Properties[name] != nil && s.Properties[name].ReadOnly) {
			return mismatched("property %q is missing", name).in(name)
		}
	}
	return nil
}
