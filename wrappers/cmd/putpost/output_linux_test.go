package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/putpost/putpost/wrappers/internal/standintest"
)

// terminal opens a pseudo terminal. screen returns what was written to it.
func terminal(t *testing.T, columns uint16) (tty *os.File, screen func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there is no pseudo terminal:", err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	must(t, err)
	if tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	must(t, unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}))
	seen := &standintest.Log{}
	go func() { _, _ = io.Copy(seen, master) }()
	t.Cleanup(func() { tty.Close(); master.Close() })
	return tty, seen.String
}

func TestATerminalGetsEscapesAndAFileTheBytes(t *testing.T) {
	s := newService(t)
	const folder, name = "\x1b]52;c;aGk=\x07\u0085", "a\u202eb"
	path := filepath.Join(files(t, folder+"/"+name, "x"), folder, name)
	tty, screen := terminal(t, 80)
	lookup := environ(s.env)
	if code := run([]string{"send", "--to", "ncloudmailer", path, path + "missing"}, lookup, nil, tty, tty); code != 1 {
		t.Errorf("exit code %d", code)
	}
	until(t, "the summary", func() bool { return strings.Contains(screen(), "1 sent") })
	if got := screen(); strings.ContainsAny(got, "\x1b\x07\u202e\u0085") || !strings.Contains(got, `a\u202eb`) ||
		!strings.Contains(got, `\x1b]52;c;aGk=\x07\u0085`) {
		t.Errorf("the terminal got %q", got)
	}
	if got := s.send("ncloudmailer", path, path+"missing"); got.code != 1 ||
		!strings.HasSuffix(got.stdout, "\t"+name+"\n") || !strings.HasPrefix(got.stderr, "putpost: "+path+"missing: ") {
		t.Errorf("a file got %+v", got)
	}
	tty, screen = terminal(t, 80)
	run([]string{"send", "--to", "ncloudmailer", "--json", path}, lookup, nil, tty, io.Discard)
	until(t, "the object", func() bool { return strings.Contains(screen(), "}") })
	if got := screen(); strings.ContainsAny(got, "\x1b\x07\u202e\u0085") ||
		jsonPath(t, strings.TrimSpace(got)) != path {
		t.Errorf("with --json the terminal got %q", got)
	}
}

func TestTheStatusLineIsGoneBeforeOtherLines(t *testing.T) {
	s := newService(t)
	g := s.gate()
	path := filepath.Join(files(t, "a", "x"), "a")
	tty, screen := terminal(t, 80)
	done := make(chan int)
	go func() {
		done <- run([]string{"send", "--to", "ncloudmailer", path}, environ(s.env), nil,
			tty, tty)
	}()
	await(t, "the upload", g.came, 1)
	until(t, "a status line", func() bool { return strings.Contains(screen(), "waiting for the answer") })
	close(g.open)
	if code := <-done; code != 0 {
		t.Errorf("exit code %d", code)
	}
	until(t, "the summary", func() bool { return strings.Contains(screen(), "1 sent") })
	// A terminal shows the text after the last carriage return.
	last := ""
	for line := range strings.SplitSeq(screen(), "\n") {
		shown := []rune{}
		for _, piece := range strings.Split(strings.TrimSuffix(line, "\r"), "\r") {
			for i, r := range []rune(strings.TrimRight(piece, "\b")) {
				if i < len(shown) {
					shown[i] = r
				} else {
					shown = append(shown, r)
				}
			}
		}
		last += strings.TrimRight(string(shown), " ") + "\n"
	}
	if !regexp.MustCompile(`^[0-9a-f-]+ *\ta\nputpost: 1 sent; 1 byte in [0-9.]+m?s\n\n$`).MatchString(last) {
		t.Errorf("the terminal shows %q", last)
	}
}

func TestThereIsNoStatusLineWhereItCannotBeDrawn(t *testing.T) {
	tty, _ := terminal(t, 80)
	none, _ := terminal(t, 0)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	must(t, err)
	defer null.Close()
	set := func(name, value string) environment { return environ(map[string]string{name: value}) }
	for name, tc := range map[string]struct {
		w    io.Writer
		env  environment
		want bool
	}{
		"a terminal":    {tty, environ(nil), true},
		"a dumb one":    {tty, set("TERM", "dumb"), false},
		"NO_COLOR":      {tty, set("NO_COLOR", "1"), false},
		"no columns":    {none, environ(nil), false},
		"no terminal":   {&standintest.Log{}, environ(nil), false},
		"another TERM":  {tty, set("TERM", "xterm"), true},
		"the null file": {null, environ(nil), false},
	} {
		if got := newStatusLine(tc.w, tc.env) != nil; got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
