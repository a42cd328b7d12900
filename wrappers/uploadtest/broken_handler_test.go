package uploadtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
)

// Handlers that answer, store or count wrongly.
var brokenHandlers = []bite{
	{"an answer short of a property", rig{received: faulty.Reply("/objects", faulty.Said(`"id"`, `"key"`))},
		namesArrive, `announce: response body: status 200: at /id: property "id" is missing`},
	{"the stored media type is another", rig{form: true, received: faulty.Arrival("/forms",
		faulty.Replace("application/pdf",
			"application/pdx"))}, mediaTypesArrive,
		`stored: the media type is "application/pdx", want "application/pdf"`},
	{"another type of the spec's is announced", rig{form: true,
		spec: amended("multipart/form-data:",
			"\n            encoding: {file: {contentType: 'text/html, application/pdf'}}"),
		sent: faulty.RequestTo("/forms", faulty.Replace("application/pdf", "text/html"))},
		mediaTypesArrive, `the media type is "text/html", want "application/pdf"`},
	{"a torn body is stored", rig{received: faulty.Arrival("/store", faulty.Swallowed)}, faultsLast,
		"an upload that failed left a file under its id"},
	{"a handler that panics", rig{received: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
	}}, namesArrive, "the handler panicked: boom"},
	{"a file is stored twice", rig{form: true, received: doubled}, namesArrive,
		"count: 3 files are stored after one upload, 1 were before"},
	{"a file is not counted", rig{raw: true, stored: func(s *Subject) {
		s.Count = func() int { return 7 }
	}}, namesArrive,
		"count: 7 files are stored after one upload, 7 were before"},
	{"each of several files is stored twice", rig{form: true, received: doubled}, uploadsAtOnce,
		"16 uploads at once: count: 32 more files are stored, want 16"},
	{"more is stored than was sent", rig{stored: keeps(faulty.ReaderFunc(func(p []byte) (int, error) {
		return copy(p, "more"), nil
	}))}, bytesArrive,
		"65537 bytes: stored: more than the 65537 bytes that were sent, the first wrong one at offset 65537"},
	{"what is stored cannot be read", rig{stored: keeps(iotest.ErrReader(errors.New("a bad disk")))},
		bytesArrive, "65537 bytes: stored: what is stored cannot be read: a bad disk"},
	{"a file vanishes", rig{form: true, stored: func(s *Subject) {
		s.Stored = func(context.Context, string) (io.ReadCloser, string, error) { return nil, "", errors.New("gone") }
	}}, namesArrive, "stored: nothing under the returned id: gone"},
}
