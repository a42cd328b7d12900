package uploadtest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// The checks that read an upload back, by each operation that is about it.

// reads asks every operation that can be asked about something, and compares
// each answer with the upload. An answer may give the ids that another
// operation takes.
func (p *prober) reads(m *made, after string) {
	for range 2 { // it may be there since it was asked first
		if p.readsOnce(m, after); !m.had || m.pending == nil {
			return
		}
	}
	m.pending()
}

func (p *prober) readsOnce(m *made, after string) {
	m.pending, m.had = nil, false
	asked := map[string]bool{}
	for again := true; again; {
		again = false
		for _, r := range p.contract.routes {
			if !reading(r) || asked[nameOf(r)] || !m.about(r) {
				continue
			}
			asked[nameOf(r)], again = true, true
			last := lastParam(r)
			each := slices.DeleteFunc(slices.Clone(m.ofFile), func(ids map[string]string) bool { return ids[last] == "" })
			if len(each) == 0 || len(each) != len(m.files) {
				p.read(r, m, -1, m.found(), after)
				continue
			}
			for i, ids := range each {
				p.read(r, m, i, m.found().under(last, ids[last]), after)
			}
		}
	}
}

// reading reports whether an operation only tells of what is there.
func reading(r *routers.Route) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// inPath returns the parameters in a route's path, in their order. It runs for
// each value of each answer, so it uses no regexp.
func inPath(r *routers.Route) (params []string) {
	for part := range strings.SplitSeq(r.Path, "{") {
		if name, _, ok := strings.Cut(part, "}"); ok {
			params = append(params, name)
		}
	}
	return params
}

// lastParam returns the last parameter of a route's path, or nothing.
func lastParam(r *routers.Route) (name string) {
	for _, param := range inPath(r) {
		name = param
	}
	return name
}

// about reports whether an operation is about m: the last id in its path is one
// that the server gave to m, or the one that the client chose.
func (m *made) about(r *routers.Route) bool {
	for _, param := range inPath(r) {
		if m.ids[param] == "" {
			return false
		}
	}
	last := lastParam(r)
	under := m.by.Method == http.MethodPut && lastParam(m.by) == last && strings.HasPrefix(r.Path, m.by.Path)
	return last != "" && (under || !m.asked(m.ids[last]))
}

// found returns the sample that asks for m.
func (m *made) found() sample { return sample{params: m.ids} }

// read asks one operation. It asks again for half a second, since some servers
// store later, and longer if the answer says so. What never comes uses up the
// patience.
func (p *prober) read(r *routers.Route, m *made, file int, s sample, after string) {
	req := p.good(r, s)
	var a answer
	later := len(m.files) == 0 && p.at(r.Path, http.MethodPut) != nil // the file is put there by another operation
	if m.waiting {                                                    // a Retry-After would be waited for in vain
		a = p.follow(p.askOnce(r, req))
	} else {
		a = p.ask(r, req)
	}
	for n := 0; !m.waiting && !later && a.status/100 == 4; n++ {
		if n >= p.patience && !(a.notYet() && n < 4*p.patience) {
			p.patience = 0
			break
		}
		time.Sleep(20 * time.Millisecond)
		req = p.good(r, s)
		a = p.ask(r, req)
	}
	switch {
	case a.ok():
		p.compares(m, file, a)
		p.learn(m, a)
	case a.status != 0 && !m.waiting && !later:
		a.broke(contract.RuleStatus, "lost", "%d to a stored upload%s", a.status, after)
	}
}

// notYet reports whether an answer says that the thing will be there later.
func (a answer) notYet() bool {
	return a.status == http.StatusConflict || a.status == http.StatusTooEarly || a.header.Get("Retry-After") != ""
}

