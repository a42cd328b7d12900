package standin

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// refusal is an answer of the API that is not 200. The provider declares no
// body for its refusals, so the reason is for the log.
type refusal struct {
	status int
	reason error
	shown  bool // the caller gets the reason, too
}

func (e *refusal) Error() string { return e.reason.Error() }
func (e *refusal) Unwrap() error { return e.reason }

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status: status, reason: fmt.Errorf(format, args...)}
}

// noSuchPath shows its reason, because a person has mistyped an address.
func noSuchPath(there string) error {
	return &refusal{http.StatusNotFound, fmt.Errorf("no such path; the paths are %s", there), true}
}

// answerRefusal writes every refusal of the API. Any other error comes from the
// store.
func answerRefusal(w http.ResponseWriter, r *http.Request, err error) {
	ref, ok := errors.AsType[*refusal](err)
	if !ok {
		ref = &refusal{status: http.StatusInternalServerError}
	}
	answer := standinhttp.Answer{Status: ref.status}
	if ref.shown {
		answer.ContentType, answer.Body = "text/plain; charset=utf-8", []byte(ref.Error()+"\n")
	}
	if ref.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	standinhttp.Refuse(w, r, answer, err)
}

// answerInvalid refuses what the generated code could not decode.
func answerInvalid(w http.ResponseWriter, r *http.Request, err error) {
	answerRefusal(w, r, refuse(http.StatusBadRequest, "%w", err))
}
