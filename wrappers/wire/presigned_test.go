package wire_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

func presigned(t *testing.T, base string, client *http.Client) *wire.Presigned {
	t.Helper()
	cfg := upload.Config{BaseURL: base, HTTPClient: client, Header: http.Header{"X-Api": {"secret"}},
		Retry: upload.Retry{MaxWait: time.Millisecond}}
	d := newDoer(t, wire.API{}, cfg)
	return d.Presigned()
}

// store starts a store, and returns a client's presigned step and its address.
func store(t *testing.T, h http.HandlerFunc) (step *wire.Presigned, url string) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return presigned(t, srv.URL, nil), srv.URL
}

// letter is a body of one byte.
var letter = wire.Raw(upload.Bytes("a", []byte("x")))

// sendTo sends body to a URL and returns the failure.
func sendTo(t *testing.T, p *wire.Presigned, method, url string, body *wire.Body) error {
	t.Helper()
	_, err := p.Send(t.Context(), wire.Target{Method: method, URL: url}, body)
	return err
}

func TestPresignedSendsTheFileAndNothingElse(t *testing.T) {
	var got http.Header
	var uri, method, body string
	step, url := store(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, uri, method, body = r.Header, r.RequestURI, r.Method, string(b)
		w.WriteHeader(http.StatusCreated) // as Azure does
	})
	const path = "/up%2Fload/a%20b?X-Amz-Signature=a%2Bb%3D&x=%7e&y"
	must(t, sendTo(t, step, "put", url+path, wire.Raw(upload.Bytes("a.pdf", []byte("hello")))))
	if uri != path || method != "PUT" || body != "hello" {
		t.Errorf("%s %s %q, want PUT %s hello", method, uri, body, path)
	}
	want := http.Header{"Content-Length": {"5"}, "Content-Type": {"application/pdf"}, "User-Agent": {"putpost"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("headers %v, want %v", got, want)
	}
}

func TestPresignedTellsAzureTheBlobType(t *testing.T) {
	for url, want := range map[string]string{
		"https://host/c/b?sv=2024-01-01&sig=abc": "BlockBlob", "https://host/c/b?sig=abc": "",
		"https://host/c/b?sv=1":          "",
		"https://host/c/b?xsv=1&sig=abc": "", "https://account.blob.core.windows.net:443/c/b": "BlockBlob",
		"https://account.blob.core.windows.net.example.com/c/b": "",
	} {
		client := &http.Client{Transport: answers(func(req *http.Request) (*http.Response, error) {
			if got := req.Header.Get("X-Ms-Blob-Type"); got != want {
				t.Errorf("%s: blob type %q, want %q", url, got, want)
			}
			return respond(201, nil), nil
		})}
		step := presigned(t, "https://api", client)
		if err := sendTo(t, step, "PUT", url, letter); err != nil {
			t.Error(err)
		}
	}
}

// FuzzPresignedURL holds that a URL is sent as it was given, or not at all.
func TestPresignedRefusesWhatItCannotSendAsGiven(t *testing.T) {
	for _, tt := range []struct{ name, base, method, url string }{
		{"http although the API is https", "https://api", "PUT", "http://host/x?sig=hunter2"},
		{"user info", "https://api", "PUT", "https://user:hunter2@host/x"},
		{"fragment", "https://api", "PUT", "https://host/x?a=hunter2#f"},
		{"blank in the query", "https://api", "PUT", "https://host/a?sig=hunter2&name=a b"},
		{"other scheme", "https://api", "PUT", "ftp://host/x?sig=hunter2"},
		{"control character", "https://api", "PUT", "https://host/\x7f?sig=hunter2"},
		{"DELETE", "https://api", "DELETE", "https://host/x?sig=hunter2"},
		{"no method", "https://api", "", "https://host/x?sig=hunter2"},
		{"no host", "http://api", "PUT", "http:///x?sig=hunter2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nobody := &http.Client{Transport: answers(func(*http.Request) (*http.Response, error) {
				t.Error("the request went out")
				return respond(200, nil), nil
			})}
			err := sendTo(t, presigned(t, tt.base, nobody), tt.method, tt.url, letter)
			if f := failed(err); f.Op != "presigned" || !errors.Is(err, upload.ErrUnavailable) ||
				strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v, want ErrUnavailable without the query", err)
			}
		})
	}
}

func TestPresignedFollowsOnlyRedirectsThatKeepTheRequest(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		to     string // "" is the target on the same server
		want   error
		stored bool
	}{
		{"307", 307, "", nil, true},
		{"308", 308, "", nil, true},
		{"301 would change the method", 301, "", upload.ErrUnavailable, false},
		{"303 would change the method", 303, "", upload.ErrUnavailable, false},
		{"without Location", 307, "none", upload.ErrUnavailable, false},
		{"a loop", 307, "/loop", upload.ErrUnavailable, false},
		{"another scheme", 307, "ftp://SERVER/target", upload.ErrUnavailable, false},
		{"user info", 307, "http://user:pw@SERVER/target", upload.ErrUnavailable, false},
		{"no host", 307, "http:///target", upload.ErrUnavailable, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stored string
			var hops []string
			mux := http.NewServeMux()
			mux.HandleFunc("/target", func(_ http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				stored = string(b)
				hops = append(hops, r.Header.Get("Referer")+r.Header.Get("Authorization"))
			})
			mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				switch tt.to {
				case "":
					w.Header().Set("Location", "/target?sig=other")
				case "none":
				default:
					w.Header().Set("Location", strings.Replace(tt.to, "SERVER", r.Host, 1))
				}
				w.WriteHeader(tt.status)
			})
			step, url := store(t, mux.ServeHTTP)
			err := sendTo(t, step, "PUT", url+"/loop?sig=hunter2", wire.Raw(upload.Bytes("a", []byte("hello"))))
			if !errors.Is(err, tt.want) || (stored == "hello") != tt.stored || slices.Contains(hops, "hunter2") {
				t.Errorf("error %v, stored %q, want %v and stored: %t", err, stored, tt.want, tt.stored)
			}
			if f, ok := errors.AsType[*upload.Error](err); ok && f.Status != tt.status {
				t.Errorf("error %v, want the answer's status %d", err, tt.status)
			}
		})
	}
}

