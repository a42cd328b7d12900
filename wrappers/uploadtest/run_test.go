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
	if os.Getenv("UPLOADTEST_BROKEN") != "" {
		Run(t, rig{client: result(func(r *upload.Result) { r.Size++ })}.setup)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0],
		"-test.run=^TestRunFailsTheTestOfABrokenClient$/^bytes_arrive_unchanged$", "-test.v")
	cmd.Env = append(os.Environ(), "UPLOADTEST_BROKEN=1")
	out, err := cmd.CombinedOutput()
	for _, want := range []string{
		"--- FAIL: TestRunFailsTheTestOfABrokenClient/bytes_arrive_unchanged",
		"content.go:", // the line points at the property
		"16384 bytes: result: Size is 16385, but 16384 bytes were handed over\n",
	} {
		if err == nil || !strings.Contains(string(out), want) {
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
