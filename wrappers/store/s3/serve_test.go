package s3_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// program is the built putpost.
type program struct {
	t    *testing.T
	path string
}

func build(t *testing.T) program {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out the built program: servers that share a bucket")
	}
	p := program{t: t, path: filepath.Join(t.TempDir(), "putpost")}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", p.path,
		"../../cmd/putpost").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

// serve starts a server with the store. It returns the server's address and its
// process.
func (p program) serve(store string) (base string, cmd *exec.Cmd) {
	p.t.Helper()
	cmd = exec.Command(p.path, "serve", "--addr", "127.0.0.1:0", "--store", store)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+cred.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+cred.SecretAccessKey)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	must(p.t, err)
	must(p.t, cmd.Start())
	p.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Wait()
		p.t.Fatalf("it does not say where it is: %v\n%s", err, &stderr)
	}
	return strings.TrimSpace(line), cmd
}

// run runs the program with the server at base and tokens from the server at
// issuer.
func (p program) run(base, issuer string, args ...string) string {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.path, args...)
	cmd.Env = append(os.Environ(),
		"TWENTYFOURSEVEN_BASE_URL="+base+"/v1", "TWENTYFOURSEVEN_TOKEN_URL="+issuer+"/oauth/token",
		"TWENTYFOURSEVEN_TOKEN=",
		"TWENTYFOURSEVEN_CLIENT_ID=test-client-id", "TWENTYFOURSEVEN_CLIENT_SECRET=test-client-secret",
		"TWENTYFOURSEVEN_ORGANIZATION=1",
		"NCLOUD_MAILER_BASE_URL="+base+"/api/v1", "NCLOUD_ACCESS_KEY=test-access-key",
		"NCLOUD_SECRET_KEY=test-secret-key")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("putpost %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSpace(string(out))
}

// wantOne compares the only object whose name ends with suffix with the sent
// file.
func (g *gateway) wantOne(suffix string, want []byte) {
	g.t.Helper()
	for _, key := range g.objects("") {
		if !strings.HasSuffix(key, suffix) {
			continue
		}
		got, err := os.ReadFile(filepath.Join(g.dir, bucket, key))
		if err != nil || !bytes.Equal(got, want) {
			g.t.Errorf("%s holds %d bytes (%v), want the %d that were sent", key, len(got), err, len(want))
		}
		return
	}
	g.t.Errorf("nothing in the bucket ends in %q", suffix)
}

// Each step uses another server, and the first one has been killed by then.
func TestServersOnOneBucketAreOneService(t *testing.T) {
	g := startGateway(t)
	p := build(t)
	a, first := p.serve(g.url("shared"))
	b, second := p.serve(g.url("shared"))
	content := make([]byte, 6<<20)
	_, _ = rand.Read(content)
	path := filepath.Join(t.TempDir(), "청구서.pdf")
	must(t, os.WriteFile(path, content, 0o600))

	fileID, _, _ := strings.Cut(p.run(a, b, "send", "--to", "twentyfourseven", path), "\t")
	sent := p.run(a, b, "send", "--to", "ncloudmailer", "--json", path)
	_, rest, _ := strings.Cut(sent, `"tempRequestId":"`)
	tempRequestID, _, _ := strings.Cut(rest, `"`)
	if fileID == "" || tempRequestID == "" {
		t.Fatalf("the ids are %q and %q, of %s", fileID, tempRequestID, sent)
	}
	must(t, first.Process.Kill())

	if status := strings.Split(p.run(b, b, "getFileUploadStatus", fileID), "\t"); len(status) != 3 ||
		status[0] != fileID || status[1] != "Completed" || status[2] == "" {
		t.Errorf("the status is %q", status)
	}
	g.wantOne("/twentyfourseven/files/"+fileID, content)
	naverID, name, _ := strings.Cut(p.run(b, b, "getFile", tempRequestID), "\t")
	if name != "청구서.pdf" {
		t.Errorf("the name is %q", name)
	}
	g.wantOne("/ncloudmailer/files/"+naverID, content)
	p.run(b, b, "deleteFile", tempRequestID)
	if n := len(g.objects("shared/ncloudmailer/")); n != 0 {
		t.Errorf("%d objects are left of what was deleted", n)
	}
	must(t, second.Process.Signal(syscall.SIGTERM))
	if err := second.Wait(); err != nil {
		t.Errorf("the end of a server: %v", err)
	}
}
