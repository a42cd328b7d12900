package s3_test

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/store/s3"
)

// scripted opens a store whose server is answer. The tests use it only for
// failures, not to imitate a real server.
func scripted(t *testing.T, answer http.HandlerFunc) *s3.Store {
	t.Helper()
	srv := httptest.NewServer(answer)
	t.Cleanup(srv.Close)
	st, err := s3.OpenOnce("s3://bucket/prefix?endpoint="+srv.URL, cred)
	must(t, err)
	return st
}

func TestFailuresAreReported(t *testing.T) {
	const page = "<html><body>the proxy\nat https://proxy.example.com?token=secret-of-the-test</body></html>"
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"an error of S3", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			io.WriteString(w, `<?xml version="1.0"?>`+
				`<Error><Code>AccessDenied</Code><Message>Access
				Denied.</Message><StringToSign>secret-of-the-test</StringToSign></Error>`)
		}, "not permitted: Access Denied. (status 403 Forbidden, code AccessDenied)"},
		{"a page", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(407)
			io.WriteString(w, page)
		}, "invalid: the answer is not from S3: check the endpoint, and the proxy if there is one " +
			"(status 407 Proxy Authentication Required)"},
		{"another region", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Amz-Bucket-Region", "eu-north-1")
			w.WriteHeader(400)
			io.WriteString(w, `<Error><Code>AuthorizationHeaderMalformed</Code><Message>Wrong.</Message></Error>`)
		}, "invalid: Wrong. The bucket is in the region eu-north-1: set region=eu-north-1. " +
			"(status 400 Bad Request, code AuthorizationHeaderMalformed)"},
		{"a clock that is wrong", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", "Mon, 02 Jan 2006 15:04:05 GMT")
			w.WriteHeader(403)
			io.WriteString(w, `<Error><Code>RequestTimeTooSkewed</Code><Message>Too far.</Message></Error>`)
		}, "not permitted: Too far. The store's clock says 2006-01-02T15:04:05Z and this machine's " +
			"2013-05-24T00:00:00Z: " +
			"set the one that is wrong. (status 403 Forbidden, code RequestTimeTooSkewed)"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "https://other.example.com/?X-Amz-Signature=x")
			w.WriteHeader(307)
		}, "unavailable: redirect to https://other.example.com is not followed (status 307 Temporary Redirect)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			st := scripted(t, tt.answer)
			s3.SetClock(st, time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC))
			_, err := st.Put(t.Context(), "a", "text/plain", strings.NewReader("x"))
			if err == nil || err.Error() != "put a: s3: PutObject: "+tt.want {
				t.Errorf("Put: error %q, want one that ends in %q", err, tt.want)
			}
			_, _, err = st.Open(t.Context(), "a")
			if err == nil || err.Error() != "open a: s3: GetObject: "+tt.want {
				t.Errorf("Open: error %q, want one that ends in %q", err, tt.want)
			}
			_, err = st.Put(t.Context(), "a", "text/plain", zeros(2*part))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Put of more: error %q, want %q", err, tt.want)
			}
			wantClean(t, err)
		})
	}
}

func TestAFailedUploadIsAbortedOnceAndItsErrorIsTheFirst(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	st := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		q := r.URL.Query()
		switch {
		case q.Has("uploads"):
			seen = append(seen, "start")
			io.WriteString(w, `<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>prefix/a</Key>`+
				`<UploadId>the-id</UploadId></InitiateMultipartUploadResult>`)
		case q.Has("partNumber"):
			seen = append(seen, "part "+q.Get("partNumber"))
			w.Header().Set("ETag", `"x"`)
		case r.Method == http.MethodPost: // S3 has sent its 200 by the time that it knows
			seen = append(seen, "complete")
			io.WriteString(w, `<?xml version="1.0"?>`+
				`<Error><Code>InvalidPart</Code><Message>no such part</Message></Error>`)
		case r.Method == http.MethodDelete:
			seen = append(seen, "abort "+q.Get("uploadId"))
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `<Error><Code>NoSuchUpload</Code><Message>gone already</Message></Error>`)
		default:
			t.Errorf("%s %s", r.Method, r.URL)
		}
	})
	_, err := st.Put(t.Context(), "a", "text/plain", zeros(part+1))
	if err == nil || !strings.Contains(err.Error(), "InvalidPart: no such part") ||
		strings.Contains(err.Error(), "gone") {
		t.Errorf("error %v, want InvalidPart alone", err)
	}
	if got, want := strings.Join(seen, ", "), "start, part 1, part 2, complete, abort the-id"; got != want {
		t.Errorf("the requests were %s, want %s", got, want)
	}
}

func TestUpToOnePartIsOneRequest(t *testing.T) {
	for _, size := range []int64{0, 1, 64 << 10, 64<<10 + 1, part} {
		requests := 0
		st := scripted(t, func(w http.ResponseWriter, r *http.Request) {
			requests++
			if n, err := io.Copy(io.Discard, r.Body); r.Method != http.MethodPut || n != size ||
				r.ContentLength != size ||
				err != nil {
				t.Errorf("%s of %d bytes with the length %d, %v", r.Method, n, r.ContentLength, err)
			}
		})
		if n, err := st.Put(t.Context(), "a", "text/plain", zeros(size)); err != nil || n != size {
			t.Errorf("Put of %d bytes = %d, %v", size, n, err)
		}
		if requests != 1 {
			t.Errorf("%d bytes took %d requests", size, requests)
		}
	}
}

func TestATornAnswerIsAnError(t *testing.T) {
	st := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "half")
	})
	body, _, err := st.Open(t.Context(), "a")
	must(t, err)
	defer body.Close()
	if _, err := io.ReadAll(body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want io.ErrUnexpectedEOF", err)
	}
}

func TestOnlyTheKeyItselfCanBeMissing(t *testing.T) {
	body := ""
	st := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(404)
		io.WriteString(w, body)
	})
	if _, _, err := st.Open(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of a 404: error %v, want fs.ErrNotExist", err)
	}
	if _, err := st.Put(t.Context(), "a", "", strings.NewReader("x")); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Put into a 404: error %v, want one that is not fs.ErrNotExist", err)
	}
	if err := st.Delete(t.Context(), "a"); err != nil {
		t.Errorf("Delete of a 404: %v", err)
	}
	body = `<Error><Code>NoSuchBucket</Code><Message>none</Message></Error>`
	if _, _, err := st.Open(t.Context(), "a"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open in no bucket: error %v, want one that is not fs.ErrNotExist", err)
	}
	if err := st.Delete(t.Context(), "a"); err == nil {
		t.Error("Delete in no bucket: no error")
	}
}

// Each request of a multipart upload fails once.
func TestAFailureIsTriedAgain(t *testing.T) {
	failed := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		request := r.Method + r.URL.RawQuery
		switch {
		case !failed[request]:
			failed[request] = true
			w.WriteHeader(http.StatusInternalServerError)
		case r.URL.Query().Has("uploads"):
			io.WriteString(w, `<InitiateMultipartUploadResult>`+
				`<UploadId>the-id</UploadId></InitiateMultipartUploadResult>`)
		case r.Method == http.MethodPost:
			io.WriteString(w, `<CompleteMultipartUploadResult></CompleteMultipartUploadResult>`)
		}
	}))
	defer srv.Close()
	st := opened(t, "s3://bucket?endpoint="+srv.URL)
	if n, err := st.Put(t.Context(), "a", "", zeros(part+1)); err != nil || n != part+1 || len(failed) != 4 {
		t.Errorf("Put = %d, %v after %d failures, want %d after 4", n, err, len(failed), part+1)
	}
}
