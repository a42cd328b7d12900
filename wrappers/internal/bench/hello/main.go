// Command hello is the smallest program that links TLS: the measure of how fast
// a Go program can start.
package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
)

func main() {
	fmt.Println(http.DefaultClient.Timeout, tls.VersionTLS13)
}
