package wire_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

func TestFetchTakesOnlyTheWholeFile(t *testing.T) {
	const content = "content"
	md5sum, sha := md5.Sum([]byte(content)), sha256.Sum256([]byte(content))
	sum64 := base64.StdEncoding.EncodeToString
	for _, tt := range []struct {
		name   string
		status int
		header map[string]string
		max    int64
		want   error
		n      int64
	}{
		{"a file", 200, nil, 0, nil, 7},
		{"a file as large as allowed", 200, nil, 7, nil, 7},
		{"a larger one", 200, nil, 6, upload.ErrTooLarge, 0},
		{"a larger one of unknown length", 200, map[string]string{"Trailer": "X"}, 6, upload.ErrTooLarge, 6},
		{"one of unknown length", 200, map[string]string{"Trailer": "X"}, 7, nil, 7},
		{"one that breaks off", 200, map[string]string{"Content-Length": "8"}, 0, upload.ErrUnavailable, 7},
		{"a part", 206, nil, 0, upload.ErrUnavailable, 0},
		{"the right MD5", 200, map[string]string{"Content-MD5": sum64(md5sum[:])}, 7, nil, 7},
		{"a wrong MD5", 200, map[string]string{"Content-MD5": sum64(sha[:16])}, 0, upload.ErrUnavailable, 7},
		{"Google's right MD5", 200, map[string]string{"X-Goog-Hash": "crc32c=AAAAAA==, md5=" + sum64(md5sum[:])}, 0,
			nil, 7},
		{"Google's wrong MD5", 200, map[string]string{"X-Goog-Hash": "crc32c=AAAAAA==,md5=" + sum64(sha[:16])}, 0,
			upload.ErrUnavailable, 7},
		{"Google's CRC alone", 200, map[string]string{"X-Goog-Hash": "crc32c=AAAAAA=="}, 0, nil, 7},
		{"S3's right hash", 200, map[string]string{"x-amz-checksum-sha256": sum64(sha[:])}, 0, nil, 7},
		{"S3's wrong hash", 200, map[string]string{"x-amz-checksum-sha256": sum64(md5sum[:])}, 0,
			upload.ErrUnavailable, 7},
		{"S3's hash of parts", 200, map[string]string{"x-amz-checksum-sha256": sum64(md5sum[:]) + "-2"}, 0, nil, 7},
		{"gone", 404, nil, 0, upload.ErrNotFound, 0},
		{"expired", 400, nil, 0, upload.ErrExpired, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			step, url := store(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != "GET" || r.RequestURI != "/x?signature=hunter2hunter2" {
					t.Errorf("%s %s", r.Method, r.RequestURI)
				}
				for name, value := range tt.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(tt.status)
				if tt.status >= 400 {
					io.WriteString(w, "<Error><Code>ExpiredToken</Code></Error>")
					return
				}
				io.WriteString(w, content)
			})
			var got bytes.Buffer
			n, err := step.Fetch(t.Context(), url+"/x?signature=hunter2hunter2", &got, tt.max)
			if !errors.Is(err, tt.want) || n != tt.n || got.String() != content[:tt.n] {
				t.Errorf("%d bytes, %q, %v, want %d and %v", n, &got, err, tt.n, tt.want)
			}
			if f, ok := errors.AsType[*upload.Error](err); ok &&
				(f.Op != "presigned" || f.Status != tt.status || strings.Contains(f.Error(), "hunter2")) {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestFetchIsRepeatedBeforeTheFirstByteOnly(t *testing.T) {
	calls := 0
	step, url := store(t, func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls == 1 {
			w.WriteHeader(503)
			return
		}
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "a part")
	})
	var got bytes.Buffer
	n, err := step.Fetch(t.Context(), url, &got, 0)
	if !errors.Is(err, upload.ErrUnavailable) || n != 6 || calls != 2 ||
		!strings.Contains(err.Error(), "after 6 bytes") {
		t.Errorf("%d bytes after %d calls, %v", n, calls, err)
	}
}

// The announced hash is the hash of the bytes in the store.
func TestFetchReadsWhatIsCompressedOnTheWay(t *testing.T) {
	step, url := store(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-MD5", "of the compressed bytes")
		io.WriteString(w, zipped("content"))
	})
	var got bytes.Buffer
	n, err := step.Fetch(t.Context(), url, &got, 7)
	if err != nil || n != 7 || got.String() != "content" {
		t.Errorf("%d bytes, %q, %v", n, &got, err)
	}
	if _, err := step.Fetch(t.Context(), url, &got, 6); !errors.Is(err, upload.ErrTooLarge) {
		t.Errorf("%v, want upload.ErrTooLarge", err)
	}
}

// A caller's own transport may not notice that a body is short.
func TestFetchCountsTheBytes(t *testing.T) {
	client := &http.Client{Transport: answers(func(*http.Request) (*http.Response, error) {
		resp := respond(200, nil)
		resp.ContentLength, resp.Body = 8, io.NopCloser(strings.NewReader("content"))
		return resp, nil
	})}
	n, err := presigned(t, "https://api", client).Fetch(t.Context(), "https://host/x", io.Discard, 0)
	if !errors.Is(err, upload.ErrUnavailable) || n != 7 {
		t.Errorf("%d bytes, %v, want upload.ErrUnavailable", n, err)
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestFetchSaysThatTheWriterFailed(t *testing.T) {
	step, url := store(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "content") })
	if _, err := step.Fetch(t.Context(), url, full{}, 0); !errors.Is(err, errFull) ||
		!errors.Is(err, upload.ErrInvalid) {
		t.Errorf("%v, want the writer's failure", err)
	}
	for _, url := range []string{"", "ftp://host/x", "http://user:pw@host/x"} {
		_, err := step.Fetch(t.Context(), url, full{}, 0)
		if !errors.Is(err, upload.ErrUnavailable) || strings.Contains(err.Error(), "pw") {
			t.Errorf("%q: %v, want upload.ErrUnavailable", url, err)
		}
	}
}
