package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"strconv"
	"strings"

	api "github.com/putpost/putpost/gen/twentyfourseven"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/store"
)

// refusal is an answer that is not 200. The API's refusals have no body, so the
// reason is for the log.
type refusal struct {
	status int
	reason error
}

func (e *refusal) Error() string { return e.reason.Error() }
func (e *refusal) Unwrap() error { return e.reason }

func refuse(status int, format string, args ...any) error {
	return &refusal{status, fmt.Errorf(format, args...)}
}

// api is the part that the spec describes. Nothing of a body is read before the
// caller is known.
func (h *Handler) api() http.Handler {
	mux := http.NewServeMux()
	strict := api.NewStrictHandlerWithOptions(operations{h}, nil, api.StrictHTTPServerOptions{
		RequestErrorHandlerFunc:  answerInvalid,
		ResponseErrorHandlerFunc: answerRefusal,
	})
	api.HandlerWithOptions(strict, api.StdHTTPServerOptions{
		BaseURL:          basePath,
		BaseRouter:       mux,
		Middlewares:      []api.MiddlewareFunc{h.bufferJSON},
		ErrorHandlerFunc: answerInvalid,
	})
	routes := standinhttp.Rest(mux,
		map[string]string{basePath + "/fileUpload": "POST", basePath + "/fileUpload/{fileId}": "GET, HEAD"}, answerRefusal,
		refuse(http.StatusMethodNotAllowed, "the method is none of"), refuse(http.StatusNotFound, "no such path"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The three headers that the provider documents for every status. No
		// browser may send its user's cookies along and read the answer: "*" and
		// credentials exclude each other. There are none, either.
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("X-Trace-Id", standinhttp.TraceID(r.Context()))
		if err := h.authenticate(r); err != nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			answerRefusal(w, r, refuse(http.StatusUnauthorized, "%w", err))
			return
		}
		routes.ServeHTTP(w, withOrigin(r))
	})
}

// answerRefusal is where every refusal of the API is written.
func answerRefusal(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	if ref, ok := errors.AsType[*refusal](err); ok {
		status = ref.status
	}
	standinhttp.Refuse(w, r, status, err)
	standinhttp.Write(w, status, "", nil)
}

// answerInvalid is for what the generated code could not decode.
func answerInvalid(w http.ResponseWriter, r *http.Request, err error) {
	answerRefusal(w, r, refuse(http.StatusBadRequest, "%w", err))
}

// authenticate checks the bearer token.
func (h *Handler) authenticate(r *http.Request) error {
	token, err := standinhttp.Bearer(r)
	if err != nil || h.isStaticToken(token) {
		return err
	}
	return h.checkToken(token)
}

// bufferJSON reads the body of a POST, which is small, and sees that it is JSON
// and nothing else: the generated decoder stops after the first value.
func (h *Handler) bufferJSON(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			text, err := h.readJSON(r)
			if err != nil {
				answerRefusal(w, r, err)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(text))
		}
		next.ServeHTTP(w, r)
	})
}

func (h *Handler) readJSON(r *http.Request) ([]byte, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, refuse(http.StatusUnsupportedMediaType, "Content-Type is %.80q, not application/json", r.Header.Get("Content-Type"))
	}
	text, err := h.readText(r)
	if err == nil && !json.Valid(text) {
		err = refuse(http.StatusBadRequest, "the body is not one JSON value")
	}
	return text, err
}

// readText reads a body that is no file. What declares itself too large is
// refused unread, and what trickles in is not waited for.
func (h *Handler) readText(r *http.Request) ([]byte, error) {
	if r.ContentLength > h.maxText {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has %d bytes, more than %d", r.ContentLength, h.maxText)
	}
	standinhttp.Hurry(r.Context())
	text, err := io.ReadAll(io.LimitReader(r.Body, max(h.maxText, h.maxText+1)))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "reading the body: %w", err)
	}
	if int64(len(text)) > h.maxText {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", h.maxText)
	}
	return text, nil
}

// operations are the API's two.
type operations struct{ *Handler }

var _ api.StrictServerInterface = operations{}

// FileUpload announces a file.
func (h operations) FileUpload(ctx context.Context, req api.FileUploadRequestObject) (api.FileUploadResponseObject, error) {
	contentType := req.Body.ContentType
	if err := checkContentType(contentType); err != nil {
		return nil, refuse(http.StatusBadRequest, "contentType: %w", err)
	}
	id := h.newID()
	target, err := h.store.PresignPut(ctx, fileKey(id), contentType, h.urlLife)
	if errors.Is(err, store.ErrNoPresign) {
		target, err = h.presign(ctx, id, contentType)
	}
	if err != nil {
		return nil, err
	}
	return initiated{UploadMethod: http.MethodPut, UploadURL: target, FileID: quote(id)}, nil
}

// GetFileUploadStatus says whether the file is there.
func (h operations) GetFileUploadStatus(ctx context.Context, req api.GetFileUploadStatusRequestObject) (api.GetFileUploadStatusResponseObject, error) {
	if !h.issued(req.FileID) {
		return nil, refuse(http.StatusNotFound, "no such fileId was issued")
	}
	status := api.FileUploadStatus{FileID: quote(req.FileID), Status: "Completed"}
	switch _, err := h.store.Stat(ctx, fileKey(req.FileID)); {
	case errors.Is(err, fs.ErrNotExist):
		status.Status = "Pending"
	case err != nil:
		return nil, err
	default:
		id := documentID(req.FileID)
		status.DocumentID = &id
	}
	return api.GetFileUploadStatus200JSONResponse{Body: status}, nil
}

// initiated answers 200 like the generated type, but keeps a URL's ampersands
// as they are: who cuts the URL out of the answer with a shell gets it whole.
type initiated api.FileUploadResponse

func (a initiated) VisitFileUploadResponse(w http.ResponseWriter) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(api.FileUploadResponse(a)); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err := text.WriteTo(w)
	return err
}

// checkContentType says whether a file can be of this type.
func checkContentType(contentType string) error {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.Contains(t, "/") {
		return fmt.Errorf("%.80q is not a media type", contentType)
	}
	return store.CheckContentType(contentType)
}

func quote(id string) json.RawMessage { return json.RawMessage(strconv.Quote(id)) }
