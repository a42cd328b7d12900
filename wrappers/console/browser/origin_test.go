package browser

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// elsewhere opens an empty page of another origin.
func elsewhere(t *testing.T, ctx context.Context) {
	t.Helper()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<!doctype html><title>another site</title>")
	}))
	t.Cleanup(site.Close)
	do(t, ctx, "another site", chromedp.Navigate(site.URL))
}

// application is the beginning of each script: an application knows its server.
func application(base string) string {
	return `
		const base = "` + base + `", json = {"Content-Type": "application/json"};
		const start = (token, body) => fetch(base + "/v1/fileUpload",
			{method: "POST", headers: {...json, "Authorization": "Bearer " + token}, body: JSON.stringify(body)});
	`
}

func TestAnApplicationOfAnotherOriginUploads(t *testing.T) {
	base := serve(t)
	ctx := open(t)
	elsewhere(t, ctx)
	got := script(t, ctx, application(base)+`
		const started = await start("test-token", {contentType: "application/pdf"});
		const {uploadUrl, uploadMethod} = await started.json();
		const put = await fetch(uploadUrl,
			{method: uploadMethod, headers: {"Content-Type": "application/pdf"}, body: new Blob(["%PDF-1.7"])});
		const refused = await start("wrong", {});
		return [started.status, started.headers.has("X-Trace-Id"), put.status,
			refused.status, refused.headers.has("X-Trace-Id")].join(" ");`)
	if want := "200 true 200 401 true"; got != want {
		t.Errorf("to 24SevenOffice: got %s, want %s", got, want)
	}
	// The page's origin is trustworthy, so it can sign.
	got = script(t, ctx, application(base)+`
		const timestamp = String(Date.now()), text = new TextEncoder();
		const signed = text.encode("POST /api/v1/files\n" + timestamp + "\ntest-access-key");
		const secret = text.encode("test-secret-key");
		const key = await crypto.subtle.importKey("raw", secret, {name: "HMAC", hash: "SHA-256"}, false, ["sign"]);
		const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, signed));
		const body = new FormData();
		body.append("fileList", new File(["hello"], "hello.txt", {type: "text/plain"}));
		const headers = {"x-ncp-apigw-timestamp": timestamp, "x-ncp-iam-access-key": "test-access-key",
			"x-ncp-apigw-signature-v2": btoa(String.fromCharCode(...mac))};
		const answer = await fetch(base + "/api/v1/files", {method: "POST", body, headers});
		return [answer.status, answer.headers.has("x-ncp-trace-id"),
			(await answer.json()).files[0].fileName].join(" ");`)
	if want := "201 true hello.txt"; got != want {
		t.Errorf("to NAVER: got %s, want %s", got, want)
	}
	// An injected answer can be read, too.
	shell(t, t.TempDir(), `curl --silent --fail --header 'Content-Type: application/json' --data \
		'{"provider":"twentyfourseven","operation":"fileUpload","kind":"answer","status":503,"times":1}' \
		`+base+`/_putpost/faults`)
	got = script(t, ctx, application(base)+`return (await start("test-token", {})).status;`)
	if got != "503" {
		t.Errorf("an injected answer: got %s, want 503", got)
	}
}

func TestAnotherSiteCannotReachTheConsole(t *testing.T) {
	base := serve(t)
	ctx := open(t)
	shell(t, t.TempDir(), "echo kept > kept.txt\n"+sign+
		`curl "${signed[@]}" --fail --form 'fileList=@kept.txt' `+base+`/api/v1/files`)
	elsewhere(t, ctx)
	console := application(base) + `
		const console = base + "/_putpost/", mode = "no-cors", method = "POST";
		const load = (tag, set) => new Promise((done) => {
			const e = Object.assign(document.createElement(tag), set);
			e.onload = () => done("loaded");
			e.onerror = () => done("failed: " + tag);
			document.body.append(e);
		});`
	for name, tc := range map[string]struct {
		body  string
		fails bool // in the browser; the others are refused by the server
	}{
		"a reset in JSON": {`return (await fetch(console + "reset", {method, headers: json, body: "{}"})).status;`,
			true},
		"a reset in text": {`return (await fetch(console + "reset", {method, mode, body: "{}"})).type;`, false},
		"a reset by a form": {`
			const frame = load("iframe", {name: "frame"});
			const form = Object.assign(document.createElement("form"),
				{method, target: "frame", enctype: "text/plain", action: console + "reset"});
			document.body.append(form);
			form.submit();
			return frame;`, false},
		"a fault": {`
			const body = JSON.stringify({provider: "ncloudmailer", operation: "createFile", kind: "resetBefore"});
			return (await fetch(console + "faults", {method, mode, body})).type;`, false},
		"the exchanges": {`return (await fetch(console + "exchanges")).text();`, true},
		"the events": {`return new Promise((done) => {
			const events = new EventSource(console + "events");
			events.onmessage = () => done("heard");
			events.onerror = () => done("failed: events");
		});`, true},
		"its script": {`return load("script", {src: console + "console.js"});`, true},
	} {
		if got := script(t, ctx, console+tc.body); tc.fails && !strings.HasPrefix(got, "failed") {
			t.Errorf("%s: the other site gets %.100s", name, got)
		}
	}
	below := base + "/_putpost/"
	got := shell(t, t.TempDir(), "curl --silent "+below+"exchanges "+below+"files "+below+"faults")
	for _, want := range []string{"kept.txt", `"exchanges":[{`, `"faults":[]`} {
		if !strings.Contains(got, want) {
			t.Errorf("another site has changed something: %s", got)
		}
	}
}

// If a name was made to point to this machine, a browser takes another site's
// page for one of the console's own origin.
func TestANameThatWasReboundIsRefused(t *testing.T) {
	base := serve(t)
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	ctx := open(t, chromedp.Flag("host-resolver-rules", "MAP evil.example 127.0.0.1"))
	rebound := fmt.Sprintf("http://evil.example:%s", u.Port())
	do(t, ctx, "the other name", chromedp.Navigate(rebound+"/_putpost/exchanges"))
	if got := said(t, ctx); !strings.Contains(got, "no loopback name") {
		t.Errorf("under another name the console says: %s", got)
	}
	got := script(t, ctx, `
		const headers = {"Content-Type": "application/json"};
		return (await fetch("/_putpost/reset", {method: "POST", headers, body: "{}"})).status;`)
	if got != "403" {
		t.Errorf("under another name a reset is answered with %s", got)
	}
}
