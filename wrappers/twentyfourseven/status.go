package twentyfourseven

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// Status is how far an upload has come.
type Status struct {
	FileID     string
	Status     string // the provider's own word, such as "Pending", "Completed" or "Failed"; expect others
	DocumentID int64  // for POST /transactions; 0 until the upload is completed
	TraceID    string
}

func (s *Status) read(body []byte) error {
	answer, err := wire.ParseJSON(body)
	if err != nil {
		return err
	}
	s.Status = answer.Text("status")
	switch s.DocumentID, _, err = answer.Int("documentId"); {
	case err != nil:
		return fmt.Errorf("its documentId %w", err)
	case s.Status == "" && s.DocumentID == 0:
		return errors.New("it has neither a status nor a documentId")
	}
	s.FileID = cmp.Or(answer.Text("fileId"), s.FileID)
	return nil
}

const opStatus = "getFileUploadStatus"

// Status asks once how far the upload of fileID has come (getFileUploadStatus).
// If the provider does not know the id, the error is [upload.ErrNotFound].
func (c *Client) Status(ctx context.Context, fileID string) (Status, error) {
	st := Status{FileID: fileID}
	trace, err := c.doer.Call(ctx, opStatus, st.read, func(ctx context.Context) (*http.Response, error) {
		if fileID == "" || fileID == "." || fileID == ".." { // as a segment of a path it would name another resource
			return nil, fmt.Errorf("%w: %q is no fileId", upload.ErrInvalid, fileID)
		}
		return c.api.GetFileUploadStatus(ctx, fileID)
	})
	if err != nil {
		return Status{}, err
	}
	st.TraceID = trace
	return st, nil
}
