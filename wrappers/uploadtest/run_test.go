package uploadtest

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// Many tests see that the kit waits. They do so beside others, as many as
// -parallel says, or four: each may hold bodies of 16 MiB.
func TestMain(m *testing.M) {
	flag.Parse()
	if at := flag.Lookup("test.parallel"); at.Value.String() == at.DefValue {
		_ = at.Value.Set(fmt.Sprint(max(4, runtime.GOMAXPROCS(0))))
	}
	os.Exit(m.Run())
}

// In a process of its own, since it fails.
func TestRunFailsTheTestOfABrokenClient(t *testing.T) {
	setups := map[string]func(testing.TB) Subject{
		"client": rig{client: result(func(r *upload.Result) { r.Size++ })}.setup,
		"spec":   rig{spec: []byte("openapi: {")}.setup,
	}
	if setup := setups[os.Getenv("UPLOADTEST_BROKEN")]; setup != nil {
		Run(t, setup)
		return
	}
	broken := func(what, properties string) (string, error) {
		cmd := exec.CommandContext(t.Context(), os.Args[0],
			"-test.run=^TestRunFailsTheTestOfABrokenClient$/"+properties, "-test.v")
		cmd.Env = append(os.Environ(), "UPLOADTEST_BROKEN="+what)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, _ := broken("spec", ""); strings.Count(out, "the spec cannot be used") != 1 ||
		strings.Count(out, "nothing was held: the setup did not return") != len(properties)-1 {
		t.Errorf("it is not told once, with a skip of each property but the first:\n%s", out)
	}
	out, err := broken("client", "^bytes_arrive_unchanged$")
	for _, want := range []string{
		"--- FAIL: TestRunFailsTheTestOfABrokenClient/bytes_arrive_unchanged",
		"content.go:", // the line points at the property
		": 0 bytes: result: Size is 1, but 0 bytes were handed over\n",
		": result: Size is ..., but ... bytes were handed over: so in 7 more cases: 1 bytes, 16384 bytes, " +
			"65535 bytes, ",
	} {
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("%q is not in (%v):\n%s", want, err, out)
		}
	}
}

// No file is like another, though long ones lie in one memory. Who appends to
// one does not write into another.
func TestEachNoiseHasOtherBytes(t *testing.T) {
	for _, n := range []int{100, 64 << 10, 17 << 20, 19 << 20} {
		first, second := payload.Noise(n), payload.Noise(n)
		if bytes.Equal(first[:100], second[:100]) || bytes.Equal(first[n-100:], second[n-100:]) || cap(first) != n {
			t.Errorf("two of %d bytes are alike, or behind one are %d others", n, cap(first)-n)
		}
	}
}

func TestRunWithNothingButAClient(t *testing.T) {
	t.Parallel()
	Run(t, func(t testing.TB) Subject { return Subject{Uploader: rig{}.setup(t).Uploader} })
}

func TestRunOnSomethingThatHasNoSubtests(t *testing.T) {
	t.Parallel()
	fourth := `media type "application/pdf": result: Name is "x", want "typed.bin"`
	lines := lab.Recorded(t, func(tb testing.TB) {
		Run(tb, rig{form: true, client: result(func(r *upload.Result) { r.Name = "x" })}.setup)
	}, fourth)
	lab.Named(t, lines, fourth)
	lab.Named(t, lines, `name "plain.txt": result: Name is "x", want "plain.txt"`)
}

func TestSubjectsWithoutAClientAreRefused(t *testing.T) {
	lines := lab.Recorded(t, func(tb testing.TB) { Run(tb, func(testing.TB) Subject { return Subject{} }) })
	lab.Named(t, lines, "the subject has no Uploader")
}
