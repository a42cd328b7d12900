//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// shell runs a line of bash with the program as $putpost.
func shell(t *testing.T, env map[string]string, dir, line string) result {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	p := command(t, env)
	p.Env = append(p.Env, "putpost="+p.Path, "PATH="+os.Getenv("PATH"))
	p.Path, p.Args, p.Dir = bash, []string{"bash", "-c", line}, dir
	p.start(t)
	return result{p.code(t), p.stdout.String(), p.stderr.String()}
}

// Two readers of one pipe would share its names. That is a race, so the test
// runs every way of naming a list many times.
func TestAListThatCanBeReadOnceIsReadOnce(t *testing.T) {
	s := newService(t)
	dir := small(t, 5)
	for i, list := range []string{
		`"$putpost" send --to ncloudmailer --files-from <(find . -type f)`,
		`find . -type f | "$putpost" send --to ncloudmailer --files-from /dev/stdin`,
		`find . -type f | "$putpost" send --to ncloudmailer --files-from -`,
		`mkfifo ../list; find . -type f > ../list & "$putpost" send --to ncloudmailer --files-from ../list; rm ../list`,
		`find . -type f -print0 | "$putpost" send --to ncloudmailer -0 --files-from /dev/fd/0`,
		`find . -type f > ../list; "$putpost" send --to ncloudmailer --files-from - < ../list; rm ../list`,
	} {
		runs := 50
		if i > 1 { // the same with another syntax
			runs = 5
		}
		for range runs {
			if got := shell(t, s.env, dir, list); got.code != 0 || len(rows(got.stdout)) != 5 {
				t.Fatalf("%s: got %+v", list, got)
			}
		}
	}
}

// A pipe that is named as a file is refused, and its bytes are not read.
func TestAPipeIsNoFileAndKeepsWhatItHolds(t *testing.T) {
	s := newService(t)
	fifo := filepath.Join(t.TempDir(), "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	pipe, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	fmt.Fprint(pipe, "held")
	for _, args := range [][]string{{fifo}, {"--dry-run", fifo}, {"-r", filepath.Dir(fifo)},
		{fmt.Sprintf("/dev/fd/%d", pipe.Fd())}} {
		got := s.send("ncloudmailer", args...)
		if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, "not a regular file") {
			t.Errorf("%v: got %+v", args, got)
		}
	}
	got := invoke(s.env, strings.NewReader(fifo+"\n"), "send", "--to", "ncloudmailer", "--files-from", "-")
	if got.code != 1 || !strings.Contains(got.stderr, "not a regular file") {
		t.Errorf("in a list: got %+v", got)
	}
	b := make([]byte, 10)
	if n, err := pipe.Read(b); string(b[:n]) != "held" || err != nil {
		t.Errorf("the pipe holds %q (%v)", b[:n], err)
	}
}

func TestAPipeIsNoJournalAndIsNotWaitedFor(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	for _, args := range [][]string{
		{"journal", "check", fifo},
		{"journal", "repair", fifo},
		{"send", "--to", "ncloudmailer", "--dry-run", "--journal", fifo, fifo},
	} {
		if got := invoke(newService(t).env, nil, args...); got.code == 0 ||
			!strings.Contains(got.stderr, "not a regular file") {
			t.Errorf("%v: got %+v", args, got)
		}
	}
}

func TestAPipeIsNotAListAndAFileAtOnce(t *testing.T) {
	s := newService(t)
	for _, list := range []string{"/dev/stdin", "/dev/fd/0"} {
		got := shell(t, s.env, t.TempDir(), `echo x | "$putpost" send --to ncloudmailer --files-from `+list+` -`)
		if got.code != exitUsage || !strings.Contains(got.stderr, "is standard input") {
			t.Errorf("%s: got %+v", list, got)
		}
	}
}

func TestAClosedStandardOutputIsAnErrorThatTellsTheID(t *testing.T) {
	s := newService(t)
	dir := files(t, "a", "content")
	got := shell(t, s.env, dir, `"$putpost" send --to ncloudmailer a >&-`)
	_, after, _ := strings.Cut(got.stderr, "sent as ")
	id, _, found := strings.Cut(after, ",")
	if got.code != 1 || !found || !strings.Contains(got.stderr, "standard output: is closed") {
		t.Fatalf("got %+v", got)
	}
	if content, _ := s.stored(t, "ncloudmailer", id); content != "content" {
		t.Errorf("under the id there is %q", content)
	}
	if got := shell(t, s.env, dir, `"$putpost" send --to ncloudmailer a > /dev/null`); got.code != 0 {
		t.Errorf("thrown away: got %+v", got)
	}
	if got := shell(t, s.env, dir, `"$putpost" getFile x >&-; "$putpost" demo >&-`); got.code != 1 ||
		!strings.Contains(got.stderr, "is closed") {
		t.Errorf("demo: got %+v", got)
	}
	for _, line := range []string{`"$putpost" --help >&-`, `"$putpost" --version >&-`, `"$putpost" send --help >&-`} {
		if got := shell(t, s.env, dir, line); got.code != 1 ||
			!strings.Contains(got.stderr, "standard output: is closed") {
			t.Errorf("%s: got %+v", line, got)
		}
	}
	if got := shell(t, s.env, dir, `"$putpost" send --to ncloudmailer - <&-`); got.code != 1 || got.stdout != "" ||
		!strings.Contains(got.stderr, "standard input") {
		t.Errorf("a closed standard input is sent as an empty file: got %+v", got)
	}
}

