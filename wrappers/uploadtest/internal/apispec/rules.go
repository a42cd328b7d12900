package apispec

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// Rules are the rules of any document for one operation. Kin-openapi holds
// requests and answers to them: another author than the servers' and the
// clients'.
type Rules struct{ *routers.Route }

// newRules returns the rules of an operation but for its credentials: kin-openapi
// would hold the body once more for each kind of them.
func newRules(r *routers.Route) Rules {
	route, op := *r, *r.Operation
	op.Security, route.Operation = openapi3.NewSecurityRequirements(), &op
	return Rules{&route}
}

func (r Rules) Media(contentType string) *contract.Media {
	media := ContentOf(r.Operation).Get(contentType)
	if media == nil {
		return nil
	}
	if media.Schema == nil {
		return &contract.Media{Bytes: true}
	}
	schema := media.Schema.Value
	it := &contract.Media{Bytes: schema.Format == "binary" || schema.Type == nil && len(schema.Properties) == 0}
	if has := schema.AdditionalProperties.Has; schema.AdditionalProperties.Schema == nil && (has == nil || !*has) {
		it.Fields = slices.Sorted(maps.Keys(schema.Properties))
	}
	return it
}

// input is a copy for kin-openapi, because that writes into the request.
// Credentials are looked at elsewhere.
func (r Rules) input(head *http.Request, params map[string]string) *openapi3filter.RequestValidationInput {
	request := head.Clone(context.WithoutCancel(head.Context()))
	request.Body, request.GetBody = nil, nil
	return &openapi3filter.RequestValidationInput{
		Request: request, PathParams: params, Route: r.Route,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, SkipSettingDefaults: true,
		},
	}
}

func (r Rules) Request(q contract.Request) (rule, detail string) {
	input := r.input(q.Request, q.Params)
	input.Options.ExcludeRequestBody = !q.Whole
	var content []byte
	switch {
	case !q.Whole:
	case q.Form != nil:
		if fault := r.formFault(q); fault != "" {
			return contract.RuleForm, fault
		}
		var err error
		if content, err = abridged(q.Header.Get("Content-Type"), q.Form); err != nil {
			return contract.RuleForm, err.Error()
		}
	case q.Body != nil:
		content = q.Body.Bytes
	}
	input.Request.Body = io.NopCloser(bytes.NewReader(content))
	if err := openapi3filter.ValidateRequest(q.Context(), input); err != nil && !unread(err) {
		return ruleOf(err)
	}
	return "", ""
}

// formFault checks two rules that kin-openapi does not: which fields of a form
// are files, and which of them have one value. Browsers send JSON in a part
// with a file name, so only a text must have none.
func (r Rules) formFault(q contract.Request) string {
	object := Resolved(ContentOf(r.Operation).Get(q.Header.Get("Content-Type")).Schema)
	seen := map[string]bool{}
	for i, part := range q.Form {
		why, schema := "", PropertyOf(object, part.Name)
		switch file := IsBinary(schema); {
		case file && !part.IsFile():
			why = "is a file, and the part has no file name"
		case !file && part.IsFile() && schema.Type.Is("string") && schema.Format == "":
			why = "is a text, and the part has a file name"
		case seen[part.Name] && schema.Type != nil && !schema.Type.Is("array"):
			why = "has one value, and this is another"
		}
		if seen[part.Name] = true; why != "" {
			return fmt.Sprintf("part %d: the field %q %s", i+1, part.Name, why)
		}
	}
	return ""
}

// abridged returns a form again with no more of each part than is kept, for a
// validator that reads everything into memory.
func abridged(contentType string, parts []*contract.Part) ([]byte, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(params["boundary"]); err != nil {
		return nil, err
	}
	for _, part := range parts {
		p, err := w.CreatePart(part.Header)
		if err != nil {
			return nil, err
		}
		_, _ = p.Write(part.Kept()) // into memory: it cannot fail
	}
	w.Close()
	return b.Bytes(), nil
}

func (r Rules) Response(
	head *http.Request, status int, header http.Header, body *contract.Text,
) (rule, detail string) {
	declared := cmp.Or(r.Operation.Responses.Status(status), r.Operation.Responses.Default())
	switch {
	case declared == nil:
		return contract.RuleStatus, fmt.Sprintf("%d is not declared", status)
	case len(declared.Value.Content) == 0 && body != nil && len(body.Bytes) > 0 && status/100 != 3 &&
		documented(declared.Value.Extensions):
		return contract.RuleAnswer, fmt.Sprintf("%d bytes, but status %d declares no body", len(body.Bytes), status)
	}
	request := r.input(head, nil)
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: status, Header: header, Options: request.Options,
	}
	if body != nil {
		input.SetBodyBytes(body.Bytes)
	} else {
		input.Options.ExcludeResponseBody = true
	}
	if err := openapi3filter.ValidateResponse(head.Context(), input); err != nil && !unread(err) {
		rule, detail := ruleOf(err)
		return rule, fmt.Sprintf("status %d: %s", status, detail)
	}
	return "", ""
}

// unread reports whether kin-openapi cannot read a body of its media type, such
// as XML. The type is right then.
func unread(err error) bool {
	var body *openapi3filter.ParseError
	return errors.As(err, &body) && body.Kind == openapi3filter.KindUnsupportedFormat
}

// documented reports whether a response is one of the provider's own reference.
// A response with another mark x-source may have a body.
func documented(extensions map[string]any) bool {
	source, marked := extensions["x-source"]
	return !marked || source == "documented"
}

// ruleOf sorts an error of kin-openapi under the rule that it is about.
func ruleOf(err error) (rule, detail string) {
	var (
		request  *openapi3filter.RequestError
		response *openapi3filter.ResponseError
	)
	switch {
	case errors.As(err, &request) && request.Parameter != nil:
		return contract.RuleParameter, fmt.Sprintf("%s parameter %q: %s", request.Parameter.In, request.Parameter.Name,
			explain(request.Reason, request.Err))
	case errors.As(err, &request):
		return contract.RuleBody, explain(request.Reason, request.Err)
	case errors.As(err, &response) && strings.Contains(response.Reason, " header \""):
		return contract.RuleHeader, explain(response.Reason, response.Err)
	case errors.As(err, &response):
		return contract.RuleAnswer, explain(response.Reason, response.Err)
	}
	return contract.RuleAddress, explain("", err)
}

// explain says in one line where and why a value is wrong, without the value.
func explain(reason string, err error) string {
	var schema *openapi3.SchemaError
	switch {
	case errors.As(err, &schema):
		why := cmp.Or(schema.Reason, "does not match the schema's "+schema.SchemaField)
		reason = "at /" + strings.Join(schema.JSONPointer(), "/") + ": " + why
	case err == nil:
	case reason == "" || errors.Is(err, openapi3filter.ErrInvalidRequired):
		reason = err.Error()
	default:
		reason += ": " + err.Error()
	}
	reason, _, _ = strings.Cut(reason, "\n")
	return reason
}
