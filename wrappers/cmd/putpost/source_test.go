package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAListNamesFiles(t *testing.T) {
	s := newService(t)
	dir := files(t, "a b.txt", "1", "c,d.txt", "2", "-", "3")
	t.Chdir(dir)
	list := "a b.txt\n\nc,d.txt\n-\nmissing\n"
	must(t, os.WriteFile("list", []byte(list), 0o644))
	for _, from := range []string{"-", "list"} {
		got := invoke(s.env, strings.NewReader(list), "send", "--to", "ncloudmailer", "--files-from", from)
		if got.code != 1 || len(rows(got.stdout)) != 3 || !strings.Contains(got.stderr, "3 sent; 1 failed: missing;") {
			t.Errorf("--files-from %s: got %+v", from, got)
		}
		for _, row := range rows(got.stdout) {
			want := map[string]string{"a b.txt": "1", "c,d.txt": "2", "-": "3"}[row[1]]
			if content, _ := s.stored(t, "ncloudmailer", row[0]); content != want || want == "" {
				t.Errorf("--files-from %s: %q is stored as %q, want %q", from, row[1], content, want)
			}
		}
	}
	for from, want := range map[string]string{"none": "none: no such file", dir: "is a directory"} {
		if got := s.send("ncloudmailer", "--files-from", from); got.code != 1 || !strings.Contains(got.stderr, want) {
			t.Errorf("--files-from %s: got %+v, want %q", from, got, want)
		}
	}
}

func TestAFileCalledLikeStandardInputIsFoundInAFolder(t *testing.T) {
	s := newService(t)
	t.Chdir(files(t, "-", "the file"))
	got := invoke(s.env, strings.NewReader("standard input"), "send", "--to", "ncloudmailer", "-r", ".")
	if sent := rows(got.stdout); got.code != 0 || len(sent) != 1 || sent[0][1] != "-" {
		t.Errorf("got %+v", got)
	} else if content, _ := s.stored(t, "ncloudmailer", sent[0][0]); content != "the file" {
		t.Errorf("%q was sent", content)
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
		select {
		case <-arrived:
		case <-time.After(10 * time.Second):
			t.Fatal("a file of the list was not sent before the list went on")
		}
	}
	w.Close()
	if got := <-done; got.code != 0 || len(rows(got.stdout)) != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestStandardInputThatCannotBeSpooledIsReportedWithItsReason(t *testing.T) {
	s := newService(t)
	missing := filepath.Join(t.TempDir(), "missing")
	t.Setenv("TMPDIR", missing)
	t.Setenv("TMP", missing) // of Windows
	got := invoke(s.env, strings.NewReader("x"), "send", "--to", "ncloudmailer", "-")
	if got.code != 1 || !strings.Contains(got.stderr, "standard input needs a temporary file: ") {
		t.Errorf("got %+v", got)
	}
}