// compares compares an answer with m. File is the index of the one file that
// the answer is about, or -1.
func (p *prober) compares(m *made, file int, a answer) {
	r := a.route
	if len(m.files) == 1 {
		file = 0
	}
	switch get := p.at(r.Path, http.MethodGet); {
	case r.Method == http.MethodHead:
		length := a.header.Get("Content-Length")
		if file >= 0 && get != nil && a.givesFile(get) && length != "" && length != fmt.Sprint(len(m.files[file].content)) {
			a.broke(contract.RuleHeader, "length", "Content-Length is %s, but %d bytes were sent%s", length,
				len(m.files[file].content), m.what)
		}
	case a.givesFile(r) && m.waiting:
		a.broke(contract.RuleStatus, "early", "%d to a file that was not sent yet", a.status)
	case a.givesFile(r):
		if sent := m.of(r.Path[strings.LastIndex(r.Path, "/")+1:]); len(sent) == 1 { // such as /things/{id}/front
			p.givesBack(m, sent[0], a)
		} else if file >= 0 {
			p.givesBack(m, m.files[file], a)
		}
	default:
		all := leaves(a.body)
		p.tells(m, a, all)
		p.stays(m, a, all)
	}
}

// givesFile reports whether an answer is the file itself.
func (a answer) givesFile(r *routers.Route) bool {
	if r == nil || a.elsewhere {
		return true
	}
	declared := cmp.Or(r.Operation.Responses.Status(a.status), r.Operation.Responses.Default())
	if declared == nil {
		return false
	}
	media := declared.Value.Content.Get(a.header.Get("Content-Type"))
	return media != nil && isBinary(media.Schema)
}

// givesBack compares a file in an answer with the one that was sent. The server
// may hide its media type.
func (p *prober) givesBack(m *made, file sentFile, a answer) {
	sent, _, _ := mime.ParseMediaType(file.contentType)
	got, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	m.had = true
	p.seen.note("file that is given back")
	if wrong, _ := difference(bytes.NewReader(a.body), file.content); wrong != "" { // from memory: no error
		a.broke(contract.RuleAnswer, "content", "the file%s comes back changed: %s", m.what, wrong)
	}
	if sent != "" && got != sent && got != "application/octet-stream" {
		a.broke(contract.RuleHeader, "type", "Content-Type is %q, but the file was sent as %q", got, sent)
	}
	_, params, err := mime.ParseMediaType(a.header.Get("Content-Disposition"))
	if name := params["filename"]; err == nil && file.name != "" && name != "" && !sameName(name, file.name) {
		a.broke(contract.RuleHeader, "disposition", "Content-Disposition says %.50q, but the file was called %q",
			name, file.name)
	}
	if tag := a.header.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		key := a.req.URL.Path + tag
		if sum := fmt.Sprint(sha256.Sum256(a.body)); cmp.Or(p.tagged[key], sum) != sum {
			a.broke(contract.RuleHeader, "etag", "the ETag is the same as that of other bytes")
		} else {
			p.tagged[key] = sum
		}
		put := m.answer.header.Get("ETag")
		if m.by.Method == http.MethodPut && m.place == a.req.URL.Path && put != "" && put != tag {
			a.broke(contract.RuleHeader, "etag", "the ETag differs from the one in the answer to the upload")
		}
	}
}

// sameName reports whether a name is the one that was sent. Forms write a quote
// as %22, and a server may leave it so.
func sameName(is, sent string) bool { return is == sent || is == strings.ReplaceAll(sent, `"`, "%22") }

var (
	sizes = regexp.MustCompile(`(?i)^((file|content|object|blob|document|attachment|body|byte)[_-]?)?` +
		`(size|bytes|byte[_-]?(size|count|length)|size[_-]?(in[_-]?)?bytes)$|^content[_-]?length$`)
	names    = regexp.MustCompile(`(?i)^((original|object|blob|document|attachment|upload(ed)?)[_-]?)?(file[_-]?)?name$`)
	types    = regexp.MustCompile(`(?i)^(content|media|mime|file)[_-]?type$|^mime$`)
	digests  = regexp.MustCompile(`(?i)md5|sha-?_?(1|256|512)|checksum|digest|hash`)
	sure     = regexp.MustCompile(`(?i)md5|sha-?_?(1|256|512)`)
	stores   = regexp.MustCompile(`(?i)^(created|uploaded|stored)[_-]?(at|on|time|date)?$`)
	states   = regexp.MustCompile(`(?i)^(upload[_-]?)?(state|status)$`)
	finished = regexp.MustCompile(`(?i)^(complete|completed|ready|done|stored|available|uploaded|finished|processed)$`)
	pending  = regexp.MustCompile(`(?i)^(pending|waiting|awaiting.*|initiated|started|uploading|incomplete)$`)
	lasting  = regexp.MustCompile(`^id$|[a-z_-](Id|ID|_id|-id)$|(?i:name|size)$`)
	ofOneAsk = regexp.MustCompile(`(?i)^(x.?)?(request|response|trace|span|correlation|transaction|session|` +
		`operation|event|message|status|state).?id$`)
)

