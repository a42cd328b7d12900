package standinhttp

import "crypto/subtle"

// Same compares secrets in a time that tells nothing but the length.
func Same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Hide is what may be printed of a secret: whether it is set.
func Hide(secret string) string {
	if secret == "" {
		return "unset"
	}
	return "[redacted]"
}
