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
	dry := func(more ...string) result {
		got := invoke(s.env, nil, append(slices.Clone(args), more...)...)
		got.stdout = strings.Join(slices.Sorted(strings.Lines(got.stdout)), "")
		return got
	}

	got := dry(at("old"), at("old"), at("changed"))
	got.prints(t, "send\t1\t"+at("changed")+"\nsend\t2\t"+at("old")+"\n")
	got.is(t, 0, 2, "nothing was sent (--dry-run); without it: 2 files to send, 3 bytes")
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
	dry(at("old"), at("new"), at("changed")).prints(t,
		"send\t3\t"+at("changed")+"\nsend\t4\t"+at("new")+"\nsent\t2\t"+at("old")+"\t"+ids["old"]+"\n")
	dry(at("old"), at("missing")).is(t, 1, 1, "missing: no such file")
	dry("--wait", at("old")).prints(t, "wait\t2\t"+at("old")+"\t"+ids["old"]+"\n")
	var p planned
	got = dry("--json", at("new"))
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
	invoke(s.env, strings.NewReader("x"), "send", "--to", "ncloudmailer", "--dry-run", "-").prints(t, "send\t\t-\n")
}
