package wire

import (
	"cmp"
	"net/http"
	"reflect"
	"unsafe"
)

// inspected is the result of inspect.
type inspected struct {
	base       *http.Transport // at the bottom; nil if none was found
	authorizes bool            // golang.org/x/oauth2's Transport is among them
}

var roundTripper, httpClient = reflect.TypeFor[http.RoundTripper](), reflect.TypeFor[http.Client]()

// inspect walks down from a RoundTripper through the fields that hold another
// one. It does not find a RoundTripper that a func hides.
func inspect(rt http.RoundTripper) (found inspected) {
	seen := map[unsafe.Pointer]bool{} // a RoundTripper may hold itself
	var visit func(v reflect.Value)
	visit = func(v reflect.Value) {
		for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return
			}
			if v.Kind() == reflect.Pointer {
				at := v.UnsafePointer()
				if seen[at] || len(seen) > 64 {
					return
				}
				seen[at] = true
				if v.Type() == reflect.TypeFor[*http.Transport]() {
					found.base = cmp.Or(found.base, (*http.Transport)(at))
					return
				}
			}
			v = v.Elem()
		}
		if v.Kind() != reflect.Struct {
			return
		}
		if t := v.Type(); t.PkgPath() == "golang.org/x/oauth2" && t.Name() == "Transport" {
			found.authorizes = true
		}
		for i := range v.NumField() {
			f := v.Field(i)
			if t := f.Type(); t.Kind() == reflect.Slice && t.Elem().Implements(roundTripper) {
				for j := range min(f.Len(), 64) {
					visit(f.Index(j))
				}
			} else if holds(f) {
				visit(f)
			}
		}
	}
	visit(reflect.ValueOf(rt))
	return found
}

// holds reports whether v is a RoundTripper or an http.Client, or a pointer or
// interface that holds one.
func holds(v reflect.Value) bool {
	for v.Kind() == reflect.Interface {
		if v.IsNil() {
			return false
		}
		v = v.Elem()
	}
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		return t.Implements(roundTripper) || t.Elem() == httpClient
	}
	return t == httpClient || t.Implements(roundTripper) || reflect.PointerTo(t).Implements(roundTripper)
}
