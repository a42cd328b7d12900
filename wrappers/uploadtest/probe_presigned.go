package uploadtest

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// The checks of presigned URLs: each takes its own upload and refuses any
// other.

var presignedContent = []byte("uploadtest: a presigned file")

// presignedRequest returns the request that a URL was handed out for.
func (p *prober) presignedRequest(out contract.HandedOut, content []byte) *http.Request {
	method, typ, body := cmp.Or(out.Method, http.MethodPut), out.ContentType, content
	if out.Fields != nil {
		typ, body = formOf(out, content)
	}
	req, err := http.NewRequestWithContext(p.Context(), method, out.URL, bytes.NewReader(body))
	if err != nil {
		return p.request(http.MethodGet, "/", "", nil)
	}
	if typ != "" {
		req.Header.Set("Content-Type", typ)
	}
	maps.Copy(req.Header, out.Header)
	return req
}

// formOf returns the form that a URL was handed out for. The file is its last
// part.
func formOf(out contract.HandedOut, content []byte) (contentType string, body []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(out.Fields)) {
		_ = w.WriteField(name, out.Fields[name])
	}
	part, _ := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("file", "uploadtest.txt")},
		"Content-Type":        {cmp.Or(out.ContentType, "text/plain")},
	})
	_, _ = part.Write(content)
	w.Close()
	return w.FormDataContentType(), b.Bytes()
}

// opens matches the parameters of a URL that let somebody in, or in time.
var opens = regexp.MustCompile(`(?i)sig|token|hmac|expires|date|credential`)

// seals matches the values that do: a time, or what is too long to be guessed.
var seals = regexp.MustCompile(`^(\d{10,13}|\d{8}T\d{6}Z|[\w%+/=-]{32,})$`)

// uploadURL matches the names of members that say where a file goes.
var uploadURL = regexp.MustCompile(`(?i)(upload|signed|put)_?ur[il]$`)

// handedOut tries the URLs of an answer, in wrong ways first and then in the
// right way. It reports whether there are any.
func (p *prober) handedOut(m *made) bool {
	r, a, all := m.by, m.answer, m.outs
	for _, m := range contract.Members(a.body) {
		switch absolute := strings.HasPrefix(m.Value, "http://") || strings.HasPrefix(m.Value, "https://"); {
		case uploadURL.MatchString(m.Name) && !absolute:
			a.broke(contract.RuleAnswer, "url", "%s is no URL of http or https: no file can be sent to it", m.Name)
		case len(all) > 0 && strings.HasSuffix(strings.ToLower(m.Name), "method") && all[0].Method == "":
			a.broke(contract.RuleAnswer, "method", "%s is %.20q, by which no file can be sent", m.Name, m.Value)
		}
	}
	for _, out := range all {
		const to = "the URL that it handed out"
		ways := tampered(out)
		for _, what := range slices.Sorted(maps.Keys(ways)) {
			if out.Session && strings.HasPrefix(what, "by ") { // a session may have other methods
				continue
			}
			req := p.presignedRequest(out, presignedContent)
			ways[what](req)
			p.wants("tampered URL", r, req, "presigned "+what, to+", "+what+": it must be refused by a 4xx", 4)
		}
		fields := tamperedFields(out)
		for _, what := range slices.Sorted(maps.Keys(fields)) {
			other := out
			other.Fields = fields[what]
			p.wants("tampered form", r, p.presignedRequest(other, presignedContent), "presigned "+what,
				"the form that it handed out, "+what+": it must be refused by a 4xx", 4)
		}
		m.waiting, m.files = true, nil
		if whole := p.presignedRequest(out, presignedContent); !out.Session { // a session may go on where it was cut
			body, _ := io.ReadAll(whole.Body)
			p.cutsOff(r, whole, body)
		} else {
			p.unseen(r, "a transfer that is cut off: a session may go on where it was cut")
		}
		p.reads(m, "")
		p.seen.note("presigned step")
		if p.sends(m, out, presignedContent); m.waiting {
			continue
		}
		if p.reads(m, ""); !out.Session && len(p.completions(m)) == 0 {
			m.what = " (in place of a longer one, to the same URL)"
			p.sends(m, out, []byte("short"))
		}
		p.keep(m)
	}
	return len(all) > 0
}

// tampered returns the ways in which a presigned request can be almost right.
func tampered(out contract.HandedOut) map[string]func(*http.Request) {
	ways := map[string]func(*http.Request){
		"by another method": func(r *http.Request) {
			if r.Method = http.MethodPost; strings.EqualFold(out.Method, http.MethodPost) {
				r.Method = http.MethodPut
			}
		},
		"by GET":           func(r *http.Request) { r.Method = http.MethodGet },
		"by DELETE":        func(r *http.Request) { r.Method = http.MethodDelete },
		"with another key": func(r *http.Request) { r.URL.Path, r.URL.RawPath = r.URL.Path+"x", "" },
	}
	if out.ContentType != "" && out.Fields == nil && !out.Session {
		ways["with another media type"] = func(r *http.Request) { r.Header.Set("Content-Type", "application/x-uploadtest") }
	}
	if _, query, found := strings.Cut(out.URL, "?"); found {
		ways["without its query"] = func(r *http.Request) { r.URL.RawQuery = "" }
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if value == "" || !opens.MatchString(name) && !seals.MatchString(value) {
				continue
			}
			other := spoil(value)
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				other = strconv.FormatInt(n+60, 10) // as a time it is later
			}
			for how, with := range map[string]string{"with another ": name + "=" + other,
				"with half of the ": name + "=" + value[:len(value)/2], "with an empty ": name + "=", "without the ": "x=y"} {
				ways[how+name] = func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, pair, with, 1) }
			}
		}
	}
	return ways
}

// tamperedFields returns the fields of a form that is almost right.
func tamperedFields(out contract.HandedOut) map[string]map[string]string {
	ways := map[string]map[string]string{}
	for name, value := range out.Fields {
		other := spoil(value)
		switch is := strings.ToLower(name); {
		case is == "content-type":
			other = "application/x-uploadtest"
		case is != "key" && is != "policy" && !opens.MatchString(name) && !seals.MatchString(value):
			continue
		}
		for how, with := range map[string]string{"with another ": other, "with half of the ": value[:len(value)/2],
			"without the ": ""} {
			fields := maps.Clone(out.Fields)
			if fields[name] = with; with == "" {
				delete(fields, name)
			}
			ways[how+name] = fields
		}
	}
	return ways
}
