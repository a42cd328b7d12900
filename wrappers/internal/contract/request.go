package contract

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"

	"github.com/getkin/kin-openapi/openapi3filter"
)

// checkRequest holds a request to its operation in the spec.
func (x *Exchange) checkRequest(whole bool) {
	input := x.input()
	input.Options.ExcludeRequestBody = true
	rule, fault := x.mediaTypeFault()
	if fault != "" {
		x.broke(rule, "%s", fault)
	}
	if whole && !x.raw && fault == "" {
		var content []byte
		input.Options.ExcludeRequestBody = false
		if x.body != nil {
			content = x.body.digest.head.Bytes()
			input.Options.ExcludeRequestBody = x.body.digest.size > Keep
			if form := x.body.form; form != nil {
				input.Options.ExcludeRequestBody = form.over
				fault := form.fault(x.op.route.Operation)
				if fault == "" {
					var err error
					if content, err = form.abridged(); err != nil {
						fault = firstLine(err.Error())
					}
				}
				if fault != "" {
					x.broke(RuleForm, "%s", fault)
					input.Options.ExcludeRequestBody = true
				}
			}
		}
		input.Request.Body = io.NopCloser(bytes.NewReader(content))
	}
	if err := openapi3filter.ValidateRequest(x.head.Context(), input); err != nil {
		rule, detail := ruleOf(err)
		x.broke(rule, "%s", detail)
	}
}

// mediaTypeFault says what is wrong with the media type of a body. The head
// alone says it: a server may refuse the request before it has read the body.
func (x *Exchange) mediaTypeFault() (rule, fault string) {
	body := x.op.route.Operation.RequestBody
	if x.length == 0 || body == nil || body.Value == nil || len(body.Value.Content) == 0 {
		return "", ""
	}
	said := x.head.Header.Get("Content-Type")
	if body.Value.Content.Get(said) == nil {
		return RuleBody, fmt.Sprintf("header Content-Type has unexpected value %.100q", said)
	}
	typ, params, err := mime.ParseMediaType(said)
	if err == nil && typ == "multipart/form-data" && params["boundary"] == "" {
		return RuleForm, "header Content-Type names no boundary"
	}
	return "", ""
}

// input is a copy for kin-openapi, which writes into the request that it
// validates.
func (x *Exchange) input() *openapi3filter.RequestValidationInput {
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
