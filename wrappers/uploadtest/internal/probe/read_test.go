package probe

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// readSpec is a provider's whose ids may be of another kind.
const readSpec = v1 + `
info: {title: Reads, version: '1'}
paths:
  /things: {post: {operationId: make, requestBody: {content: {image/png: {}}},
    responses: &all {default: {description: All.}}}}
  /things/{id}: {parameters: &id [{name: id, in: path, required: true, schema: {type: string}}],
    get: {operationId: look, responses: {'404': {description: None.}, default: {description: All.}}},
    put: {operationId: fill, responses: *all}}
  /gone: {delete: {operationId: drop, parameters: [{name: thingId, in: query, required: true, schema: {type: string}}],
    responses: *all}}
  /others: {post: {operationId: other, requestBody: {content: {application/json: {example: {name: a}, schema: {
    type: object, properties: {name: {type: string}}}}}}, responses: {default: {description: All., content: {
    application/json: {}}}}}}
  /others/{id}/file: {parameters: *id, post: {operationId: attach, requestBody: {content: {multipart/form-data: {
    example: {file: x}, schema: {type: object, properties: {file: {type: string, format: binary}}}}}}, responses: *all}}
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
				m := &made{by: ops[c.by], ids: map[string]string{"id": "t-1", "key": "k"},
					files: make([]sentFile, c.files)}
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
	for _, c := range []struct {
		own         string
		files, outs int
		want        bool
	}{{"t-1", 0, 0, true}, {"r-1", 0, 0, false}, {"t-1", 1, 0, false}, {"t-1", 1, 1, false}} { // r-1 came by a list
		m := &made{by: ops["make"], ids: map[string]string{"id": "r-1"}, own: []string{c.own},
			answer: answer{status: 201},
			files:  make([]sentFile, c.files), outs: make([]contract.HandedOut, c.outs)}
		if p.ofOthers(m, ops["row"]) != c.want {
			t.Errorf("r-1 is another thing's than that of %s with %d files: %t", c.own, c.files, !c.want)
		}
	}
	at := func(path string) *url.URL { return &url.URL{Path: path} }
	if p.inFolder(ops["put"], at("/v1/blobs")) == nil || p.inFolder(ops["blob"], at("/v1/blobs")) != nil ||
		p.inFolder(ops["attach"], at("/v1/others/1")) != nil {
		t.Error("a folder takes a PUT, or what is no file")
	}
}

// Wrong bytes are those of another upload, or are still there, or follow from a
// request that was refused.
func TestAWrongFileIsKnownByItsBytes(t *testing.T) {
	for _, c := range []struct {
		by      string
		before  bool // the path gave the same before
		ofOther bool // the bytes are those of another upload
		turned  int  // the status of a request with the bytes; 0: there was none
		after   string
		want    string
	}{
		{"make", false, false, 0, "", "comes back changed: 1 bytes"},
		{"make", true, false, 0, "", "it is still the file that was here before"},
		{"make", true, true, 0, "", `it is the file of another upload`},
		{"put", true, true, 0, "", "it is still the file that was here before"},
		{"put", false, true, 0, "", "it is the file of another upload"},
		{"put", false, false, 400, " after others", "comes back changed after a wrong one, which was refused: 1 bytes"},
		{"put", false, false, 400, "", "comes back changed: 1 bytes"},
		{"put", false, false, 200, " after others", "comes back changed after others: 1 bytes"},
		{"put", false, false, 0, " after others", "comes back changed after others: 1 bytes"},
	} {
		lab.Blames(t, c.want, func(tb testing.TB) {
			p, ops := specProber(tb, readSpec)
			a := answer{p: p, route: ops["blob"], req: p.request(http.MethodGet, "/blobs/k", "", nil), status: 200,
				body: []byte("b")}
			m := &made{by: ops[c.by], place: "/v1/blobs/k"}
			if c.before {
				p.givesBack(&made{by: m.by}, sentFile{content: a.body}, a)
			}
			if c.ofOther {
				p.kept = []*made{{by: ops["make"], files: []sentFile{{content: a.body}}}}
			}
			answer{p: p, req: p.request(http.MethodPut, "/blobs/k", "", a.body),
				status: c.turned}.turnsDown("a wrong one")
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
		t.Run(c.what, func(inside *testing.T) {
			l := &lab.Logged{TB: inside}
			defer func() { // a test that is skipped ends at once
				for _, line := range []string{none, lost} {
					if strings.Contains(l.Text.String(), line) != slices.Contains(c.says, line) ||
						inside.Skipped() != c.skipped {
						t.Errorf("%s: skipped %t, and logged is %s", c.what, inside.Skipped(), &l.Text)
					}
				}
			}()
			p, ops := specProber(l, readSpec)
			c.begin(p, ops["look"])
			p.sumsUp()
		})
	}
}

// A POST that is sent again takes the place of its first. What is put beside
// another stays.
func TestWhatComesAgainIsKeptOnce(t *testing.T) {
	announces := sample{typ: "application/json", object: map[string]any{"size": 1}, later: []byte("a")}.stating()
	file := []sentFile{{content: []byte("a")}}
	p, ops := specProber(t, readSpec)
	for _, c := range []struct {
		what     string
		old, new made
		want     int
	}{
		{"the same id", made{own: []string{"a"}, files: file},
			made{by: ops["make"], own: []string{"a"}, files: file}, 1},
		{"another id", made{own: []string{"a"}, files: file},
			made{by: ops["make"], own: []string{"b"}, files: file}, 2},
		{"the same id of a PUT", made{own: []string{"a"}}, made{by: ops["put"], own: []string{"a"}}, 2},
		{"an announcement", made{by: ops["make"], own: []string{"a"}, sample: announces},
			made{by: ops["make"], own: []string{"b"}, sample: announces}, 1},
		{"another one", made{by: ops["make"], own: []string{"a"}},
			made{by: ops["make"], own: []string{"b"}, sample: announces}, 2},
	} {
		p.kept = []*made{&c.old}
		if p.keep(&c.new); len(p.kept) != c.want {
			t.Errorf("%s: %d are kept", c.what, len(p.kept))
		}
	}
}

// Where each thing takes one upload, another thing is made for the next, and is
// told the name of its file.
func TestAFileGetsAThingOfItsOwn(t *testing.T) {
	p, ops := specProber(t, readSpec)
	made := ""
	p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
		made = string(faulty.Peek(r))
		return came(r, http.StatusCreated, "application/json", `{"id":"o-9"}`), nil
	})
	of := func(s sample) string { return p.adopted(ops["attach"], s).params["id"] }
	file := firstSample(ops["attach"])
	if id := of(file); id != "" || made != "" {
		t.Errorf("it is sent to %q, though things take several", id)
	}
	ops["attach"].single = true
	if id := of(file); id != "o-9" || !strings.Contains(made, file.fileName) {
		t.Errorf("it is sent to %q, of %s", id, made)
	}
	if id := of(sample{}); id != "" {
		t.Errorf("no file is sent to %q", id)
	}
	if p.came = new(response); of(file) != "" {
		t.Error("it is sent elsewhere than what came")
	}
}

// Only a state says that an upload is not ready, and only its own that it is.
func TestAStateIsThatOfTheUpload(t *testing.T) {
	for _, c := range []struct {
		body    string
		waiting bool
		unready bool
		blamed  bool
	}{
		{`{"state":"queued"}`, false, true, false}, {`{"state":"queued"}`, true, false, false},
		{`{"label":"queued"}`, false, false, false}, {`{"state":"done"}`, false, false, false},
		{`{"state":"done"}`, true, false, true}, {`{"items":[{"state":"done"}]}`, true, false, false},
		{`{"label":"done"}`, true, false, false},
	} {
		m := &made{waiting: c.waiting}
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, readSpec)
			a := answer{p: p, route: ops["see"], req: p.request(http.MethodGet, "/others/1", "", nil)}
			p.states(m, a, leaves([]byte(c.body)))
		})
		if unready, blamed := m.unready != "", len(lines) > 0; unready != c.unready || blamed != c.blamed {
			t.Errorf("%s, waiting %t: unready %t: %q", c.body, c.waiting, unready, lines)
		}
	}
}

// An id that comes with the file is the upload's own, but not one that was known
// before.
func TestAnIDThatComesWithAFileIsItsOwn(t *testing.T) {
	for known, want := range map[string]int{"": 1, "f-1": 0} {
		p, ops := specProber(t, foundSpec)
		p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			return came(r, http.StatusOK, "application/json", `{"id":"t-1","fileId":"f-1"}`), nil
		})
		p.comesWith["fileId"] = true
		m := &made{by: ops["copy"], ids: map[string]string{"id": "t-1", "fileId": known}, shown: map[string][]leaf{}}
		if p.read(ops["look"], m, whole, m.found()); len(p.holders("f-1")) != want {
			t.Errorf("where %q is known, %d have the id", known, len(p.holders("f-1")))
		}
	}
}

// A server has no choice where the spec has one media type, and a weak ETag tells
// of no bytes.
func TestAServerMayHideATypeOrAnETag(t *testing.T) {
	p, ops := specProber(t, askSpec)
	for typ, want := range map[string]bool{"text/plain": true, "image/png": false} {
		if (answer{route: ops["look"], status: 200}).only(typ) != want || (answer{status: 200}).only(typ) {
			t.Errorf("%s is the only type: %t", typ, !want)
		}
	}
	for tag, want := range map[string]string{`"1"`: "the ETag is the same", `W/"1"`: ""} {
		lab.Blames(t, want, func(tb testing.TB) {
			p, ops = specProber(tb, askSpec)
			for _, content := range []string{"a", "b"} {
				p.givesBack(&made{by: ops["make"]}, sentFile{content: []byte(content)}, answer{p: p, route: ops["look"],
					req: p.request(http.MethodGet, "/things/1", "", nil), status: 200, body: []byte(content),
					header: http.Header{"Etag": {tag}}})
			}
		})
	}
}

// What a request changed or deleted is no longer what was sent.
func TestWhatARequestChangedIsForgotten(t *testing.T) {
	for _, c := range []struct {
		op, path string
		status   int
		want     bool
	}{
		{"fill", "/things/t-1", 200, true}, {"fill", "/things/t-1", 400, false}, {"fill", "/things/t-2", 200, false},
		{"look", "/things/t-1", 200, false}, {"drop", "/gone?thingId=t-1", 200, true},
		{"drop", "/gone?thingId=t-2", 200, false}, {"drop", "/boxes/b-1", 200, true}, {"drop", "/boxes/b-", 200, false},
		{"drop", "/boxes/b-1", 404, false},
	} {
		p, ops := specProber(t, readSpec)
		p.kept = []*made{{by: ops["make"], ids: map[string]string{"id": "t-1", "thingId": "t-1"}, own: []string{"t-1"},
			place: "/v1/boxes/b-1/things"}}
		p.changes(answer{p: p, route: ops[c.op], req: p.request(ops[c.op].Method, c.path, "", nil), status: c.status})
		if forgotten := len(p.kept) == 0; forgotten != c.want {
			t.Errorf("%s %s answered %d: forgotten %t", c.op, c.path, c.status, forgotten)
		}
	}
}

// Each file that is sent to its place is another one. Under a new name is nothing,
// unless a refused request stored it.
func TestWhatIsRefusedIsStoredNowhere(t *testing.T) {
	p, ops := specProber(t, togetherSpec)
	for op, want := range map[string]bool{"put": true, "raw": false} {
		s := firstSample(ops[op])
		one, two := p.bait(ops[op], s), p.bait(ops[op], s)
		if other := string(one.body) != string(s.body) && string(one.body) != string(two.body); other != want {
			t.Errorf("%s sends %q and %q", op, one.body, two.body)
		}
	}
	if len(p.bait(ops["put"], sample{}).body) > 0 {
		t.Error("no file became one")
	}
	lab.Blames(t, "200 to a name that was new", func(tb testing.TB) {
		p, ops = specProber(tb, readSpec)
		p.learned["key"] = "abcd"
		p.transport, _ = answered(http.StatusNotFound)
		for _, r := range p.ops {
			if p.bars(r); (r.barred != nil) != (r.name == "put") {
				t.Errorf("%s is barred: %t", r.name, r.barred != nil)
			}
		}
		p.transport, _ = answered(http.StatusOK)
		p.storesNothing()
	})
}
