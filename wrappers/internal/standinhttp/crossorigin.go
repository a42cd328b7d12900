package standinhttp

import "net/http"

// CrossOrigin lets scripts of every origin read the answer, with the trace id
// that stands in the named header. It answers a preflight, and then done is
// true: a browser sends one before the request itself, without credentials, to
// ask whether the path takes such requests. An empty methods means that nothing
// is there, and a preflight is left to the caller.
//
// The origin is "*", so no browser sends its user's cookies and then shows the
// answer to a script.
func CrossOrigin(w http.ResponseWriter, r *http.Request, methods, traceID string) (done bool) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", traceID+", Retry-After")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" || methods == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", methods)
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked) // "*" would leave Authorization out
	}
	h.Set("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	w.WriteHeader(http.StatusNoContent)
	return true
}
