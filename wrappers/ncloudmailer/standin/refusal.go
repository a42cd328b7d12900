package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// refusal is an answer with an error. It holds the error for the caller, and
// the cause for the log.
type refusal struct {
	status        int
	code, message string // the provider's own
	details       string // more for the caller; may be empty
	cause         error  // for the log only; may be nil
}

func (e *refusal) Error() string {
	text := e.code + " " + e.message
	if e.details != "" {
		text += ": " + e.details
	}
	if e.cause != nil {
		text = strings.TrimSuffix(text, ".") + ": " + e.cause.Error()
	}
	return text
}

func (e *refusal) Unwrap() error { return e.cause }

// Codes that begin with 77 are the mailer's. The others come from the gateway
// in front of the mailer.

func unauthorized(format string, args ...any) error {
	return &refusal{
		status: http.StatusUnauthorized, code: "200", message: "Authentication Failed",
		details: "Invalid authentication information. " + fmt.Sprintf(format, args...),
	}
}

// badRequest refuses a wrong request, or one whose body stopped coming.
func badRequest(details string, cause error) error {
	if errors.Is(cause, os.ErrDeadlineExceeded) {
		return &refusal{
			status: http.StatusGatewayTimeout, code: "510", message: "Endpoint Timeout",
			details: "Nothing of the body came for too long.", cause: cause,
		}
	}
	return &refusal{status: http.StatusBadRequest, code: "77102", message: "BAD_REQUEST",
		details: details, cause: cause}
}

func noSuchBatch() error {
	return &refusal{status: http.StatusBadRequest, code: "77103", message: "Resource not found"}
}

func noSuchPath(there string) error {
	return &refusal{status: http.StatusNotFound, code: "300", message: "Not Found Exception", details: "There are: " +
		there + "."}
}

func methodNotAllowed() error {
	return &refusal{status: http.StatusMethodNotAllowed, code: "77001", message: "METHOD_NOT_ALLOWED"}
}

func unsupportedMediaType() error {
	return &refusal{
		status: http.StatusUnsupportedMediaType, code: "77002", message: "UNSUPPORTED_MEDIA_TYPE",
		details: "Content-Type is not multipart/form-data.",
	}
}

func tooLarge(details string, cause error) error {
	return &refusal{
		status: http.StatusRequestEntityTooLarge, code: "430", message: "Request Entity Too Large",
		details: details, cause: cause,
	}
}

// answerRefusal writes every refusal. Any other error comes from the store.
func answerRefusal(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*refusal](err)
	if !ok {
		e = &refusal{
			status: http.StatusInternalServerError, code: "77303", message: "Other INTERNAL_SERVER_ERROR", cause: err,
		}
	}
	problem := &api.ErrorDetail{ErrorCode: json.RawMessage(strconv.Quote(e.code)), Message: e.message}
	if e.details != "" {
		problem.Details = &e.details
	}
	standinhttp.Refuse(w, r, standinhttp.JSON(e.status, api.ErrorResponse{Error: problem}), e)
}

// answerInvalid refuses what the generated code could not decode.
func answerInvalid(w http.ResponseWriter, r *http.Request, err error) {
	answerRefusal(w, r, badRequest("The request cannot be read.", err))
}
