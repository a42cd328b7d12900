package probe

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// readSpec is a provider's whose ids may be of another kind.
const readSpec = `
openapi: 3.0.3
info: {title: Reads, version: '1'}
servers: [{url: /v1}]
paths:
  /things: {post: {operationId: make, requestBody: {content: {image/png: {}}}, responses: &all {default: {description: All.}}}}
  /things/{id}: {parameters: &id [{name: id, in: path, required: true, schema: {type: string}}],
    get: {operationId: look, responses: {'404': {description: None.}, default: {description: All.}}},
    put: {operationId: fill, responses: *all}}
  /others: {post: {operationId: other, responses: *all}}
  /others/{id}: {parameters: *id, get: {operationId: see, responses: *all}}
  /rows/{id}: {parameters: *id, get: {operationId: row, responses: *all}}
  /blobs/{key}: {parameters: &key [{name: key, in: path, required: true, schema: {type: string}}],
    put: {operationId: put, responses: *all}, get: {operationId: blob, responses: *all}}
  /notes/{key}: {parameters: *key, get: {operationId: note, responses: *all}}
`

// What is not found is asked for again, but for what comes by another operation. It
// is lost, but for an id that may be of another kind.
func TestWhatIsNotFoundIsLostOrOfAnotherKind(t *testing.T) {
	for _, c := range []struct {
		by, op  string
		status  int
		files   int
		strange bool
		again   bool
		lost    bool
	}{
		{"make", "look", 404, 1, false, true, true}, {"make", "look", 404, 0, false, false, false},
		{"make", "look", 409, 1, false, true, true}, {"make", "look", 409, 0, false, false, false},
		{"other", "see", 404, 1, false, true, true}, {"make", "see", 404, 1, false, true, false},
		{"make", "see", 404, 1, true, false, false}, {"make", "row", 404, 1, false, true, true},
		{"put", "blob", 404, 1, false, true, true}, {"put", "note", 404, 1, false, true, false},
		{"make", "look", 500, 1, false, false, true}, {"make", "see", 500, 1, false, false, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			lines := lab.Recorded(t, func(tb testing.TB) {
				p, ops := specProber(tb, readSpec)
				p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
					asked++
					return came(r, c.status, "text/plain", ""), nil
				})
				p.strange[ops[c.op].Path] = c.strange
				m := &made{by: ops[c.by], ids: map[string]string{"id": "t-1", "key": "k"}, files: make([]sentFile, c.files)}
				p.read(ops[c.op], m, whole, m.found())
			})
			if again, lost := asked > 1, len(lines) > 0; again != c.again || lost != c.lost {
				t.Errorf("%d of %s to %s of %d files: asked %d times: %q", c.status, c.op, c.by, c.files, asked, lines)
			}
		})
	}
}

func TestAnOperationTellsOfWhatOthersMake(t *testing.T) {
	p, ops := specProber(t, readSpec)
	for of, want := range map[string]bool{"make look": false, "other look": true, "make see": true, "fill look": false,
		"make row": false, "put look": true} {
		by, op, _ := strings.Cut(of, " ")
		if p.ofOthers(&made{by: ops[by]}, ops[op]) != want {
			t.Errorf("%s tells of what others than %s make: %t", op, by, !want)
		}
	}
}

// Wrong bytes are those of another upload, or are still there, or follow from a
// request that was refused.
func TestAWrongFileIsKnownByItsBytes(t *testing.T) {
	for _, c := range []struct {
		by                string
		before            bool // the path gave the same before
		ofOther, turnedBy bool // the bytes are those of another upload, or of a refused request
		after             string
		want              string
	}{
		{"make", false, false, false, "", "comes back changed: 1 bytes"},
		{"make", true, false, false, "", "it is still the file that was here before"},
		{"make", true, true, false, "", `it is the file of another upload`},
		{"put", true, true, false, "", "it is still the file that was here before"},
		{"put", false, true, false, "", "it is the file of another upload"},
		{"put", false, false, true, " after others", "comes back changed after a wrong one, which was refused: 1 bytes"},
		{"put", false, false, true, "", "comes back changed: 1 bytes"},
		{"put", false, false, false, " after others", "comes back changed after others: 1 bytes"},
	} {
		lab.Blames(t, c.want, func(tb testing.TB) {
			p, ops := specProber(tb, readSpec)
			a := answer{p: p, route: ops["blob"], req: p.request(http.MethodGet, "/blobs/k", "", nil), status: 200, body: []byte("b")}
			m := &made{by: ops[c.by], place: "/v1/blobs/k"}
			if c.before {
				p.givesBack(&made{by: m.by}, sentFile{content: a.body}, a)
			}
			if c.ofOther {
				p.kept = []*made{{by: ops["make"], files: []sentFile{{content: a.body}}}}
			}
			if c.turnedBy {
				turned := answer{p: p, req: p.request(http.MethodPut, "/blobs/k", "", a.body), status: 400}
				turned.turnsDown("a wrong one")
			}
			p.after = c.after
			p.givesBack(m, sentFile{content: []byte("a")}, a)
		})
	}
}

// The end says what was not seen. Where nothing was, the test is skipped.
func TestTheEndSaysWhatWasNotSeen(t *testing.T) {
	const none, lost = "not seen: a file that is given back", "not seen: it was lost"
	for _, c := range []struct {
		what    string
		begin   func(p *prober, r *operation)
		skipped bool
		says    []string
	}{
		{"nothing", func(*prober, *operation) {}, true, nil},
		{"a fault alone", func(p *prober, _ *operation) { p.told.First("a") }, false, nil},
		{"no file", func(p *prober, _ *operation) { p.seen.Note("operation that succeeded") }, false, nil},
		{"a file that is not given back", func(p *prober, r *operation) {
			p.seen.Note("operation that succeeded")
			p.kept = []*made{{by: r}}
		}, false, []string{none}},
		{"a file that is given back", func(p *prober, r *operation) {
			p.seen.Note("operation that succeeded", "file that is given back")
			p.kept = []*made{{by: r}}
		}, false, nil},
		{"an operation that did not succeed", func(p *prober, r *operation) {
			p.seen.Note("operation that succeeded")
			r.unfound = "it was lost"
		}, false, []string{lost}},
		{"one that did later", func(p *prober, r *operation) {
			p.seen.Note("operation that succeeded")
			r.unfound, r.succeeded = "it was lost", true
		}, false, nil},
	} {
		var l *lab.Logged
		skipped := false
		t.Run(c.what, func(t *testing.T) {
			defer func() { skipped = t.Skipped() }()
			l = &lab.Logged{TB: t}
			p, ops := specProber(l, readSpec)
			c.begin(p, ops["look"])
			p.sumsUp()
		})
		for _, line := range []string{none, lost} {
			if strings.Contains(l.Text.String(), line) != slices.Contains(c.says, line) || skipped != c.skipped {
				t.Errorf("%s: skipped %t, and logged is %s", c.what, skipped, &l.Text)
			}
		}
	}
}
