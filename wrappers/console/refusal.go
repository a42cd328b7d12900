package console

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// refusal is an answer that is no success. The message is for the caller.
type refusal struct {
	status  int
	message string
}

func (e *refusal) Error() string { return e.message }

func refuse(status int, format string, args ...any) error {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

// answerRefusal answers with a refusal. Any other error comes from a store.
func answerRefusal(w http.ResponseWriter, _ *http.Request, err error) {
	status := http.StatusInternalServerError
	switch ref, ok := errors.AsType[*refusal](err); {
	case ok:
		status = ref.status
	case errors.Is(err, errNoToken):
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", `Basic realm="putpost console", charset="UTF-8"`)
	case errors.Is(err, fs.ErrNotExist):
		status = http.StatusNotFound
	}
	standinhttp.JSON(status, api.Error{Error: err.Error()}).Write(w)
}

// answerInvalid answers a call that the generated code could not decode.
func answerInvalid(w http.ResponseWriter, r *http.Request, err error) {
	if of, ok := errors.AsType[*api.InvalidParamFormatError](err); ok {
		err = fmt.Errorf("the parameter %s cannot be read; see specs/console.yaml for what it may be", of.ParamName)
	}
	answerRefusal(w, r, refuse(http.StatusBadRequest, "%v", err))
}
