package standinhttp

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// Rest is mux, which has the operations of a spec, with refusals for all else.
// The paths in allow are refused with wrongMethod to all but the methods that
// stand there, which its wrapping names; what mux does not have, or would
// redirect for a dot or two slashes in it, is refused with nowhere.
func Rest(mux *http.ServeMux, allow map[string]string, refuse func(http.ResponseWriter, *http.Request, error), wrongMethod, nowhere error) http.Handler {
	for pattern, methods := range allow {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", methods)
			refuse(w, r, fmt.Errorf("%w: %s", wrongMethod, methods))
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { refuse(w, r, nowhere) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.EscapedPath(); path.Clean(p) != p {
			refuse(w, r, nowhere)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// Bearer is the token of a request's one Authorization header.
func Bearer(r *http.Request) (token string, err error) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", fmt.Errorf("%d Authorization headers instead of one", len(values))
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errors.New("the Authorization header is not of the form: Bearer TOKEN")
	}
	return strings.TrimLeft(token, " "), nil
}
