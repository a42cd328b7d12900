package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// readBy reads with a buffer of n bytes each time, as some transport might.
func readBy(r io.Reader, n int) ([]byte, error) {
	var all []byte
	for buf := make([]byte, n); ; {
		m, err := r.Read(buf)
		all = append(all, buf[:m]...)
		switch {
		case err == io.EOF:
			return all, nil
		case err != nil:
			return all, err
		case m == 0:
			return all, errors.New("a Read gave nothing, not even an error")
		}
	}
}

func TestBodyIsTheSameHoweverItIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.txt")
	must(t, os.WriteFile(path, nil, 0o600))
	empty, err := upload.File(path) // a Read into an empty buffer gives nothing, not even the end
	must(t, err)
	srcs := []upload.Source{
		upload.Bytes("a.txt", []byte("the first file")), empty,
		{Name: "c.txt", Size: 50, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(iotest.HalfReader(strings.NewReader(strings.Repeat("c", 50)))), nil
		}},
	}
	plain := []wire.Field{{Name: "a", Value: "1"}, {Name: "b", File: &srcs[0]}, {Name: "c", Value: "2"}}
	for name, body := range map[string]*wire.Body{
		"raw": wire.Raw(srcs[0]), "form": wire.Form("f", srcs...), "form with values": wire.FormOf(plain...),
		"values alone": wire.FormOf(plain[0], plain[2]),
	} {
		req := sending(t, body)
		want, err := io.ReadAll(req.Body)
		if err != nil || int64(len(want)) != body.Length {
			t.Fatalf("%s: %d bytes and %v, want %d", name, len(want), err, body.Length)
		}
		for n := 1; n <= len(want)+1; n++ {
			again := sending(t, body)    // opened by its first Read
			opened, err := req.GetBody() // open already
			must(t, err)
			for _, r := range []io.ReadCloser{again.Body, opened} {
				if got, err := readBy(r, n); err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%s, read by %d bytes: %q and %v, want %q", name, n, got, err, want)
				}
				if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Fatalf("%s, after its end: %d bytes and %v, want io.EOF", name, n, err)
				}
				r.Close()
			}
		}
	}
}

// A connection holds such records back, and would wait for more.
func TestLargeBodyDoesNotEndWithAFullTLSRecord(t *testing.T) {
	const record, piece = 16 << 10, 32 << 10 // net/http writes by pieces
	tail := wire.Form("f", upload.Bytes("x", nil)).Length
	for name, body := range map[string]*wire.Body{
		"80 KiB":                       wire.Raw(upload.Bytes("x", make([]byte, 5*record))),
		"96 KiB":                       wire.Raw(upload.Bytes("x", make([]byte, 6*record))),
		"1 MiB":                        wire.Raw(upload.Bytes("x", make([]byte, 64*record))),
		"a byte less than 80 KiB":      wire.Raw(upload.Bytes("x", make([]byte, 5*record-1))), // full with TLS 1.3
		"eight bytes less than 80 KiB": wire.Raw(upload.Bytes("x", make([]byte, 5*record-8))), // full with TLS 1.2
		"a form":                       wire.Form("f", upload.Bytes("x", make([]byte, 7*record-tail))),
	} {
		req := sending(t, body)
		total, last := int64(0), 0
		for buf := make([]byte, piece); total < body.Length; total += int64(last) {
			var err error
			last, err = req.Body.Read(buf[:min(piece, body.Length-total)])
			must(t, err)
		}
		if over := last % record; over == 0 || over > record-50 {
			t.Errorf("%s: the last of %d bytes are %d, and these fill their records", name, total, last)
		}
	}
}

