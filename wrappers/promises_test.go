package wrappers_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Each sentence of "What putpost promises" names the test that holds it. A test
// that is renamed or gone would leave a promise that nothing holds.
func TestEachPromiseNamesATestThatIsThere(t *testing.T) {
	doc, err := os.ReadFile("upload/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, promises, found := strings.Cut(string(doc), "# What putpost promises")
	named := regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`).FindAllString(promises, -1)
	if !found || len(named) < 10 {
		t.Fatalf("the promises name %d tests", len(named))
	}
	tests := map[string]bool{}
	err = fs.WalkDir(os.DirFS("."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(code, -1) {
			tests[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range named {
		if !tests[name] {
			t.Errorf("a promise names %s, and there is no such test", name)
		}
	}
}
