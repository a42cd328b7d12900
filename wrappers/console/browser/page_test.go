package browser

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// nasty is a name that would run a script, if the page took it for HTML.
const nasty = "<img src=x onerror=alert(1)>.pdf"

// sign holds shell lines that leave the options of a signed call to NAVER's
// stand-in in the list signed.
const sign = `
ts=$(date +%s000)
text="POST /api/v1/files\n%s\ntest-access-key"
sig=$(printf "$text" "$ts" | openssl dgst -sha256 -hmac test-secret-key -binary | base64)
signed=(--silent --header "x-ncp-apigw-timestamp: $ts" --header "x-ncp-iam-access-key: test-access-key"
  --header "x-ncp-apigw-signature-v2: $sig")
`

func TestPage(t *testing.T) {
	const first = "document.querySelector(" // the first element that fits: the newest
	base, dir := serve(t), t.TempDir()
	ctx := open(t)
	var foreign []string
	if err := chromedp.Listen(ctx, func(event any) {
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			if u := event.Request.URL; !strings.HasPrefix(u, base) && !strings.HasPrefix(u, "data:") {
				foreign = append(foreign, u)
			}
		case *page.EventJavascriptDialogOpening:
			t.Errorf("a script ran: %s", event.Message)
		}
	}); err != nil {
		t.Fatal(err)
	}
	command(t, ctx, network.Enable, network.EnableParams{})
	command(t, ctx, page.Enable, page.EnableParams{})
	size(t, ctx, 1280)
	do(t, ctx, "the link at the root",
		chromedp.Navigate(base), chromedp.Click(chromedp.CSS("a")), chromedp.WaitVisible(chromedp.CSS("#empty")))
	until(t, ctx, "the page is live", `document.getElementById("live").textContent === "live"`)
	looksRight(t, ctx, "empty")

	// The test runs the commands of the empty page unchanged.
	pasted := get(t, ctx, "first uploads", chromedp.Evaluate[[]string](
		`[...document.querySelectorAll("#first-uploads pre")].map((pre) => pre.textContent)`))
	if len(pasted) != 2 {
		t.Fatalf("there are %d ways to send a first file", len(pasted))
	}
	for _, lines := range pasted {
		shell(t, dir, lines)
	}
	until(t, ctx, "the first uploads appear", `document.querySelectorAll(".row .chip.good").length === 3`)
	until(t, ctx, "the hint is gone", `document.getElementById("empty").hidden`)

	content := bytes.Repeat([]byte("putpost\x00\xff"), 20000)
	if err := os.WriteFile(filepath.Join(dir, "invoice.pdf"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	shell(t, dir, "export NCLOUD_ACCESS_KEY=test-access-key NCLOUD_SECRET_KEY=test-secret-key\n"+
		"export NCLOUD_MAILER_BASE_URL="+base+"/api/v1\n"+program+" send --to ncloudmailer invoice.pdf")
	until(t, ctx, "what putpost send sent appears", `document.querySelectorAll(".row").length === 4`)
	until(t, ctx, "its file appears", `document.querySelector("#file-list").textContent.includes("invoice.pdf")`)

	downloads := t.TempDir()
	if _, err := chromedp.CallBrowser(ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
		Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, DownloadPath: downloads,
	}); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "download", chromedp.Click(chromedp.CSS(`a[aria-label="Download invoice.pdf"]`)))
	saved := filepath.Join(downloads, "invoice.pdf")
	for range 500 {
		if got, err := os.ReadFile(saved); err == nil && len(got) == len(content) {
			break
		}
		time.Sleep(10 * time.Millisecond) // a file of another process
	}
	if got, err := os.ReadFile(saved); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the download has %d bytes (%v), want the %d that were sent", len(got), err, len(content))
	}

	const send = sign + `curl "${signed[@]}" --form 'fileList=@invoice.pdf' `
	shell(t, dir, send+`--header 'Transfer-Encoding: chunked' `+base+`/api/v1/files`)
	until(t, ctx, "the verdict is shown", first+`".row .chip.bad")?.textContent.includes("1 rule broken")`)
	until(t, ctx, "the broken rule is shown", first+`".row .note").textContent.includes("request length")`)

	shell(t, dir, sign+`curl "${signed[@]}" --form 'fileList=@invoice.pdf;filename="`+nasty+`"' `+base+`/api/v1/files`)
	until(t, ctx, "the name is shown as text", `document.querySelector("#file-list").textContent.includes("`+nasty+`")`)

	do(t, ctx, "a fault by click", chromedp.Click(chromedp.CSS(`#inject button[type=submit]`)))
	until(t, ctx, "the fault waits", `document.querySelector("#fault-list").textContent.includes("answer 503")`)
	got := shell(t, dir, send+`--output /dev/null --write-out '%{http_code}' `+base+`/api/v1/files`)
	if got != "503" {
		t.Errorf("the next upload is answered with %s, want 503", got)
	}
	until(t, ctx, "the injected answer is shown", first+`".row .status").textContent === "503"`)
	until(t, ctx, "the fault was met", first+`".row .note").textContent.includes("answer")`)
	until(t, ctx, "the fault is used up", `document.querySelector("#fault-list").children.length === 0`)
	do(t, ctx, "a fault that stays", chromedp.SetValue(chromedp.CSS(`#inject [name=times]`), "0"),
		chromedp.Click(chromedp.CSS(`#inject button[type=submit]`)),
		chromedp.WaitVisible(chromedp.CSS("#fault-list li")))

	shell(t, dir, `curl --silent --header 'Content-Type: application/json' --data '{"contentType":"text/plain"}' `+
		base+`/v1/fileUpload`)
	until(t, ctx, "a refusal is shown", first+`".row .status").textContent === "401"`)
	until(t, ctx, "its reason is shown", first+`".row .note").textContent.includes("Authorization")`)
	looksRight(t, ctx, "full")

	// The keys go down to the exchange with the broken rule, into it, and out.
	do(t, ctx, "keyboard", chromedp.Focus(chromedp.CSS(".row")),
		chromedp.KeyEvent(kb.ArrowDown+kb.ArrowDown+kb.ArrowDown),
		chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS("#detail .violation")))
	detail := get(t, ctx, "detail", chromedp.Text(chromedp.CSS("#detail")))
	for _, want := range []string{
		"request length", "Content-Length", "curl -X POST", "$NCLOUD_ACCESS_KEY", "/api/v1/files",
	} {
		if !strings.Contains(detail, want) {
			t.Errorf("the detail does not say %q:\n%s", want, detail)
		}
	}
	if strings.Contains(detail, "test-secret-key") || strings.Contains(detail, "test-access-key") {
		t.Errorf("the detail shows a credential:\n%s", detail)
	}
	looksRight(t, ctx, "detail")
	do(t, ctx, "escape", chromedp.KeyEvent(kb.Escape), chromedp.WaitNotVisible(chromedp.CSS("#detail")))

	do(t, ctx, "a filter", chromedp.Click(chromedp.CSS("#filters [name=broken]")))
	until(t, ctx, "only what is broken is shown", `document.querySelectorAll(".row").length === 2`)
	do(t, ctx, "no filter", chromedp.Click(chromedp.CSS("#filters [name=broken]")))

	do(t, ctx, "reset", chromedp.Click(chromedp.CSS("#reset")), chromedp.WaitVisible(chromedp.CSS("#confirm")),
		chromedp.Click(chromedp.CSS(`#confirm [value=reset]`)), chromedp.WaitVisible(chromedp.CSS("#empty")))
	until(t, ctx, "all is forgotten", `document.querySelectorAll(".row, #file-list li, #fault-list li").length === 0`)
	if len(foreign) > 0 {
		t.Errorf("the page asks other hosts: %q", foreign)
	}
}

