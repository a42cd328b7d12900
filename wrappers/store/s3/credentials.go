package s3

import (
	"fmt"
	"io"
)

// Credentials are what requests are signed with. The names are those of AWS's environment variables; a session token
// belongs to temporary credentials only. They print, log and marshal without the secret parts.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string `json:"-"`
	SessionToken    string `json:"-"`
}

// Format implements [fmt.Formatter], for every verb.
func (c Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, "{"+c.AccessKeyID+" REDACTED}") }
