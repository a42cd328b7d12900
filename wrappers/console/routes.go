package console

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/internal/contract"
)

// maxBody is the largest body of a call, in bytes.
const maxBody = 128 << 10

// operations implements the operations of specs/console.yaml.
type operations struct{ *Console }

var _ api.StrictServerInterface = operations{}

// routes serves the page and the operations. It holds the calls to spec, the
// console's own.
func (c *Console) routes(spec *contract.Contract) http.Handler {
	mux := http.NewServeMux()
	base := strings.TrimSuffix(Path, "/")
	strict := api.NewStrictHandlerWithOptions(operations{c}, nil, api.StrictHTTPServerOptions{
		RequestErrorHandlerFunc:  answerInvalid,
		ResponseErrorHandlerFunc: answerRefusal,
	})
	api.HandlerWithOptions(strict, api.StdHTTPServerOptions{
		BaseURL:          base,
		BaseRouter:       mux,
		Middlewares:      []api.MiddlewareFunc{holdTo(spec), c.withBase},
		ErrorHandlerFunc: answerInvalid,
	})
	// HEAD is GET without the body, and this body has no end.
	mux.HandleFunc("HEAD "+base+"/events", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
	})
	allowed := map[contract.Template][]string{}
	for _, op := range spec.Operations {
		allowed[op.Path] = append(allowed[op.Path], op.Method)
	}
	for path, list := range allowed {
		slices.Sort(list)
		methods := strings.Join(list, ", ")
		mux.HandleFunc(base+string(path), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", methods)
			answerRefusal(w, r, refuse(http.StatusMethodNotAllowed, "the method must be one of %s", methods))
		})
	}
	files := http.StripPrefix(Path, http.FileServerFS(page))
	mux.HandleFunc(Path, func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, Path)
		if _, err := fs.Stat(page, name); name != "" && err != nil {
			answerRefusal(w, r, refuse(http.StatusNotFound,
				"the console has no such path; specs/console.yaml lists its paths"))
			return
		}
		files.ServeHTTP(w, r)
	})
	return mux
}

// holdTo reads the body of a call and holds the call to the console's spec.
func holdTo(spec *contract.Contract) api.MiddlewareFunc {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
			if err != nil {
				answerRefusal(w, r, refuse(http.StatusRequestEntityTooLarge,
					"the body cannot be read; it may have %d bytes", maxBody))
				return
			}
			if len(body) > 0 && !json.Valid(body) {
				answerRefusal(w, r, refuse(http.StatusBadRequest, "the body is not one JSON value"))
				return
			}
			// The spec requires a length. The length of a chunked body is known
			// now.
			r.Body, r.ContentLength, r.TransferEncoding = http.NoBody, int64(len(body)), nil
			if len(body) > 0 {
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
			r.Header.Set("Content-Length", strconv.Itoa(len(body)))
			x := spec.Begin(r, contract.Watch{Head: maxBody})
			_, _ = io.Copy(io.Discard, x.Watching(r.Context(), r).Body)
			if broken := x.CheckRequest(true); len(broken) > 0 {
				answerRefusal(w, r, refuse(http.StatusBadRequest, "%s: %s", broken[0].Rule, broken[0].Detail))
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, r)
		})
	}
}
