package bench

import (
	"bytes"
	"context"
	"encoding/json"
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

// peer is one way to upload a file: a function of this process, or a program.
type peer struct {
	name, label string
	kind        string
	holds       bool // the whole file in memory
	client      func(base string, atOnce int) (send, error)
	program     func(base, ca, path string, count, atOnce int) *exec.Cmd
}

type send func(ctx context.Context, path string) error

const (
	form    = "Multipart POST"
	twoCall = "Presigned PUT: ask, then send"
	putOnly = "PUT alone"
)

var peers = []peer{
	{name: "put", label: "net/http, PUT of a file", kind: putOnly, client: barePut},
	{name: "curl-T", label: "curl -T", kind: putOnly, program: curlPut},
	{name: "putpost-M", label: "putpost M", kind: form, client: putpostForm},
	{name: "buffer", label: "net/http + bytes.Buffer", kind: form, client: bufferedForm, holds: true},
	{name: "pipe", label: "net/http + io.Pipe", kind: form, client: pipedForm},
	{name: "generated-M", label: "generated client + io.Pipe", kind: form, client: generatedForm},
	{name: "curl-F", label: "curl -F", kind: form, program: curlForm},
	{name: "resty-M", label: "resty M", kind: form, client: restyForm, holds: true},
	{name: "openai", label: "openai-go Files.New", kind: form, client: openaiFile, holds: true},
	{name: "putpost-P", label: "putpost P", kind: twoCall, client: putpostPresigned},
	{name: "two", label: "net/http, both calls", kind: twoCall, client: bareTwo},
	{name: "generated-P", label: "generated client + net/http", kind: twoCall, client: generatedTwo},
	{name: "resty-P", label: "resty P", kind: twoCall, client: restyTwo, holds: true},
}

const (
	token     = "test-token"
	mediaType = "application/pdf"
)

// mailer and office have nothing configured but the address.
func mailer(base string) (upload.Uploader, error) {
	keys := ncloudmailer.Credentials{AccessKey: "test-access-key", SecretKey: "test-secret-key"}
	return ncloudmailer.New(keys, upload.Config{BaseURL: base + "/api/v1"})
}

func office(base string, tokens oauth2.TokenSource) (upload.Uploader, error) {
	return twentyfourseven.New(tokens, upload.Config{BaseURL: base + "/v1"})
}

func putpostForm(base string, _ int) (send, error) {
	u, err := mailer(base)
	return through(u), err
}

func putpostPresigned(base string, _ int) (send, error) {
	u, err := office(base, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}))
	return through(u), err
}

// through is a user's whole call: it describes the file anew each time.
func through(u upload.Uploader) send {
	return func(ctx context.Context, path string) error {
		src, err := upload.File(path)
		if err == nil {
			_, err = u.Upload(ctx, src)
		}
		return err
	}
}

// stock is net/http as it comes, with an idle connection for each upload.
func stock(atOnce int) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, max(2, atOnce)
	return &http.Client{Transport: t}
}

// do sends a request and reads the answer to its end, into answer if it is set.
func do(ctx context.Context, c *http.Client, method, url, contentType string, body io.Reader, size int64,
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
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", method, req.URL.Path, resp.Status)
	}
	if answer != nil {
		if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
			return err
		}
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func put(ctx context.Context, c *http.Client, url, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return do(ctx, c, http.MethodPut, url, mediaType, f, info.Size(), nil)
}

func barePut(base string, atOnce int) (send, error) {
	c := stock(atOnce)
	return func(ctx context.Context, path string) error { return put(ctx, c, base+"/put/file", path) }, nil
}

func bareTwo(base string, atOnce int) (send, error) {
	c := stock(atOnce)
	return func(ctx context.Context, path string) error {
		var t struct {
			UploadURL string          `json:"uploadUrl"`
			FileID    json.RawMessage `json:"fileId"`
		}
		ask := strings.NewReader(`{"contentType":"` + mediaType + `"}`)
		if err := do(ctx, c, http.MethodPost, base+"/v1/fileUpload", "application/json", ask, 0, &t); err != nil {
			return err
		}
		return put(ctx, c, t.UploadURL, path)
	}, nil
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
	if err == nil {
		err = m.Close()
	}
	return err
}

// bufferedForm builds the form in memory, as most clients do.
func bufferedForm(base string, atOnce int) (send, error) {
	c := stock(atOnce)
	return func(ctx context.Context, path string) error {
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		if err := writeForm(m, path); err != nil {
			return err
		}
		return do(ctx, c, http.MethodPost, base+"/api/v1/files", m.FormDataContentType(), &body, 0, nil)
	}, nil
}

// piped writes the form while it is read.
func piped(path string) (body io.Reader, contentType string) {
	r, w := io.Pipe()
	m := multipart.NewWriter(w)
	go func() { w.CloseWithError(writeForm(m, path)) }()
	return r, m.FormDataContentType()
}

