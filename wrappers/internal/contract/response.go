package contract

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3filter"
)

// FinishResponse looks at an answer and returns what is wrong with it. Body is
// nil where it is longer than [Keep].
func (x *Exchange) FinishResponse(status int, header http.Header, body []byte) []*Violation {
	switch {
	case x.op.name == Presigned:
		x.moved(status, header)
	case x.op.route != nil:
		x.checkResponse(status, header, body)
		if status/100 == 2 {
			x.Learn(header, body)
		}
	}
	faults := x.faults
	x.faults = nil
	return faults
}

// checkResponse holds an answer to its operation in the spec.
func (x *Exchange) checkResponse(status int, header http.Header, body []byte) {
	responses := x.op.route.Operation.Responses
	declared := cmp.Or(responses.Status(status), responses.Default())
	switch {
	case declared == nil:
		x.broke(RuleStatus, "%d is not declared", status)
		return
	case declared.Value != nil && len(declared.Value.Content) == 0 && len(body) > 0 &&
		documented(declared.Value.Extensions):
		x.broke(RuleAnswer, "%d bytes, but status %d declares no body", len(body), status)
		return
	}
	request := x.input()
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: status, Header: header, Options: request.Options,
	}
	if body != nil {
		input.SetBodyBytes(body)
	} else {
		input.Options.ExcludeResponseBody = true
	}
	if err := openapi3filter.ValidateResponse(x.head.Context(), input); err != nil {
		rule, detail := ruleOf(err)
		x.broke(rule, "status %d: %s", status, detail)
	}
}

// Learn keeps what later requests may refer to of an answer: ids and URLs. It
// is for an answer that is not to be checked, too.
func (x *Exchange) Learn(header http.Header, body []byte) {
	var ids, plain []string
	for _, m := range Members(body) {
		switch {
		case isFileID(m.Name):
			ids = append(ids, m.Value)
		case m.Name == "id":
			plain = append(plain, m.Value)
		}
	}
	if ids == nil {
		ids = plain
	}
	if ids != nil {
		x.ids = ids
	}
	_, request := x.Received()
	x.c.handOut(request, body, x.ids)
	x.c.locate(x, header.Get("Location"))
}

// documented reports whether a response is one of the provider's own reference.
// Of one with another mark x-source nobody has said that it has no body.
func documented(extensions map[string]any) bool {
	source, marked := extensions["x-source"]
	return !marked || source == "documented"
}

// Unsent names the headers that an answer lacks though the spec marks them, by
// x-sent: always, as sent with its status. Documented answers of other people
// may leave them out, so only a server under test is held to them.
func (x *Exchange) Unsent(status int, header http.Header) (names []string) {
	if x.op.route == nil {
		return nil
	}
	declared := x.op.route.Operation.Responses.Status(status)
	if declared == nil || declared.Value == nil {
		return nil
	}
	for name, ref := range declared.Value.Headers {
		if ref.Value != nil && ref.Value.Extensions["x-sent"] == "always" && header.Get(name) == "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Allows tells whether the JSON answer of an operation matches its schema.
func (c *Contract) Allows(op string, status int, answer []byte) bool {
	for _, r := range c.Routes() {
		if Name(r) != op {
			continue
		}
		var value any
		response := r.Operation.Responses.Status(status)
		if response == nil || response.Value == nil || json.Unmarshal(answer, &value) != nil {
			return false
		}
		media := response.Value.Content.Get("application/json")
		return media != nil && (media.Schema == nil || media.Schema.Value.VisitJSON(value) == nil)
	}
	return false
}
