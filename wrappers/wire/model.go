package wire

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/putpost/putpost/wrappers/upload"
)

// FormFrom returns the form of a generated model, such as
// CreateFileMultipartRequestBody: a struct whose fields have json tags, and
// whose files are of the types [upload.Source], *upload.Source or a slice of
// these. Generated methods named ...WithForm call it.
//
// Plain fields go out first and files last, each in the model's order. A nil
// field is left out, and so is an empty one whose tag has omitempty. A scalar
// is sent as text, an object as JSON, and each element of an array as a part of
// its own. If the API wants another form, encodings says which, by the name of
// the field. The empty name stands for all fields that have no encoding.
//
// A model that cannot be sent is [upload.ErrInvalid], and the error names the
// field.
func FormFrom(model any, encodings map[string]Encoding) *Body {
	v := reflect.ValueOf(model)
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || v.Type() == sourceType {
		return &Body{err: fmt.Errorf("%w: a form's model is a struct with a field a part, and not a %T",
			upload.ErrInvalid, model)}
	}
	if !v.CanAddr() { // its fields need addresses
		held := reflect.New(v.Type()).Elem()
		held.Set(v)
		v = held
	}
	var few [4]Field // on the stack, where most forms fit
	fields := few[:0]
	for _, files := range []bool{false, true} {
		for _, p := range propertiesOf(v.Type()) {
			if p.file != files {
				continue
			}
			enc, ok := encodings[p.name]
			if !ok {
				enc = encodings[""]
			}
			var err error
			if fields, err = p.add(fields, v.FieldByIndex(p.index), enc, ok); err != nil {
				return &Body{err: inField(p.name, fmt.Errorf("%w: %w", upload.ErrInvalid, err))}
			}
		}
	}
	return FormOf(fields...)
}

// property is one field of a model.
type property struct {
	name  string // in the form
	index []int
	omit  bool   // JSON omits it when it is empty
	file  bool   // it holds files
	fault string // why it cannot be sent when it is set
	loose bool   // it can be sent where its encoding says how
}

var (
	sourceType    = reflect.TypeFor[upload.Source]()
	readerType    = reflect.TypeFor[io.Reader]()
	marshalerType = reflect.TypeFor[json.Marshaler]()
	texterType    = reflect.TypeFor[encoding.TextMarshaler]()
)

var properties sync.Map // reflect.Type to []property

func propertiesOf(t reflect.Type) []property {
	if known, ok := properties.Load(t); ok {
		return known.([]property)
	}
	var all []property
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			for _, p := range propertiesOf(f.Type) {
				p.index = append([]int{i}, p.index...)
				all = append(all, p)
			}
			continue
		case f.Name == "union" && f.Type == reflect.TypeFor[json.RawMessage]():
			all = append(all, property{name: t.Name(), index: f.Index, fault: "is a union of forms: use FormOf"})
			continue
		case name == "-" && f.Name == "AdditionalProperties":
			all = append(all, property{
				name: f.Name, index: f.Index, omit: true, fault: "has no place in a form: use FormOf",
			})
			continue
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			name = f.Name
		}
		p := property{name: name, index: f.Index, omit: strings.Contains(options, "omit")}
		if elem := element(f.Type); elem == sourceType {
			p.file = true
		} else {
			p.fault, p.loose = faultOf(f.Type)
		}
		all = append(all, p)
	}
	properties.Store(t, all)
	return all
}

