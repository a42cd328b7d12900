package s3

import (
	"fmt"
	"io"
)

// Credentials sign requests. The names are those of AWS's environment
// variables. A session token belongs to temporary credentials only. Credentials
// print, log and marshal without the secret parts.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string `json:"-"`
	SessionToken    string `json:"-"`
}

// Format prints the access key id and no secret, whatever the verb.
func (c Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, "{"+c.AccessKeyID+" REDACTED}") }
