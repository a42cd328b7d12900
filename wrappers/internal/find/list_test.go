package find

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// readList returns all names of a list, from a stream or a regular file.
func readList(t *testing.T, text string, null, regular bool) (names []string, err error) {
	t.Helper()
	l := &List{null: null, stream: strings.NewReader(text)}
	if regular {
		path := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l = OpenList(path, null, nil)
		defer l.Close()
	}
	for name, wrong := range l.read() {
		if err = wrong; err == nil {
			names = append(names, name)
		}
	}
	return names, err
}

func TestAListIsCutIntoNames(t *testing.T) {
	long := strings.Repeat("n", 255)
	for name, tc := range map[string]struct {
		text    string
		null    bool
		want    []string
		refused string // for both kinds of files
		torn    string // for a stream only
	}{
		"nothing":                 {text: ""},
		"empty lines":             {text: "\n\na\n\nb\n", want: []string{"a", "b"}},
		"blanks belong to a name": {text: " a \n\tb\n", want: []string{" a ", "\tb"}},

		"Latin-1":            {text: "caf\xe9\n", want: []string{"caf\xe9"}},
		"a long name":        {text: long + "\n", want: []string{long}},
		"a BOM":              {text: "\ufeffa\n\ufeffb\n", want: []string{"a", "\ufeffb"}},
		"only a BOM":         {text: "\ufeff"},
		"a BOM and CR LF":    {text: "\ufeffa\r\nb\r\n", want: []string{"a", "b"}},
		"CR LF throughout":   {text: "a\r\n\r\nb\r\n", want: []string{"a", "b"}},
		"CR LF, then LF":     {text: "a\r\nb\n", want: []string{"a\r", "b"}},
		"LF, then CR LF":     {text: "a\nb\r\n", want: []string{"a", "b\r"}},
		"two CR":             {text: "a\r\r\n", want: []string{"a\r"}},
		"CR within":          {text: "a\rb\n", want: []string{"a\rb"}},
		"no end":             {text: "a\nb", want: []string{"a", "b"}, torn: "ended without a "},
		"CR LF and no end":   {text: "a\r\nb", want: []string{"a", "b"}, torn: "ended without a "},
		"NUL":                {text: "a\x00b\nc\x00\x00\r\x00", null: true, want: []string{"a", "b\nc", "\r"}},
		"NUL, no end":        {text: "a\x00b", null: true, want: []string{"a", "b"}, torn: "ended without a "},
		"a BOM is no line's": {text: "\ufeffa\x00", null: true, want: []string{"\ufeffa"}},
		"NUL without --null": {text: "a\x00b\x00\n", refused: "--null"},
		"only NUL":           {text: "a\x00b\x00", refused: "--null"},
		"UTF-16":             {text: "\xff\xfea\x00\n\x00", refused: "UTF-16"},
		"a name without end": {text: strings.Repeat("x", longestName+1), refused: "no newline within"},
		"a name without NUL": {text: strings.Repeat("x\n", longestName), null: true, refused: "no NUL within"},
	} {
		for _, regular := range []bool{true, false} {
			got, err := readList(t, tc.text, tc.null, regular)
			refused, want := tc.refused, tc.want
			if !regular && tc.torn != "" {
				refused, want = tc.torn, want[:len(want)-1]
			}
			if !slices.Equal(got, want) || (err != nil) != (refused != "") ||
				err != nil && !strings.Contains(err.Error(), refused) {
				t.Errorf("%s (regular file: %t): got %.60q and %v, want %.60q and %q", name, regular, got, err,
					want, refused)
			}
		}
	}
}
