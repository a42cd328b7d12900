package ncloudmailer

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// table is what the answers of both layers mean, the mailer's (77xxx) and the
// API Gateway's (three digits), where HTTP alone does not say it.
var table = wire.Table{
	{Status: 400, Code: "77101", Kind: upload.ErrUnauthorized},
	{Status: 400, Code: "77103", Kind: upload.ErrNotFound},
	{Status: 429, Code: "400", Kind: upload.ErrRateLimited},   // the quota is used up: waiting seconds is no help
	{Status: 500, Code: "77301", Kind: upload.ErrUnavailable}, // no default project: that does not pass by itself
}

// words is createFile's documentation of its return codes, for an answer that
// brings a code and no words.
var words = map[string]string{
	"77001": "method not allowed",
	"77002": "unsupported media type",
	"77101": "error in login information",
	"77102": "bad request",
	"77103": "resource not found",
	"77201": "no permission",
	"77202": "no subscription to the mail product",
	"77301": "default project not found",
	"77302": "error in working with an external system",
	"77303": "other internal error",
}

// readError takes the code from wherever an answer has it: the gateway nests
// it, sibling services do not, and the mailer's own form is shown nowhere.
func readError(a wire.Answer) (code, message string) {
	body := wire.ParseLenient(a.Body)
	code = body.Text("error.errorCode", "errorCode", "error.code", "code", "returnCode", "error.returnCode")
	message = body.Text("error.message", "errorMessage", "error.errorMessage", "message", "returnMessage", "error")
	if details := body.Text("error.details", "details"); details != "" && details != message {
		message = strings.TrimPrefix(message+": "+details, ": ")
	}
	if message == "" {
		message = words[code]
	}
	if hint := clockHint(a, message); hint != "" { // in front, where nothing cuts it off
		message = strings.TrimSuffix(hint+": "+message, ": ")
	}
	return code, message
}

// clockHint tells a refused clock from refused keys, which the gateway answers
// alike: by the Date of its answer, else by its words.
func clockHint(a wire.Answer, message string) string {
	if a.Status != http.StatusUnauthorized {
		return ""
	}
	if there, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		if off := time.Since(there).Round(time.Second); off.Abs() > MaxClockSkew {
			return fmt.Sprintf("set this machine's clock, which is %s off the server's", off.Abs())
		}
	}
	if strings.Contains(strings.ToLower(message), "timestamp") {
		return fmt.Sprintf("check this machine's clock, which may be at most %s off", MaxClockSkew)
	}
	return ""
}
