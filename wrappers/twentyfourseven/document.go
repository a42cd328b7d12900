package twentyfourseven

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// Document describes a file that 24SevenOffice has taken in.
type Document struct {
	ID          int64
	ContentType string // "currently only application/pdf", says the provider
	Pages       int    // how many pages the provider lists
	TraceID     string

	url func() string // presigned; a func, so that printing the Document shows no signature
}

func (d *Document) read(body []byte) error {
	var answer struct {
		DocumentID  wire.JSONInt    `json:"documentId"`
		ContentType wire.JSONText   `json:"contentType"`
		DownloadURL string          `json:"downloadUrl"`
		Pages       json.RawMessage `json:"pages"`
	}
	switch err := wire.DecodeJSON(body, &answer); {
	case err != nil:
		return err
	case answer.DownloadURL == "":
		return errors.New("it has no downloadUrl")
	case answer.DocumentID.Broken || answer.DocumentID.Known && answer.DocumentID.Value != d.ID:
		return errors.New("it is about another documentId")
	}
	var pages []json.RawMessage
	_ = json.Unmarshal(answer.Pages, &pages) // their form is not documented
	d.ContentType, d.Pages = cmp.Or(string(answer.ContentType), d.ContentType), len(pages)
	d.url = func() string { return answer.DownloadURL }
	return nil
}

// Document returns the document of an upload (getDocument). Its id is
// [Status].DocumentID. If the provider does not know the id, the error is
// [upload.ErrNotFound].
func (c *Client) Document(ctx context.Context, documentID int64) (Document, error) {
	d := Document{ID: documentID}
	trace, err := c.doer.Call(ctx, "getDocument", d.read, func(ctx context.Context) (*http.Response, error) {
		if documentID <= 0 {
			return nil, fmt.Errorf("%w: %d is no documentId", upload.ErrInvalid, documentID)
		}
		return c.api.GetDocument(ctx, documentID)
	})
	if err != nil {
		return Document{}, err
	}
	d.TraceID = trace
	return d, nil
}

// Download writes the content of a document to w, and returns the number of
// bytes written. If the document has more than max bytes, the error is
// [upload.ErrTooLarge]; zero means no limit.
//
// The bytes come from a presigned URL, without credentials. Their number must
// be the one that the store announces, and so must their hash if the store
// announces one. After a failure in the middle, w holds a part. If the
// presigned URL ran out before the first byte, Download asks for a new one,
// once.
func (c *Client) Download(ctx context.Context, documentID int64, w io.Writer, max int64) (int64, error) {
	n, err := c.download(ctx, documentID, w, max)
	if c.restart && n == 0 && errors.Is(err, upload.ErrExpired) {
		n, err = c.download(ctx, documentID, w, max)
	}
	return n, err
}

func (c *Client) download(ctx context.Context, documentID int64, w io.Writer, max int64) (int64, error) {
	d, err := c.Document(ctx, documentID)
	if err != nil {
		return 0, err
	}
	n, err := c.presigned.Fetch(ctx, d.url(), w, max)
	if f, ok := errors.AsType[*upload.Error](err); ok {
		f.TraceID = d.TraceID
	}
	return n, err
}
