package store_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/store"
)

func TestFillDistinguishesAnEndFromAnError(t *testing.T) {
	torn := func(s string) io.Reader {
		return io.MultiReader(strings.NewReader(s), iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	tests := []struct {
		name string
		r    io.Reader
		n    int
		err  error
	}{
		{"more than the buffer", strings.NewReader("123456"), 4, nil},
		{"as much as the buffer", strings.NewReader("1234"), 4, nil},
		{"as much, with io.EOF at once", iotest.DataErrReader(strings.NewReader("1234")), 4, io.EOF},
		{"less", strings.NewReader("12"), 2, io.EOF},
		{"nothing", strings.NewReader(""), 0, io.EOF},
		{"torn", torn("12"), 2, io.ErrUnexpectedEOF},
		{"torn behind the buffer", torn("1234"), 4, nil},
		{"byte by byte", iotest.OneByteReader(strings.NewReader("123456")), 4, nil},
		{"no progress", readerFunc(func([]byte) (int, error) { return 0, nil }), 0, io.ErrNoProgress},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := store.Fill(t.Context(), tt.r, make([]byte, 4))
			if n != tt.n || err != tt.err {
				t.Errorf("Fill = %d, %v, want %d, %v", n, err, tt.n, tt.err)
			}
		})
	}
}

func TestFillIsPatientWhileThereIsProgress(t *testing.T) {
	reads := 0
	r := readerFunc(func([]byte) (int, error) {
		reads++
		return reads % 2, nil
	})
	if n, err := store.Fill(t.Context(), r, make([]byte, 300)); n != 300 || err != nil {
		t.Errorf("Fill = %d, %v, want 300, nil", n, err)
	}
}

func TestFillChecksTheContextBeforeEveryRead(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reads := 0
	r := readerFunc(func([]byte) (int, error) {
		if reads++; reads == 2 {
			cancel()
		}
		return 1, nil
	})
	if n, err := store.Fill(ctx, r, make([]byte, 4)); n != 2 || !errors.Is(err, context.Canceled) {
		t.Errorf("Fill = %d, %v, want 2, context.Canceled", n, err)
	}
}
