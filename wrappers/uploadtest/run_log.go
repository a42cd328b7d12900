package uploadtest

import (
	"bytes"
	"io"
	"log"
	"runtime/debug"
	"sync"
)

// ears hear what package log writes, and so slog's default, while uploads run.
var ears struct {
	setting sync.Mutex // is held while ears come and go
	writer  *heardWriter
	mu      sync.Mutex // guards what follows
	open    map[*bytes.Buffer]bool
}

// heardWriter stands before the writer of package log.
type heardWriter struct{ before io.Writer }

func (w *heardWriter) Write(p []byte) (int, error) {
	// A server of the same process may log what it is sent.
	if !bytes.Contains(debug.Stack(), []byte("net/http.(*conn).serve")) {
		ears.mu.Lock()
		for ear := range ears.open {
			ear.Write(p)
		}
		ears.mu.Unlock()
	}
	return w.before.Write(p)
}

// listen hears the lines of package log until said is called, which returns
// them. Nobody knows which of several uploads at once wrote a line.
func listen() (said func() string) {
	ears.setting.Lock()
	defer ears.setting.Unlock()
	ear := new(bytes.Buffer)
	if ears.mu.Lock(); ears.open == nil {
		ears.open = map[*bytes.Buffer]bool{}
	}
	ears.open[ear] = true
	first := len(ears.open) == 1
	ears.mu.Unlock()
	if first {
		ears.writer = &heardWriter{log.Writer()}
		log.SetOutput(ears.writer)
	}
	return func() string {
		ears.setting.Lock()
		defer ears.setting.Unlock()
		ears.mu.Lock()
		delete(ears.open, ear)
		last := len(ears.open) == 0
		ears.mu.Unlock()
		if last && log.Writer() == io.Writer(ears.writer) { // else somebody set another one
			log.SetOutput(ears.writer.before)
		}
		return ear.String()
	}
}
