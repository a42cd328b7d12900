package twentyfourseven

import "github.com/putpost/putpost/wrappers/wire"

// readError finds the code and the message of an error. This API's 400, 401 and
// 403 are declared without a body. The forms below come from other calls of the
// same service.
func readError(a wire.Answer) (code, message string) {
	body := wire.ParseLenient(a.Body)
	code = body.Text("error.name", "error.code", "code", "name")
	message = body.Text("error.message", "message", "error_description", "error", "title", "detail")
	for _, details := range []string{"error.payload.validationErrors", "error.payload.errors", "payload.errors"} {
		if more := body.JSON(details); more != "" {
			message += " " + more
		}
	}
	return code, message
}
