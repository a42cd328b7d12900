package standinhttp

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
)

// API serves the operations of a spec and refuses all other requests. It reads
// no body before Authenticate has returned nil.
type API struct {
	Mux     *http.ServeMux
	Methods map[string]string // for each path's pattern, without a method, its methods: "GET, HEAD"
	TraceID string            // the name of the header

	// Authenticate returns an error for Refuse if the caller is not known.
	Authenticate func(*http.Request) error
	Refuse       func(http.ResponseWriter, *http.Request, error)
	WrongMethod  error // is wrapped with the allowed methods
	NoSuchPath   func(there string) error
}

// Handler returns the API's handler. It adds patterns to Mux.
func (a API) Handler() http.Handler {
	var there []string
	for pattern, methods := range a.Methods {
		there = append(there, methods+" "+pattern)
		a.Mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", methods)
			a.Refuse(w, r, fmt.Errorf("%w: %s", a.WrongMethod, methods))
		})
	}
	slices.Sort(there)
	traceID := http.CanonicalHeaderKey(a.TraceID) // once, not for each request
	noSuchPath := a.NoSuchPath(strings.Join(there, "; "))
	a.Mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { a.Refuse(w, r, noSuchPath) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		methods := ""
		if r.Method == http.MethodOptions {
			_, pattern := a.Mux.Handler(r)
			methods = a.Methods[pattern]
		}
		if CrossOrigin(w, r, methods, traceID) {
			return
		}
		if err := a.Authenticate(r); err != nil {
			a.Refuse(w, r, err)
			return
		}
		// The mux would redirect a path with a dot or two slashes.
		if p := r.URL.EscapedPath(); path.Clean(p) != p {
			a.Refuse(w, r, noSuchPath)
			return
		}
		a.Mux.ServeHTTP(w, r)
	})
}
