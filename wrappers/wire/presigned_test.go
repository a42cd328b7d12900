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
	cfg := upload.Config{BaseURL: base, HTTPClient: client, Header: http.Header{"X-Api": {"secret"}}, Retry: upload.Retry{MaxWait: time.Millisecond}}
	d, err := wire.NewDoer(wire.API{Provider: "example"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d.Presigned()
}

func TestPresignedSendsTheFileAndNothingElse(t *testing.T) {
	var got http.Header
	var uri, method, body string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, uri, method, body = r.Header, r.RequestURI, r.Method, string(b)
		w.WriteHeader(http.StatusCreated) // as Azure does
	}))
	defer srv.Close()
	const path = "/up%2Fload/a%20b?X-Amz-Signature=a%2Bb%3D&x=%7e&y"
	if err := presigned(t, srv.URL, nil).Send(t.Context(), "put", srv.URL+path, wire.Raw(upload.Bytes("a.pdf", []byte("hello")))); err != nil {
		t.Fatal(err)
	}
	if uri != path || method != "PUT" || body != "hello" {
		t.Errorf("%s %s %q, want PUT %s hello", method, uri, body, path)
	}
	want := http.Header{"Content-Length": {"5"}, "Content-Type": {"application/pdf"}, "User-Agent": {"putpost"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("headers %v, want %v", got, want)
	}
}

func TestPresignedTellsAzureTheBlobType(t *testing.T) {
	var got string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("x-ms-blob-type") }))
	defer srv.Close()
	for query, want := range map[string]string{"?sv=2024-01-01&sig=abc": "BlockBlob", "?sig=abc": "", "?sv=1": "", "?xsv=1&sig=abc": "", "": ""} {
		if err := presigned(t, srv.URL, nil).Send(t.Context(), "PUT", srv.URL+"/c/b"+query, wire.Raw(upload.Bytes("a", []byte("x")))); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", query, got, err, want)
		}
	}
}

func TestPresignedKnowsAzureByItsHost(t *testing.T) {
	for host, want := range map[string]string{"account.blob.core.windows.net": "BlockBlob", "blob.core.windows.net.example.com": ""} {
		client := &http.Client{Transport: answers(func(req *http.Request) (*http.Response, error) {
			if got := req.Header.Get("X-Ms-Blob-Type"); got != want {
				t.Errorf("%s: blob type %q, want %q", host, got, want)
			}
			return respond(201, nil), nil
		})}
		if err := presigned(t, "https://api", client).Send(t.Context(), "PUT", "https://"+host+":443/c/b", wire.Raw(upload.Bytes("a", []byte("x")))); err != nil {
			t.Error(err)
		}
	}
}

func TestPresignedUsesTheMethodThatTheAPINames(t *testing.T) {
	for method, want := range map[string]string{"PUT": "PUT", "put": "PUT", "POST": "POST", "Post": "POST"} {
		client := &http.Client{Transport: answers(func(req *http.Request) (*http.Response, error) {
			if req.Method != want {
				t.Errorf("%q became %q, want %q", method, req.Method, want)
			}
			return respond(200, nil), nil
		})}
		if err := presigned(t, "https://api", client).Send(t.Context(), method, "https://host/x", wire.Raw(upload.Bytes("a", []byte("x")))); err != nil {
			t.Errorf("%q: %v", method, err)
		}
	}
}

func TestPresignedRefusesWhatItCannotSendAsGiven(t *testing.T) {
	for _, tt := range []struct{ name, base, method, url string }{
		{"http although the API is https", "https://api", "PUT", "http://host/x?sig=hunter2"},
		{"user info", "https://api", "PUT", "https://user:hunter2@host/x"},
		{"fragment", "https://api", "PUT", "https://host/x?a=hunter2#f"},
		{"blank in the path", "https://api", "PUT", "https://host/a b?sig=hunter2"},
		{"blank in the query", "https://api", "PUT", "https://host/a?sig=hunter2&name=a b"},
		{"query that is not ASCII", "https://api", "PUT", "https://host/a?sig=hunter2&name=한"},
		{"path that is not ASCII", "https://api", "PUT", "https://host/한?sig=hunter2"},
		{"other scheme", "https://api", "PUT", "ftp://host/x?sig=hunter2"},
		{"no scheme", "https://api", "PUT", "/x?sig=hunter2"},
		{"empty", "https://api", "PUT", ""},
		{"control character", "https://api", "PUT", "https://host/\x7f?sig=hunter2"},
		{"DELETE", "https://api", "DELETE", "https://host/x?sig=hunter2"},
		{"no method", "https://api", "", "https://host/x?sig=hunter2"},
		{"no host", "http://api", "PUT", "http:///x?sig=hunter2"},
		{"scheme in capitals", "https://api", "PUT", "HTTPS://host/x?sig=hunter2"},
		{"empty fragment", "https://api", "PUT", "https://host/x?sig=hunter2#"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nobody := &http.Client{Transport: answers(func(*http.Request) (*http.Response, error) {
				t.Error("the request went out")
				return respond(200, nil), nil
			})}
			err := presigned(t, tt.base, nobody).Send(t.Context(), tt.method, tt.url, wire.Raw(upload.Bytes("a", []byte("x"))))
			f, _ := errors.AsType[*upload.Error](err)
			if f == nil || f.Op != "presigned" || !errors.Is(err, upload.ErrUnavailable) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v, want ErrUnavailable without the query", err)
			}
		})
	}
}

