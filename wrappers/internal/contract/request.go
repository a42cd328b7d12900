package contract

import (
	"bytes"
	"context"
	"io"

	"github.com/getkin/kin-openapi/openapi3filter"
)

// checkRequest holds a request to its operation in the spec.
func (x *Exchange) checkRequest(whole bool) {
	input := x.input()
	input.Options.ExcludeRequestBody = true
	if whole && !x.raw {
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
					x.broke(RuleForm, fault)
					input.Options.ExcludeRequestBody = true
				}
			}
		}
		input.Request.Body = io.NopCloser(bytes.NewReader(content))
	}
	if err := openapi3filter.ValidateRequest(x.head.Context(), input); err != nil {
		x.broke(ruleOf(err))
	}
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
