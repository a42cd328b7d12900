package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-resty/resty/v2"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"golang.org/x/oauth2"

	mailapi "github.com/putpost/putpost/gen/ncloudmailer"
	officeapi "github.com/putpost/putpost/gen/twentyfourseven"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

// peer is one way to upload a file: a function of this process, or curl.
type peer struct {
	Name, Label, Kind string
	holds             bool                                   // the whole file in memory
	client            func(base string, h *http.Client) send // nil: curl
}

type send func(ctx context.Context, path string) error

const (
	putOnly = "PUT alone"
	form    = "Multipart POST"
	twoCall = "Presigned PUT: ask, then send"
)

var peers = []peer{
	{"put", "net/http, PUT of a file", putOnly, false, barePut},
	{"curl-T", "curl -T", putOnly, false, nil},
	{"putpost-M", "putpost M", form, false, putpostForm},
	{"buffer", "net/http + bytes.Buffer", form, true, bufferedForm},
	{"pipe", "net/http + io.Pipe", form, false, pipedForm},
	{"generated-M", "generated client + io.Pipe", form, false, generatedForm},
	{"curl-F", "curl -F", form, false, nil},
	{"resty-M", "resty M", form, true, restyForm},
	{"openai", "openai-go Files.New", form, true, openaiFile},
	{"putpost-P", "putpost P", twoCall, false, putpostPresigned},
	{"two", "net/http, both calls", twoCall, false, bareTwo},
	{"generated-P", "generated client + net/http", twoCall, false, generatedTwo},
	{"resty-P", "resty P", twoCall, true, restyTwo},
}

const (
	token     = "test-token"
	mediaType = "application/pdf"
)

// putpost's clients have nothing configured but the address.
func putpostForm(base string, _ *http.Client) send {
	keys := ncloudmailer.Credentials{AccessKey: "test-access-key", SecretKey: "test-secret-key"}
	return through(must(ncloudmailer.New(keys, upload.Config{BaseURL: base + "/api/v1"})))
}

func putpostPresigned(base string, _ *http.Client) send {
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
	return through(must(twentyfourseven.New(tokens, upload.Config{BaseURL: base + "/v1"})))
}

// through returns the whole call of a user, who opens the file anew each time.
func through(u upload.Uploader) send {
	return func(ctx context.Context, path string) error {
		src, err := upload.File(path)
		if err == nil {
			_, err = u.Upload(ctx, src)
		}
		return err
	}
}

// stock returns net/http's default client with an idle connection for each
// upload.
func stock(atOnce int) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, max(2, atOnce)
	return &http.Client{Transport: t}
}

// do sends a request, without its length if size is 0. It reads the answer to
// its end, and decodes it if answer is set.
func do(ctx context.Context, h *http.Client, method, url, contentType string, body io.Reader, size int64,
	answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", contentType)
	if answer != nil {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if size > 0 {
		req.ContentLength = size
	}
	resp, err := h.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", method, req.URL.Path, resp.Status)
	}
	if answer != nil {
		err = json.NewDecoder(resp.Body).Decode(answer)
	}
	_, ended := io.Copy(io.Discard, resp.Body)
	return errors.Join(err, ended)
}

// put sends a file, with its length if known is set.
func put(ctx context.Context, h *http.Client, url, path string, known bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	size := int64(0)
	if known {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		size = info.Size()
	}
	return do(ctx, h, http.MethodPut, url, mediaType, f, size, nil)
}

func barePut(base string, h *http.Client) send {
	return func(ctx context.Context, path string) error { return put(ctx, h, base+"/put/file", path, true) }
}

func bareTwo(base string, h *http.Client) send {
	return func(ctx context.Context, path string) error {
		var to struct {
			UploadURL string          `json:"uploadUrl"`
			FileID    json.RawMessage `json:"fileId"`
		}
		ask := strings.NewReader(`{"contentType":"` + mediaType + `"}`)
		err := do(ctx, h, http.MethodPost, base+"/v1/fileUpload", "application/json", ask, 0, &to)
		if err != nil {
			return err
		}
		return put(ctx, h, to.UploadURL, path, true)
	}
}

// writeForm writes the form with one file.
func writeForm(m *multipart.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	part, err := m.CreateFormFile("fileList", filepath.Base(path))
	if err == nil {
		_, err = io.Copy(part, f)
	}
	return errors.Join(err, m.Close())
}