// element returns the type that t points to, or is a slice of.
func element(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

const (
	mapToSource = "map string/binary to upload.Source in the generator's type-mapping, and generate again"
	sayHow      = "say in the spec how it is sent, with an encoding for it, or use FormOf"
)

// faultOf returns the reason why values of t cannot be sent, or an empty text.
func faultOf(t reflect.Type) (fault string, loose bool) {
	var path []reflect.Type
	var walk func(t reflect.Type) string
	walk = func(t reflect.Type) string {
		bare := element(t)
		switch {
		case bare == sourceType && len(path) > 0:
			return "holds a file, and only a form's own fields can: use FormOf"
		case strings.HasSuffix(bare.PkgPath(), "oapi-codegen/runtime/types") && bare.Name() == "File":
			return "is a " + bare.String() + ", and that cannot stream: " + mapToSource
		case bare.PkgPath() == "mime/multipart",
			bare.Implements(readerType), reflect.PointerTo(bare).Implements(readerType):
			return "is a " + bare.String() + ", and that has no size and cannot be sent again: " + mapToSource
		case slices.Contains(path, bare):
			return "is of a recursive type: " + sayHow
		}
		path = append(path, bare)
		defer func() { path = path[:len(path)-1] }()
		switch bare.Kind() {
		case reflect.Map, reflect.Array:
			return walk(bare.Elem())
		case reflect.Struct:
			for f := range bare.Fields() {
				if f.IsExported() {
					if fault := walk(f.Type); fault != "" {
						return fault
					}
				}
			}
		}
		return ""
	}
	fault = walk(t)
	bare := t
	for bare.Kind() == reflect.Pointer {
		bare = bare.Elem()
	}
	itself := bare.Implements(marshalerType) || bare.Implements(texterType)
	switch {
	case fault != "":
		return fault, strings.HasSuffix(fault, sayHow)
	case bare.Kind() == reflect.Slice && bare.Elem().Kind() == reflect.Uint8 && !itself:
		return "is a []byte, and it is not known whether it is a file or base64. For a file, " + mapToSource +
			". For base64 (format byte), remove the format with an overlay, and set a text", false
	case bare.Kind() == reflect.Map && !itself:
		return "is a map, and a form has no usual way to send one: " + sayHow, true
	}
	return "", false
}

// add appends the parts of v, the property's value. Encoded says that the spec
// has an encoding for it.
func (p *property) add(fields []Field, v reflect.Value, enc Encoding, encoded bool) ([]Field, error) {
	unset := v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 || v.Kind() == reflect.Map && v.Len() == 0
	if p.omit && unset {
		return fields, nil
	}
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			break
		}
		v = v.Elem()
	}
	if p.file {
		return p.addFiles(fields, v, enc)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		if v.IsNil() {
			return fields, nil
		}
	}
	if p.fault != "" && !(p.loose && (encoded || enc.nests())) {
		return nil, errors.New(p.fault)
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v.Interface()); err != nil {
		return nil, err
	}
	value := json.RawMessage(bytes.TrimSpace(text.Bytes()))
	if string(value) == "null" {
		if v.Kind() == reflect.Struct {
			return nil, errors.New("is a union that holds nothing; one that should hold a file cannot be sent: " +
				"make it an array of files in the spec (an overlay does), or use FormOf")
		}
		return fields, nil
	}
	parts, err := enc.parts(p.name, value)
	return append(fields, parts...), err
}

// addFiles appends a part for each file of v, a Source or a slice.
func (p *property) addFiles(fields []Field, v reflect.Value, enc Encoding) ([]Field, error) {
	if v.Kind() != reflect.Slice {
		f, err := fileField(p.name, v, enc)
		return append(fields, f), err
	}
	if v.Len() == 0 && !p.omit {
		return nil, errors.New("there is no file in it, and it is required")
	}
	for i := range v.Len() {
		f, err := fileField(enc.element(p.name, i), v.Index(i), enc)
		if err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// fileField returns the part of v, a Source in memory or a pointer to one.
func fileField(name string, v reflect.Value, enc Encoding) (Field, error) {
	if v.Kind() != reflect.Pointer {
		v = v.Addr()
	}
	src, _ := v.Interface().(*upload.Source)
	if src == nil || src.Open == nil {
		return Field{}, errors.New("the file is not set, and it is required")
	}
	f := Field{Name: name, File: src}
	if types := enc.types(); len(types) > 0 {
		f.ContentType = choose(types, src.ContentType)
	}
	return f, nil
}
