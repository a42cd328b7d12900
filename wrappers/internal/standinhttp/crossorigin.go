package standinhttp

import "net/http"

// AnyOrigin is the value of Access-Control-Allow-Origin. It must not be
// changed.
var AnyOrigin = []string{"*"}

// CrossOrigin sets the header traceID of the answer. It lets scripts of every
// origin read the answer and that header. It answers a preflight and then
// returns true. A browser sends a preflight before the request itself, without
// credentials, to ask which requests the path accepts. If methods is empty, the
// path does not exist, and the caller answers the preflight.
//
// The origin is "*", so a browser shows a script no answer to a request with
// cookies.
func CrossOrigin(w http.ResponseWriter, r *http.Request, methods, traceID string) (done bool) {
	h := w.Header()
	h.Set(traceID, TraceID(r.Context()))
	h["Access-Control-Allow-Origin"] = AnyOrigin
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
