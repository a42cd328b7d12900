package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"reflect"
	"strings"
	"testing"
)

// taken is what a reader of forms finds: parts, and whether the form is whole.
type taken struct {
	header []textproto.MIMEHeader
	bodies []string
	fault  string
}

// byReading has mime/multipart read a form.
func byReading(body []byte, boundary string) taken {
	t := read(body, boundary)
	// It takes the end of the body in a header for the end of the form. Then it
	// finds more where more follows.
	if t.fault == "" && len(read(append(bytes.Clone(body), "\r\nA: 1\r\n\r\n"...), boundary).header) > len(t.header) {
		t.fault = faultOf(io.EOF)
	}
	return t
}

func read(body []byte, boundary string) (t taken) {
	mr := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := mr.NextRawPart()
		if err == io.EOF {
			return t
		}
		var content []byte
		if err == nil {
			t.header = append(t.header, part.Header)
			content, err = io.ReadAll(part)
			t.bodies = append(t.bodies, string(content))
		}
		if err != nil {
			t.fault = faultOf(err)
			return t
		}
	}
}

// byWriting has a splitter take a form apart that comes in pieces.
func byWriting(body []byte, boundary string, piece int) (t taken) {
	s := splitter{delimiter: []byte("\r\n--" + boundary), parts: &t}
	for len(body) > 0 {
		n := min(piece, len(body))
		s.write(bytes.Clone(body[:n]))
		body = body[n:]
	}
	s.finish()
	t.fault = faultOf(s.err)
	return t
}

func (t *taken) begin(h textproto.MIMEHeader) {
	t.header, t.bodies = append(t.header, h), append(t.bodies, "")
}

func (t *taken) content(p []byte) { t.bodies[len(t.bodies)-1] += string(p) }

func faultOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	}
	return err.Error()
}

func sameParts(t *testing.T, body []byte, boundary string) {
	t.Helper()
	want := byReading(body, boundary)
	for _, piece := range []int{len(body) + 1, 1, 2, 3, 7, 100} {
		if got := byWriting(body, boundary, piece); !reflect.DeepEqual(got, want) {
			t.Fatalf("%.2000q in pieces of %d\n got %.2000q\nwant %.2000q", body, piece, fmt.Sprint(got), fmt.Sprint(want))
		}
	}
}

// The console takes forms apart as they pass by. It must find what mime/multipart
// finds, with which servers read them.
func TestAFormIsTakenApartAsMIMEMultipartDoesIt(t *testing.T) {
	const head = "Content-Disposition: form-data; name=\"a\"\r\n"
	for _, body := range []string{
		"", "--b", "--b--", "--b--\r\n", "--b\r\n", "--b\r\n\r\n", "--b\r\n\r\n--b--", "--b\r\n\r\n\r\n--b--\r\n",
		"--b\r\n" + head + "\r\nx\r\n--b--\r\n",
		"--b\r\n" + head + "\r\nx\r\n--b\r\n" + head + "\r\ny\r\n--b--\r\nepilogue",
		"preamble\r\nmore\n\r\n--b\r\n" + head + "\r\nx\r\n--b--",
		"--b \t\r\n" + head + "\r\nx\r\n--b \t\r\n" + head + "\r\ny\r\n--b-- \t\r\n",
		"--b\r\n" + head + "\r\nx\r\n--bc\r\n--b-\r\n--b-x\r\n-\r\n\r\n--\r\n--b--\r\n",
		"--b\n" + strings.ReplaceAll(head, "\r", "") + "\nx\n--b\n\ny\r\n--b--\n",
		"--b\r\n" + head + "\r\nx\n--b--\r\n", "--b\n" + head + "\r\nx\r\n--b--\r\n",
		"--b\r\n" + head + "\r\nx\r\n--b junk\r\ny", "--b\r\n" + head + "\r\nx\r\n--b--junk\r\n", "--b\r\n" + head + "\r\nx",
		"--b\r\n" + head + "\r\nx\r\n--b", "--b\r\n" + head + "\r\nx\r\n--b-", "--b\r\n" + head + "\r\n--b\r\n\r\nz\r\n--b--",
		"--b\r\n" + head + "\r\n--bx\r\n--b--", "--b\r\nno colon\r\n\r\nx\r\n--b--", "--b\r\n" + head, "--b\r\n leading: x\r\n\r\n--b--",
		"--b\r\nA: 1\r\n\tgoes on\r\n \r\nB: 2\r\n\r\nx\r\n--b--", "--b\r\nA: 1\r\n \r\n\r\nx\r\n--b--", "--b\r\n: x\r\n\r\n--b--",
		strings.Repeat("p", 4095) + "\n--b--", strings.Repeat("p", 4096) + "\n--b--", strings.Repeat("p", 9000),
		strings.Repeat("p", 4095), strings.Repeat("p", 4096), "\n--b\r\n" + head + "\r\nx\r\n--b--", "--b\r\nno colon",
		"--b\r\n" + strings.Repeat("A: 1\r\n", 6000) + strings.Repeat("B: 1\r\n", 6000) + "\r\n--b--",
		"--b\r\n" + head + "\r\n" + strings.Repeat("\r\n--\r\n-", 3000) + "\r\n--b--\r\n",
		"--b\r\n" + strings.Repeat("A: 1\r\n", 9_999) + "\r\n--b--", "--b\r\n" + strings.Repeat("A: 1\r\n", 10_001) + "\r\n--b--",
	} {
		sameParts(t, []byte(body), "b")
	}
}

func TestAHeaderWithoutAnEndIsNotKept(t *testing.T) {
	endless := bytes.Repeat([]byte("A: "+strings.Repeat("x", 2000)+"\r\n"), 6<<10)
	for _, piece := range []int{64 << 10, len("--b\r\n") + 10<<20} {
		if got := byWriting(append([]byte("--b\r\n"), endless...), "b", piece); got.fault != "multipart: message too large" {
			t.Errorf("in pieces of %d: %q", piece, got.fault)
		}
	}
}

func FuzzAFormIsTakenApartAsMIMEMultipartDoesIt(f *testing.F) {
	f.Add([]byte("--b\r\nA: 1\r\n\r\nx\r\n--b--\r\n"), "b", true)
	f.Add([]byte("\x01\x02\x03\x04\x05\x06\x07"), "bb", false)
	words := []string{"\r\n", "\n", "\r", "--", "-", " ", "\t", "b", "--b", "\r\n--b", "\r\n--b--", "A: 1", ":", "x", "\r\n\r\n"}
	f.Fuzz(func(t *testing.T, body []byte, boundary string, plain bool) {
		if boundary == "" || len(boundary) > 70 || strings.ContainsAny(boundary, "\r\n") {
			t.Skip()
		}
		if !plain { // each byte is a word of the language of forms
			var b strings.Builder
			for _, c := range body {
				b.WriteString(strings.ReplaceAll(words[int(c)%len(words)], "b", boundary))
			}
			body = []byte(b.String())
		}
		sameParts(t, body, boundary)
	})
}
