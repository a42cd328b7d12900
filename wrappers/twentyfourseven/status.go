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
	var answer struct {
		FileID     wire.JSONText `json:"fileId"`
		Status     wire.JSONText `json:"status"`
		DocumentID wire.JSONInt  `json:"documentId"`
	}
	switch err := wire.DecodeJSON(body, &answer); {
	case err != nil:
		return err
	case answer.DocumentID.Broken:
		return errors.New("its documentId is no whole number of 64 bits")
	case answer.Status == "" && answer.DocumentID.Value == 0:
		return errors.New("it has neither a status nor a documentId")
	}
	s.FileID = cmp.Or(string(answer.FileID), s.FileID)
	s.Status, s.DocumentID = string(answer.Status), answer.DocumentID.Value
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