// tells compares each value about a file, and each value that repeats the
// request, with the request. If the name of a value does not surely mean that,
// it counts once the value was right for two different uploads.
func (p *prober) tells(m *made, a answer, all []leaf) {
	length, wrapper := map[string]string{}, m.wrapper(all)
	for _, l := range all {
		place := strings.TrimPrefix(l.path, wrapper)
		said, property, exact := m.saidAt(place)
		repeats := said != nil
		owner := strings.TrimSuffix(l.parent(), "[]")
		if l.list {
			owner = l.name
		}
		sent, called := m.of(owner), l.name
		ofField := len(sent) > 0
		if ofField && l.at < 0 {
			called = l.path
		}
		if !ofField && (m.schema == nil || !isBinary(m.schema.Properties[owner])) {
			sent = m.files
		}
		if l.list {
			length[l.path] = textOf(l.value)
			has, _ := strconv.Atoi(length[l.path])
			if n := len(sent); n > 0 && has != n && (p.listsFiles(a.route, l) || ofField && 0 < has && has < n) {
				a.broke(contract.RuleAnswer, "count", "%s has %v elements, but %d files were sent%s", l.name, l.value,
					n, m.what)
			}
			if exact && free(m, property, "") {
				tellsAll(a, l, said, all)
			}
			continue
		}
		inList := strings.LastIndex(l.path, "[]")
		files := inList < 0 || length[l.path[:max(0, inList)]] == fmt.Sprint(len(sent))
		ofOther := ofField && slices.ContainsFunc(m.files, func(other sentFile) bool {
			return other.field != owner && textOf(l.value) == fmt.Sprint(len(other.content))
		})
		top := ofOther || exact && repeats || !strings.Contains(place, ".") ||
			inList >= 0 && strings.Count(l.path[inList:], ".") == 1
		check := compared(func(aspect string, surely, right bool, format string, want ...any) {
			key := nameOf(a.route) + " " + l.path + " " + aspect
			if right {
				if p.right[key] == nil {
					p.right[key] = map[string]bool{}
				}
				p.right[key][fmt.Sprint(want...)] = true
			} else if !files || !(surely && top) && len(p.right[key]) < 2 {
				return
			}
			if p.seen.note(aspect); !right {
				a.broke(contract.RuleAnswer, aspect, "%s is %.50q%s", called, textOf(l.value),
					fmt.Sprintf(format, want...))
			}
		})
		check.said(m, l, said, property, exact)
		if m.schema != nil && m.schema.Properties[l.name] != nil && !repeats && l.at < 0 &&
			strings.HasPrefix(textOf(l.value), oddText[:12]) {
			a.broke(contract.RuleAnswer, "said by another", "%s is %.50q, and only another upload said so", l.name,
				textOf(l.value))
		}
		if l.at < len(sent) && (l.at >= 0 || len(sent) == 1) {
			check.file(m, l, sent[max(0, l.at)], repeats)
		}
	}
}

// compared takes whether a value of an answer is right. Surely tells that its
// name means what it is compared with.
type compared func(aspect string, surely, right bool, format string, want ...any)

