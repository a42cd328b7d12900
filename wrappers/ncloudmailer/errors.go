package ncloudmailer

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// table gives the codes of the mailer (77xxx) and of the API Gateway (three
// digits) their meaning where HTTP alone does not.
var table = wire.Table{
	{Status: 400, Code: "77101", Kind: upload.ErrUnauthorized},
	{Status: 400, Code: "77103", Kind: upload.ErrNotFound},
	{Status: 429, Code: "400", Kind: upload.ErrRateLimited},   // the quota is used up: waiting seconds is no help
	{Status: 500, Code: "77301", Kind: upload.ErrUnavailable}, // no default project: that does not pass by itself
}

// words holds the messages of createFile's documented return codes. One is used
// if an answer has a code and no message.
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

// readError finds the code and the message in an error of any form. The gateway
// nests them, and sibling services do not. Newer pages of the provider use
// detail and fieldErrors. The form of the mailer's own errors is not
// documented.
func readError(a wire.Answer) (code, message string) {
	body := wire.ParseLenient(a.Body)
	code = body.Text("error.errorCode", "errorCode", "error.code", "code", "returnCode", "error.returnCode")
	message = body.Text("error.message", "errorMessage", "error.errorMessage", "message", "returnMessage", "error")
	for _, details := range []string{
		body.Text("error.details", "details", "error.detail", "detail"),
		body.JSON("error.fieldErrors"), body.JSON("fieldErrors"),
	} {
		if details != "" && details != message {
			message = strings.TrimPrefix(message+": "+details, ": ")
		}
	}
	if message == "" {
		message = words[code]
	}
	if hint := clockHint(a, message); hint != "" { // in front, where nothing cuts it off
		message = strings.TrimSuffix(hint+": "+message, ": ")
	}
	return code, message
}

// clockHint returns a sentence if the clock is at fault, and not the keys. The
// gateway refuses both alike, so the Date of its answer decides, or else its
// message.
func clockHint(a wire.Answer, message string) string {
	if a.Status != http.StatusUnauthorized {
		return ""
	}
	if there, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		if off := time.Since(there).Round(time.Second); off.Abs() > MaxClockSkew {
			return fmt.Sprintf("set this machine's clock: it is %s off the server's", off.Abs())
		}
	}
	if strings.Contains(strings.ToLower(message), "timestamp") {
		return fmt.Sprintf("check this machine's clock: it may be at most %s off", MaxClockSkew)
	}
	return ""
}
