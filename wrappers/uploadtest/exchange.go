package uploadtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3filter"
)

// exchange is one request and its answer, seen from either side.
type exchange struct {
	c      *contract
	op     operation
	head   *http.Request // without a body
	length int64         // -1: unknown
	body   *body         // nil: none
	faults []*Violation  // known from the header alone
}

// begin looks at the header of a request. Length is what it says of its body,
// chunk what is wrong with how it says that, host and uri where it goes to.
func (c *contract) begin(r *http.Request, host, uri string, length int64, chunk string) *exchange {
	x := &exchange{c: c, op: c.find(r.Method, host, uri, r.Header), length: length}
	x.head = r.Clone(context.WithoutCancel(r.Context()))
	x.head.Body, x.head.GetBody = nil, nil
	if x.op.fault != "" {
		x.broke(ruleAddress, x.op.fault)
	}
	if chunk != "" && x.carriesBody() {
		x.broke(ruleLength, chunk)
	}
	switch x.op.name {
	case Presigned:
		x.checkPresigned()
	case Token:
		x.checkToken()
	}
	if !empty(r) {
		x.body = watch(r.Body, r.Header.Get("Content-Type"))
	}
	return x
}

// begun is for a body that is sent again from its first byte: only the last counts.
func (x *exchange) begun(rc io.ReadCloser) io.ReadCloser {
	x.body.finish(-1)
	x.body = watch(rc, x.head.Header.Get("Content-Type"))
	return x.body
}

// carriesBody tells whether the request is of those that must say how long their body is.
func (x *exchange) carriesBody() bool {
	if x.op.route != nil {
		return x.op.route.Operation.RequestBody != nil
	}
	return x.op.name != ""
}

func (x *exchange) violation(rule, detail string) *Violation {
	return &Violation{Spec: x.c.title, Op: x.op.name, Rule: rule, At: x.head.Method + " " + x.head.URL.EscapedPath(), Detail: detail}
}

func (x *exchange) broke(rule, detail string) {
	x.faults = append(x.faults, x.violation(rule, detail))
}

// checkPresigned holds what storage services ask of a presigned request, and
// what its sender must not tell them.
func (x *exchange) checkPresigned() {
	for _, name := range x.c.credentialHeaders() {
		if x.head.Header.Get(name) != "" {
			x.broke(ruleForeign, "header "+name+" tells the storage service the API's credentials")
		}
	}
	for name := range x.head.Header {
		// Azure's blob type has to be there; anything else of its own a sender cannot have signed.
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-") && lower != "x-ms-blob-type" && !containsFold(x.c.credentialHeaders(), name) {
			x.broke(ruleForeign, "header "+name+" is not part of what was signed")
		}
	}
	if want := x.op.grant.method; want != "" && x.head.Method != want {
		x.broke(ruleMethod, fmt.Sprintf("%s, but the URL was handed out for %s", x.head.Method, want))
	}
	if got, want := x.head.Header.Get("Content-Type"), x.op.grant.contentType; want != "" && got != want {
		x.broke(ruleMediaType, fmt.Sprintf("Content-Type %q, but %q was announced", got, want))
	}
}

// checkToken holds what RFC 6749 asks of a request for a token.
func (x *exchange) checkToken() {
	if x.head.URL.RawQuery != "" {
		x.broke(ruleToken, "the address has a query: parameters belong into the body (RFC 6749, 2.3.1)")
	}
	if x.head.Header.Get("Cookie") != "" {
		x.broke(ruleToken, "the request has a cookie")
	}
}

// finishRequest is called when nothing more of the request will come. The
// body counts only if it came whole: that of an attempt which broke off, or
// which was refused unread, is nobody's fault.
func (x *exchange) finishRequest() []*Violation {
	whole := x.length == 0
	if x.body != nil {
		whole = x.body.finish(x.length)
	}
	faults := x.faults
	switch {
	case x.op.route != nil:
		if v := x.checkRequest(whole); v != nil {
			faults = append(faults, v)
		}
	case x.op.name == Token && whole:
		if x.body == nil || !strings.Contains("&"+x.body.digest.head.String(), "&grant_type=") {
			faults = append(faults, x.violation(ruleToken, "the form has no grant_type (RFC 6749, 4.4.2)"))
		}
	}
	return faults
}

func (x *exchange) checkRequest(whole bool) *Violation {
	input := x.input()
	input.Options.ExcludeRequestBody = true
	if whole && x.body != nil {
		content := x.body.digest.head.Bytes()
		if form := x.body.form; form != nil {
			why := form.fault()
			if why == "" {
				var err error
				if content, err = form.abridged(); err != nil {
					why = firstLine(err.Error())
				}
			}
			if why != "" {
				return x.violation(ruleForm, why)
			}
		}
		input.Request.Body = io.NopCloser(bytes.NewReader(content))
		input.Options.ExcludeRequestBody = x.body.form == nil && x.body.digest.size > keep
	} else if whole {
		input.Options.ExcludeRequestBody = false
	}
	if err := openapi3filter.ValidateRequest(x.head.Context(), input); err != nil {
		return x.violation(ruleOf(err))
	}
	return nil
}

// input is a copy for kin-openapi, which writes into the request that it validates.
func (x *exchange) input() *openapi3filter.RequestValidationInput {
	return &openapi3filter.RequestValidationInput{
		Request:    x.head.Clone(x.head.Context()),
		PathParams: x.op.params,
		Route:      x.op.route,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true,
			SkipSettingDefaults:   true,
			AuthenticationFunc: func(_ context.Context, in *openapi3filter.AuthenticationInput) error {
				return carried(in.RequestValidationInput.Request, in.SecurityScheme)
			},
		},
	}
}

// finishResponse looks at an answer; body is nil where it is longer than what is kept.
func (x *exchange) finishResponse(status int, header http.Header, body []byte) *Violation {
	if x.op.name == Presigned && (status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect) {
		if to, err := x.head.URL.Parse(header.Get("Location")); err == nil {
			if to.Host == "" {
				to.Scheme, to.Host = "http", x.head.Host
			}
			x.c.grant(to.String(), *x.op.grant)
		}
	}
	if x.op.route == nil {
		return nil
	}
	declared := x.op.route.Operation.Responses.Status(status)
	if declared == nil {
		declared = x.op.route.Operation.Responses.Default()
	}
	switch {
	case declared == nil:
		return x.violation(ruleStatus, fmt.Sprintf("%d is not declared", status))
	case declared.Value != nil && len(declared.Value.Content) == 0 && len(body) > 0:
		return x.violation(ruleAnswer, fmt.Sprintf("%d bytes, but status %d declares no body", len(body), status))
	}
	request := x.input()
	input := &openapi3filter.ResponseValidationInput{RequestValidationInput: request, Status: status, Header: header, Options: request.Options}
	if body != nil {
		input.SetBodyBytes(body)
	} else {
		input.Options.ExcludeResponseBody = true
	}
	if err := openapi3filter.ValidateResponse(x.head.Context(), input); err != nil {
		v := x.violation(ruleOf(err))
		v.Detail = fmt.Sprintf("status %d: %s", status, v.Detail)
		return v
	}
	if status/100 == 2 {
		var request []byte
		if x.body != nil {
			request = x.body.digest.head.Bytes()
		}
		x.c.handOut(request, body)
	}
	return nil
}

func containsFold(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
