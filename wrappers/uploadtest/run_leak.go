package uploadtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// trials numbers the labels of nothingIsLeft.
var trials atomic.Int64

// inARow is the number of uploads in a row that together need one or two
// connections.
const inARow = 5

// nothingIsLeft checks that no goroutine of Upload works on after its return,
// that no body of an answer is open, and that connections do not pile up. A
// goroutine inherits the labels of the goroutine that starts it, so the
// goroutines of other tests do not count.
func nothingIsLeft(t *trial) {
	label := fmt.Sprint(trials.Add(1))
	send := func(t *trial, ctx context.Context, size int) {
		pprof.Do(ctx, pprof.Labels("uploadtest", label), func(ctx context.Context) { _, _ = t.upload(ctx, file(size)) })
		t.seen.Note(aGoroutine)
	}
	live, end := context.WithTimeout(t.Context(), patience) // its end would close a body
	defer end()
	const size = 100 << 10
	first := 0 // parts at once may need several
	for n := range inARow {
		send(t.about("an upload"), live, size)
		if _, idle := leftovers(label); n == 0 {
			first = idle
		} else if n == inARow-1 && idle-first >= n {
			t := t.about("%d uploads, one after another", inARow)
			t.broke("connections: %d are open, so each upload leaves one", idle)
		}
	}
	found := t.about("an upload").leaves(label)
	for _, op := range opsOf(t.requests()) {
		var ctx context.Context
		var cancel context.CancelFunc
		long := strings.Repeat("x", 2<<20) // more than anybody reads of a refusal
		type ending struct {
			what  string
			size  int
			fault Fault
		}
		cases := []ending{
			{"cut off in the middle of the body", size, ResetMiddle},
			{"refused before its body was read", 2 << 20, instead(slamDoor)},
			{"not answered until it is canceled", size, instead(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // only then net/http notices that the caller is gone
				cancel()
				gone(r, prompt)
			})},
		}
		for _, status := range slices.Concat(redirects, []int{200, 202}) {
			cases = append(cases, ending{fmt.Sprintf("answered %d", status), size, Answer(status, long)})
		}
		for _, c := range t.refusalsOf(op) { // some twice, with an example of the spec's
			cases = append(cases, ending{fmt.Sprintf("answered %d", c.status), size, Answer(c.status, c.body+long)})
		}
		for _, c := range cases {
			if found {
				return // what is left once is left again
			}
			t.about("%s %s", op, c.what).fresh(func(t *trial) {
				ctx, cancel = context.WithTimeout(t.Context(), patience)
				defer cancel()
				t.Server.Inject(op, 1, c.fault)
				send(t, ctx, c.size)
				found = t.leaves(label)
			})
		}
	}
}

// leaves reports what is left of the uploads with a label. A goroutine may take
// a moment to end.
func (t *trial) leaves(label string) bool {
	left, _ := leftovers(label)
	deadline := time.Now().Add(3 * time.Second)
	for pause := time.Millisecond; len(left) > 0 && time.Now().Before(deadline); left, _ = leftovers(label) {
		time.Sleep(pause)
		pause = min(2*pause, 50*time.Millisecond) // to look takes long
	}
	for _, what := range left {
		t.broke("%s", what)
	}
	return len(left) > 0
}

var (
	frame = regexp.MustCompile(`(?m)^#\t0x[0-9a-f]+\t(\S+?)\+0x`)
	alike = regexp.MustCompile(`(?m)^(\d+) @`) // how many goroutines have one stack
)

// leftovers describes the goroutines with a label that do more than wait for
// the next request on a connection, and counts the connections.
func leftovers(label string) (left []string, idle int) {
	var b bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&b, 1) // into memory: it cannot fail
	for block := range strings.SplitSeq(b.String(), "\n\n") {
		if !strings.Contains(block, fmt.Sprintf("%q:%q", "uploadtest", label)) {
			continue
		}
		var frames []string
		for _, f := range frame.FindAllStringSubmatch(block, -1) {
			frames = append(frames, f[1])
		}
		stack := strings.Join(frames, " ")
		switch {
		case strings.Contains(stack, "leftovers"), strings.HasSuffix(stack, "writeLoop"):
		case strings.Contains(stack, "bufio.(*Reader).Peek"):
			n, _ := strconv.Atoi(alike.FindStringSubmatch(block)[1])
			idle += n
		case strings.HasSuffix(stack, "readLoop"):
			left = append(left, "answers: the body of an answer was not closed")
		case len(frames) == 0: // it begins or ends
			left = append(left, "goroutines: one is still running")
		default:
			left = append(left, "goroutines: one is still running, started in "+frames[len(frames)-1])
		}
	}
	return left, idle
}
