package contract

import (
	"net/textproto"
	"strings"
	"testing"
)

func TestAPartIsHeldToWhatFormsAre(t *testing.T) {
	const file = `form-data; name="file"; filename="a"`
	for _, tc := range []struct{ disposition, typ, encoding, length, want string }{
		{file, "text/plain", "", "", ""},
		{file, "text/plain", "", "1", ""},
		{`form-data; name="note"`, "", "", "", ""},
		{`form-data; name="note"`, "text/plain", "", "", ""},
		{"", "", "", "", "no Content-Disposition of form-data"},
		{`attachment; name="file"; filename="a"`, "text/plain", "", "", "no Content-Disposition of form-data"},
		{`form-data; name="file"; name="b"`, "text/plain", "", "", "no Content-Disposition of form-data"},
		{`form-data; filename="a"`, "text/plain", "", "", "the part has no name"},
		{file, "text/plain", "base64", "", "Content-Transfer-Encoding does not belong into a form (RFC 7578, 4.7)"},
		{`form-data; name="file"; filename=""`, "text/plain", "", "", "the file has no name"},
		{"form-data; name=\"file\"; filename=\"\xff\"", "text/plain", "", "", "the file's name is not UTF-8"},
		{file, "text/plain", "", "2", `Content-Length "2", but the part has 1 bytes`},
		{file, "text/plain", "", "x", `Content-Length "x", but the part has 1 bytes`},
		{file, "", "", "", "the file has no Content-Type"},
		{file, "text/", "", "", "Content-Type is no media type"},
		{`form-data; name="note"`, "text/", "", "", "Content-Type is no media type"},
	} {
		header := textproto.MIMEHeader{}
		for name, value := range map[string]string{"Content-Disposition": tc.disposition, "Content-Type": tc.typ,
			"Content-Transfer-Encoding": tc.encoding, "Content-Length": tc.length} {
			if value != "" {
				header.Set(name, value)
			}
		}
		p := NewPart(header)
		p.digest.add([]byte("x"))
		if got := p.fault(); got != tc.want {
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
		if got := f.fault(fields); got != want {
			t.Errorf("of %q: %q, want %q", fields, got, want)
		}
	}
}

func TestLargeFormsAreRememberedInPart(t *testing.T) {
	f := newForm("b", Watch{})
	field := []byte(strings.Repeat("x", Keep+1))
	kept := 0
	for range 20 {
		f.begin(textproto.MIMEHeader{"Content-Disposition": {"form-data; name=note"}})
		f.content(field)
	}
	for _, p := range f.list {
		kept += len(p.Kept())
	}
	if kept != mostKept || len(f.list[0].Kept()) != Keep {
		t.Errorf("%d bytes are remembered, and %d of a field; want %d and %d", kept, len(f.list[0].Kept()), mostKept, Keep)
	}
	for range 2 * mostParts {
		if f.step != nothing {
			f.begin(textproto.MIMEHeader{})
		}
	}
	if len(f.list) != mostParts || !f.over {
		t.Errorf("%d parts are looked at, want %d", len(f.list), mostParts)
	}
}
