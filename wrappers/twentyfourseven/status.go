package twentyfourseven

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// ErrFailed: the provider got the file and could not take it.
var ErrFailed = errors.New("the provider reports that the file failed")

// Status is how far an upload has come.
type Status struct {
	FileID     string
	Status     string // the provider's own word; "Pending", "Completed" and "Failed" are its examples, others must be expected
	DocumentID int64  // what POST /transactions takes; 0 until the upload is completed
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
// An id that the provider does not know is [upload.ErrNotFound].
func (c *Client) Status(ctx context.Context, fileID string) (Status, error) {
	st := Status{FileID: fileID}
	trace, err := c.doer.Call(ctx, opStatus, st.read, func(ctx context.Context) (*http.Response, error) {
		if fileID == "" || fileID == "." || fileID == ".." { // a path segment that would name another resource
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

// Wait asks for the status of fileID until its documentId is there, with random
// waits of up to 0.5, 1, 2 s and so on, never above upload.Retry's MaxWait. It ends with the context,
// with the first failure of [Client.Status], or with [ErrFailed] where the
// status says so; any other status means that it is not there yet.
func (c *Client) Wait(ctx context.Context, fileID string) (Status, error) {
	for n := 1; ; n++ {
		st, err := c.Status(ctx, fileID)
		if err != nil || st.DocumentID != 0 {
			return st, err
		}
		if strings.HasPrefix(strings.ToLower(st.Status), "fail") {
			err = ErrFailed
		} else if err = c.doer.Pause(ctx, n); err == nil {
			continue
		}
		return st, &upload.Error{Provider: provider, Op: opStatus, TraceID: st.TraceID, Attempts: n,
			Err: fmt.Errorf("%w: the status of %q is %q", err, fileID, st.Status)}
	}
}
