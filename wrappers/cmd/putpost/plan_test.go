package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestADryRunSaysWhatARunWouldDo(t *testing.T) {
	s := newService(t)
	n := s.sends()
	dir := files(t, "old", "12", "new", "1234", "changed", "1")
	at := func(name string) string { return filepath.Join(dir, name) }
	journal := filepath.Join(t.TempDir(), "j")
	args := []string{"send", "--to", "twentyfourseven", "--dry-run", "--journal", journal}
	dry := func(more ...string) (lines []string, got result) {
		got = invoke(s.env, nil, append(slices.Clone(args), more...)...)
		lines = strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n")
		slices.Sort(lines)
		return lines, got
	}

	lines, got := dry(at("old"), at("old"), at("changed"))
	if want := []string{"send\t1\t" + at("changed"), "send\t2\t" + at("old")}; got.code != 0 ||
		!slices.Equal(lines, want) ||
		!strings.Contains(got.stderr, "nothing was sent (--dry-run); without it: 2 files to send, 3 bytes") {
		t.Errorf("without a journal: got %+v, want %q", got, want)
	}
	if _, err := os.Stat(journal); err == nil {
		t.Error("a journal was made")
	}
	sent := rows(s.send("twentyfourseven", "--journal", journal, at("old"), at("changed")).stdout)
	ids := map[string]string{}
	for _, row := range sent {
		ids[row[1]] = row[0]
	}
	os.WriteFile(at("changed"), []byte("123"), 0o644)
	content, _ := os.ReadFile(journal)
	torn := append(content, content[:20]...)
	must(t, os.WriteFile(journal, torn, 0o600))
	before := n.Load()
	lines, got = dry(at("old"), at("new"), at("changed"), at("missing"))
	want := []string{"send\t3\t" + at("changed"), "send\t4\t" + at("new"), "sent\t2\t" + at("old") + "\t" + ids["old"]}
	if got.code != 1 || !slices.Equal(lines, want) || !strings.Contains(got.stderr, "missing: no such file") {
		t.Errorf("got %+v, want %q", got, want)
	}
	lines, got = dry("--wait", at("old"))
	if got.code != 0 || !slices.Equal(lines, []string{"wait\t2\t" + at("old") + "\t" + ids["old"]}) {
		t.Errorf("with --wait: got %+v", got)
	}
	var p planned
	_, got = dry("--json", at("new"))
	if err := json.Unmarshal([]byte(got.stdout), &p); err != nil || p.Plan != "send" || *p.Size != 4 ||
		p.Path != at("new") || p.Provider != "twentyfourseven" {
		t.Errorf("--json: got %+v (%v)", got, err)
	}
	if after, _ := os.ReadFile(journal); string(after) != string(torn) {
		t.Error("the journal was changed")
	}
	if n.Load() != before {
		t.Errorf("%d requests were made", n.Load()-before)
	}
	if got := invoke(s.env, strings.NewReader("x"), "send", "--to", "ncloudmailer", "--dry-run", "-"); got.code != 0 ||
		got.stdout != "send\t\t-\n" {
		t.Errorf("standard input: got %+v", got)
	}
}
