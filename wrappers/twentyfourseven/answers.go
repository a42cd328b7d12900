package twentyfourseven

import (
	"encoding/json"
	"errors"
	"regexp"

	api "github.com/putpost/putpost/gen/twentyfourseven"
	"github.com/putpost/putpost/wrappers/wire"
)

// ticket is the answer to fileUpload.
type ticket struct {
	api.FileUploadResponse
	id string
}

func (t *ticket) read(body []byte) (err error) {
	if err = json.Unmarshal(body, &t.FileUploadResponse); err == nil {
		t.id, err = readFileID(t.FileID)
	}
	if err == nil && (t.UploadMethod == "" || t.UploadURL == "") {
		err = errors.New("it lacks uploadMethod or uploadUrl")
	}
	return err
}

var integer = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// readFileID takes a JSON string or a JSON integer of any size, since the
// provider declares the one and shows the other, and keeps its digits as they
// are: a float64 would lose some.
func readFileID(raw json.RawMessage) (id string, err error) {
	if integer.Match(raw) {
		return string(raw), nil
	}
	if err := json.Unmarshal(raw, &id); err != nil || id == "" {
		return "", errors.New("its fileId is neither a text nor an integer")
	}
	return id, nil
}

// readError finds what there is of an error. Of this API's own calls 400, 401
// and 403 are declared without a body; the shapes below come from other calls
// of the same service.
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
