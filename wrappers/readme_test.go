package wrappers_test

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// readme returns the README in two: the section of that title, and all else.
func readme(t *testing.T, title string) (section, rest string) {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(text), "\n## "+title+"\n")
	section, after, ends := strings.Cut(after, "\n## ")
	if !found || !ends {
		t.Fatalf("the README has no section %q with another behind it", title)
	}
	return section, before + after
}

// blocks lists the pieces of code of one language in text, without the
// indentation that they have in a list.
func blocks(t *testing.T, text, language string) []string {
	t.Helper()
	var found []string
	for _, m := range regexp.MustCompile("(?ms)^( *)```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		found = append(found, strings.TrimSpace(regexp.MustCompile("(?m)^"+m[1]).ReplaceAllString(m[2], ""))+"\n")
	}
	if len(found) == 0 {
		t.Fatalf("the README has no %s code", language)
	}
	return found
}

func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out the README's code: it is compiled, generated and run")
	}
}

const (
	ownAPI    = "Your own API"
	generator = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen"
)

// A piece that begins with its package is vetted as it stands. A shorter one
// must be part of a test file, where the compiler and the examples hold it.
func TestReadmeCompilesAsItStands(t *testing.T) {
	skipShort(t)
	var held strings.Builder
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			text, err := os.ReadFile(path)
			held.WriteString(flat(string(text)))
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, rest := readme(t, ownAPI)
	for _, code := range blocks(t, rest, "go") {
		if !strings.HasPrefix(code, "package ") {
			if !strings.Contains(held.String(), flat(code)) {
				t.Errorf("no test file holds this piece of the README:\n%s", code)
			}
			continue
		}
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "go", "vet", file).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s\n%s", err, out, code)
		}
	}
}

// flat is code without indentation and empty lines.
func flat(code string) string {
	var lines strings.Builder
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" {
			lines.WriteString(line + "\n")
		}
	}
	return lines.String()
}

// The section's files are what a stranger's module holds: it is generated,
// built and run here, and it sends what the section says.
func TestReadmeGeneratesAClientOfYourOwnAPI(t *testing.T) {
	skipShort(t)
	section, _ := readme(t, ownAPI)
	var mu sync.Mutex
	var seen []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		call := fmt.Sprintf("%s %s %s %d", r.Method, r.URL.Path, r.Header.Get("Authorization"), len(seen))
		if len(seen) == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		} else if r.Method == http.MethodPost {
			file, head, err := r.FormFile("scan")
			if err != nil {
				t.Error(err)
				return
			}
			content, _ := io.ReadAll(file)
			call += fmt.Sprintf(" %s %s %s", r.FormValue("title"), head.Filename, content)
			w.WriteHeader(http.StatusCreated)
		} else {
			content, _ := io.ReadAll(r.Body)
			call += fmt.Sprintf(" %s %s", r.Header.Get("Content-Type"), content)
			w.WriteHeader(http.StatusNoContent)
		}
		seen = append(seen, call)
	}))
	defer srv.Close()

	dir := t.TempDir()
	write := func(name, content string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, code := range append(blocks(t, section, "yaml"), blocks(t, section, "go")...) {
		name, _, _ := strings.Cut(strings.TrimLeft(code, "#/ "), "\n")
		// No API of our own has an encoding that says explode: false.
		form := "multipart/form-data:\n"
		write(name, strings.Replace(code, form, form+"            encoding: {title: {explode: false}}\n", 1))
	}
	uploads, err := os.ReadFile("../.config/oapi-codegen-uploads.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write("uploads.yaml", string(uploads))
	write("scan.pdf", "%PDF")
	// The module needs what ours needs.
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	write("go.sum", string(sums))
	write("go.mod", strings.Replace(string(mod), "module "+module, "module example.com/app", 1)+
		fmt.Sprintf("\nrequire %[1]s v0.0.0\nreplace %[1]s => %[2]q\ntool %[3]s\n", module, root, generator))

	for _, args := range [][]string{{"generate", "./..."}, {"run", "."}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "BASE_URL="+srv.URL, "TOKEN=t")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	generated, err := os.ReadFile(filepath.Join(dir, "notes", "uploads.gen.go"))
	if err != nil || !strings.Contains(string(generated), `"title": {ContentType: "", Style: "", Joined: true}`) {
		t.Errorf("%v, and the encoding of title is lost:\n%s", err, generated)
	}
	want := []string{
		"POST /notes Bearer t 0", "POST /notes Bearer t 1 Invoice scan.pdf %PDF",
		"PUT /notes/1/cover Bearer t 2 image/png \x89PNG",
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", generator, "-config", "uploads.yaml", "-generate",
		"types,client", "-package", "notes", "notes.yaml")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "belong into another one") {
		t.Errorf("models from the second configuration: %v, and no word of what to do:\n%s", err, out)
	}
	if got := strings.Join(seen, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the server got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}
