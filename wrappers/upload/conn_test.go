package upload_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

// If a source pauses, such as a pipe, the bytes read so far are sent.
func TestConnectionSendsEachReadAtOnce(t *testing.T) {
	first := bytes.Repeat([]byte("a"), 1000)
	arrived := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got := make([]byte, len(first))
		if _, err := io.ReadFull(r.Body, got); err != nil || !bytes.Equal(got, first) {
			t.Errorf("%d bytes %.10q and %v arrived before the pause", len(got), got, err)
		}
		close(arrived)
		if rest, err := io.ReadAll(r.Body); len(rest) != 200_000 || err != nil {
			t.Errorf("%d bytes and %v arrived after the pause", len(rest), err)
		}
	}))
	defer srv.Close()
	r, w := io.Pipe()
	go func() {
		_, _ = w.Write(first)
		<-arrived
		_, _ = w.Write(make([]byte, 200_000))
		w.Close()
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, srv.URL, r)
	must(t, err)
	req.ContentLength = int64(len(first)) + 200_000
	resp, err := upload.NewTransport().RoundTrip(req)
	must(t, err)
	resp.Body.Close()
}
