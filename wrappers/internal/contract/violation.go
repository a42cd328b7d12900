package contract

import "fmt"

// Violation is one rule of a contract that an exchange broke. It repeats no
// credential, no query and no content of a file.
type Violation struct {
	Spec   string // the spec's title
	Op     string // the operationId, [Presigned], [Token], or empty where the request is none of these
	Rule   string // what was broken, such as "request length" or "response status"
	At     string // method and path
	Detail string // what was found, and where in the message
}

// Error returns one line: the spec, the operation, the rule and the finding.
func (v *Violation) Error() string {
	op := v.Op
	if op == "" {
		op = "no operation"
	}
	return fmt.Sprintf("%s: %s: %s: %s (%s)", v.Spec, op, v.Rule, v.Detail, v.At)
}

// Key returns the same text for each violation of one rule in one way, whatever
// id is in the path.
func (v *Violation) Key() string {
	return v.Spec + "\n" + v.Op + "\n" + v.Rule + "\n" + v.Detail
}
