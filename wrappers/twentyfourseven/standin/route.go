package standin

import (
	"net/http"
	"strings"

	api "github.com/putpost/putpost/gen/twentyfourseven"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

const (
	basePath     = "/v1"
	uploadPath   = "/upload/"
	downloadPath = "/download/"
	tokenPath    = "/oauth/token"
)

// route separates the four services. The real ones are on different hosts.
func (h *Handler) route() http.Handler {
	api := h.api()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.EscapedPath(); {
		case strings.HasPrefix(path, uploadPath):
			h.presigned(w, r, strings.TrimPrefix(path, uploadPath))
		case strings.HasPrefix(path, downloadPath):
			h.download(w, r, strings.TrimPrefix(path, downloadPath))
		case path == tokenPath:
			h.token(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	})
}

// api serves what the spec describes.
func (h *Handler) api() http.Handler {
	mux := http.NewServeMux()
	strict := api.NewStrictHandlerWithOptions(operations{h}, nil, api.StrictHTTPServerOptions{
		RequestErrorHandlerFunc:  answerInvalid,
		ResponseErrorHandlerFunc: answerRefusal,
	})
	api.HandlerWithOptions(strict, api.StdHTTPServerOptions{
		BaseURL:          basePath,
		BaseRouter:       mux,
		Middlewares:      []api.MiddlewareFunc{bufferJSON},
		ErrorHandlerFunc: answerInvalid,
	})
	routes := standinhttp.API{
		Mux: mux,
		Methods: map[string]string{
			basePath + "/fileUpload":             "POST",
			basePath + "/fileUpload/{fileId}":    "GET, HEAD",
			basePath + "/documents/{documentId}": "GET, HEAD",
		},
		TraceID:      traceIDHeader,
		Authenticate: h.authenticate,
		Refuse:       answerRefusal,
		WrongMethod:  refuse(http.StatusMethodNotAllowed, "the method must be one of"),
		NoSuchPath:   noSuchPath,
	}.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The provider documents this header for every status. It has no
		// effect, because the origin is "*".
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		routes.ServeHTTP(w, r)
	})
}