func pipedForm(base string, atOnce int) (send, error) {
	c := stock(atOnce)
	return func(ctx context.Context, path string) error {
		body, contentType := piped(path)
		return do(ctx, c, http.MethodPost, base+"/api/v1/files", contentType, body, 0, nil)
	}, nil
}

// generatedForm uses the generated client as its documentation shows.
func generatedForm(base string, atOnce int) (send, error) {
	c, err := mailapi.NewClientWithResponses(base+"/api/v1", mailapi.WithHTTPClient(stock(atOnce)))
	return func(ctx context.Context, path string) error {
		body, contentType := piped(path)
		resp, err := c.CreateFileWithBodyWithResponse(ctx, contentType, body)
		if err == nil && resp.JSON201 == nil {
			err = fmt.Errorf("createFile: %s", resp.Status())
		}
		return err
	}, err
}

// generatedTwo sends the file without its length, as net/http takes an *os.File.
func generatedTwo(base string, atOnce int) (send, error) {
	h := stock(atOnce)
	c, err := officeapi.NewClientWithResponses(base+"/v1", officeapi.WithHTTPClient(h))
	return func(ctx context.Context, path string) error {
		resp, err := c.FileUploadWithResponse(ctx, officeapi.FileUploadRequest{ContentType: mediaType})
		if err != nil {
			return err
		}
		if resp.JSON200 == nil {
			return fmt.Errorf("fileUpload: %s", resp.Status())
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return do(ctx, h, resp.JSON200.UploadMethod, resp.JSON200.UploadURL, mediaType, f, 0, nil)
	}, err
}

func answered(resp *resty.Response, err error) error {
	if err == nil && resp.IsError() {
		err = fmt.Errorf("%s: %s", resp.Request.Method, resp.Status())
	}
	return err
}

// restyForm is its README's way with a file on disk.
func restyForm(base string, atOnce int) (send, error) {
	c := resty.NewWithClient(stock(atOnce))
	return func(ctx context.Context, path string) error {
		return answered(c.R().SetContext(ctx).SetFile("fileList", path).Post(base + "/api/v1/files"))
	}, nil
}

func restyTwo(base string, atOnce int) (send, error) {
	c := resty.NewWithClient(stock(atOnce))
	return func(ctx context.Context, path string) error {
		var t struct {
			UploadURL string `json:"uploadUrl"`
		}
		ask := `{"contentType":"` + mediaType + `"}`
		r := c.R().SetContext(ctx).SetAuthToken(token).SetHeader("Content-Type",
			"application/json").SetBody(ask).SetResult(&t)
		if err := answered(r.Post(base + "/v1/fileUpload")); err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return answered(c.R().SetContext(ctx).SetHeader("Content-Type",
			mediaType).SetBody(content).SetContentLength(true).Put(t.UploadURL))
	}, nil
}

func openaiFile(base string, atOnce int) (send, error) {
	c := openai.NewClient(option.WithBaseURL(base+"/openai/"), option.WithAPIKey(token),
		option.WithHTTPClient(stock(atOnce)))
	return func(ctx context.Context, path string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = c.Files.New(ctx, openai.FileNewParams{File: f, Purpose: openai.FilePurposeUserData})
		return err
	}, nil
}

func curlPut(base, ca, path string, count, atOnce int) *exec.Cmd {
	return curl(atOnce, fmt.Sprintf("url = \"%s/put/[1-%d]\"\nupload-file = %q\nheader = \"Content-Type: %s\"\n%s", base,
		count, path, mediaType, curlEach(ca)))
}

// curlForm names each upload: curl 7.88 sends a shared form only once.
func curlForm(base, ca, path string, count, atOnce int) *exec.Cmd {
	return curlForms(base, ca, slicesOf(path, count), atOnce)
}

func slicesOf(path string, count int) []string {
	return strings.Split(strings.TrimSuffix(strings.Repeat(path+"\n", count), "\n"), "\n")
}

func curlForms(base, ca string, paths []string, atOnce int) *exec.Cmd {
	var config []string
	for _, path := range paths {
		config = append(config, fmt.Sprintf("url = \"%s/api/v1/files\"\nform = \"fileList=@%s\"\n%s", base, path,
			curlEach(ca)))
	}
	return curl(atOnce, strings.Join(config, "next\n"))
}

func curlEach(ca string) string {
	return fmt.Sprintf("output = \"/dev/null\"\nsilent\nshow-error\nfail\ncacert = %q\n", ca)
}

func curl(atOnce int, config string) *exec.Cmd {
	cmd := exec.Command("curl", "--config", "-")
	if atOnce > 1 {
		cmd.Args = append(cmd.Args, "--parallel", "--parallel-immediate", "--parallel-max", strconv.Itoa(atOnce))
	}
	cmd.Stdin = strings.NewReader(config)
	return cmd
}
