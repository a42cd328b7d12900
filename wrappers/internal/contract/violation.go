package contract

import "fmt"

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

// Key is the same for one rule broken in one way, however often it happens and
// whatever id the path carries.
func (v *Violation) Key() string {
	return v.Spec + "\n" + v.Op + "\n" + v.Rule + "\n" + v.Detail
}
