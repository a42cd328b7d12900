package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/putpost/putpost/wrappers/internal/journal"
	"github.com/putpost/putpost/wrappers/upload"
)

// output writes to standard output and standard error. A terminal may have a
// status line below the other lines.
type output struct {
	out, err io.Writer
	terminal bool // out is a terminal
	quiet    bool // only failures are on standard error

	mu     sync.Mutex
	status *statusLine // nil without a status line
}

var errOutput = errors.New("standard output")

func newOutput(p *program) *output {
	return &output{out: p.stdout, err: p.stderr, terminal: isTerminal(p.stdout)}
}

// data writes a line to standard output, newline included.
func (o *output) data(line string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.status != nil && o.terminal {
		o.status.erase()
	}
	if o.terminal {
		line = visible(line, "\t\n")
	}
	if _, err := io.WriteString(o.out, line); err != nil {
		if errors.Is(err, errClosed) {
			return fmt.Errorf("%w: %w; \"> /dev/null\" throws it away", errOutput, err)
		}
		return fmt.Errorf("%w: %w", errOutput, cause(err))
	}
	return nil
}

// note writes a line to standard error, but not with --quiet.
func (o *output) note(format string, args ...any) {
	if !o.quiet {
		o.failure(format, args...)
	}
}

// failure writes a line to standard error.
func (o *output) failure(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.status != nil {
		o.status.erase()
	}
	writeLine(o.err, line)
}

// writeLine writes text as one line. Only a terminal gets escapes.
func writeLine(w io.Writer, text string) {
	text = oneLine(text)
	if isTerminal(w) {
		text = visible(text, "\t")
	}
	_, _ = io.WriteString(w, "putpost: "+text+"\n")
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// closedFile stands for a stream that was closed when the program started.
type closedFile struct{}

func (closedFile) Read([]byte) (int, error) { return 0, errClosed }

func (closedFile) Write([]byte) (int, error) { return 0, errClosed }

var errClosed = errors.New("is closed")

// oneLine replaces the line breaks in s by blanks.
func oneLine(s string) string { return lineBreaks.Replace(strings.TrimSpace(s)) }

var lineBreaks = strings.NewReplacer("\n", " ", "\r", " ")

// shown returns a path for a message. It is quoted if it is empty or has line
// breaks.
func shown(path string) string {
	if path == "" || strings.ContainsAny(path, "\n\r") {
		return strconv.Quote(path)
	}
	return path
}

// visible escapes the control and bidirectional characters in s, except those
// in keep. They could control the terminal, or show another name than the real
// one.
func visible(s, keep string) string { return escaped(s, keep, `\x%02x`) }

// escaped escapes like visible. The format is for a byte of ASCII, and for one
// that is not UTF-8.
func escaped(s, keep, format string) string {
	hidden := func(r rune) bool { return acts(r) && !strings.ContainsRune(keep, r) }
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1, r < utf8.RuneSelf && hidden(r):
			fmt.Fprintf(&b, format, s[0])
		case r != utf8.RuneError && hidden(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// acts reports whether r may control a terminal. A byte that is not UTF-8 may
// be a control character of another encoding.
func acts(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

// and returns "a", "a and b" or "a, b and c".
func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// about says which file a JSON object is about.
type about struct {
	Provider string `json:"provider"`
	Path     string `json:"path,omitempty"`
	RawPath  []byte `json:"rawPath,omitempty"` // see journal.RawPath
	ID       string `json:"id,omitempty"`
}

// record is a line of standard output about one file, as a JSON object or in
// columns.
type record struct {
	about
	Name          string    `json:"name,omitempty"`
	Size          *int64    `json:"size,omitempty"` // a pointer, since an empty file has one too
	TraceID       string    `json:"traceId,omitempty"`
	TempRequestID string    `json:"tempRequestId,omitempty"`
	Expires       time.Time `json:"expires,omitzero"`
	Status        string    `json:"status,omitempty"`
	DocumentID    int64     `json:"documentId,omitempty"`

	document bool // the documentId has a column
}

func recordOf(res upload.Result) record {
	return record{
		about: about{ID: res.ID}, Name: res.Name, Size: &res.Size, TraceID: res.TraceID,
		TempRequestID: res.TempRequestID, Expires: journal.JSONTime(res.Expires),
	}
}

// line returns the record as a line with its newline. The columns are the id,
// the name or the status, and the documentId if document is set.
func (r record) line(asJSON bool) string {
	if asJSON {
		return jsonLine(r)
	}
	columns := []string{column(r.ID), column(cmp.Or(r.Status, r.Name))}
	if r.document {
		columns = append(columns, "")
		if r.DocumentID != 0 {
			columns[2] = fmt.Sprint(r.DocumentID)
		}
	}
	return strings.Join(columns, "\t") + "\n"
}

// jsonLine returns v as a JSON object on a line. It writes characters that may
// control a terminal as JSON escapes. That does not change the object.
func jsonLine(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // our types always marshal
	}
	return escaped(b.String(), "\n", `\u%04x`)
}

var columnEscapes = strings.NewReplacer("\t", `\t`, "\n", `\n`)

// column escapes tabs and newlines, because they would end the column.
func column(s string) string { return columnEscapes.Replace(s) }
