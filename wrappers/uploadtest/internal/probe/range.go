package probe

import (
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// ranges asks an operation that declares a 206 for parts of a file that it gave
// back. The whole file is right, too.
func (p *prober) ranges(a answer, content []byte) {
	n := len(content)
	if n < 10 || !declares(a.route, "206") || !p.logged.First("ranges: "+a.route.name) {
		return
	}
	if a.elsewhere != "" && a.elsewhere != a.req.URL.Host {
		p.unseen(a.route, "a range of a file, which is on the host %s", a.elsewhere)
		return
	}
	for _, want := range []struct {
		of       string
		from, to int // the first and the last byte
	}{
		{"2-5", 2, 5}, {"4-", 4, n - 1}, {"-3", n - 3, n - 1}, {fmt.Sprint("6-", 2*n), 6, n - 1},
	} {
		part := p.askWith(a, "Range", "bytes="+want.of)
		is, at := part.header.Get("Content-Range"), fmt.Sprintf("bytes %d-%d/%d", want.from, want.to, n)
		p.seen.Note("range")
		wrong := difference(part.body, content[want.from:want.to+1])
		wrong = strings.ReplaceAll(wrong, "were sent", "were asked for")
		switch {
		case part.status == http.StatusPartialContent && wrong != "":
			part.broke(ruleAnswer, "range", "the range %s of a file comes back changed: %s", want.of, wrong)
		case part.status == http.StatusPartialContent && is != at:
			part.broke(ruleHeader, "range", "Content-Range is %s, want %q", apispec.Quoted(is), at)
		case part.status >= 400:
			part.broke(ruleStatus, "range", "%d to the range %s of a file of %d bytes", part.status, want.of, n)
		}
	}
}

// revalidates asks an operation that declares a 304 for what it gave, once by the
// ETag of its answer, and once by another ETag.
func (p *prober) revalidates(a answer) {
	tag := a.header.Get("ETag")
	if a.route.Method != http.MethodGet || !declares(a.route, "304") || !p.logged.First("304: "+a.route.name) {
		return
	}
	if tag == "" || a.elsewhere != "" && a.elsewhere != a.req.URL.Host {
		p.unseen(a.route, "its 304, since its answer has no ETag of its own")
		return
	}
	p.seen.Note("ETag")
	same := p.askWith(a, "If-None-Match", tag)
	changed := same.ok() && same.header.Get("ETag") != tag // it may tell of the last access
	if same.status != 0 && same.status != http.StatusNotModified && !changed {
		same.broke(ruleStatus, "not modified", "%d to an If-None-Match with the ETag that it gave, want 304",
			same.status)
	}
	other := p.askWith(a, "If-None-Match", `"uploadtest"`)
	if other.status != 0 && !other.ok() {
		other.broke(ruleStatus, "modified", "%d to an If-None-Match with an ETag that it did not give, want 200",
			other.status)
	} else if wrong := difference(other.body, a.body); other.ok() && wrong != "" && other.givesFile(a.route) {
		other.broke(ruleAnswer, "modified", "an If-None-Match with another ETag changes the file: %s", wrong)
	}
}

// askWith asks once more for what an answer gave, with another header.
func (p *prober) askWith(a answer, header, value string) answer {
	req := p.requestTo(http.MethodGet, a.req.URL.String(), "", nil)
	maps.Copy(req.Header, a.req.Header)
	req.Header.Set(header, value)
	return p.ask(a.route, p.authorized(req))
}
