package uploadtest

import (
	"errors"
	"fmt"
	"net/http"
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

// Error is one line: whose contract, which operation, which rule, what was found.
func (v *Violation) Error() string {
	op := v.Op
	if op == "" {
		op = "no operation"
	}
	return fmt.Sprintf("%s: %s: %s: %s (%s)", v.Spec, op, v.Rule, v.Detail, v.At)
}

// The rules that a spec does not write down for each operation, or that no
// schema can hold, have names of their own; those of the spec are named after
// the part of the message.
const (
	ruleAddress     = "request address"
	ruleLength      = "request length"
	ruleCredentials = "request credentials"
	ruleParameter   = "request parameter"
	ruleBody        = "request body"
	ruleForm        = "request form"
	ruleMethod      = "presigned method"
	ruleMediaType   = "presigned media type"
	ruleForeign     = "presigned credentials"
	ruleToken       = "token request"
	ruleStatus      = "response status"
	ruleHeader      = "response header"
	ruleAnswer      = "response body"
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
		return ruleCredentials, strings.Join(missing, ", or ")
	case errors.As(err, &request) && request.Parameter != nil:
		return ruleParameter, fmt.Sprintf("%s parameter %q: %s", request.Parameter.In, request.Parameter.Name, explain(request.Reason, request.Err))
	case errors.As(err, &request):
		return ruleBody, explain(request.Reason, request.Err)
	case errors.As(err, &response) && strings.Contains(response.Reason, " header \""):
		return ruleHeader, explain(response.Reason, response.Err)
	case errors.As(err, &response):
		return ruleAnswer, explain(response.Reason, response.Err)
	}
	return ruleAddress, explain("", err)
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

// carried tells whether a request carries the credentials that a security
// scheme names. Whether they are good is for the handler to say.
func carried(r *http.Request, scheme *openapi3.SecurityScheme) error {
	switch scheme.Type {
	case "apiKey":
		if where, found := "header", r.Header.Get(scheme.Name) != ""; scheme.In == "header" && !found {
			return fmt.Errorf("%s %s is missing", where, scheme.Name)
		}
		if scheme.In == "query" && !r.URL.Query().Has(scheme.Name) {
			return fmt.Errorf("query parameter %s is missing", scheme.Name)
		}
		return nil
	case "http":
		return authorization(r, scheme.Scheme)
	case "oauth2", "openIdConnect":
		return authorization(r, "bearer")
	}
	return nil
}

func authorization(r *http.Request, scheme string) error {
	got, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(got, scheme) || strings.TrimSpace(credentials) == "" {
		return fmt.Errorf("header Authorization holds no %s credentials", scheme)
	}
	return nil
}
