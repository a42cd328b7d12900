package standin

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// refusal is an answer of the API that is not 200. It has no body, so the
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

// answerRefusal writes every refusal of the API. Any other error comes from the
// store.
func answerRefusal(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	if ref, ok := errors.AsType[*refusal](err); ok {
		status = ref.status
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	standinhttp.Refuse(w, r, standinhttp.Answer{Status: status}, err)
}

// answerInvalid refuses what the generated code could not decode.
func answerInvalid(w http.ResponseWriter, r *http.Request, err error) {
	answerRefusal(w, r, refuse(http.StatusBadRequest, "%w", err))
}
