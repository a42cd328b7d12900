package standin

import (
	"fmt"
	"mime"
	"net/http"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// basePaths are the paths of the provider's regions. All share the store.
var basePaths = []string{"/api/v1", "/api/v1-sgn", "/api/v1-jpn"}

func (h *Handler) route() http.Handler {
	mux, methods := http.NewServeMux(), map[string]string{}
	strict := api.NewStrictHandlerWithOptions(operations{h}, nil, api.StrictHTTPServerOptions{
		RequestErrorHandlerFunc:  answerInvalid,
		ResponseErrorHandlerFunc: answerRefusal,
	})
	for _, base := range basePaths {
		api.HandlerWithOptions(strict, api.StdHTTPServerOptions{
			BaseURL:          base,
			BaseRouter:       mux,
			Middlewares:      []api.MiddlewareFunc{h.frameForm},
			ErrorHandlerFunc: answerInvalid,
		})
		methods[base+"/files"], methods[base+"/files/{tempRequestId}"] = "POST", "GET, HEAD, DELETE"
	}
	return standinhttp.API{
		Mux:          mux,
		Methods:      methods,
		TraceID:      "x-ncp-trace-id",
		Authenticate: h.authenticate,
		Refuse:       answerRefusal,
		WrongMethod:  methodNotAllowed(),
		NoSuchPath:   noSuchPath,
	}.Handler()
}

// frameForm refuses a body that is no form or whose Content-Length is too
// large, and limits the reading of other bodies.
func (h *Handler) frameForm(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		// A form with an invalid boundary is a form, so the error is ignored.
		t, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if t != "multipart/form-data" {
			answerRefusal(w, r, unsupportedMediaType())
			return
		}
		if n := len(params["boundary"]); n > maxBoundary {
			details := fmt.Sprintf("The boundary has %d characters, and at most %d are allowed.", n, maxBoundary)
			answerRefusal(w, r, badRequest(details, nil))
			return
		}
		if h.maxSize > 0 && r.ContentLength-maxFraming > h.maxSize {
			details := fmt.Sprintf("The request has %d bytes, and its files may have %d.", r.ContentLength, h.maxSize)
			answerRefusal(w, r, tooLarge(details, nil))
			return
		}
		f := newForm(r.Body)
		defer f.release()
		r.Body = f
		next.ServeHTTP(w, r)
	})
}
