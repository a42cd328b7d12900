package foreign

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/oapi-codegen/runtime/types"

	"github.com/putpost/putpost/wrappers/internal/foreign/brackets"
	"github.com/putpost/putpost/wrappers/internal/foreign/mixed"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// arrival is one request as the server saw it.
type arrival struct {
	line string // method, path and query
	body []byte
	head http.Header
	size int64
}

// server answers the first request with 503 and the next with status.
type server struct {
	*httptest.Server
	arrived []arrival
}

func serve(t *testing.T, status int) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.arrived = append(s.arrived, arrival{r.Method + " " + r.URL.RequestURI(), body, r.Header, r.ContentLength})
		w.Header().Set("Content-Type", "application/json")
		if len(s.arrived) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"id":"1"}`)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) doer(t *testing.T) *wire.Doer {
	t.Helper()
	doer, err := wire.NewDoer(wire.API{Provider: "foreign", Repeatable: true},
		upload.Config{BaseURL: s.URL, Retry: upload.Retry{MaxWait: time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	return doer
}

func (s *server) mixed(t *testing.T) *mixed.Client {
	t.Helper()
	doer := s.doer(t)
	c, err := mixed.NewClient(doer.BaseURL, mixed.WithHTTPClient(doer))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *server) brackets(t *testing.T) *brackets.Client {
	t.Helper()
	doer := s.doer(t)
	c, err := brackets.NewClient(doer.BaseURL, brackets.WithHTTPClient(doer))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *server) typed(t *testing.T) *mixed.ClientWithResponses {
	t.Helper()
	return &mixed.ClientWithResponses{ClientInterface: s.mixed(t)}
}

// sum returns a short form of a file's content, for comparisons.
func sum(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

// parts lists a form's parts, one a line: name, file name, media type, content.
func (a arrival) parts(t *testing.T) string {
	t.Helper()
	_, params, err := mime.ParseMediaType(a.head.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for r := multipart.NewReader(bytes.NewReader(a.body), params["boundary"]); ; {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return strings.Join(lines, "\n")
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		line := part.FormName()
		for _, word := range []string{part.FileName(), part.Header.Get("Content-Type")} {
			if word != "" {
				line += " " + word
			}
		}
		if part.FileName() != "" {
			content = []byte(sum(content))
		}
		lines = append(lines, line+": "+string(content))
	}
}

var (
	small = bytes.Repeat([]byte("putpost "), 1000)
	large = bytes.Repeat([]byte("PUTPOST\n"), 300_000) // large enough to ask for 100 Continue
	at    = time.Date(2026, 11, 25, 18, 0, 0, 0, time.UTC)
)

func source(name string, content []byte) upload.Source { return upload.Bytes(name, content) }

func ptr[T any](v T) *T { return &v }

func TestFormsArriveAsTheirAPIsDescribeThem(t *testing.T) {
	var auto mixed.CreateTranscriptionRequest_ChunkingStrategy
	if err := auto.FromCreateTranscriptionRequestChunkingStrategy0("auto"); err != nil {
		t.Fatal(err)
	}
	var whisper mixed.CreateTranscriptionRequest_Model
	if err := whisper.FromCreateTranscriptionRequestModel0("whisper-1"); err != nil {
		t.Fatal(err)
	}
	box := mixed.PostFilesContentMultipartRequestBody{File: source("청구서.pdf", large)}
	box.Attributes.Name, box.Attributes.Parent.ID, box.Attributes.ContentCreatedAt = "청구서.pdf", "0", &at

	for _, tt := range []struct {
		name   string
		status int
		call   func(s *server) (*http.Response, error)
		line   string
		want   []string
	}{
		{"OpenAI, scalars, unions and an array", 200, func(s *server) (*http.Response, error) {
			r, err := s.typed(t).CreateTranscriptionWithFormWithResponse(t.Context(), mixed.CreateTranscriptionRequest{
				File: source("a.mp3", small), Model: whisper, Temperature: ptr(float32(0.5)),
				Stream: ptr(false), ChunkingStrategy: &auto,
				TimestampGranularities: &[]mixed.CreateTranscriptionRequestTimestampGranularities{mixed.Word,
					mixed.Segment},
			})
			if err != nil {
				return nil, err
			}
			if r.JSON200 == nil || r.JSON200.ID != "1" {
				t.Errorf("the typed answer is %+v", r.JSON200)
			}
			return r.HTTPResponse, nil
		}, "POST /openai/audio/transcriptions", []string{
			"chunking_strategy: auto", "model: whisper-1", "stream: false", "temperature: 0.5",
			"timestamp_granularities: word", "timestamp_granularities: segment", "file a.mp3 audio/mpeg: " + sum(small),
		}},
		{"OpenAI, parts with media types and no file", 201, func(s *server) (*http.Response, error) {
			body := mixed.CreateRealtimeCallMultipartRequestBody{Sdp: "v=0"}
			body.Session = &struct {
				Model *string `json:"model,omitempty"`
				Type  string  `json:"type"`
			}{Type: "realtime"}
			return s.mixed(t).CreateRealtimeCallWithForm(t.Context(), body)
		}, "POST /openai/realtime/calls", []string{`sdp application/sdp: v=0`,
			`session application/json: {"type":"realtime"}`}},
		{"Box, an object before a large file", 201, func(s *server) (*http.Response, error) {
			return s.mixed(t).PostFilesContentWithForm(t.Context(), &mixed.PostFilesContentParams{}, box)
		}, "POST /box/files/content", []string{
			`attributes application/json: {"content_created_at":"2026-11-25T18:00:00Z","name":"청구서.pdf",` +
				`"parent":{"id":"0"}}`,
			"file 청구서.pdf application/pdf: " + sum(large),
		}},
		{"ElevenLabs, several files", 200, func(s *server) (*http.Response, error) {
			return s.mixed(t).AddVoiceWithForm(t.Context(), mixed.AddVoiceMultipartRequestBody{
				Name: "v", Files: []upload.Source{source("1.wav", small), source("2.wav", large)},
			})
		}, "POST /elevenlabs/v1/voices/add", []string{
			"name: v", "files 1.wav audio/wav: " + sum(small), "files 2.wav audio/wav: " + sum(large),
		}},
		{"Immich, times and two kinds of file", 201, func(s *server) (*http.Response, error) {
			return s.mixed(t).UploadAssetWithForm(t.Context(), &mixed.UploadAssetParams{},
				mixed.UploadAssetMultipartRequestBody{
					AssetData: source("a.jpg", small), SidecarData: ptr(source("a.xmp", nil)),
					DeviceAssetID: "d", DeviceID: "", FileCreatedAt: at, FileModifiedAt: at,
					IsFavorite: ptr(true), LivePhotoVideoID: ptr(types.UUID{15: 1}),
				})
		}, "POST /immich/assets", []string{
			"deviceAssetId: d", "deviceId text/plain: ", "fileCreatedAt: 2026-11-25T18:00:00Z",
			"fileModifiedAt: 2026-11-25T18:00:00Z",
			"isFavorite: true", "livePhotoVideoId: 00000000-0000-0000-0000-000000000001",
			"assetData a.jpg image/jpeg: " + sum(small), "sidecarData a.xmp " +
				source("a.xmp", nil).ContentType + ": " +
				sum(nil),
		}},
		{"Asana, without its file", 200, func(s *server) (*http.Response, error) {
			return s.mixed(t).CreateAttachmentForObjectWithForm(t.Context(),
				mixed.CreateAttachmentForObjectMultipartRequestBody{
					Parent: "1", URL: ptr("https://example.com/a"), ResourceSubtype: ptr(mixed.External),
				})
		}, "POST /asana/attachments", []string{"parent: 1", "resource_subtype: external",
			"url: https://example.com/a"}},
		{"Dropbox Sign, objects and arrays taken apart", 200, func(s *server) (*http.Response, error) {
			return s.brackets(t).SignatureRequestSendWithForm(t.Context(), brackets.SignatureRequestSendRequest{
				Files: &[]upload.Source{source("nda.pdf", large), source("b.pdf", small)},
				Signers: &[]brackets.SubSignatureRequestSigner{
					{EmailAddress: "j@example.com", Name: "J", Order: ptr(0)},
					{EmailAddress: "k@example.com", Name: "K"},
				},
				CcEmailAddresses: &[]types.Email{"l@example.com"},
				FieldOptions:     &brackets.SubFieldOptions{DateFormat: "DD - MM - YYYY"},
				Metadata:         &map[string]any{"id": 1234, "text": "NDA #9"},
				TestMode:         ptr(true),
			})
		}, "POST /signature_request/send", []string{
			"cc_email_addresses[0]: l@example.com", "field_options[date_format]: DD - MM - YYYY",
			"metadata[id]: 1234", "metadata[text]: NDA #9",
			"signers[0][email_address]: j@example.com", "signers[0][name]: J", "signers[0][order]: 0",
			"signers[1][email_address]: k@example.com", "signers[1][name]: K", "test_mode: true",
			"files[0] nda.pdf application/pdf: " + sum(large), "files[1] b.pdf application/pdf: " + sum(small),
		}},
		{"Mattermost, one file", 201, func(s *server) (*http.Response, error) {
			return s.brackets(t).UploadFileWithForm(t.Context(), &brackets.UploadFileParams{ChannelID: ptr("c")},
				brackets.UploadFileMultipartRequestBody{ChannelID: ptr("c"), Files: ptr(source("a.png", small))})
		}, "POST /api/v4/files?channel_id=c", []string{"channel_id: c", "files a.png image/png: " + sum(small)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.status)
			resp, err := tt.call(s)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			s.check(t, resp.StatusCode, tt.status, tt.line)
			if got, want := s.arrived[0].parts(t), strings.Join(tt.want, "\n"); got != want {
				t.Errorf("the form arrived as\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestFilesArriveRaw(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		call   func(s *server) (*http.Response, error)
		line   string
	}{
		{"GitHub", 201, func(s *server) (*http.Response, error) {
			return s.mixed(t).ReposUploadReleaseAssetWithFile(t.Context(), "o", "r", 7,
				&mixed.ReposUploadReleaseAssetParams{Name: "a b.zip"}, source("a b.zip", large))
		}, "POST /github/repos/o/r/releases/7/assets?name=a+b.zip"},
		{"Canva", 200, func(s *server) (*http.Response, error) {
			r, err := s.typed(t).CreateAssetUploadJobWithFileWithResponse(t.Context(),
				&mixed.CreateAssetUploadJobParams{
					AssetUploadMetadata: struct {
						NameBase64 string `json:"name_base64"`
					}{"YQ=="},
				}, source("a.zip", large))
			if err != nil {
				return nil, err
			}
			return r.HTTPResponse, nil
		}, "POST /canva/v1/asset-uploads"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.status)
			resp, err := tt.call(s)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			s.check(t, resp.StatusCode, tt.status, tt.line)
			if got := s.arrived[0]; sum(got.body) != sum(large) ||
				got.head.Get("Content-Type") != "application/octet-stream" {
				t.Errorf("%d bytes of %s arrived, want %d of application/octet-stream", len(got.body),
					got.head.Get("Content-Type"), len(large))
			}
		})
	}
}

// check checks that the exact length of each body was announced, and that the
// second attempt sent the same bytes again.
func (s *server) check(t *testing.T, status, want int, line string) {
	t.Helper()
	if status != want || len(s.arrived) != 2 {
		t.Fatalf("status %d after %d requests, want %d after 2", status, len(s.arrived), want)
	}
	for _, a := range s.arrived {
		if a.line != line || a.size != int64(len(a.body)) {
			t.Errorf("%s with Content-Length %d and %d bytes, want %s", a.line, a.size, len(a.body), line)
		}
	}
	if sum(s.arrived[0].body) != sum(s.arrived[1].body) {
		t.Error("the second attempt sent another body than the first")
	}
}

func TestNothingIsSentOfAFormThatLacksItsFile(t *testing.T) {
	s := serve(t, 200)
	_, err := s.typed(t).AddVoiceWithFormWithResponse(t.Context(), mixed.AddVoiceMultipartRequestBody{Name: "v"})
	if !errors.Is(err, upload.ErrInvalid) || !strings.Contains(err.Error(), `"files"`) || len(s.arrived) != 0 {
		t.Errorf("error %v after %d requests, want ErrInvalid naming files, and no request", err, len(s.arrived))
	}
	gone := upload.Source{Name: "a.wav", Size: 1, Open: func() (io.ReadCloser, error) { return nil, os.ErrNotExist }}
	_, err = s.typed(t).AddVoiceWithFormWithResponse(t.Context(),
		mixed.AddVoiceMultipartRequestBody{Name: "v", Files: []upload.Source{gone}})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), `"files"`) || len(s.arrived) != 0 {
		t.Errorf("error %v after %d requests, want the cause, the field, and no request", err, len(s.arrived))
	}
}

// The copy here differs from the original only in the one word that a user may
// change.
func TestCopyOfTheConfigurationIsUpToDate(t *testing.T) {
	original, err := os.ReadFile("../../../.config/oapi-codegen-uploads.yaml")
	if err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile("uploads.config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if want := bytes.Replace(original, []byte(`{{$style := "" -}}`), []byte(`{{$style := "deepObject" -}}`),
		1); !bytes.Equal(copied, want) {
		t.Error("uploads.config.yaml is not .config/oapi-codegen-uploads.yaml with the style deepObject")
	}
}
