package probe

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// handedOut tries the URLs of an answer, in wrong ways first and then in the
// right way. It reports whether there are any.
func (p *prober) handedOut(m *made) bool {
	r, a, all := m.by, m.answer, m.outs
	for _, l := range leaves(a.body) {
		text, isText := l.value.(string)
		switch absolute := strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://"); {
		case !isText:
		case uploadURL.MatchString(l.name) && !absolute:
			a.broke(ruleAnswer, "url", "%s is no URL of http or https: no file can be sent to it", l.name)
		case len(all) > 0 && strings.HasSuffix(strings.ToLower(l.name), "method") && all[0].Method == "":
			a.broke(ruleAnswer, "method", "%s is %s, by which no file can be sent", l.name, apispec.Quoted(text))
		}
	}
	for _, out := range m.listed() {
		ways := tampered(out)
		maps.DeleteFunc(ways, func(what string, _ contract.HandedOut) bool { return strings.HasPrefix(what, "by ") })
		p.refusesEach(r, out, "URL", ways, presignedContent)
		p.unseen(r, "what comes of a file that is sent to a URL in the list that it handed out")
	}
	r.grants = r.grants || len(all)+len(m.listed()) > 0
	for _, out := range all {
		began := maps.Clone(m.ids)
		// The URL of an answer that forwards lets nobody in by itself.
		taken := !a.forwards() && p.refusesEach(r, out, "URL", tampered(out), presignedContent)
		taken = p.refusesEach(r, out, "form", tamperedFields(out), presignedContent) || taken
		m.waiting, m.files = true, nil
		if whole := p.presignedRequest(out, presignedContent); !out.Session { // a session may go on where it was cut
			body, _ := io.ReadAll(whole.Body)
			taken = p.cutsOff(r, whole, body) || taken
		} else {
			p.unseen(r, "a transfer that is cut off: a session may go on where it was cut")
		}
		if !taken {
			p.reads(m)
		}
		p.seen.Note("presigned step")
		if p.sends(m, out); !m.waiting && len(all) == 1 { // announces reads several
			if p.reads(m); !out.Session && len(p.completions(m)) == 0 && m.coming == nil {
				m.what, m.later = " (in place of a longer one, to the same URL)", []byte("short")
				p.sends(m, out)
				m.ids, m.ofFile = began, nil // what comes of it may have another id than what came of the first
				p.learn(m, a)
			}
			p.keep(m)
		}
	}
	return len(all) > 0
}

// listed returns the signed URLs in a list of an answer that starts an upload. Nobody
// says which part of the file goes to which.
func (m *made) listed() (urls []contract.HandedOut) {
	for _, l := range leaves(m.answer.body) {
		to, err := url.Parse(l.text())
		isIt := strings.HasSuffix(l.path, "[]") && starts.MatchString(m.by.name+" "+m.by.Path)
		if err == nil && to.Host != "" && signs.MatchString(to.RawQuery) && isIt &&
			!downloadURL.MatchString(l.name) && len(m.outs)+len(m.files) == 0 {
			urls = append(urls, contract.HandedOut{URL: l.text()})
		}
	}
	return urls
}

// crosswise starts two uploads before it sends the bytes of both at once, and
// mixes their URLs.
func (p *prober) crosswise(r *operation, s sample) {
	var two [2]*made
	for i := range two {
		s := s.holding(p.twin(i))
		if two[i], _ = p.start(r, s, " (after another was started)"); two[i] == nil || len(two[i].outs) == 0 {
			return
		}
	}
	first, second := two[0].outs[0], two[1].outs[0]
	if key := first.Fields["key"]; key != second.Fields["key"] {
		p.refusesEach(r, second, "form", map[string]contract.HandedOut{
			keyOfAnother: withField(second, "key", key)}, two[1].later)
	}
	of, _ := url.Parse(first.URL) // each was parsed before
	to, _ := url.Parse(second.URL)
	if of.Path != to.Path && signs.MatchString(to.RawQuery) {
		of.RawQuery = to.RawQuery
		second.URL = of.String()
		p.refusesEach(r, second, "URL", map[string]contract.HandedOut{underAnother: second}, two[1].later)
	}
	var requests [2]*http.Request
	for i, m := range two {
		requests[i] = p.presignedRequest(m.outs[0], m.later)
	}
	for i, came := range p.atOnce(requests[:]) {
		p.came, two[i].what = came, " (sent at the same time as another)"
		p.sends(two[i], two[i].outs[0])
	}
	p.keep(two[:]...)
}

// refusesEach sends a file in ways for which no URL or form was handed out. It
// reports whether one was taken.
func (p *prober) refusesEach(
	r *operation, out contract.HandedOut, of string, ways map[string]contract.HandedOut, content []byte,
) (taken bool) {
	if isOpen(out) { // a session may have other methods
		maps.DeleteFunc(ways, func(what string, _ contract.HandedOut) bool { return strings.HasPrefix(what, "by ") })
	}
	return p.refusesWays(r, "the "+of+" that it handed out", ways, func(way contract.HandedOut) answer {
		p.seen.Note("tampered " + of)
		return p.ask(r, p.presignedRequest(way, content))
	})
}

const (
	withoutQuery = "without its query"
	underAnother = "with the path of another"
	keyOfAnother = "with the key of another"
)

