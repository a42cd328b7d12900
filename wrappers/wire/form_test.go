package wire_test

import (
	"io"
	"mime"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/wire"
)

// text returns what a form of plain values sends, with B for its boundary.
func text(t *testing.T, form *wire.Body) string {
	t.Helper()
	req := sending(t, form)
	raw, err := io.ReadAll(req.Body)
	must(t, err)
	_, params, err := mime.ParseMediaType(form.ContentType)
	must(t, err)
	return strings.ReplaceAll(string(raw), params["boundary"], "B")
}

func TestValueHasNoFilenameAndAContentTypeOnlyWhereGiven(t *testing.T) {
	got := text(t, wire.FormOf(
		wire.Field{Name: "model", Value: "m"},
		wire.Field{Name: "session", Value: `{"a":1}`, ContentType: "application/json"},
		wire.Field{Name: "left out"},
		wire.Field{Name: "empty", ContentType: "text/plain"},
	))
	want := "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"session\"\r\nContent-Type: " +
		"application/json\r\n\r\n{\"a\":1}\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"empty\"\r\nContent-Type: text/plain\r\n\r\n\r\n" +
		"--B--\r\n"
	if got != want {
		t.Errorf("the form is\n%q, want\n%q", got, want)
	}
}
