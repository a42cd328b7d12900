package bench

import (
	"bufio"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var (
	quick = flag.Bool("quick", false, "measure everything once and briefly; the figures mean nothing")
	keep  = flag.String("keep", "", "only serve uploads, and keep files as newSink says")
	at    = flag.String("at", "", "the addresses of the server; without them it is started")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *keep != "" {
		fmt.Println(strings.Join(newSink(*keep).serve(), " "))
		io.Copy(io.Discard, os.Stdin)
		return
	}
	if *at == "" {
		dir := must(os.MkdirTemp("", "putpost-bench-"))
		defer os.RemoveAll(dir)
		lender := httptest.NewTLSServer(nil) // has the certificate of all test servers
		ca := filepath.Join(dir, "ca.pem")
		write(ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: lender.Certificate().Raw})))
		for name, value := range map[string]string{"TMPDIR": dir, "no_proxy": "*", "SSL_CERT_FILE": ca,
			"CURL_CA_BUNDLE": ca, "NODE_EXTRA_CA_CERTS": ca, "TWENTYFOURSEVEN_TOKEN": token,
			"NCLOUD_ACCESS_KEY": keys.AccessKey, "NCLOUD_SECRET_KEY": keys.SecretKey} {
			os.Setenv(name, value)
		}
		urls, stop := start(exec.Command(os.Args[0], "-keep=nothing"))
		defer stop()
		*at = strings.Join(urls, " ")
	}
	m.Run()
}

// start starts a server that prints its addresses.
func start(cmd *exec.Cmd) (urls []string, stop func()) {
	stdin, stdout := must(cmd.StdinPipe()), must(cmd.StdoutPipe())
	check(cmd.Start())
	return strings.Fields(must(bufio.NewReader(stdout).ReadString('\n'))), func() {
		stdin.Close()
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// few returns n, or less in a quick run.
func few(n int) int {
	if *quick {
		return min(n, max(20, n/100))
	}
	return n
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}