func TestThePageWorksWithItsToken(t *testing.T) {
	base := serve(t, "PUTPOST_CONSOLE_TOKEN=token-of-the-test")
	ctx := open(t)
	size(t, ctx, 1280)
	// Nobody answers the browser's question for a password here.
	if err := chromedp.Do(ctx, chromedp.Navigate(base+"/_putpost/")); err == nil {
		t.Errorf("without the token the page says: %s", said(t, ctx))
	}
	known := strings.Replace(base, "://", "://any:token-of-the-test@", 1)
	do(t, ctx, "with the token", chromedp.Navigate(known+"/_putpost/"))
	until(t, ctx, "the page is live", `document.getElementById("live")?.textContent === "live"`)
	until(t, ctx, "the form is filled in", `document.querySelector("#inject [name=operation]").value === "createFile"`)
	script(t, ctx, `document.querySelector("#inject").requestSubmit();`)
	until(t, ctx, "the fault waits", `document.querySelector("#fault-list").textContent.includes("answer 503")`)
}

// size sets the width of the window.
func size(t *testing.T, ctx context.Context, width int64) {
	t.Helper()
	do(t, ctx, "window", chromedp.EmulateViewport(width, 720))
}

// looksRight checks the page in its present state, in light and in dark, on a
// screen and on a phone.
func looksRight(t *testing.T, ctx context.Context, state string) {
	t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		command(t, ctx, emulation.SetEmulatedMedia,
			emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
			}})
		for name, width := range map[string]int64{"": 1280, "-360": 360} {
			size(t, ctx, width)
			const wider = `document.documentElement.scrollWidth > window.innerWidth`
			if get(t, ctx, "width", chromedp.Evaluate[bool](wider)) {
				t.Errorf("%s: at %d pixels the page must be scrolled sideways", state, width)
			}
			accessible(t, ctx, state+" "+scheme+name)
			if *screenshots != "" {
				png := get(t, ctx, "screenshot", chromedp.CaptureScreenshot())
				file := filepath.Join(*screenshots, state+"-"+scheme+name+".png")
				if err := os.WriteFile(file, png, 0o600); err != nil {
					t.Error(err)
				}
			}
		}
	}
	size(t, ctx, 1280)
}
