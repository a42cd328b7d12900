package uploadtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/tally"
)

// Service is a client of a service that nobody can look into, with the calls of
// its API that tell about an upload. Only Uploader is required.
type Service struct {
	// Uploader is the client.
	Uploader upload.Uploader

	// Stranger is the same client with credentials that look right and are not.
	Stranger upload.Uploader

	// Find asks the API about an upload, by the result of Uploader. It returns
	// an error if the answer differs from the result. For an unknown id the
	// error is [upload.ErrNotFound].
	Find func(ctx context.Context, res upload.Result) error

	// Unknown is for Find. Its ids look right, but were never given out.
	Unknown upload.Result

	// Delete deletes an upload. Its errors are like Find's. It is nil if the
	// API has no such call.
	Delete func(ctx context.Context, res upload.Result) error

	// Secrets are the credentials of both clients. No error may show one.
	Secrets []string
}

// Live checks a client and a real service against each other, by the answers of
// the service alone. It uploads five small files, one after another. Each
// result describes its file as it was sent, has an id of its own, and is found
// under it. Wrong credentials and unknown ids are errors of their kind. At the
// end Live deletes the files, even after a failed check, and they are unknown
// from then on. Before it sends anything, Live logs the files that it will
// upload, and the host. At the end it logs the ids of the files that stay
// there. go test -v shows the log.
//
// The service is at baseURL. Connect makes its clients. They must send all
// their requests through hc, also those for tokens: hc holds every exchange to
// spec, an OpenAPI 3.0 document in YAML or JSON, as [Check] does.
//
// Each rule is a subtest of its own, and each failure is one line. If the
// service wants no more uploads (401, 403, 429), Live only deletes and ends. If
// the answer to an attempt was lost, its file is not known and so not deleted.
func Live(t testing.TB, baseURL string, spec []byte, connect func(hc *http.Client) Service) {
	t.Helper()
	c, host := apispec.ParseAt(t, baseURL, spec)
	var told tally.Told
	check := &Check{contract: c, Report: func(err error) { // of a rule that every upload breaks, once
		if told.First(err.(*Violation).Key()) {
			t.Error(err)
		}
	}}
	check.once.Do(func() {}) // the spec is parsed already
	l := &live{TB: t, host: host, Service: connect(&http.Client{Transport: check})}
	if l.Uploader == nil {
		t.Fatal("uploadtest: the service has no Uploader")
	}
	specimens := specimens()
	l.announce(specimens)
	defer l.clear()
	if l.uploads(specimens) {
		l.finds()
		l.refuses()
	}
}

// specimens returns small files that differ as much as the rules of uploading
// allow.
func specimens() []*source {
	stream := file(64<<10 + 1).once()
	stream.Name = "stream.bin"
	return []*source{
		newSource("invoice.pdf", "application/pdf", []byte(onePage), nil),
		newSource(`test\resources\test.txt`, "text/plain", []byte("upload test file"), nil),
		newSource(`청구서 "9월" 100%.txt`, "text/plain; charset=utf-8", []byte("청구서\n"), nil),
		newSource("empty.txt", "text/plain", nil, nil),
		stream,
	}
}

// onePage is a PDF of one empty page: a service may look into a document.
const onePage = "%PDF-1.4\n" +
	"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n" +
	"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>>>endobj\n" +
	"xref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000052 00000 n \n0000000101 00000 n \n" +
	"trailer<</Size 4/Root 1 0 R>>\nstartxref\n178\n%%EOF\n"

// live is one run of [Live].
type live struct {
	testing.TB
	Service
	host     string
	uploaded []upload.Result
}

// rule runs a check of its own.
func (l *live) rule(what string, check func(*trial)) {
	l.Helper()
	within(l.TB, what, func(t testing.TB) {
		check(trialOf(t, Subject{Uploader: l.Uploader, Secrets: l.Secrets}).about("%s", what))
	})
}

func (l *live) announce(specimens []*source) {
	l.Helper()
	var (
		files []string
		total int64
	)
	for _, s := range specimens {
		files = append(files, fmt.Sprintf("%s (%d bytes)", upload.BaseName(s.Name), s.Size))
		total += s.Size
	}
	after := "deletes them afterwards"
	if l.Delete == nil {
		after = "leaves them there, since the API has no call that deletes them"
	}
	l.Logf("uploads %d files of %d bytes in all to %s and %s: %s", len(files), total, l.host, after,
		strings.Join(files, ", "))
}

// uploads stops if the service wants no more: more uploads could lock the
// account.
func (l *live) uploads(specimens []*source) (welcome bool) {
	l.Helper()
	ids, welcome := map[string]bool{}, true
	for _, src := range specimens {
		if !welcome {
			return false
		}
		l.rule("upload of "+upload.BaseName(src.Name), func(t *trial) {
			p := src.tracked()
			res, err := t.send(t.Context(), src)
			if err != nil {
				t.tellsNothing(err)
				t.broke("%v", err)
				welcome = !errors.Is(err, upload.ErrUnauthorized) && !errors.Is(err, upload.ErrForbidden) &&
					!errors.Is(err, upload.ErrRateLimited)
				return
			}
			l.uploaded = append(l.uploaded, res) // also where it is not described well: it is there
			if t.describes(res, src.Source) && ids[res.ID] {
				t.broke("result: another upload has the ID %q too", res.ID)
			}
			ids[res.ID] = true
			p.check(t, src)
		})
	}
	return welcome
}

func (l *live) finds() {
	l.Helper()
	if l.Find == nil {
		return
	}
	for _, res := range l.uploaded {
		l.rule("finding "+res.Name, func(t *trial) {
			if err := asked(t, l.Find, res); err != nil {
				t.broke("%v", err)
			}
		})
	}
	if l.Unknown != (upload.Result{}) {
		l.rule("finding an unknown id", func(t *trial) { t.fails(asked(t, l.Find, l.Unknown), upload.ErrNotFound) })
	}
}

func (l *live) refuses() {
	l.Helper()
	l.rule("nothing prints a secret", func(t *trial) { t.about("the client").tellsNothing(t.Uploader) })
	if l.Stranger == nil {
		return
	}
	l.rule("wrong credentials", func(t *trial) {
		t.Uploader = l.Stranger
		res, err := t.send(t.Context(), newSource("wrong.txt", "text/plain", []byte("wrong"), nil))
		if t.fails(err, upload.ErrUnauthorized); err == nil {
			l.uploaded = append(l.uploaded, res)
		}
	})
}

// clear deletes the uploads, or logs the ones that stay.
func (l *live) clear() {
	l.Helper()
	deleted := 0
	for _, res := range l.uploaded {
		if l.Delete == nil {
			l.Logf("stays at %s: %s under the id %s", l.host, res.Name, res.ID)
			continue
		}
		l.rule("deleting "+res.Name, func(t *trial) {
			if err := asked(t, l.Delete, res); err != nil {
				t.about("%s, which may stay under the id %s", t.what, res.ID).broke("%v", err)
				return
			}
			deleted++
			t.about("%s again", t.what).fails(asked(t, l.Delete, res), upload.ErrNotFound)
			if l.Find != nil {
				t.about("finding %s, which is deleted,", res.Name).fails(asked(t, l.Find, res), upload.ErrNotFound)
			}
		})
	}
	if l.Delete != nil {
		l.Logf("deleted %d of %d uploads", deleted, len(l.uploaded))
	}
}

// asked makes a call. It may take as long as an upload.
func asked(t *trial, call func(context.Context, upload.Result) error, res upload.Result) error {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return call(ctx, res)
}