// Other languages open /dev/null for reading and writing, to ignore a stream.
func TestStreamsThatAParentIgnoresAreNoError(t *testing.T) {
	s := newService(t)
	dir := files(t, "a", "content")
	got := shell(t, s.env, dir, `"$putpost" send --to ncloudmailer a <>/dev/null 1<>/dev/null 2<>/dev/null`)
	if got.code != 0 {
		t.Errorf("send: got %+v", got)
	}
	got = shell(t, s.env, dir, `"$putpost" serve --addr 127.0.0.1:0 1<>/dev/null 2>log & pid=$!
until grep -q _putpost log || ! kill -0 $pid; do sleep 0.05; done; kill $pid; wait $pid`)
	if got.code != 0 {
		t.Errorf("serve: got %+v", got)
	}
}

func TestFilesThatARunWritesAreNotSent(t *testing.T) {
	s := newService(t)
	dir := files(t, "a", "a", "b", "b", ".env",
		"NCLOUD_ACCESS_KEY="+s.env[ncpAccessKey]+"\nNCLOUD_SECRET_KEY="+s.env[ncpSecretKey])
	must(t, os.Chmod(filepath.Join(dir, ".env"), 0o600))
	for _, files := range []string{"-r .", `-r "$PWD" ../*/out`, "* out err", "--files-from <(ls -A)",
		`-r . --files-from <(echo out; ls -A)`} {
		got := shell(t, s.env, dir, `ln -f out also; : > out
			"$putpost" send --to ncloudmailer --env-file .env --journal journal `+files+` >> out 2>> err; code=$?
			cat out; cat err >&2; rm -f journal out err also; exit $code`)
		if got.code != 0 || len(rows(got.stdout)) != 2 || strings.Contains(got.stdout, "out") {
			t.Errorf("%s: got %+v", files, got)
		}
		if !strings.Contains(got.stderr, "since it is standard output of this run") {
			t.Errorf("%s: it does not say what is left out: %s", files, got.stderr)
		}
	}
}

// The recipe of --help prints every id, with any bytes in a name.
func TestTheRecipeOfTheHelpGivesBackEveryID(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("there is no jq")
	}
	help := invoke(nil, nil, "send", "--help").stdout
	_, recipe, _ := strings.Cut(help, "    jq -rs")
	recipe, _, found := strings.Cut(recipe, "sent.journal")
	if !found {
		t.Fatal("the help has no recipe")
	}
	s := newService(t)
	dir := files(t, "\xff/a", "1", "\xfe/a", "2", "plain", "3")
	got := shell(t, s.env, dir, `"$putpost" send --to ncloudmailer --json --journal ../journal -r .
		jq -rs `+recipe+` ../journal; rm ../journal`)
	var ids, again int
	paths := map[string]bool{}
	for line := range strings.Lines(got.stdout) {
		if strings.HasPrefix(line, "{") {
			ids++
			paths[jsonPath(t, line)] = true
			continue
		}
		again++
		id, _, _ := strings.Cut(line, "\t")
		if !strings.Contains(got.stdout[:strings.Index(got.stdout, line)], id) {
			t.Errorf("the id %s was never printed", id)
		}
	}
	if ids != 3 || again != 3 || len(paths) != 3 {
		t.Errorf("%d ids, %d of the recipe, the paths %v in %+v", ids, again, paths, got)
	}
}

func TestAJournalThatCannotBeWrittenEndsTheRun(t *testing.T) {
	s := newService(t)
	n := s.sends()
	dir := small(t, 100)
	got := shell(t, s.env, dir, `trap "" XFSZ; ulimit -f 4
		"$putpost" send --to ncloudmailer -c 3 --journal ../journal -r .`)
	if got.code != 1 || strings.Count(got.stderr, "so no more are sent") != 1 ||
		!strings.Contains(got.stderr, "file too large") || n.Load() > 30 {
		t.Fatalf("%d were sent: %+v", n.Load(), got)
	}
	// A file that is not in the journal is not reported as sent, and its id is not
	// lost.
	journal := filepath.Join(dir, "..", "journal")
	content, err := os.ReadFile(journal)
	if err != nil || strings.Count(string(content), "\n") != len(rows(got.stdout)) {
		t.Errorf("%d files are reported, the journal is %q (%v)", len(rows(got.stdout)), content, err)
	}
	if told := strings.Count(got.stderr, ": sent as "); int64(told+len(rows(got.stdout))) != n.Load() {
		t.Errorf("%d were sent, of %d the id was told: %s", n.Load(), told, got.stderr)
	}
	if got := invoke(nil, nil, "journal", "check", journal); got.code != 0 {
		t.Errorf("the journal is damaged: %+v", got)
	}
}
