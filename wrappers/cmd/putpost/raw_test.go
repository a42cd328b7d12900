package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPathsNeedNotBeUTF8(t *testing.T) {
	s := newService(t)
	dir := files(t, "bad\xff.txt", "content", "list\xfe", "bad\xff.txt\n")
	t.Chdir(dir)
	for name, args := range map[string][]string{
		"FILE":         {"bad\xff.txt"},
		"--journal":    {"--journal", "journal\xff", "bad\xff.txt"},
		"--journal=":   {"--journal=journal\xfe", "bad\xff.txt"},
		"--files-from": {"--files-from", "list\xfe"},
	} {
		got := invoke(s.env, nil, append([]string{"send", "--to", "twentyfourseven"}, args...)...)
		if got.code != 0 || len(rows(got.stdout)) != 1 {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		if content, _ := s.stored(t, "twentyfourseven", rows(got.stdout)[0][0]); content != "content" {
			t.Errorf("%s: stored is %q", name, content)
		}
	}
	for _, journal := range []string{"journal\xff", "journal\xfe"} {
		if _, err := os.Stat(journal); err != nil {
			t.Error(err)
		}
	}
	// NAVER's wire has no such names, which is another error than that of a file that is not there.
	if got := invoke(s.env, nil, "send", "--to", "ncloudmailer", "bad\xff.txt"); got.code != 1 || !strings.Contains(got.stderr, "the name is not UTF-8") {
		t.Errorf("ncloudmailer: %+v", got)
	}
	if got := invoke(s.env, nil, "send", "--to", "twentyfourseven", "--name", "n\xff", "bad\xff.txt"); got.code != 0 || rows(got.stdout)[0][1] != "n\xff" {
		t.Errorf("--name: %+v", got)
	}
	// An address for documentation, which is nobody's: the store is made, the rest fails.
	got := invoke(map[string]string{tfsToken: "x"}, nil, "serve", "--addr", "192.0.2.1:0", "--store", filepath.Join(dir, "store\xff"))
	if info, err := os.Stat("store\xff"); got.code != exitFailed || !strings.Contains(got.stderr, "cannot listen") || err != nil || !info.IsDir() {
		t.Errorf("--store: %v after %+v", err, got)
	}
}
