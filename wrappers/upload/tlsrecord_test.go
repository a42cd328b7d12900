package upload

import (
	"bytes"
	"errors"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// wire records what is written to it, and fails when err is set.
type wire struct {
	net.Conn
	writes [][]byte
	err    error
}

func (w *wire) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.writes = append(w.writes, bytes.Clone(p))
	return len(p), nil
}

// record makes a TLS record of application data with n bytes of content.
func record(n int, fill byte) []byte {
	n += 17 // TLS 1.3's content type and tag
	return append([]byte{23, 3, 3, byte(n >> 8), byte(n)}, bytes.Repeat([]byte{fill}, n)...)
}

func TestFullRecordsGoOutWithTheNextOne(t *testing.T) {
	full, rest := record(fullRecord, 'a'), record(100, 'b')
	least := record(fullRecord-1, 'a') // as long as a full one with TLS 1.2's ChaCha20-Poly1305
	text := bytes.Repeat([]byte("x"), 20_000)
	for _, tt := range []struct {
		name  string
		given [][]byte
		want  [][]byte
	}{
		{"one that has room", [][]byte{rest}, [][]byte{rest}},
		{"one that has a little room", [][]byte{record(fullRecord-2, 'a')}, [][]byte{record(fullRecord-2, 'a')}},
		{"a full one with the least frame", [][]byte{least, rest}, [][]byte{slices.Concat(least, rest)}},
		{"a full one and the rest", [][]byte{full, rest}, [][]byte{slices.Concat(full, rest)}},
		{
			"a full write buffer",
			[][]byte{full, full, full, full, rest},
			[][]byte{slices.Concat(full, full, full, full, rest)},
		},
		{
			"a large body that ends with a full one",
			slices.Repeat([][]byte{full}, 2*maxHeld),
			[][]byte{bytes.Repeat(full, maxHeld), bytes.Repeat(full, maxHeld)},
		},
		{
			"more than is held",
			append(slices.Repeat([][]byte{full}, maxHeld+1), rest),
			[][]byte{bytes.Repeat(full, maxHeld), slices.Concat(full, rest)},
		},
		{"what is no record", [][]byte{text, text}, [][]byte{text, text}},
		{"a full one and what is no record", [][]byte{full, text}, [][]byte{slices.Concat(full, text)}},
	} {
		synctest.Test(t, func(t *testing.T) { // the timer does not run meanwhile
			w := &wire{}
			c := &conn{Conn: w}
			for _, p := range tt.given {
				if n, err := c.Write(p); n != len(p) || err != nil {
					t.Errorf("%s: Write gives %d and %v, want %d", tt.name, n, err, len(p))
				}
			}
			if !slices.EqualFunc(w.writes, tt.want, bytes.Equal) {
				t.Errorf("%s: %d writes, want %d", tt.name, len(w.writes), len(tt.want))
			}
		})
	}
}

func TestFullRecordThatNothingFollowsGoesOutAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := &conn{Conn: w}
		full := record(fullRecord, 'a')
		for range 2 {
			if _, err := c.Write(full); err != nil {
				t.Fatal(err)
			}
			time.Sleep(holdFor + 1)
			synctest.Wait()
		}
		if !slices.EqualFunc(w.writes, [][]byte{full, full}, bytes.Equal) {
			t.Errorf("%d writes, want 2", len(w.writes))
		}
	})
}

func TestRecordThatCannotBeSentIsAnError(t *testing.T) {
	broken := errors.New("broken pipe")
	full, rest := record(fullRecord, 'a'), record(100, 'b')
	c := &conn{Conn: &wire{err: broken}}
	_, _ = c.Write(full)
	if n, err := c.Write(rest); n != 0 || err != broken {
		t.Errorf("with the next record: %d and %v, want 0 and the cause", n, err)
	}
	synctest.Test(t, func(t *testing.T) {
		c := &conn{Conn: &wire{err: broken}}
		_, _ = c.Write(full)
		time.Sleep(holdFor + 1)
		synctest.Wait()
		if n, err := c.Write(rest); n != 0 || err != broken {
			t.Errorf("after it went out late: %d and %v, want 0 and the cause", n, err)
		}
	})
}