// refusesWays uses what was handed out in ways that are almost right. Those that are
// not refused may have one cause, and are told in one line. It reports whether one
// was taken.
func (p *prober) refusesWays(
	r *operation, of string, ways map[string]contract.HandedOut, ask func(contract.HandedOut) answer,
) (taken bool) {
	before := p.ways[r.name+of]
	follows := map[string]bool{}
	for _, way := range before {
		name, isPart := strings.CutPrefix(way, "without the ")
		follows[underAnother] = follows[underAnother] || way == withoutQuery || isPart && signs.MatchString(name+"=")
		follows[keyOfAnother] = follows[keyOfAnother] || way == "with another key"
	}
	wrong, last := map[int][]string{}, map[int]answer{}
	for _, what := range slices.Sorted(maps.Keys(ways)) {
		if follows[what] {
			continue
		}
		a := ask(ways[what])
		taken = taken || a.ok()
		if a.status != 0 && a.status/100 != 4 && !slices.Contains(before, what) {
			wrong[a.status], last[a.status] = append(wrong[a.status], what), a
		}
	}
	for status, all := range wrong {
		must := ": it must be refused by a 4xx"
		if len(all) > 1 {
			must = ": each must be refused by a 4xx"
		}
		p.ways[r.name+of] = append(p.ways[r.name+of], all...)
		last[status].broke(ruleStatus, of+all[0], "%d to %s, %s%s", status, of, strings.Join(all, ", "), must)
	}
	return taken
}

// tampered returns the ways in which the use of a URL can be almost right.
func tampered(out contract.HandedOut) map[string]contract.HandedOut {
	by := func(method string) contract.HandedOut {
		other := out
		other.Method = method
		return other
	}
	at := func(address, query string) contract.HandedOut {
		other := out
		other.URL = strings.TrimSuffix(address+"?"+query, "?")
		return other
	}
	address, query, _ := strings.Cut(out.URL, "?")
	ways := map[string]contract.HandedOut{
		"by GET": by(http.MethodGet), "by DELETE": by(http.MethodDelete), "by another method": by(http.MethodPost),
	}
	if strings.EqualFold(out.Method, http.MethodPost) {
		ways["by another method"] = by(http.MethodPut)
	}
	to, _ := url.Parse(address) // it was parsed before
	to.Path, to.RawPath = to.Path+"x", ""
	ways["with another key"] = at(to.String(), query)
	if out.ContentType != "" && out.Fields == nil && !out.Session && !azure.MatchString(query) {
		other := out
		other.ContentType, other.Header = "application/x-uploadtest", out.Header.Clone()
		other.Header.Del("Content-Type")
		ways["with another media type"] = other
	}
	if query != "" {
		ways[withoutQuery] = at(address, "")
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		changed := func(is string) contract.HandedOut { return at(address, strings.Replace(query, pair, is, 1)) }
		if value != "" && guards(name, value) {
			for how, other := range almost(name, value) {
				ways[how] = changed(name + "=" + other)
			}
			ways["with an empty "+name], ways["without the "+name] = changed(name+"="), changed("x=y")
		}
	}
	return ways
}

// tamperedFields returns the ways in which the fields of a form can be almost
// right.
func tamperedFields(out contract.HandedOut) map[string]contract.HandedOut {
	ways := map[string]contract.HandedOut{}
	for name, value := range out.Fields {
		is := strings.ToLower(name)
		if is == "content-type" {
			value = "application/x-uploadtest"
		} else if is != "key" && is != "policy" && !guards(name, value) {
			continue
		}
		for how, other := range almost(name, value) {
			ways[how] = withField(out, name, other)
		}
		ways["without the "+name] = withField(out, name, "")
	}
	return ways
}

// guards reports whether a parameter or a field lets somebody in, or in time.
func guards(name, value string) bool { return opens.MatchString(name) || seals.MatchString(value) }

// almost returns values that are almost the right one, by what was done to it.
func almost(name, value string) map[string]string {
	ways := map[string]string{"with another " + name: spoil(value), "with half of the " + name: value[:len(value)/2]}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		ways["with another "+name] = strconv.FormatInt(n+60, 10) // as a time it is later
	}
	if other := counted(value); other != "" {
		ways["with another number in the "+name] = other
	}
	return ways
}

// counted returns a policy or a token with another number in its JSON, which is
// in base64: the longest, or the year of a date. It returns nothing if there is
// none.
func counted(value string) (other string) {
	for _, sealed := range packed.FindAllString(value, -1) {
		encoding := base64.RawStdEncoding
		if strings.ContainsAny(sealed, "-_") {
			encoding = base64.RawURLEncoding
		}
		text, err := encoding.DecodeString(sealed)
		from, to := 0, 0
		for _, at := range numbers.FindAllSubmatchIndex(text, -1) {
			if at[3]-at[2] > to-from {
				from, to = at[2], at[3]
			}
		}
		if n, none := strconv.ParseInt(string(text[from:to]), 10, 64); err == nil && none == nil && json.Valid(text) {
			text = slices.Concat(text[:from], strconv.AppendInt(nil, n+1, 10), text[to:])
			other = strings.Replace(value, sealed, encoding.EncodeToString(text), 1)
		}
	}
	return other
}

// withField returns a form with another value of a field. An empty one leaves
// the field out.
func withField(form contract.HandedOut, name, value string) contract.HandedOut {
	form.Fields = maps.Clone(form.Fields)
	if form.Fields[name] = value; value == "" {
		delete(form.Fields, name)
	}
	return form
}
