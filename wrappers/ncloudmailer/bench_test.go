package ncloudmailer_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/canned"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
)

// oneUpload returns a func that describes a file of size bytes and uploads it,
// over a real connection of the default transport. The server is in this
// process and allocates nothing.
func oneUpload(tb testing.TB, size int) func() {
	base := canned.Serve(tb, func(string) []canned.Answer {
		return []canned.Answer{{
			Request: "POST /api/v1/files ", Status: "201 Created",
			Body: `{"tempRequestId":"f355aac1-7776-4c0b-8484-20eaa065cb65-99","files":[{"fileName":"invoice.pdf","fileSize":` +
				strconv.Itoa(size) + `,"fileId":"40fe58bd-91fe-4f89-a62e-705a7c17d65e-99"}]}`,
		}}
	})
	path := filepath.Join(tb.TempDir(), "invoice.pdf")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		tb.Fatal(err)
	}
	client, err := ncloudmailer.New(ncloudmailer.Credentials{AccessKey: "test-access-key", SecretKey: "test-secret-key"},
		upload.Config{BaseURL: base + "/api/v1"})
	if err != nil {
		tb.Fatal(err)
	}
	ctx := tb.Context()
	return func() {
		src, err := upload.File(path)
		if err == nil {
			_, err = client.Upload(ctx, src)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}

func BenchmarkUpload16KiB(b *testing.B) {
	send := oneUpload(b, 16<<10)
	send()
	b.ReportAllocs()
	b.SetBytes(16 << 10)
	for b.Loop() {
		send()
	}
}
