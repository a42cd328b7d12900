package contract

import "strings"

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

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