// said compares a value with what the request said under its name.
func (check compared) said(m *made, l leaf, said any, property *openapi3.SchemaRef, exact bool) {
	is, _ := l.value.(string)
	switch said := said.(type) {
	case bool:
		yes, ok := l.value.(bool)
		check("what was said", exact && ok, yes == said, ", but %t was said", said)
	case string:
		if l.at >= 0 || states.MatchString(l.name) {
			break
		}
		surely := is == l.value && (free(m, property, is) || m.repeated(l))
		if rest, cut := strings.CutPrefix(said, is); cut && len(is) > 50 {
			check("what was said", surely, rest == "", ", without the last %d bytes that were said", len(rest))
		} else {
			check("what was said", surely, is == said, ", but %.50q was said", said)
		}
	}
}

// file compares a value with the file that it may be about.
func (check compared) file(m *made, l leaf, file sentFile, repeats bool) {
	text := textOf(l.value)
	size := fmt.Sprint(len(file.content))
	// A small number counts other things, too.
	if sized := sizes.MatchString(l.name); sized || len(file.content) > 99 {
		check("size", sized, text == size, ", but %s bytes were sent%s", size, m.what)
	}
	if file.name != "" && !repeats {
		check("name", names.MatchString(l.name), sameName(text, file.name),
			", but the file was called %q%s", file.name, m.what)
	}
	if typ, _, err := mime.ParseMediaType(text); types.MatchString(l.name) && !repeats {
		sent, _, _ := mime.ParseMediaType(file.contentType)
		check("media type", true, err == nil && typ == sent, ", but the file was sent as %q", sent)
	}
	if digests.MatchString(l.name) {
		check("checksum", sure.MatchString(l.name), digestOf(text, file.content), ", which is not that of the file%s",
			m.what)
	}
}

// listsFiles reports whether a list told of files before.
func (p *prober) listsFiles(r *routers.Route, list leaf) bool {
	for where := range p.right {
		if strings.HasPrefix(where, nameOf(r)+" "+list.path+"[].") && len(p.right[where]) > 1 {
			return true
		}
	}
	return false
}

// repeated reports whether the answer repeated a value of the request.
func (m *made) repeated(said leaf) bool {
	return slices.ContainsFunc(leaves(m.answer.body), func(l leaf) bool {
		return l.path == said.path && textOf(l.value) == textOf(m.said[l.name])
	})
}

// tellsAll sees that a list of texts has each one that was said.
func tellsAll(a answer, list leaf, said any, all []leaf) {
	texts := map[any]bool{}
	for _, l := range all {
		if l.path == list.path+"[]" {
			texts[l.value] = true
		}
	}
	values, _ := said.([]any)
	for _, value := range values {
		if text, ok := value.(string); ok && len(texts) > 0 && !texts[text] {
			a.broke(contract.RuleAnswer, "what was said", "%s lacks %.50q, which was said", list.name, text)
		}
	}
}

// free reports whether a value of the request is a text that the server keeps
// as it is. A date is one, unless the answer is another kind of time.
func free(m *made, property *openapi3.SchemaRef, answered string) bool {
	if property == nil || property.Value == nil {
		return m.object == nil
	}
	schema := property.Value
	if schema.Items != nil {
		schema = schema.Items.Value
	}
	return schema.Format == "" || schema.Format == "date" && len(answered) == len(time.DateOnly)
}

// wrapper returns the path of the object in which an answer wraps what was made,
// such as "file." around its id.
func (m *made) wrapper(all []leaf) (path string) {
	least := len(all) + 1
	for _, l := range all {
		depth := strings.Count(l.path, ".")
		if depth < least && l.at < 0 && strings.EqualFold(l.name, "id") && slices.Contains(m.own, textOf(l.value)) {
			least, path = depth, strings.TrimSuffix(l.path, l.name)
		}
	}
	return path
}

