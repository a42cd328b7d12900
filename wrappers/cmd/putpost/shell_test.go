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
	return p.end()
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
			shell(t, s.env, dir, list).is(t, 0, 5)
		}
	}
}

// A pipe that is named as a file is refused, and its bytes are not read.
func TestAPipeIsNoFileAndKeepsWhatItHolds(t *testing.T) {
	s := newService(t)
	fifo := filepath.Join(t.TempDir(), "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	pipe, err := os.OpenFile(fifo, os.O_RDWR, 0)
	must(t, err)
	defer pipe.Close()
	fmt.Fprint(pipe, "held")
	for _, args := range [][]string{{fifo}, {"--dry-run", fifo}, {"-r", filepath.Dir(fifo)},
		{fmt.Sprintf("/dev/fd/%d", pipe.Fd())}} {
		s.send("ncloudmailer", args...).is(t, 1, 0, "not a regular file")
	}
	invoke(s.env, strings.NewReader(fifo+"\n"), "send", "--to", "ncloudmailer", "--files-from", "-").
		is(t, 1, 0, "not a regular file")
	b := make([]byte, 10)
	if n, err := pipe.Read(b); string(b[:n]) != "held" || err != nil {
		t.Errorf("the pipe holds %q (%v)", b[:n], err)
	}
}

func TestAPipeIsNoJournalAndIsNotWaitedFor(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	s := newService(t)
	for _, verb := range []string{"check", "repair"} {
		invoke(nil, nil, "journal", verb, fifo).refused(t, 1, "not a regular file")
	}
	s.send("ncloudmailer", "--dry-run", "--journal", fifo, fifo).refused(t, exitUsage, "not a regular file")
}

func TestAPipeIsNotAListAndAFileAtOnce(t *testing.T) {
	s := newService(t)
	for _, list := range []string{"/dev/stdin", "/dev/fd/0"} {
		shell(t, s.env, t.TempDir(), `echo x | "$putpost" send --to ncloudmailer --files-from `+list+` -`).
			is(t, exitUsage, 0, "is standard input")
	}
}

func TestAClosedStandardOutputIsAnErrorThatTellsTheID(t *testing.T) {
	s := newService(t)
	dir := files(t, "a", "content")
	got := shell(t, s.env, dir, `"$putpost" send --to ncloudmailer a >&-`).is(t, 1, 0, "standard output: is closed")
	_, after, _ := strings.Cut(got.stderr, "sent as ")
	id, _, _ := strings.Cut(after, ",")
	if content, _ := s.stored(t, "ncloudmailer", id); content != "content" {
		t.Errorf("under the id there is %q", content)
	}
	shell(t, s.env, dir, `"$putpost" send --to ncloudmailer a > /dev/null`).is(t, 0, 0)
	for _, line := range []string{`"$putpost" getFile x >&-; "$putpost" demo >&-`, `"$putpost" --help >&-`,
		`"$putpost" --version >&-`, `"$putpost" send --help >&-`} {
		shell(t, s.env, dir, line).is(t, 1, 0, "standard output: is closed")
	}
	// It must not be sent as an empty file.
	shell(t, s.env, dir, `"$putpost" send --to ncloudmailer - <&-`).is(t, 1, 0, "standard input")
}

// Other languages open /dev/null for reading and writing, to ignore a stream.
func TestStreamsThatAParentIgnoresAreNoError(t *testing.T) {
	s := newService(t)
	dir := files(t, "a", "content")
	shell(t, s.env, dir, `"$putpost" send --to ncloudmailer a <>/dev/null 1<>/dev/null 2<>/dev/null`).is(t, 0, 0)
	shell(t, s.env, dir, `"$putpost" serve --addr 127.0.0.1:0 1<>/dev/null 2>log & pid=$!
until grep -q _putpost log || ! kill -0 $pid; do sleep 0.05; done; kill $pid; wait $pid`).is(t, 0, 0)
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
			cat out; cat err >&2; rm -f journal out err also; exit $code`).
			is(t, 0, 2, "since it is standard output of this run")
		if strings.Contains(got.stdout, "out") {
			t.Errorf("got %+v", got)
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
	invoke(nil, nil, "journal", "check", journal).is(t, 0, 0)
}
