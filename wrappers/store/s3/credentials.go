package s3

import (
	"fmt"
	"io"
)

// Credentials sign requests. The fields are named like AWS's environment
// variables. Only temporary credentials have a session token. Printing, logging
// or marshalling Credentials shows no secret.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string `json:"-"`
	SessionToken    string `json:"-"`
}

// Format prints the access key id and no secret, whatever the verb.
func (c Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, "{"+c.AccessKeyID+" REDACTED}") }
