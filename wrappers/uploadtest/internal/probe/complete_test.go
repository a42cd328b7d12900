package probe

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
)

// completeSpec is a provider's with several ways to complete an upload.
const completeSpec = `
openapi: 3.0.3
info: {title: Completions, version: '1'}
servers: [{url: /v1}]
paths:
  /files: {post: {operationId: start, requestBody: {content: {image/png: {}}}, responses: &all {default: {description: All.}}}}
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
		if asked != strings.Repeat("POST /v1/files\n", 4) {
			t.Errorf("after %d: %s", status, asked)
		}
	}
}
