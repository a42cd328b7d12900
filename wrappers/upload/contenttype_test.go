package upload_test

import (
	"mime"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

func TestContentTypeGoesByTheNameThenByTheFirstBytes(t *testing.T) {
	const png, pdf = "\x89PNG\r\n\x1a\n", "%PDF-1.7"
	for _, tc := range []struct{ name, content, want string }{
		{"a.pdf", "", "application/pdf"},
		{"A.PDF", "", "application/pdf"},
		{"dir.png/a.Pdf", "", "application/pdf"},
		{`dir.png\a.pdf`, "", "application/pdf"},
		{"a.pdf", png, "application/pdf"}, // the name counts first
		{"backup.tar.gz", "", "application/gzip"},
		{"견적서.hwp", "", "application/x-hwp"},
		{"test.txt", png, "text/plain"},
		{"photo", png, "image/png"},
		{"photo.unheard-of", png, "image/png"},
		{"dir.pdf/photo", png, "image/png"}, // a directory's extension says nothing
		{`dir.pdf\photo`, png, "image/png"},
		{"paper.", pdf, "application/pdf"},
		{"notes", "plain words", "text/plain; charset=utf-8"},
		{"noise", "\x00\x01\x02\x03", "application/octet-stream"},
		{"late", strings.Repeat("\x00", 512) + pdf, "application/octet-stream"}, // beyond the bytes that are looked at
		{"empty", "", "application/octet-stream"},
		{"", "", "application/octet-stream"},
	} {
		if got := upload.Bytes(tc.name, []byte(tc.content)).ContentType; got != tc.want {
			t.Errorf("%q with content %.10q: %q, want %q", tc.name, tc.content, got, tc.want)
		}
		if got := upload.ReaderAt(tc.name, strings.NewReader(tc.content+pdf),
			int64(len(tc.content))).ContentType; got != tc.want {
			t.Errorf("%q read from %.10q: %q, want %q", tc.name, tc.content, got, tc.want)
		}
	}
}

func TestContentTypeOfAReaderGoesByTheNameAlone(t *testing.T) {
	for name, want := range map[string]string{"a.PNG": "image/png", "a": "application/octet-stream"} {
		src := upload.Reader(name, strings.NewReader("%PDF-1.7"), 8)
		if src.ContentType != want {
			t.Errorf("%q: %q, want %q", name, src.ContentType, want)
		}
		if got := contentOf(t, src); got != "%PDF-1.7" {
			t.Errorf("%q: %q is left of the stream", name, got)
		}
	}
}

func TestContentTypeOfAFileIsFoundInItsBytes(t *testing.T) {
	_, src := onDisk(t, "scan", "%PDF-1.7 "+strings.Repeat("x", 4096))
	if src.ContentType != "application/pdf" {
		t.Errorf("content type %q", src.ContentType)
	}
}

// The signature of a presigned URL covers the type, so it must be the same on
// every machine.
func TestContentTypeDoesNotDependOnTheMachine(t *testing.T) {
	for _, ext := range []string{".txt", ".pdf", ".unheard-of"} {
		must(t, mime.AddExtensionType(ext, "application/x-this-machine-only"))
	}
	for name, want := range map[string]string{
		"a.txt": "text/plain", "a.pdf": "application/pdf", "a.unheard-of": "text/plain; charset=utf-8",
	} {
		if got := upload.Bytes(name, []byte("words")).ContentType; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