// saidAt returns the value that a request had at a path in its object, and its
// schema. If the path is longer than a name, it may also be the value of that
// name, not exactly there.
func (m *made) saidAt(path string) (said any, property *openapi3.SchemaRef, exact bool) {
	object, schema := m.object, m.schema
	names := strings.Split(path, ".")
	for i, name := range names {
		if schema == nil || schema.Properties[name] == nil {
			break
		}
		property = schema.Properties[name]
		if i == len(names)-1 && i > 0 && object[name] != nil {
			return object[name], property, true
		}
		object, _ = object[name].(map[string]any)
		schema = property.Value
	}
	last := names[len(names)-1]
	if property = nil; m.schema != nil {
		property = m.schema.Properties[last]
	}
	return m.said[last], property, len(names) == 1
}

// digestOf reports whether a text is a checksum of content, in hex or base64.
// The length of the text says which kind.
func digestOf(text string, content []byte) bool {
	if _, value, found := strings.Cut(text, ":"); found {
		text = value
	}
	return slices.ContainsFunc(sumsOf(content), func(s namedSum) bool {
		return strings.EqualFold(text, hex.EncodeToString(s.sum)) ||
			strings.TrimRight(text, "=") == base64.RawStdEncoding.EncodeToString(s.sum)
	})
}

// stays compares an answer with the answer that made the thing, or with the
// first answer of the same operation, and reports a difference. It compares the
// values that may not change: ids, names, sizes, and times of making.
func (p *prober) stays(m *made, a answer, all []leaf) {
	r, path := a.route, a.req.URL.Path
	p.seen.note("what was made")
	at := nameOf(r) + " " + path // each file may have its own
	is := map[string]leaf{}
	for _, l := range all {
		is[fmt.Sprint(l.path, l.at, l.list)] = l
		m.times(a, l)
	}
	for _, param := range inPath(r) {
		said, asked := false, false
		for _, l := range all {
			if l.name == param && l.value != nil && r.Method == http.MethodGet && (l.at < 0 || l.name != "id") {
				said, asked = true, asked || strings.Contains(path+"/", "/"+textOf(l.value)+"/")
			}
		}
		if said && !asked {
			a.broke(contract.RuleAnswer, "asked", "%s is not the one that was asked for", param)
			return
		}
	}
	for before, was := range map[bool][]leaf{false: leaves(m.answer.body), true: m.shown[at]} {
		for _, l := range was {
			now, ok := is[fmt.Sprint(l.path, l.at, l.list)]
			last := lasting.MatchString(l.name) && !ofOneAsk.MatchString(l.name) || stores.MatchString(l.name)
			switch {
			case l.list && ok && textOf(l.value) == fmt.Sprint(len(m.files)) && textOf(now.value) != textOf(l.value):
				a.broke(contract.RuleAnswer, "found", "%s has %v elements, but %v in the answer to the upload",
					l.name, now.value, l.value)
				return
			case l.list || !last || l.value == nil || sizes.MatchString(l.name):
			case !before && ok && l.name == "id" && strings.HasSuffix(path, "/"+textOf(now.value)): // of what came of it
			case ok && textOf(now.value) != textOf(l.value) && (l.at < 0 || len(m.files) > 0):
				a.broke(contract.RuleAnswer, "found", "%s is %.50q, but %.50q in the answer to the upload", l.name,
					textOf(now.value), textOf(l.value))
				return
			case !ok && before:
				a.broke(contract.RuleAnswer, "found", "%s is not there any more", l.name)
				return
			}
		}
	}
	if !m.waiting && m.shown[at] == nil {
		m.shown[at] = all
	}
	for _, l := range all {
		text := textOf(l.value)
		switch {
		case !states.MatchString(l.name) || strings.Contains(l.path, "[]"):
		case m.waiting && finished.MatchString(text):
			a.broke(contract.RuleAnswer, "state", "%s is %.20q before the file was sent", l.name, text)
		case !m.waiting && finished.MatchString(text):
			for _, get := range p.contract.routes {
				if name := lastParam(get); m.ids[name] == "" && declares(r, name) &&
					!slices.ContainsFunc(all, func(l leaf) bool { return l.name == name }) {
					a.broke(contract.RuleAnswer, "state", "%s is %.20q, but there is no %s, which %s takes", l.name, text,
						name, nameOf(get))
				}
			}
		case !m.waiting && pending.MatchString(text):
			m.pending = func() {
				a.broke(contract.RuleAnswer, "state", "%s is %.20q, but the file can be had", l.name, text)
			}
		}
	}
	p.downloads(m, a, all)
}

