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

// send uploads the file at path. If that fails, it panics, as all of this
// package does.
type send func(path string)

const (
	putOnly = "PUT alone"
	form    = "Multipart POST"
	twoCall = "Presigned PUT: ask, then send"

	token     = "test-token"
	mediaType = "application/pdf"
	question  = `{"contentType":"` + mediaType + `"}`
)

var (
	ctx  = context.Background()
	keys = ncloudmailer.Credentials{AccessKey: "test-access-key", SecretKey: "test-secret-key"}
)

// The peers are used as their documentation shows. putpost has nothing
// configured but the address.
var peers = []peer{
	{"put", "net/http, PUT of a file", putOnly, false, func(base string, h *http.Client) send {
		return func(path string) { put(h, base+"/put/file", path) }
	}},
	{"curl-T", "curl -T", putOnly, false, nil},
	{"putpost-M", "putpost M", form, false, func(base string, _ *http.Client) send {
		return through(must(ncloudmailer.New(keys, upload.Config{BaseURL: base + "/api/v1"})))
	}},
	{"buffer", "net/http + bytes.Buffer", form, true, func(base string, h *http.Client) send {
		return func(path string) {
			var body bytes.Buffer
			m := multipart.NewWriter(&body)
			writeForm(m, path)
			do(h, request(http.MethodPost, base+"/api/v1/files", m.FormDataContentType(), &body), nil)
		}
	}},
	{"pipe", "net/http + io.Pipe", form, false, func(base string, h *http.Client) send {
		return func(path string) {
			contentType, body := piped(path)
			do(h, request(http.MethodPost, base+"/api/v1/files", contentType, body), nil)
		}
	}},
	{"generated-M", "generated client + io.Pipe", form, false, func(base string, h *http.Client) send {
		c := must(mailapi.NewClientWithResponses(base+"/api/v1", mailapi.WithHTTPClient(h)))
		return func(path string) {
			contentType, body := piped(path)
			succeeded(must(c.CreateFileWithBodyWithResponse(ctx, contentType, body)).StatusCode())
		}
	}},
	{"curl-F", "curl -F", form, false, nil},
	{"resty-M", "resty M", form, true, func(base string, h *http.Client) send {
		c := resty.NewWithClient(h)
		return func(path string) {
			succeeded(must(c.R().SetFile("fileList", path).Post(base + "/api/v1/files")).StatusCode())
		}
	}},
	{"openai", "openai-go Files.New", form, true, func(base string, h *http.Client) send {
		c := openai.NewClient(option.WithBaseURL(base+"/openai/"), option.WithAPIKey(token), option.WithHTTPClient(h))
		return func(path string) {
			f := must(os.Open(path))
			defer f.Close()
			must(c.Files.New(ctx, openai.FileNewParams{File: f, Purpose: openai.FilePurposeUserData}))
		}
	}},
	{"putpost-P", "putpost P", twoCall, false, func(base string, _ *http.Client) send {
		tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
		return through(must(twentyfourseven.New(tokens, upload.Config{BaseURL: base + "/v1"})))
	}},
	{"two", "net/http, both calls", twoCall, false, func(base string, h *http.Client) send {
		return func(path string) {
			req := request(http.MethodPost, base+"/v1/fileUpload", "application/json", strings.NewReader(question))
			req.Header.Set("Authorization", "Bearer "+token)
			var to ticket
			do(h, req, &to)
			put(h, to.UploadURL, path)
		}
	}},
	{"generated-P", "generated client + net/http", twoCall, false, func(base string, h *http.Client) send {
		c := must(officeapi.NewClientWithResponses(base+"/v1", officeapi.WithHTTPClient(h)))
		return func(path string) {
			resp := must(c.FileUploadWithResponse(ctx, officeapi.FileUploadRequest{ContentType: mediaType}))
			succeeded(resp.StatusCode())
			put(h, resp.JSON200.UploadURL, path)
		}
	}},
	{"resty-P", "resty P", twoCall, true, func(base string, h *http.Client) send {
		c := resty.NewWithClient(h)
		return func(path string) {
			var to ticket
			ask := c.R().SetAuthToken(token).SetHeader("Content-Type", "application/json").SetResult(&to)
			succeeded(must(ask.SetBody(question).Post(base + "/v1/fileUpload")).StatusCode())
			r := c.R().SetHeader("Content-Type", mediaType).SetContentLength(true)
			succeeded(must(r.SetBody(must(os.ReadFile(path))).Put(to.UploadURL)).StatusCode())
		}
	}},
}

func peerNamed(name string) peer {
	return peers[slices.IndexFunc(peers, func(p peer) bool { return p.Name == name })]
}

// through returns the whole call of a user, who opens the file anew each time.
func through(u upload.Uploader) send {
	return func(path string) { must(u.Upload(ctx, must(upload.File(path)))) }
}

// stock returns net/http's default client with an idle connection for each
// upload.
func stock(atOnce int) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, max(2, atOnce)
	return &http.Client{Transport: t}
}

func request(method, url, contentType string, body io.Reader) *http.Request {
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

// put sends a file with its length. By itself net/http would not know the
// length.
func put(h *http.Client, url, path string) {
	f := must(os.Open(path))
	defer f.Close()
	req := request(http.MethodPut, url, mediaType, f)
	req.ContentLength = must(f.Stat()).Size()
	do(h, req, nil)
}

// ticket is 24SevenOffice's answer to fileUpload.
type ticket struct {
	UploadURL string          `json:"uploadUrl"`
	FileID    json.RawMessage `json:"fileId"`
}

// writeForm writes the form with one file.
func writeForm(m *multipart.Writer, path string) {
	f := must(os.Open(path))
	defer f.Close()
	must(io.Copy(must(m.CreateFormFile("fileList", filepath.Base(path))), f))
	check(m.Close())
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

// curl sends all files from one process: by -T, or by -F as a form. It names
// each upload, since curl 7.88 sends a form that uploads share only once.
func curl(peer, base string, paths []string, atOnce int) *exec.Cmd {
	upload := "url = \"" + base + "/api/v1/files\"\nform = fileList=@"
	if peer == "curl-T" {
		upload = "url = \"" + base + "/put/file\"\nheader = \"Content-Type: " + mediaType + "\"\nupload-file = "
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
