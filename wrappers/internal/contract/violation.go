package contract

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// Violation is one rule of a contract that an exchange broke. Nothing in it
// repeats a credential, a query or what was in a file.
type Violation struct {
	Spec   string // the spec's title
	Op     string // the operationId, [Presigned], [Token], or empty where the request is none of these
	Rule   string // what was broken, such as "request length" or "response status"
	At     string // method and path
	Detail string // what was found, and where in the message
}

// Error returns one line: whose contract, which operation, which rule, what was
// found.
func (v *Violation) Error() string {
	op := v.Op
	if op == "" {
		op = "no operation"
	}
	return fmt.Sprintf("%s: %s: %s: %s (%s)", v.Spec, op, v.Rule, v.Detail, v.At)
}

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

// Key is the same for one rule broken in one way, however often it happens and
// whatever id the path carries.
func (v *Violation) Key() string {
	return v.Spec + "\n" + v.Op + "\n" + v.Rule + "\n" + v.Detail
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