// A transport may read on after an error, and must not come through.
func TestFaultOfASourceStays(t *testing.T) {
	for name, content := range map[string]io.Reader{
		"grew by one byte": strings.NewReader("123456"),
		"grew":             strings.NewReader("1234567890"),
		"shrank":           strings.NewReader("1234"),
		"failed": io.MultiReader(strings.NewReader("123"),
			iotest.ErrReader(errors.New("bad sector")), strings.NewReader("45")),
		"failed at its end, and then ended": io.MultiReader(strings.NewReader("12345"),
			iotest.ErrReader(errors.New("bad sector"))),
	} {
		for _, n := range []int{1, 5, 512} {
			var c counted
			src := c.source("a", 5, func() (io.Reader, error) { return content, nil })
			req := sending(t, wire.Form("f", src))
			_, first := readBy(req.Body, n)
			for range 3 {
				if m, err := req.Body.Read(make([]byte, n)); !errors.Is(first, upload.ErrInvalid) ||
					err != first || m != 0 {
					t.Errorf("%s, read by %d bytes: first %v, then %d bytes and %v", name, n, first, m, err)
				}
			}
			req.Body.Close()
			if s, ok := content.(io.Seeker); ok {
				_, _ = s.Seek(0, io.SeekStart)
			} else {
				break // it can be read once
			}
		}
	}
}

// The transport may close a body while its source is still being opened.
func TestBodyClosedWhileItsSourceOpensIsClosedThen(t *testing.T) {
	for _, fails := range []bool{false, true} {
		opening, goOn := make(chan struct{}), make(chan struct{})
		var c counted
		src := c.source("a", 5, func() (io.Reader, error) {
			close(opening)
			<-goOn
			if fails {
				return nil, errors.New("no such file")
			}
			return strings.NewReader("hello"), nil
		})
		req := sending(t, wire.Raw(src))
		read := make(chan error)
		go func() {
			n, err := req.Body.Read(make([]byte, 10))
			if n > 0 {
				err = fmt.Errorf("%d bytes were read", n)
			}
			read <- err
		}()
		<-opening
		req.Body.Close()
		close(goOn)
		if err := <-read; err == nil || err == io.EOF || errors.Is(err, upload.ErrInvalid) != fails ||
			c.opened != c.closed {
			t.Errorf("the Read gave %v; the source was opened %d times and closed %d times", err, c.opened, c.closed)
		}
	}
}

// The transport writes what a Read gives: framing alone would be a packet of
// its own, and a source that is slow must not hold back what there is.
func TestReadGivesWhatThereIsAndWaitsForNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		srcs := []upload.Source{upload.Bytes("a.txt", []byte("first")), upload.Reader("b.txt", r, 6)}
		req := sending(t, wire.Form("f", srcs...))
		go func() {
			for _, piece := range []string{"sec", "on", "d"} { // the last waits for the file's end
				_, _ = w.Write([]byte(piece))
				time.Sleep(time.Second)
			}
			w.Close()
		}()
		for _, end := range []string{"sec", "on"} {
			begin, buf := time.Now(), make([]byte, 4096)
			n, err := req.Body.Read(buf)
			if got := string(buf[:n]); err != nil || !strings.HasSuffix(got, end) ||
				strings.HasPrefix(end, "s") != strings.Contains(got, "first") {
				t.Errorf("a Read gave %q and %v, want all up to %q", got, err, end)
			}
			if took := time.Since(begin); took > time.Second {
				t.Errorf("it took %s", took)
			}
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			t.Error(err)
		}
		req.Body.Close()
	})
}

// stuck gives nothing the first few times, and then what there is.
type stuck struct {
	times int
	io.Reader
}

func (s *stuck) Read(p []byte) (int, error) {
	if s.times > 0 {
		s.times--
		return 0, nil
	}
	return s.Reader.Read(p)
}

func TestSourceThatGivesNothingIsAskedAgainButNotForEver(t *testing.T) {
	for _, content := range []string{"", "hello"} {
		for times, want := range map[int]error{99: nil, 1000: io.ErrNoProgress} {
			src := upload.Source{Name: "a", Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
				return io.NopCloser(&stuck{times, strings.NewReader(content)}), nil
			}}
			req := sending(t, wire.Form("f", src))
			var err error
			for range 1000 {
				if _, err = req.Body.Read(make([]byte, 512)); err != nil {
					break
				}
			}
			if want == nil && err != io.EOF ||
				want != nil && (!errors.Is(err, want) || !errors.Is(err, upload.ErrInvalid)) {
				t.Errorf("%q after nothing %d times: %v, want %v", content, times, err, want)
			}
		}
	}
}
