package s3

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// wrap names what failed, in the form of the os package:
// "put inbox/0001: s3: PutObject: not permitted: Access Denied ...".
func wrap(op, key string, err error) error {
	return &fs.PathError{Op: op, Path: key, Err: err}
}

// asNotExist returns fs.ErrNotExist if err says that the key is missing, and
// otherwise err. The answer to a HEAD has no code. A missing bucket has another
// code.
func asNotExist(err error) error {
	f, ok := errors.AsType[*upload.Error](err)
	if ok && f.Status == http.StatusNotFound && (f.Code == "NoSuchKey" || f.Code == "") {
		return fs.ErrNotExist
	}
	return err
}

// isNoSuchUpload reports whether S3 no longer knows the multipart upload.
func isNoSuchUpload(err error) bool {
	f, ok := errors.AsType[*upload.Error](err)
	return ok && f.Code == "NoSuchUpload"
}

// table lists the S3 error codes that mean something other than their status.
var table = wire.Table{
	{Status: http.StatusBadRequest, Code: "RequestTimeout", Kind: upload.ErrUnavailable, Again: true},
	{Status: http.StatusBadRequest, Code: "EntityTooLarge", Kind: upload.ErrTooLarge},
}

// xmlError is an error as S3 writes it.
type xmlError struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
}

// readError returns the code and the message of an S3 error. It adds advice
// that S3 does not give, and leaves out the pages of proxies.
func (s *Store) readError(a wire.Answer) (code, message string) {
	var e xmlError
	if err := xml.Unmarshal(a.Body, &e); err == nil {
		code, message = e.Code, strings.Join(strings.Fields(e.Message), " ")
	}
	if region := a.Header.Get("X-Amz-Bucket-Region"); region != "" && region != s.region {
		message += fmt.Sprintf(" The bucket is in the region %s: set region=%s.", region, region)
	}
	if theirs, err := http.ParseTime(a.Header.Get("Date")); err == nil && code == "RequestTimeTooSkewed" {
		ours := s.signer.now().UTC()
		message += fmt.Sprintf(" The store's clock says %s and this machine's %s: set the one that is wrong.",
			theirs.Format(time.RFC3339), ours.Format(time.RFC3339))
	}
	if code == "" && message == "" && len(a.Body) > 0 {
		message = "the answer is not from S3: check the endpoint, and the proxy if there is one"
	}
	return code, message
}

// decode reads the body of a status 200. The body may be an error, because S3
// sends the status before it knows the outcome.
func decode(b []byte, into any) error {
	var e xmlError
	if err := xml.Unmarshal(b, &e); err == nil {
		return fmt.Errorf("%s: %s", e.Code, e.Message)
	}
	return xml.Unmarshal(b, into)
}
