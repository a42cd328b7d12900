package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// send uploads a file. If that fails, it panics, as all of this package does.
type send func(ctx context.Context, path string)

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

func peerNamed(name string) peer {
	return peers[slices.IndexFunc(peers, func(p peer) bool { return p.Name == name })]
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
	return func(ctx context.Context, path string) { must(u.Upload(ctx, must(upload.File(path)))) }
}

// stock returns net/http's default client with an idle connection for each
// upload.
func stock(atOnce int) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, max(2, atOnce)
	return &http.Client{Transport: t}
}

func request(ctx context.Context, method, url, contentType string, body io.Reader) *http.Request {
	req := must(http.NewRequestWithContext(ctx, method, url, body))
	req.Header.Set("Content-Type", contentType)
	return req
}

// do sends a request and reads the answer to its end. It decodes the answer if
// answer is set.
func do(h *http.Client, req *http.Request, answer any) {
	resp := must(h.Do(req))
	defer resp.Body.Close()
	succeeded(resp.StatusCode)
	if answer != nil {
		check(json.NewDecoder(resp.Body).Decode(answer))
	}
	must(io.Copy(io.Discard, resp.Body))
}

func succeeded(status int) {
	if status/100 != 2 {
		log.Panic("status ", status)
	}
}

// put sends a file, with its length if known is set.
func put(ctx context.Context, h *http.Client, url, path string, known bool) {
	f := must(os.Open(path))
	defer f.Close()
	req := request(ctx, http.MethodPut, url, mediaType, f)
	if known {
		req.ContentLength = must(f.Stat()).Size()
	}
	do(h, req, nil)
}

func barePut(base string, h *http.Client) send {
	return func(ctx context.Context, path string) { put(ctx, h, base+"/put/file", path, true) }
}

const question = `{"contentType":"` + mediaType + `"}`

// ticket is 24SevenOffice's answer to the question.
type ticket struct {
	UploadURL string          `json:"uploadUrl"`
	FileID    json.RawMessage `json:"fileId"`
}

func bareTwo(base string, h *http.Client) send {
	return func(ctx context.Context, path string) {
		req := request(ctx, http.MethodPost, base+"/v1/fileUpload", "application/json", strings.NewReader(question))
		req.Header.Set("Authorization", "Bearer "+token)
		var to ticket
		do(h, req, &to)
		put(ctx, h, to.UploadURL, path, true)
	}
}

// writeForm writes the form with one file.
func writeForm(m *multipart.Writer, path string) {
	f := must(os.Open(path))
	defer f.Close()
	must(io.Copy(must(m.CreateFormFile("fileList", filepath.Base(path))), f))
	check(m.Close())
}

// bufferedForm builds the form in memory, as most clients do.
func bufferedForm(base string, h *http.Client) send {
	return func(ctx context.Context, path string) {
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		writeForm(m, path)
		do(h, request(ctx, http.MethodPost, base+"/api/v1/files", m.FormDataContentType(), &body), nil)
	}
}

// piped writes the form while it is read.
func piped(path string) (contentType string, body io.Reader) {
	r, w := io.Pipe()
	m := multipart.NewWriter(w)
	go func() {
		writeForm(m, path)
		w.Close()
	}()
	return m.FormDataContentType(), r
}

func pipedForm(base string, h *http.Client) send {
	return func(ctx context.Context, path string) {
		contentType, body := piped(path)
		do(h, request(ctx, http.MethodPost, base+"/api/v1/files", contentType, body), nil)
	}
}

// generatedForm uses the generated client as its documentation shows.
func generatedForm(base string, h *http.Client) send {
	c := must(mailapi.NewClientWithResponses(base+"/api/v1", mailapi.WithHTTPClient(h)))
	return func(ctx context.Context, path string) {
		contentType, body := piped(path)
		succeeded(must(c.CreateFileWithBodyWithResponse(ctx, contentType, body)).StatusCode())
	}
}

// generatedTwo sends the file without its length, because net/http does not
// know the length of an *os.File.
func generatedTwo(base string, h *http.Client) send {
	c := must(officeapi.NewClientWithResponses(base+"/v1", officeapi.WithHTTPClient(h)))
	return func(ctx context.Context, path string) {
		resp := must(c.FileUploadWithResponse(ctx, officeapi.FileUploadRequest{ContentType: mediaType}))
		succeeded(resp.StatusCode())
		put(ctx, h, resp.JSON200.UploadURL, path, false)
	}
}

// restyForm sends a file on disk as resty's README shows.
func restyForm(base string, h *http.Client) send {
	c := resty.NewWithClient(h)
	return func(ctx context.Context, path string) {
		succeeded(must(c.R().SetContext(ctx).SetFile("fileList", path).Post(base + "/api/v1/files")).StatusCode())
	}
}

func restyTwo(base string, h *http.Client) send {
	c := resty.NewWithClient(h)
	return func(ctx context.Context, path string) {
		var to ticket
		ask := c.R().SetContext(ctx).SetAuthToken(token).SetHeader("Content-Type", "application/json").SetResult(&to)
		succeeded(must(ask.SetBody(question).Post(base + "/v1/fileUpload")).StatusCode())
		r := c.R().SetContext(ctx).SetHeader("Content-Type", mediaType).SetContentLength(true)
		succeeded(must(r.SetBody(must(os.ReadFile(path))).Put(to.UploadURL)).StatusCode())
	}
}

func openaiFile(base string, h *http.Client) send {
	c := openai.NewClient(option.WithBaseURL(base+"/openai/"), option.WithAPIKey(token), option.WithHTTPClient(h))
	return func(ctx context.Context, path string) {
		f := must(os.Open(path))
		defer f.Close()
		must(c.Files.New(ctx, openai.FileNewParams{File: f, Purpose: openai.FilePurposeUserData}))
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
