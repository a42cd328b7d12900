package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAListNamesFiles(t *testing.T) {
	s := newService(t)
	dir := files(t, "a b.txt", "1", "c,d.txt", "2", "-", "3")
	t.Chdir(dir)
	list := "a b.txt\n\nc,d.txt\n-\nmissing\n"
	must(t, os.WriteFile("list", []byte(list), 0o644))
	for _, from := range []string{"-", "list"} {
		got := invoke(s.env, strings.NewReader(list), "send", "--to", "ncloudmailer", "--files-from", from).
			is(t, 1, 3, "3 sent; 1 failed: missing;")
		for _, row := range rows(got.stdout) {
			want := map[string]string{"a b.txt": "1", "c,d.txt": "2", "-": "3"}[row[1]]
			if content, _ := s.stored(t, "ncloudmailer", row[0]); content != want || want == "" {
				t.Errorf("--files-from %s: %q is stored as %q, want %q", from, row[1], content, want)
			}
		}
	}
	for from, want := range map[string]string{"none": "none: no such file", dir: "is a directory"} {
		s.send("ncloudmailer", "--files-from", from).is(t, 1, 0, want)
	}
}

func TestAFileCalledLikeStandardInputIsFoundInAFolder(t *testing.T) {
	s := newService(t)
	t.Chdir(files(t, "-", "the file"))
	got := invoke(s.env, strings.NewReader("standard input"), "send", "--to", "ncloudmailer", "-r", ".").is(t, 0, 1)
	id, name, _ := strings.Cut(got.stdout, "\t")
	if content, _ := s.stored(t, "ncloudmailer", id); content != "the file" || name != "-\n" {
		t.Errorf("%q was sent as %q", content, name)
	}
}

// A file is sent before the list that names it has ended.
func TestAListThatComesSlowlyIsSentAsItComes(t *testing.T) {
	s := newService(t)
	path := filepath.Join(files(t, "a.txt", "a"), "a.txt")
	arrived := make(chan struct{}, 2)
	s.intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(w, r)
		arrived <- struct{}{}
	})
	list, w := io.Pipe()
	done := make(chan result)
	go func() { done <- invoke(s.env, list, "send", "--to", "ncloudmailer", "--files-from", "-") }()
	for range 2 {
		fmt.Fprintln(w, path)
		await(t, "a file of the list, before the list goes on", arrived, 1)
	}
	w.Close()
	(<-done).is(t, 0, 2)
}

func TestStandardInputThatCannotBeSpooledIsReportedWithItsReason(t *testing.T) {
	s := newService(t)
	missing := filepath.Join(t.TempDir(), "missing")
	t.Setenv("TMPDIR", missing)
	t.Setenv("TMP", missing) // of Windows
	invoke(s.env, strings.NewReader("x"), "send", "--to", "ncloudmailer", "-").
		is(t, 1, 0, "standard input needs a temporary file: ")
}
