package wire

import (
	"cmp"
	"net/http"
	"reflect"
	"unsafe"
)

// inspect walks down from a RoundTripper through the fields that hold another
// one. It returns the transport at the bottom, or nil, and whether
// golang.org/x/oauth2's Transport is among them. It does not find a
// RoundTripper that a func hides.
func inspect(rt http.RoundTripper) (base *http.Transport, authorizes bool) {
	seen := map[unsafe.Pointer]bool{} // a RoundTripper may hold itself
	var visit func(v reflect.Value)
	visit = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Interface:
			if !v.IsNil() {
				visit(v.Elem())
			}
		case reflect.Pointer:
			if !sends(v.Type()) || v.IsNil() || seen[v.UnsafePointer()] || len(seen) > 64 {
				return
			}
			seen[v.UnsafePointer()] = true
			if v.Type() == reflect.TypeFor[*http.Transport]() {
				base = cmp.Or(base, (*http.Transport)(v.UnsafePointer()))
				return
			}
			visit(v.Elem())
		case reflect.Slice:
			for i := 0; sends(v.Type().Elem()) && i < min(v.Len(), 64); i++ {
				visit(v.Index(i))
			}
		case reflect.Struct:
			t := v.Type()
			if !sends(reflect.PointerTo(t)) {
				return
			}
			authorizes = authorizes || t.PkgPath() == "golang.org/x/oauth2" && t.Name() == "Transport"
			for i := range v.NumField() {
				visit(v.Field(i))
			}
		}
	}
	visit(reflect.ValueOf(rt))
	return base, authorizes
}

// sends reports whether t is a RoundTripper, or a pointer to an http.Client.
func sends(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[http.RoundTripper]()) || t == reflect.TypeFor[*http.Client]()
}