// declares reports whether an operation's answer may have a member.
func declares(r *routers.Route, name string) bool {
	for _, response := range r.Operation.Responses.Map() {
		for _, media := range response.Value.Content {
			if media.Schema != nil && media.Schema.Value.Properties[name] != nil {
				return true
			}
		}
	}
	return false
}

// times sees that a time of making is one. By the server's own clock it is not
// some quarters of an hour away, as the time of another zone is.
func (m *made) times(a answer, l leaf) {
	t, err := time.Parse(time.RFC3339, textOf(l.value))
	if !stores.MatchString(l.name) || err != nil {
		return
	}
	if t.Year() < 2000 {
		a.broke(contract.RuleAnswer, "time", "%s is %s, before anything was uploaded", l.name,
			t.Format(time.DateOnly))
	}
	clock, err := http.ParseTime(m.answer.header.Get("Date"))
	off := t.Sub(clock)
	if zones := off.Round(15 * time.Minute); err == nil && zones != 0 && zones.Abs() <= 14*time.Hour &&
		(off-zones).Abs() < time.Minute {
		a.broke(contract.RuleAnswer, "time", "%s is %v away from the header Date: is it the time of another zone?",
			l.name, zones)
	}
}

// downloads fetches the URLs in an answer whose names say that they are for a
// download. A URL that is signed, or of another host, needs no credentials.
func (p *prober) downloads(m *made, a answer, all []leaf) {
	for _, l := range all {
		to, err := url.Parse(textOf(l.value))
		named := downloadURL.MatchString(l.name)
		if m.waiting || len(m.files) != 1 || err != nil || to.Host == "" || !named && to.Host != a.req.URL.Host {
			continue
		}
		get := func(edit func(*http.Request)) answer {
			get, _ := http.NewRequestWithContext(p.Context(), http.MethodGet, to.String(), nil)
			if edit(get); to.Host == a.req.URL.Host && !signs.MatchString(to.RawQuery) {
				p.authorized(get)
			}
			return p.ask(nil, get)
		}
		got := get(func(*http.Request) {})
		if !named { // it counts once it gave two different files back
			key := nameOf(a.route) + " " + l.path + " download"
			if got.ok() && bytes.Equal(got.body, m.files[0].content) {
				if p.right[key] == nil {
					p.right[key] = map[string]bool{}
				}
				p.right[key][fmt.Sprint(sha256.Sum256(got.body))] = true
			}
			if len(p.right[key]) < 2 {
				continue
			}
		}
		if !got.ok() {
			a.broke(contract.RuleAnswer, "download", "%s cannot be fetched: %d", l.name, got.status)
			continue
		}
		if p.givesBack(m, m.files[0], got); !named {
			continue // its query may be for people
		}
		if ends(to.RawQuery) {
			p.ending = to.String()
		}
		ways := tampered(contract.HandedOut{URL: to.String(), Method: http.MethodGet})
		for _, what := range slices.Sorted(maps.Keys(ways)) {
			if got := get(ways[what]); got.ok() && !strings.HasPrefix(what, "by ") {
				a.broke(contract.RuleStatus, "download "+what, "%d to its %s, %s: it must be refused by a 4xx", got.status,
					l.name, what)
			}
		}
	}
}

var expires = regexp.MustCompile(`(?i)expir`)

// ends reports whether the query of a URL says that it ends within a day.
func ends(rawQuery string) bool {
	for pair := range strings.SplitSeq(rawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		life, _ := strconv.ParseInt(value, 10, 64)
		if life > 1e12 {
			life /= 1000
		}
		if life > 1e9 { // it is a time
			life -= time.Now().Unix()
		} else if !expires.MatchString(name) {
			continue
		}
		if 0 < life && life < 24*60*60 {
			return true
		}
	}
	return false
}

var downloadURL = regexp.MustCompile(`(?i)download`)
