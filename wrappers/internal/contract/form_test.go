package contract

import (
	"net/textproto"
	"strings"
	"testing"
)

func TestAPartIsHeldToWhatFormsAre(t *testing.T) {
	const file = `form-data; name="file"; filename="a"`
	const encoded = "filename* does not belong into a form (RFC 7578, 4.2)"
	for _, tc := range []struct{ disposition, typ, encoding, length, want string }{
		{file, "text/plain", "", "", ""},
		{file, "text/plain", "", "1", ""},
		{`form-data; name="note"`, "", "", "", ""},
		{`form-data; name="note"`, "text/plain", "", "", ""},
		{"", "", "", "", "no Content-Disposition of form-data"},
		{`attachment; name="file"; filename="a"`, "text/plain", "", "", "no Content-Disposition of form-data"},
		{`form-data; name="file"; name="b"`, "text/plain", "", "",
			"Content-Disposition cannot be parsed: `form-data; name=\"file\"; name=\"b\"`"},
		{`form-data; filename="a"`, "text/plain", "", "", "the part has no name"},
		{file, "text/plain", "base64", "", "Content-Transfer-Encoding does not belong into a form (RFC 7578, 4.7)"},
		{`form-data; name="file"; filename=""`, "text/plain", "", "", "the file has no name"},
		{"form-data; name=\"file\"; filename=\"\xff\"", "text/plain", "", "", "the file's name is not UTF-8"},
		{file, "text/plain", "", "2", `Content-Length "2", but the part has 1 bytes`},
		{file, "text/plain", "", "x", `Content-Length "x", but the part has 1 bytes`},
		{file, "", "", "", "the file has no Content-Type"},
		{file, "text/", "", "", "Content-Type is no media type"},
		{`form-data; name="note"`, "text/", "", "", "Content-Type is no media type"},
		{`form-data; name="file"; filename="filename*=a"`, "text/plain", "", "", ""},
		{`form-data; name="file"; filename="a; filename*=UTF-8''b"`, "text/plain", "", "", ""},
		{`form-data; name="file*"; filename="a"; encoded="b"`, "text/plain", "", "", ""},
		{`form-data; name="file"; filename*=UTF-8''a`, "text/plain", "", "", encoded},
		{`form-data; name="file"; filename="a"; FileName*=UTF-8''a`, "text/plain", "", "", encoded},
		{`form-data; name="file"; filename*0="a"; filename*1="b"`, "text/plain", "", "", encoded},
		{`form-data; name="file"; filename="filename*"; filename*=UTF-8''%e2`, "text/plain", "", "", encoded},
		{`form-data; name="file"; filename="a";filename*=utf-8''%e2%82%ac`, "text/plain", "", "", encoded},
	} {
		header := textproto.MIMEHeader{}
		for name, value := range map[string]string{"Content-Disposition": tc.disposition, "Content-Type": tc.typ,
			"Content-Transfer-Encoding": tc.encoding, "Content-Length": tc.length} {
			if value != "" {
				header.Set(name, value)
			}
		}
		p := NewPart(header)
		_, _ = p.digest.Write([]byte("x"))
		if got := p.fault(true); got != tc.want {
			t.Errorf("%v: %q, want %q", header, got, tc.want)
		}
	}
}

func TestAFormHasTheFieldsOfTheSpec(t *testing.T) {
	f := newForm("b", Watch{})
	for _, name := range []string{"file", "note"} {
		f.begin(textproto.MIMEHeader{"Content-Disposition": {"form-data; name=" + name}})
	}
	for want, fields := range map[string][]string{
		"": nil, `part 2: the field is called "note", but the spec has only ["file"]`: {"file"},
	} {
		if got := f.fault(fields, true); got != want {
			t.Errorf("of %q: %q, want %q", fields, got, want)
		}
	}
}

// Servers refuse such a part, and a general validator does not see why.
func TestAFileOfAFormHasAFileName(t *testing.T) {
	r := sized("POST", "/v2/forms", "multipart/form-data; boundary=b",
		"--b\r\nContent-Disposition: form-data; name=file\r\n\r\nx\r\n--b--")
	got, _ := looked(parsed(t, depotSpec(t)), r, Watch{})
	if want := `request form: part 1: the field "file" is a file, and the part has no file name`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A server may refuse a part by its header, and read no more.
func TestTheHeadersOfPartsCountBeforeTheFormIsWhole(t *testing.T) {
	const named = "--b\r\nContent-Disposition: form-data; name=file; filename="
	for body, want := range map[string]string{
		named + "\"\xff\"\r\nContent-Type: text/plain\r\n\r\n": "request form: part 1: " +
			"the file's name is not UTF-8",
		named + "a\r\nContent-Type: text/plain\r\n\r\nx":                      "",
		named + "a\r\nContent-Length: 7\r\nContent-Type: text/plain\r\n\r\nx": "",
		named + "a\r\n": "", // its type has not come yet
		named + "a":     "",
	} {
		r := sized("POST", "/v2/forms", "multipart/form-data; boundary=b", body)
		r.ContentLength++
		if got, _ := looked(parsed(t, depotSpec(t)), r, Watch{}); got != want {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
	}
}

func TestLargeFormsAreRememberedInPart(t *testing.T) {
	form := func(part string, times int) *form {
		f := newForm("b", Watch{})
		for range times {
			f.write([]byte("--b\r\nContent-Disposition: form-data; name=note\r\n\r\n" + part + "\r\n"))
		}
		f.write([]byte("--b--\r\n"))
		f.end(true)
		f.finish()
		return f
	}
	f, kept := form(strings.Repeat("x", Keep+1), 20), 0
	for _, p := range f.list {
		kept += len(p.Kept())
	}
	if kept != mostKept || len(f.list[0].Kept()) != Keep {
		t.Errorf("%d bytes are remembered, and %d of a field; want %d and %d", kept, len(f.list[0].Kept()),
			mostKept, Keep)
	}
	for times, over := range map[int]bool{mostParts: false, mostParts + 1: true, 2 * mostParts: true} {
		if f := form("", times); len(f.list) != mostParts || f.over != over || f.err != nil {
			t.Errorf("of %d parts, %d are looked at: %v", times, len(f.list), f.err)
		}
	}
}

func TestAFormIsWholeWithItsClosingBoundary(t *testing.T) {
	const part = "--b\r\nContent-Disposition: form-data; name=note\r\n\r\nx\r\n"
	const cut = "the form does not end with its closing boundary"
	for body, want := range map[string]string{
		strings.ReplaceAll(part, "\r", "") + "--b--": "its lines end with LF, not with CRLF (RFC 2046, 4.1.1)",
		"--b--": "", part + "--b--": "", part + "--b--\r\n": "", "preamble\r\n" + part + "--b-- \t\r\nepilogue": "",
		"a\nb": cut, "": cut, "--b": cut, "--b\r\n": cut, part: cut, part + "--b": cut, part + "--b-": cut,
		part[:len(part)-2]: cut, part[:len(part)-5]: cut, part[:len(part)-7]: cut,
		strings.Repeat("p", 9000):           "multipart: NextPart: bufio: buffer full",
		"--b\r\nno colon\r\n\r\nx\r\n--b--": `malformed MIME header: missing colon: "no colon"`,
	} {
		for _, piece := range []int{len(body) + 1, 1, 7} {
			if got := read(body, piece, true, Watch{}).fault(nil, true); got != want {
				t.Errorf("%q in pieces of %d: %q, want %q", body, piece, got, want)
			}
		}
	}
}
