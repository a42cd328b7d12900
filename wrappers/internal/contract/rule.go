package contract

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// Names of the rules. A rule of the spec is named after the part of the message
// that it is about. A rule that no schema can hold has a name of its own.
const (
	RuleAddress     = "request address"
	RuleLength      = "request length"
	RuleCredentials = "request credentials"
	RuleParameter   = "request parameter"
	RuleBody        = "request body"
	RuleForm        = "request form"
	RuleMethod      = "presigned method"
	RuleMediaType   = "presigned media type"
	RuleForeign     = "presigned credentials"

	RulePresignedHeader = "presigned header"
	RuleToken           = "token request"
	RuleStatus          = "response status"
	RuleHeader          = "response header"
	RuleAnswer          = "response body"
)

// ruleOf sorts an error of kin-openapi under the rule that it is about.
func ruleOf(err error) (rule, detail string) {
	var (
		credentials *openapi3filter.SecurityRequirementsError
		request     *openapi3filter.RequestError
		response    *openapi3filter.ResponseError
	)
	switch {
	case errors.As(err, &credentials):
		var missing []string
		for _, e := range credentials.Errors {
			missing = append(missing, e.Error())
		}
		return RuleCredentials, strings.Join(slices.Compact(missing), ", or ")
	case errors.As(err, &request) && request.Parameter != nil:
		return RuleParameter, fmt.Sprintf("%s parameter %q: %s", request.Parameter.In, request.Parameter.Name,
			explain(request.Reason, request.Err))
	case errors.As(err, &request):
		return RuleBody, explain(request.Reason, request.Err)
	case errors.As(err, &response) && strings.Contains(response.Reason, " header \""):
		return RuleHeader, explain(response.Reason, response.Err)
	case errors.As(err, &response):
		return RuleAnswer, explain(response.Reason, response.Err)
	}
	return RuleAddress, explain("", err)
}

// explain says where a value is wrong and why, without the value.
func explain(reason string, err error) string {
	var schema *openapi3.SchemaError
	if errors.As(err, &schema) {
		why := schema.Reason
		if why == "" {
			why = "does not match the schema's " + schema.SchemaField
		}
		return firstLine("at /" + strings.Join(schema.JSONPointer(), "/") + ": " + why)
	}
	switch {
	case err == nil:
	case reason == "" || errors.Is(err, openapi3filter.ErrInvalidRequired):
		reason = err.Error()
	default:
		reason += ": " + err.Error()
	}
	return firstLine(reason)
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
