package twentyfourseven_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/internal/canned"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

// BenchmarkUpload16KiB makes both calls of an upload, the file's description
// included, over real connections. The server is in this process and allocates
// nothing.
func BenchmarkUpload16KiB(b *testing.B) {
	base := canned.Serve(b, func(base string) []canned.Answer {
		return []canned.Answer{
			{Request: "POST /v1/fileUpload ", Status: "200 OK", Body: `{"uploadMethod":"PUT","uploadUrl":"` + base +
				`/upload/67890?X-Amz-Expires=900&X-Amz-Signature=d41d8cd98f00b204e9800998ecf8427e","fileId":67890}`},
			{Request: "PUT /upload/67890?", Status: "200 OK"},
		}
	})
	path := filepath.Join(b.TempDir(), "invoice.pdf")
	if err := os.WriteFile(path, make([]byte, 16<<10), 0o600); err != nil {
		b.Fatal(err)
	}
	client, err := twentyfourseven.New(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "test-token"}),
		upload.Config{BaseURL: base + "/v1"})
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	send := func() {
		src, err := upload.File(path)
		if err == nil {
			_, err = client.Upload(ctx, src)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	send()
	b.ReportAllocs()
	b.SetBytes(16 << 10)
	for b.Loop() {
		send()
	}
}
