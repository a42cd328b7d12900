package probe

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// completeSpec is a provider's with several ways to complete an upload.
const completeSpec = `
openapi: 3.0.3
info: {title: Completions, version: '1'}
servers: [{url: /v1}]
paths:
  /files: {post: {operationId: start, requestBody: {content: {image/png: {}}}, responses: &all {default: {description: All.}}}}
  /begin: {post: {operationId: begin, responses: *all}}
  /a/complete: {get: {operationId: state, responses: *all}, post: {operationId: body, requestBody: &body {content: {
    application/json: {example: {fileId: x, id: x, note: x, parts: 1}}}}, responses: *all}}
  /b/{bId}/complete: {post: {operationId: both, requestBody: *body, parameters: [{name: bId, in: path, required: true,
    schema: {type: string}}], responses: *all}}
  /c/complete: {post: {operationId: nothing, responses: *all}}
`

func TestAnUploadIsCompletedByWhatNamesIt(t *testing.T) {
	asked, status := "", http.StatusForbidden
	p, ops := specProber(t, completeSpec)
	p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
		asked += r.Method + " " + r.URL.Path + "\n"
		return &http.Response{StatusCode: status, Body: http.NoBody, Request: r}, nil
	})
	start := ops["start"]
	for _, c := range []struct {
		ids     map[string]string
		answer  []string
		found   string
		request string
	}{
		{map[string]string{"fileId": "f-1", "bId": "b-1"}, nil, "[body both]", "fileId:f-1 id:x note:x parts:1"},
		{map[string]string{"fileId": "f-1"}, []string{"f-1"}, "[body]", "fileId:f-1 id:f-1 note:x parts:1"},
		{map[string]string{"fileId": "f-1", "id": "a"}, []string{"f-1"}, "[body]", "fileId:f-1 id:a note:x parts:1"},
		{map[string]string{"fileId": "f-1"}, []string{"f-1", "f-2"}, "[body]", "fileId:f-1 id:x note:x parts:1"},
		{map[string]string{}, nil, "[]", "fileId:x id:x note:x parts:1"},
	} {
		m := &made{by: start, ids: c.ids, answer: answer{ids: c.answer}}
		if found := p.completions(m); found != nil {
			t.Errorf("of what has no URL for its file: %v", found)
		}
		m.outs = make([]contract.HandedOut, 1)
		var found []string
		for _, r := range p.completions(m) {
			found = append(found, r.name)
		}
		s := firstSample(ops["body"])
		if got := fmt.Sprint(s.replaced(m.identifying)); fmt.Sprint(found) != c.found || got != "map["+c.request+"]" {
			t.Errorf("%v: %v by %s", c.ids, found, got)
		}
	}
	for status = range map[int]bool{http.StatusForbidden: true, http.StatusOK: true} { // it hands out no URL
		asked = ""
		p.refusesToComplete(start, firstSample(start))
		p.growsLater(start, firstSample(start), nil)
		p.crosswise(start, firstSample(start))
		p.growsLater(ops["state"], sample{}, nil)
		p.growsLater(&operation{Route: start.Route, closing: true}, firstSample(start), nil)
		if asked != strings.Repeat("POST /v1/files\n", 4) {
			t.Errorf("after %d: %s", status, asked)
		}
	}
}

func TestAFileThatIsTooLargeIsRefusedWithItsURLOrItsCompletion(t *testing.T) {
	for _, c := range []struct{ put, complete, want int }{{200, 200, 1}, {200, 409, 0}, {200, 500, 1}, {403, 200, 0}} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, strings.ReplaceAll(completeSpec, "{description: All.}",
				"{description: All., content: {application/json: {}}}"))
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				status := map[string]int{"/k": c.put, "/v1/a/complete": c.complete}[r.URL.Path]
				return came(r, cmp.Or(status, 200), "application/json", `{"fileId":"f-1","uploadUrl":"http://b.example/k"}`), nil
			})
			p.growsLater(ops["begin"], sample{}, []byte("large"))
		})
		if got := strings.Count(strings.Join(lines, "\n"), "which is too large, is taken"); got != c.want || got != len(lines) {
			t.Errorf("%d to the file and %d to its completion: %q", c.put, c.complete, lines)
		}
	}
}

// The clock is put back.
func TestTheClockIsAsItWas(t *testing.T) {
	p, _ := specProber(t, completeSpec)
	p.transport, _ = answered(http.StatusForbidden)
	var moved []time.Duration
	p.Advance = func(d time.Duration) { moved = append(moved, d/time.Hour) }
	if p.ages(); fmt.Sprint(moved) != "[24ns -48ns 24ns]" {
		t.Errorf("it was moved by %v hours", moved)
	}
}
