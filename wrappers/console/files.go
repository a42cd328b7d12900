package console

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"iter"
	"mime"
	"net/http"
	"slices"
	"strconv"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/upload"
)

// sumsInList is the size of the largest file whose SHA-256 a list shows.
const sumsInList = 1 << 20

// ListFiles lists the files that are kept, the newest first.
func (o operations) ListFiles(
	ctx context.Context, req api.ListFilesRequestObject,
) (api.ListFilesResponseObject, error) {
	only := value(req.Params.Provider)
	if only != "" && o.provider(only) == nil {
		return nil, o.noProvider(http.StatusBadRequest, only)
	}
	list := api.FileList{Files: []api.File{}}
	for _, p := range o.cfg.Providers {
		if only != "" && p.Name != only {
			continue
		}
		for f, err := range o.filesOf(ctx, p) {
			if err != nil {
				return nil, err
			}
			list.Files = append(list.Files, showFile(p, f))
		}
	}
	slices.SortStableFunc(list.Files, func(a, b api.File) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.FileID, a.FileID))
	})
	list.Files = list.Files[:min(len(list.Files), limit(req.Params.Limit))]
	for i := range list.Files {
		f := &list.Files[i]
		if f.Size > sumsInList {
			continue
		}
		sum, err := o.sum(ctx, *o.provider(f.Provider), f.FileID)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
			return nil, err
		}
		f.Sha256 = sum
	}
	return api.ListFiles200JSONResponse(list), nil
}

// GetFile shows one file, with its SHA-256.
func (o operations) GetFile(ctx context.Context, req api.GetFileRequestObject) (api.GetFileResponseObject, error) {
	p, f, err := o.find(ctx, req.Provider, req.FileID)
	if err != nil {
		return nil, err
	}
	shown := showFile(p, f)
	if shown.Sha256, err = o.sum(ctx, p, f.ID); err != nil {
		return nil, err
	}
	return api.GetFile200JSONResponse(shown), nil
}

// GetFileContent sends the bytes of a file.
func (o operations) GetFileContent(
	ctx context.Context, req api.GetFileContentRequestObject,
) (api.GetFileContentResponseObject, error) {
	p, f, err := o.find(ctx, req.Provider, req.FileID)
	if err != nil {
		return nil, err
	}
	body, info, err := p.Standin.Open(ctx, f.ID)
	if err != nil {
		return nil, err
	}
	return download{name: f.Name, size: info.Size, body: body}, nil
}

// SetFileStatus sets the status of a file.
func (o operations) SetFileStatus(
	ctx context.Context, req api.SetFileStatusRequestObject,
) (api.SetFileStatusResponseObject, error) {
	p := o.provider(req.Provider)
	if p == nil {
		return nil, o.noProvider(http.StatusNotFound, req.Provider)
	}
	s, ok := p.Standin.(statuses)
	if !ok {
		return nil, refuse(http.StatusConflict, "files of %s have no status", p.Name)
	}
	switch err := s.SetStatus(ctx, req.FileID, req.Body.Status); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, noFile(p.Name, req.FileID)
	case errors.Is(err, fs.ErrInvalid):
		return nil, refuse(http.StatusBadRequest, "%.40q is no status: %v", req.Body.Status, err)
	case err != nil:
		return nil, err
	}
	return api.SetFileStatus200JSONResponse(*req.Body), nil
}

// statuses is a stand-in whose files have a status that can be set.
type statuses interface {
	SetStatus(ctx context.Context, fileID, status string) error
}

// find looks for a file.
func (c *Console) find(ctx context.Context, provider, fileID string) (Provider, standinhttp.File, error) {
	p := c.provider(provider)
	if p == nil {
		return Provider{}, standinhttp.File{}, c.noProvider(http.StatusNotFound, provider)
	}
	for f, err := range c.filesOf(ctx, *p) {
		if err != nil {
			return Provider{}, standinhttp.File{}, err
		}
		if f.ID == fileID {
			return *p, f, nil
		}
	}
	return Provider{}, standinhttp.File{}, noFile(provider, fileID)
}

// filesOf yields the files of a stand-in. If its store cannot list them, as
// with a bucket, it yields the files of the remembered exchanges.
func (c *Console) filesOf(ctx context.Context, p Provider) iter.Seq2[standinhttp.File, error] {
	return func(yield func(standinhttp.File, error) bool) {
		for f, err := range p.Standin.Files(ctx) {
			if errors.Is(err, errors.ErrUnsupported) {
				c.filesOfExchanges(ctx, p, yield)
				return
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

func (c *Console) filesOfExchanges(ctx context.Context, p Provider, yield func(standinhttp.File, error) bool) {
	seen := map[string]bool{}
	for _, x := range slices.Backward(c.monitor.Exchanges()) {
		if x.Provider != p.Name || x.Status/100 != 2 {
			continue
		}
		for i, id := range x.FileIDs {
			if seen[id] {
				continue
			}
			seen[id] = true
			body, info, err := p.Standin.Open(ctx, id)
			if errors.Is(err, fs.ErrNotExist) {
				continue // not uploaded yet, or deleted
			}
			f := standinhttp.File{ID: id, ContentType: info.ContentType, Size: info.Size, Time: info.ModTime}
			if err == nil {
				body.Close()
			}
			if len(x.Files) == len(x.FileIDs) {
				f.Name = upload.BaseName(x.Files[i].Name)
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

func noFile(provider, fileID string) error {
	return refuse(http.StatusNotFound, "%s has no file with the id %.80q", provider, fileID)
}

func showFile(p Provider, f standinhttp.File) api.File {
	return api.File{
		Provider: p.Name, FileID: f.ID, Name: f.Name, ContentType: f.ContentType, Size: f.Size, Time: f.Time.UTC(),
	}
}

// sum computes the SHA-256 of a file.
func (c *Console) sum(ctx context.Context, p Provider, fileID string) (*string, error) {
	body, _, err := p.Standin.Open(ctx, fileID)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, body); err != nil {
		return nil, err
	}
	return new(hex.EncodeToString(h.Sum(nil))), nil
}

// download answers with the bytes of a file. A browser saves them, and runs
// nothing in them.
type download struct {
	name string
	size int64
	body io.ReadCloser
}

func (d download) VisitGetFileContentResponse(w http.ResponseWriter) error {
	defer d.body.Close()
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Content-Length", strconv.FormatInt(d.size, 10))
	header.Set("Content-Disposition", attachment(d.name))
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	if _, err := io.Copy(w, d.body); err != nil {
		panic(http.ErrAbortHandler) // so that the caller does not take this for the whole file
	}
	return nil
}

// attachment returns the header with which a browser saves a file under its
// name.
func attachment(name string) string {
	var params map[string]string
	if name != "" {
		params = map[string]string{"filename": name}
	}
	return cmp.Or(mime.FormatMediaType("attachment", params), "attachment")
}
