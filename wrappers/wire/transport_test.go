package wire_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// childURL is set in the process that TestOwnTransportOverTLS starts: the
// system's certificates are read once a process, so trusting the test server
// takes one of its own.
const childURL = "PUTPOST_WIRE_TEST_URL"

func TestOwnTransportOverTLS(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // 3 MiB: many records, many writes
	if url := os.Getenv(childURL); url != "" {
		for _, size := range []int{0, 1, 16 << 10, 48 << 10, len(content)} {
			d, err := wire.NewDoer(wire.API{}, upload.Config{BaseURL: url})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Presigned().Send(t.Context(), "PUT", url+"/x", wire.Raw(upload.Bytes("a", content[:size]))); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	var got []int
	srv := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(body, content[:len(body)]) || r.Proto != "HTTP/1.1" {
			t.Errorf("%d bytes over %s, error %v", len(body), r.Proto, err)
		}
		got = append(got, len(body))
	}))
	srv.EnableHTTP2 = true
	defer srv.Close()
	trusted := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), childURL+"="+srv.URL, "SSL_CERT_FILE="+trusted, "SSL_CERT_DIR=/nonexistent")
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(got) != 5 || got[0] != 0 || got[4] != len(content) {
		t.Errorf("the server got bodies of %v bytes", got)
	}
}

func TestServerThatIsNotTrustedGetsNothing(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the request went out") }))
	defer srv.Close()
	srv.Config.ErrorLog = nil
	cfg := upload.Config{BaseURL: srv.URL, Retry: upload.Retry{MaxWait: time.Millisecond}}
	d, err := wire.NewDoer(wire.API{}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = d.Presigned().Send(t.Context(), "PUT", srv.URL+"/x?signature=hunter2", wire.Raw(upload.Bytes("a", []byte("x"))))
	if !errors.Is(err, upload.ErrUnavailable) || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v, want ErrUnavailable naming the certificate", err)
	}
}
