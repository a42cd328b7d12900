package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"mime/multipart"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSpreadIsTheMiddleAndTheMiddleHalf(t *testing.T) {
	for _, tc := range []struct {
		figures []float64
		want    spread
	}{
		{nil, spread{}},
		{[]float64{7}, spread{7, 7, 7}},
		{[]float64{3, 1, 2}, spread{2, 1.5, 2.5}},
		{[]float64{5, 1, 4, 2, 3}, spread{3, 2, 4}},
		{[]float64{4, 1, 2, 3}, spread{2.5, 1.75, 3.25}},
	} {
		if got := spreadOf(tc.figures); got != tc.want {
			t.Errorf("of %v: %v, want %v", tc.figures, got, tc.want)
		}
	}
}

func TestRatioIsTakenRoundByRound(t *testing.T) {
	c := column{tlsH1, 16 * kib, 16}
	b := &bench{costs: map[column]map[string][]cost{c: {
		// The machine was ten times slower in the second round.
		ourForm: {{CPU: 50}, {CPU: 500}, {CPU: 50}},
		barePut: {{CPU: 100}, {CPU: 1000}, {CPU: 100}},
	}}}
	if got, _ := b.ratio(c, ourForm, barePut); got != (spread{0.5, 0.5, 0.5}) {
		t.Errorf("got %v, want 0.5 in every round", got)
	}
	if _, measured := b.ratio(c, curlForm, barePut); measured {
		t.Error("a peer that did nothing was compared")
	}
}

// The size that a sink answers without parsing must be the one that parsing finds.
func TestAFormIsMeasuredAsItIsParsed(t *testing.T) {
	for _, size := range []int{0, 1, 16 * kib, mib} {
		var text bytes.Buffer
		form := multipart.NewWriter(&text)
		part, err := form.CreateFormFile("fileList", "a b.pdf")
		if err != nil {
			t.Fatal(err)
		}
		part.Write(bytes.Repeat([]byte("\r\n\r\n-"), size/5+1)[:size])
		form.Close()
		name, n, err := measureForm(bytes.NewReader(text.Bytes()), form.Boundary(), make([]byte, 64*kib))
		if name != "a b.pdf" || n != int64(size) || err != nil {
			t.Errorf("measured %q, %d bytes, %v; want %d", name, n, err, size)
		}
		sum := counting{}
		name, n, err = parseForm(bytes.NewReader(text.Bytes()), form.Boundary(), &sum)
		if name != "a b.pdf" || n != int64(size) || sum.n != int64(size) || err != nil {
			t.Errorf("parsed %q, %d bytes, %v; want %d", name, n, err, size)
		}
	}
}

// counting counts, which is all that is asked of a hash here.
type counting struct{ n int64 }

func (m *counting) Write(p []byte) (int, error) { m.n += int64(len(p)); return len(p), nil }
func (*counting) Sum([]byte) []byte             { return nil }
func (*counting) Reset()                        {}
func (*counting) Size() int                     { return 0 }
func (*counting) BlockSize() int                { return 1 }

func TestALongWireDelaysBothWaysAndKeepsItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		server := later(far, 50*time.Millisecond)
		begin := time.Now()
		go func() {
			for range 3 {
				near.Write([]byte("x"))
			}
		}()
		if _, err := io.ReadFull(server, make([]byte, 3)); err != nil || time.Since(begin) != 25*time.Millisecond {
			t.Errorf("three writes arrived after %s, %v; want all after 25ms", time.Since(begin), err)
		}
		server.Write([]byte("yes"))
		server.Close()
		if got, err := io.ReadAll(near); string(got) != "yes" || err != nil || time.Since(begin) != 50*time.Millisecond {
			t.Errorf("the answer was %q, %v, after %s; want it after 50ms", got, err, time.Since(begin))
		}
	})
}

func TestALongWireHearsAReadDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		server := later(far, 50*time.Millisecond)
		go near.Write([]byte("x"))
		go func() {
			time.Sleep(10 * time.Millisecond)
			server.SetReadDeadline(time.Unix(1, 0))
		}()
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		server.SetReadDeadline(time.Time{})
		if n, err := server.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("got %d bytes, %v: what had arrived was lost", n, err)
		}
		server.Close()
		near.Close()
	})
}

func TestChartIsWellFormedAndHasADarkSide(t *testing.T) {
	names := everyPeer()
	svg := draw([]panel{{
		title: "<&>", unit: "u", reference: 1,
		of:   func(peer string) (float64, bool) { return 2, peer != restyForm },
		text: func(float64) string { return "2.00" },
	}}, names)
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		_, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"prefers-color-scheme: dark", ourForm, ourTwo, "&lt;&amp;&gt;", "not measured"} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("the chart does not hold %q", want)
		}
	}
	if strings.Contains(string(svg), "NaN") || math.IsNaN(spreadOf(nil).median) {
		t.Error("the chart holds a figure that is none")
	}
}