// bufferedForm builds the form in memory, as most clients do.
func bufferedForm(base string, h *http.Client) send {
	return func(ctx context.Context, path string) error {
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		if err := writeForm(m, path); err != nil {
			return err
		}
		return do(ctx, h, http.MethodPost, base+"/api/v1/files", m.FormDataContentType(), &body, 0, nil)
	}
}

// piped writes the form while it is read.
func piped(path string) (contentType string, body io.Reader) {
	r, w := io.Pipe()
	m := multipart.NewWriter(w)
	go func() { w.CloseWithError(writeForm(m, path)) }()
	return m.FormDataContentType(), r
}

func pipedForm(base string, h *http.Client) send {
	return func(ctx context.Context, path string) error {
		contentType, body := piped(path)
		return do(ctx, h, http.MethodPost, base+"/api/v1/files", contentType, body, 0, nil)
	}
}

// generatedForm uses the generated client as its documentation shows.
func generatedForm(base string, h *http.Client) send {
	c := must(mailapi.NewClientWithResponses(base+"/api/v1", mailapi.WithHTTPClient(h)))
	return func(ctx context.Context, path string) error {
		contentType, body := piped(path)
		resp, err := c.CreateFileWithBodyWithResponse(ctx, contentType, body)
		if err == nil && resp.JSON201 == nil {
			err = fmt.Errorf("createFile: %s", resp.Status())
		}
		return err
	}
}

// generatedTwo sends the file without its length, because net/http does not
// know the length of an *os.File.
func generatedTwo(base string, h *http.Client) send {
	c := must(officeapi.NewClientWithResponses(base+"/v1", officeapi.WithHTTPClient(h)))
	return func(ctx context.Context, path string) error {
		resp, err := c.FileUploadWithResponse(ctx, officeapi.FileUploadRequest{ContentType: mediaType})
		if err != nil {
			return err
		}
		if resp.JSON200 == nil {
			return fmt.Errorf("fileUpload: %s", resp.Status())
		}
		return put(ctx, h, resp.JSON200.UploadURL, path, false)
	}
}

// restyForm sends a file on disk as resty's README shows.
func restyForm(base string, h *http.Client) send {
	c := resty.NewWithClient(h)
	return func(ctx context.Context, path string) error {
		return succeeded(c.R().SetContext(ctx).SetFile("fileList", path).Post(base + "/api/v1/files"))
	}
}

func succeeded(resp *resty.Response, err error) error {
	if err == nil && resp.IsError() {
		err = fmt.Errorf("%s: %s", resp.Request.Method, resp.Status())
	}
	return err
}

func restyTwo(base string, h *http.Client) send {
	c := resty.NewWithClient(h)
	return func(ctx context.Context, path string) error {
		var to struct {
			UploadURL string `json:"uploadUrl"`
		}
		ask := c.R().SetContext(ctx).SetAuthToken(token).SetHeader("Content-Type", "application/json").SetResult(&to)
		err := succeeded(ask.SetBody(`{"contentType":"` + mediaType + `"}`).Post(base + "/v1/fileUpload"))
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r := c.R().SetContext(ctx).SetHeader("Content-Type", mediaType).SetBody(content).SetContentLength(true)
		return succeeded(r.Put(to.UploadURL))
	}
}

func openaiFile(base string, h *http.Client) send {
	c := openai.NewClient(option.WithBaseURL(base+"/openai/"), option.WithAPIKey(token), option.WithHTTPClient(h))
	return func(ctx context.Context, path string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = c.Files.New(ctx, openai.FileNewParams{File: f, Purpose: openai.FilePurposeUserData})
		return err
	}
}

// curl sends all files from one process: by -T, or by -F as a form. It names
// each upload, since curl 7.88 sends a form that uploads share only once.
func curl(peer, base string, paths []string, atOnce int) *exec.Cmd {
	upload := fmt.Sprintf("url = \"%s/put/file\"\nheader = \"Content-Type: %s\"\nupload-file = ", base, mediaType)
	if peer == "curl-F" {
		upload = fmt.Sprintf("url = \"%s/api/v1/files\"\nform = fileList=@", base)
	}
	var config strings.Builder
	for _, path := range paths {
		fmt.Fprintf(&config, "next\n%s%s\noutput = /dev/null\nsilent\nshow-error\nfail\n", upload, path)
	}
	cmd := exec.Command("curl", "--config", "-")
	if atOnce > 1 {
		cmd.Args = append(cmd.Args, "--parallel", "--parallel-immediate", "--parallel-max", strconv.Itoa(atOnce))
	}
	cmd.Stdin = strings.NewReader(config.String())
	return cmd
}
