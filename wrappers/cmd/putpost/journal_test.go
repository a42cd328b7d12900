package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestADamagedJournalIsCheckedAndRepaired(t *testing.T) {
	s := newService(t)
	dir, path := small(t, 3), filepath.Join(t.TempDir(), "j")
	args := []string{"send", "--to", "ncloudmailer", "--journal", path, "-r", dir}
	if got := invoke(s.env, nil, args...); got.code != 0 {
		t.Fatalf("got %+v", got)
	}
	if got := invoke(nil, nil, "journal", "check", path); got.code != 0 || got.stdout != "" ||
		!strings.Contains(got.stderr, "no damage") {
		t.Errorf("without damage: got %+v", got)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] = 0
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := invoke(s.env, nil, args...); got.code != exitUsage ||
		!strings.Contains(got.stderr, "putpost journal repair") {
		t.Errorf("a run: got %+v", got)
	}
	check := invoke(nil, nil, "journal", "check", path)
	if lines := rows(check.stdout); check.code != 1 || len(lines) != 1 || len(lines[0]) != 4 || lines[0][0] != "2" ||
		filepath.Dir(lines[0][3]) != dir {
		t.Errorf("check: got %+v", check)
	}
	repair := invoke(nil, nil, "journal", "repair", path)
	if repair.code != 0 || repair.stdout != check.stdout ||
		!strings.Contains(repair.stderr, "the original is "+path+".damaged") {
		t.Errorf("repair: got %+v", repair)
	}
	if kept, _ := os.ReadFile(path + ".damaged"); !bytes.Equal(kept, content) {
		t.Error("the original was changed")
	}
	if got := invoke(s.env, nil, args...); got.code != 0 || len(rows(got.stdout)) != 1 {
		t.Errorf("the next run: got %+v", got)
	}
	for _, verb := range []string{"check", "repair"} {
		if got := invoke(nil, nil, "journal", verb, "missing"); got.code != 1 ||
			!strings.Contains(got.stderr, "no such file") {
			t.Errorf("%s of a missing one: got %+v", verb, got)
		}
	}
	if got := invoke(s.env, nil, "send", "--to", "ncloudmailer", "--journal", t.TempDir(), "x"); got.code != exitUsage ||
		strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("a folder as journal: %+v", got)
	}
}