func TestPresignedIsNotLedFromHTTPSToHTTP(t *testing.T) {
	_, plain := store(t, func(http.ResponseWriter, *http.Request) { t.Error("the file went out in the clear") })
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Location", plain)
		w.WriteHeader(307)
	}))
	defer srv.Close()
	err := sendTo(t, presigned(t, srv.URL, srv.Client()), "PUT", srv.URL+"/x", letter)
	if f := failed(err); f.Status != 307 ||
		!strings.Contains(err.Error(), "only https") {
		t.Errorf("error %v, want the 307, saying that only https is followed", err)
	}
}

// Vendor, time and host are checked anew for each hop.
func TestEachHopIsLookedAtForItself(t *testing.T) {
	const azure, plain = "https://a.blob.core.windows.net/c/b?sv=1&sig=x", "https://store.example/b?signature=x"
	for _, tt := range []struct {
		name  string
		hops  []string
		given http.Header
		want  []string // blob type, authorization and ACL of each hop
	}{
		{"within Azure", []string{azure, azure + "&x=y"}, nil, []string{"BlockBlob||", "BlockBlob||"}},
		{"from Azure and back", []string{azure, plain, azure}, nil, []string{"BlockBlob||", "||", "BlockBlob||"}},
		{"within a host", []string{plain, plain + "&x"},
			http.Header{"authorization": {"RemoteAuth"}, "X-Amz-Acl": {"private"}}, []string{"|RemoteAuth|private",
				"|RemoteAuth|private"}},
		{"to another host", []string{plain, "https://other.example/b"},
			http.Header{"Authorization": {"RemoteAuth"}, "X-Amz-Acl": {"private"}}, []string{"|RemoteAuth|private",
				"||private"}},
		{"another blob type", []string{azure}, http.Header{"x-ms-blob-type": {"AppendBlob"}}, []string{"AppendBlob||"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			client := &http.Client{Transport: answers(func(req *http.Request) (*http.Response, error) {
				got = append(got,
					req.Header.Get("X-Ms-Blob-Type")+"|"+
						req.Header.Get("Authorization")+"|"+req.Header.Get("X-Amz-Acl"))
				if n := len(got); n < len(tt.hops) && req.URL.String() == tt.hops[n-1] {
					return respond(307, http.Header{"Location": {tt.hops[n]}}), nil
				}
				return respond(201, nil), nil
			})}
			to := wire.Target{Method: "PUT", URL: tt.hops[0], Header: tt.given}
			if _, err := presigned(t, "https://api", client).Send(t.Context(), to, letter); err != nil {
				t.Error(err)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPresignedSendsTheHeadersThatTheAPIHandsOut(t *testing.T) {
	var got http.Header
	step, url := store(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.Header().Set("ETag", `"abc"`)
	})
	header := http.Header{"x-amz-acl": {"private"}, "Content-Type": {"text/x-own"}, "Content-Length": {"99"},
		"Host": {"elsewhere"}}
	to := wire.Target{Method: "PUT", URL: url, Header: header}
	answer, err := step.Send(t.Context(), to, wire.Raw(upload.Bytes("a.pdf", []byte("hello"))))
	if err != nil || answer.Get("ETag") != `"abc"` {
		t.Errorf("%v, %v, want the ETag", answer, err)
	}
	want := http.Header{"Content-Length": {"5"}, "Content-Type": {"text/x-own"}, "User-Agent": {"putpost"},
		"X-Amz-Acl": {"private"}}
	got.Del("Accept-Encoding")
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("headers %v, want %v", got, want)
	}
	// A transport that would send them must not get them.
	careless := &http.Client{Transport: slow(0)}
	for _, to.Header = range []http.Header{{"X Y": {"hunter2"}}, {"X-Y": {"hunter2\r\nX-Z: 1"}}} {
		_, err := presigned(t, url, careless).Send(t.Context(), to, letter)
		if !errors.Is(err, upload.ErrUnavailable) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v, want upload.ErrUnavailable", err)
		}
	}
}

// Google's resumable uploads answer 308 without a Location to every part but
// the last.
func TestPartOfAFileMayBeAnsweredWith308(t *testing.T) {
	step, url := store(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Range", "bytes=0-4")
		if r.URL.Path == "/moved" {
			w.WriteHeader(307)
			return
		}
		w.WriteHeader(308)
	})
	body := wire.Raw(upload.Bytes("a", []byte("hello")))
	part := wire.Target{Method: "PUT", URL: url, Header: http.Header{"Content-Range": {"bytes 0-4/10"}}}
	if answer, err := step.Send(t.Context(), part, body); err != nil || answer.Get("Range") != "bytes=0-4" {
		t.Errorf("a part: %v, %v", answer, err)
	}
	part.URL += "/moved"
	if _, err := step.Send(t.Context(), part, body); !errors.Is(err, upload.ErrUnavailable) {
		t.Errorf("a part that is moved without a Location: %v, want upload.ErrUnavailable", err)
	}
	if err := sendTo(t, step, "PUT", url, body); !errors.Is(err, upload.ErrUnavailable) {
		t.Errorf("a whole file: %v, want upload.ErrUnavailable", err)
	}
}
