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

// script runs the body of an async function in the page and returns its result.
func script(t *testing.T, ctx context.Context, body string) string {
	t.Helper()
	return get(t, ctx, "script", chromedp.Evaluate[string]("(async () => {"+body+"})().then(String, (err) => 'failed: ' + err)", chromedp.EvalAwaitPromise))
}

func TestAnApplicationOfAnotherOriginUploads(t *testing.T) {
	base := serve(t)
	ctx := open(t)
	elsewhere(t, ctx)
	got := script(t, ctx, `
		const start = await fetch("`+base+`/v1/fileUpload", {method: "POST",
			headers: {"Authorization": "Bearer test-token", "Content-Type": "application/json"}, body: '{"contentType":"application/pdf"}'});
		const {uploadUrl, uploadMethod} = await start.json();
		const put = await fetch(uploadUrl, {method: uploadMethod, headers: {"Content-Type": "application/pdf"}, body: new Blob(["%PDF-1.7"])});
		const refused = await fetch("`+base+`/v1/fileUpload", {method: "POST", headers: {"Authorization": "Bearer wrong", "Content-Type": "application/json"}, body: "{}"});
		return [start.status, Boolean(start.headers.get("X-Trace-Id")), put.status, refused.status, Boolean(refused.headers.get("X-Trace-Id"))].join(" ");`)
	if want := "200 true 200 401 true"; got != want {
		t.Errorf("to 24SevenOffice: got %s, want %s", got, want)
	}
	// The page's origin is trustworthy, so it can sign.
	got = script(t, ctx, `
		const timestamp = String(Date.now()), text = new TextEncoder();
		const key = await crypto.subtle.importKey("raw", text.encode("test-secret-key"), {name: "HMAC", hash: "SHA-256"}, false, ["sign"]);
		const mac = await crypto.subtle.sign("HMAC", key, text.encode("POST /api/v1/files\n" + timestamp + "\ntest-access-key"));
		const form = new FormData();
		form.append("fileList", new File(["hello"], "hello.txt", {type: "text/plain"}));
		const answer = await fetch("`+base+`/api/v1/files", {method: "POST", body: form, headers: {"x-ncp-apigw-timestamp": timestamp,
			"x-ncp-iam-access-key": "test-access-key", "x-ncp-apigw-signature-v2": btoa(String.fromCharCode(...new Uint8Array(mac)))}});
		return [answer.status, Boolean(answer.headers.get("x-ncp-trace-id")), (await answer.json()).files[0].fileName].join(" ");`)
	if want := "201 true hello.txt"; got != want {
		t.Errorf("to NAVER: got %s, want %s", got, want)
	}
	// An injected answer can be read, too.
	shell(t, t.TempDir(), `curl --silent --fail --header 'Content-Type: application/json' --data '{"provider":"twentyfourseven","operation":"fileUpload","kind":"answer","status":503,"times":1}' `+base+`/_putpost/faults`)
	got = script(t, ctx, `return (await fetch("`+base+`/v1/fileUpload", {method: "POST", headers: {"Authorization": "Bearer test-token", "Content-Type": "application/json"}, body: "{}"})).status;`)
	if got != "503" {
		t.Errorf("an injected answer: got %s, want 503", got)
	}
}

func TestAnotherSiteCannotReachTheConsole(t *testing.T) {
	base := serve(t)
	ctx := open(t)
	shell(t, t.TempDir(), "echo kept > kept.txt\n"+sign+`curl "${signed[@]}" --fail --form 'fileList=@kept.txt' `+base+`/api/v1/files`)
	elsewhere(t, ctx)
	for name, body := range map[string]string{
		"a reset in JSON":    `return (await fetch("` + base + `/_putpost/reset", {method: "POST", headers: {"Content-Type": "application/json"}, body: "{}"})).status;`,
		"a reset in text":    `return (await fetch("` + base + `/_putpost/reset", {method: "POST", mode: "no-cors", body: "{}"})).type;`,
		"a reset by a form":  `const f = document.createElement("form"); f.method = "POST"; f.target = "frame"; f.enctype = "text/plain"; f.action = "` + base + `/_putpost/reset"; const i = document.createElement("iframe"); i.name = "frame"; document.body.append(i, f); f.submit(); await new Promise((done) => i.onload = done); return "sent";`,
		"a fault":            `return (await fetch("` + base + `/_putpost/faults", {method: "POST", mode: "no-cors", headers: {"Content-Type": "text/plain"}, body: '{"provider":"ncloudmailer","operation":"createFile","kind":"resetBefore"}'})).type;`,
		"the exchanges":      `return (await fetch("` + base + `/_putpost/exchanges")).text();`,
		"the events":         `return new Promise((done) => { const e = new EventSource("` + base + `/_putpost/events"); e.onmessage = () => done("heard"); e.onerror = () => done("failed: events"); });`,
		"a file in a script": `return new Promise((done) => { const s = document.createElement("script"); s.src = "` + base + `/_putpost/console.js"; s.onload = () => done("loaded"); s.onerror = () => done("failed: script"); document.head.append(s); });`,
	} {
		got := script(t, ctx, body)
		if changes := strings.HasPrefix(name, "a reset in text") || strings.HasPrefix(name, "a fault") || strings.Contains(name, "form"); !changes && !strings.HasPrefix(got, "failed") {
			t.Errorf("%s: the other site gets %.100s", name, got)
		}
	}
	if got := shell(t, t.TempDir(), "curl --silent "+base+"/_putpost/exchanges "+base+"/_putpost/files "+base+"/_putpost/faults"); !strings.Contains(got, "kept.txt") || !strings.Contains(got, `"exchanges":[{`) || !strings.Contains(got, `"faults":[]`) {
		t.Errorf("another site has changed something: %s", got)
	}
}

// A name that was made to point to this machine makes another site's page one of
// the console's own origin, as far as the browser knows.
func TestANameThatWasReboundIsRefused(t *testing.T) {
	base := serve(t)
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	ctx := open(t, chromedp.Flag("host-resolver-rules", "MAP evil.example 127.0.0.1"))
	rebound := fmt.Sprintf("http://evil.example:%s", u.Port())
	do(t, ctx, "the other name", chromedp.Navigate(rebound+"/_putpost/exchanges"))
	if got := get(t, ctx, "what it says", chromedp.Evaluate[string]("document.body.innerText")); !strings.Contains(got, "no loopback name") {
		t.Errorf("under another name the console says: %s", got)
	}
	got := script(t, ctx, `return (await fetch("/_putpost/reset", {method: "POST", headers: {"Content-Type": "application/json"}, body: "{}"})).status;`)
	if got != "403" {
		t.Errorf("under another name a reset is answered with %s", got)
	}
}