func TestPresignedReadsTheStoresOwnErrors(t *testing.T) {
	xml := func(code, message string) string {
		return "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>" + code + "</Code><Message>" + message + "</Message></Error>"
	}
	past := "&X-Amz-Date=20200101T000000Z&X-Amz-Expires=60"
	ago := func(seconds int) string {
		return time.Now().Add(-time.Duration(seconds) * time.Second).UTC().Format("20060102T150405Z")
	}
	for _, tt := range []struct {
		name, query string
		status      int
		body        string
		kind        error
		attempts    int
	}{
		{"S3 expired", "", 403, xml("AccessDenied", "Request has expired"), upload.ErrExpired, 1},
		{"S3 denied", "", 403, xml("AccessDenied", "Access Denied"), upload.ErrForbidden, 1},
		{"S3 signature", "", 403, xml("SignatureDoesNotMatch", "no"), upload.ErrForbidden, 1},
		{"S3 request timeout", "", 400, xml("RequestTimeout", "idle"), upload.ErrUnavailable, 4},
		{"S3 too large", "", 400, xml("EntityTooLarge", "big"), upload.ErrTooLarge, 1},
		{"S3 slow down", "", 503, xml("SlowDown", "slow"), upload.ErrUnavailable, 4},
		{"GCS expired", "", 400, xml("ExpiredToken", "Invalid argument."), upload.ErrExpired, 1},
		{"R2 expired", "", 403, xml("ExpiredRequest", "Request has expired"), upload.ErrExpired, 1},
		{"Azure expired", "", 403, `<Error><Code>AuthenticationFailed</Code><Message>no</Message><AuthenticationErrorDetail>Signature not valid in the specified time frame: Start</AuthenticationErrorDetail></Error>`, upload.ErrExpired, 1},
		{"Azure expired, by its URL", "&sv=1&sig=x&se=2020-01-01T00:00:00Z", 403, xml("AuthenticationFailed", "no"), upload.ErrExpired, 1},
		{"expired by its URL, no body", past, 403, "", upload.ErrExpired, 1},
		{"not yet over by its URL", strings.Replace(past, "2020", "2220", 1), 403, "", upload.ErrForbidden, 1},
		{"over by its URL, and the store is down", past, 503, "", upload.ErrUnavailable, 4},
		{"over by its URL, and the bucket is gone", past, 404, "", upload.ErrNotFound, 1},
		{"S3, over for a second", "&X-Amz-Expires=3600&X-Amz-Date=" + ago(3601), 403, "", upload.ErrExpired, 1},
		{"S3, good for a minute", "&X-Amz-Expires=3600&X-Amz-Date=" + ago(3540), 403, "", upload.ErrForbidden, 1},
		{"S3, no Expires", "&X-Amz-Date=" + ago(3600), 403, "", upload.ErrForbidden, 1},
		{"S3, no Date", "&X-Amz-Expires=60", 403, "", upload.ErrForbidden, 1},
		{"GCS, over for a second", "&X-Goog-Expires=60&X-Goog-Date=" + ago(61), 403, "", upload.ErrExpired, 1},
		{"GCS, good for a minute", "&X-Goog-Expires=3600&X-Goog-Date=" + ago(3540), 403, "", upload.ErrForbidden, 1},
		{"Azure, over since a day", "&sig=x&se=2020-01-01", 403, "", upload.ErrExpired, 1},
		{"Azure, over since a minute", "&sig=x&se=2020-01-01T10:00Z", 403, "", upload.ErrExpired, 1},
		{"Azure, not yet over", "&sig=x&se=2220-01-01T10:00:00Z", 403, "", upload.ErrForbidden, 1},
		{"Azure, no time", "&sig=x&se=soon", 403, "", upload.ErrForbidden, 1},
		{"se of something else", "&se=2020-01-01", 403, "", upload.ErrForbidden, 1},
		{"HTML", "", 502, "<html><body>Bad gateway</body></html>", upload.ErrUnavailable, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tt.status); io.WriteString(w, tt.body) }))
			defer srv.Close()
			err := presigned(t, srv.URL, nil).Send(t.Context(), "PUT", srv.URL+"/x?signature=hunter2hunter2"+tt.query, wire.Raw(upload.Bytes("a", []byte("x"))))
			f, _ := errors.AsType[*upload.Error](err)
			if f == nil || !errors.Is(err, tt.kind) || f.Status != tt.status || f.Attempts != tt.attempts || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v, want %v, status %d, %d attempts", err, tt.kind, tt.status, tt.attempts)
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
			srv := httptest.NewServer(mux)
			defer srv.Close()
			err := presigned(t, srv.URL, nil).Send(t.Context(), "PUT", srv.URL+"/loop?sig=hunter2", wire.Raw(upload.Bytes("a", []byte("hello"))))
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
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the file went out in the clear") }))
	defer plain.Close()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Location", plain.URL)
		w.WriteHeader(307)
	}))
	defer srv.Close()
	err := presigned(t, srv.URL, srv.Client()).Send(t.Context(), "PUT", srv.URL+"/x", wire.Raw(upload.Bytes("a", []byte("x"))))
	if f, _ := errors.AsType[*upload.Error](err); f == nil || f.Status != 307 || !strings.Contains(err.Error(), "only https") {
		t.Errorf("error %v, want the 307, saying that only https is followed", err)
	}
}
