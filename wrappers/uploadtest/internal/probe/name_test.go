package probe

import (
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// The extension of a file stands in the object of its name.
func TestAnExtensionStandsBesideItsName(t *testing.T) {
	for document, want := range map[string]string{
		`{"name":"a","ext":"pdf"}`: ".pdf", `{"fileExtension":".pdf","name":"a"}`: ".pdf", `{"name":"a","ext":""}`: "",
		`{"name":"a","text":"pdf"}`: "", `{"name":"a","of":{"ext":"pdf"}}`: "",
		`[{"name":"a","ext":"pdf"},{"name":"b","ext":"txt"}]`: ".pdf .txt",
	} {
		var got []string
		all := leaves([]byte(document))
		for _, l := range all {
			if l.name == "name" {
				got = append(got, l.extension(all))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s has the extensions %q, want %s", document, got, want)
		}
	}
}

func TestASpecMaySayThatNamesAreChanged(t *testing.T) {
	for text, want := range map[string]bool{
		"In file names, each character that is none of `a`, `.` and `-` is replaced by `_`.": true,
		"Spaces in the name of a file\nare removed.":                                         true,
		"The server sanitizes file names.":                                                   true,
		"Names are normalized.":                                                              true,
		"**File names.** Directories go. Each of the characters `/ ?` is replaced by `_`.":   true,
		"A file has a name.\n\nEach of the characters `/ ?` in texts is replaced by `_`.":    false,
		"A file of the same name is replaced.":                                               false,
		"A name has 100 characters at most. The file before it is removed.":                  false,
		"The file is escaped. It has a name.":                                                false,
	} {
		if respells.MatchString(text) != want {
			t.Errorf("%s changes names: %t", text, !want)
		}
	}
	for _, c := range []struct {
		is, sent       string
		same, respells bool
	}{
		{"u\u0308.txt", "\u00fc.txt", false, true}, {"\u00fc.txt", "u\u0308.txt", false, true},
		{"u.txt", "\u00fc.txt", false, true}, {"u_-\u00fc.txt", "u\u0308-\u00fc.txt", false, true},
		{"a b+.txt", "a b+.txt", true, true}, {"%22a%22", `"a"`, true, true}, {"a_b_.txt", "a b+.txt", false, true},
		{"a%20b%2B.txt", "a b+.txt", false, true}, {"A-B.TXT", "a b+.txt", false, true},
		{"a.txt", "a b+.txt", false, false},
	} {
		if got := (&operation{}).sameName(c.is, c.sent); got != c.same {
			t.Errorf("%s is %s: %t", c.is, c.sent, got)
		}
		if got := (&operation{respells: true}).sameName(c.is, c.sent); got != c.respells {
			t.Errorf("%s is %s, which may be changed: %t", c.is, c.sent, got)
		}
	}
}

func TestANameIsTakenByWhatHasItFirst(t *testing.T) {
	p, ops := idProber(t)
	a := answer{p: p, route: ops["make"], req: p.request(http.MethodPost, "/things", "", nil), header: http.Header{}}
	form := sample{typ: "multipart/form-data", object: map[string]any{"file": "x"}, fileName: "a.txt",
		schema: lab.SchemaOf(t, `{"properties":{"file":{"format":"binary"}}}`).Value}
	js := sample{typ: "application/json", object: map[string]any{"name": "b.txt"},
		schema: lab.SchemaOf(t, `{"properties":{"name":{"type":"string"}}}`).Value}
	for name, s := range map[string]sample{"a": form, "b": js} {
		first, second := p.newMade(s, "", a), p.newMade(s, "", a)
		if p.isNamed(first, name+"-1.txt", name+".txt") || !p.isNamed(second, name+"-1.txt", name+".txt") {
			t.Errorf("the first %s.txt has a number, or the second may not have one", name)
		}
		if p.isNamed(second, "-1.txt", name+".txt") {
			t.Errorf("the second %s.txt may be called by a number alone", name)
		}
	}
}
