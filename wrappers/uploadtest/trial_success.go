package uploadtest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// The checks of an upload that succeeds.

// arrives uploads src and compares all that came of it.
func (t *trial) arrives(src *source) (upload.Result, bool) {
	t.Helper()
	count, requests := t.count(), len(t.requests())
	res, err := t.send(t.Context(), src)
	if err != nil {
		t.seen.Failed.Store(true)
		t.broke("upload: %v", err)
		if _, inParts := t.joined(src, t.requests()[requests:]); !inParts {
			t.carried(src, requests) // this may say why
		}
		return res, false
	}
	if t.describes(res, src.Source) && t.holds(res.ID, src) && t.carried(src, requests) && t.traces(res.TraceID, "") {
		after := t.count()
		if t.Count == nil || after == count+1 || after == count && t.chosen(res.ID) {
			return res, true
		}
		t.broke("count: %d files are stored after one upload, %d were before", after, count)
	}
	t.seen.Failed.Store(true)
	return res, false
}

// describes compares a result with the source that was uploaded. A plain client
// may leave out everything but the id.
func (t *trial) describes(res upload.Result, src upload.Source) bool {
	t.Helper()
	switch want := upload.BaseName(src.Name); {
	case res.ID == "" && (!t.plain() || t.Stored != nil):
		t.broke("result: the ID is empty")
	case t.plain():
		t.seen.Note(aResult)
		return true
	case res.Size != src.Size:
		t.broke("result: Size is %d, but %d bytes were handed over", res.Size, src.Size)
	case res.Name != want:
		t.broke("result: Name is %q, want %q", res.Name, want)
	case t.belongs(res):
		t.seen.Note(aResult, aName)
		return true
	}
	return false
}

// belongs sees that the ids of a result come out of one answer.
func (t *trial) belongs(res upload.Result) bool {
	t.Helper()
	r, said := t.answerWith(res.ID), ""
	for _, m := range contract.Members(r.Answer) {
		if strings.EqualFold(m.Name, "tempRequestId") {
			said = m.Value
		}
	}
	ok := r.Op == "" || res.TempRequestID == said || said == "" && has(r.Answer, res.TempRequestID)
	if !ok {
		t.broke("result: TempRequestID is %q, but the answer that gave the ID said %q", res.TempRequestID, said)
	}
	return ok
}

// answerWith returns the request whose answer gave an id, or the zero one.
func (t *trial) answerWith(id string) Request {
	for _, r := range t.requests() {
		if r.Op != Presigned && has(r.Answer, id) {
			return r
		}
	}
	return Request{}
}

// names reports whether a request names an id.
func (r Request) names(id string) bool {
	return id != "" && (has(r.Body, id) || strings.Contains(r.URI, url.PathEscape(id)) ||
		strings.Contains(r.URI, url.QueryEscape(id)))
}

// chosen reports whether the client itself gives an id, such as the file's name:
// a request names it before any answer does. Another upload under it takes the
// place of the first.
func (t *trial) chosen(id string) bool {
	for _, r := range t.requests() {
		switch {
		case t.Server.contract.Operation(r.Op) == nil:
		case r.names(id):
			return true
		case has(r.Answer, id):
			return false
		}
	}
	return false
}

// has reports whether a member of a JSON answer has a value.
func has(answer []byte, value string) bool {
	return slices.ContainsFunc(contract.Members(answer), func(m contract.Member) bool { return m.Value == value })
}

// ids matches the names of members that hold an id.
var ids = regexp.MustCompile(`(?i)id$`)

// exchanges returns those of the upload with an id, one of several uploads at
// once: they tell or name the id, or another one that an earlier of them told.
// What is told or named with the id of another upload is no id of this one. If no
// id is given, all exchanges are returned.
func (t *trial) exchanges(id string, uploads []upload.Result) (own []Request) {
	all, known := t.requests(), []string{id}
	if id == "" {
		return all
	}
	about := func(r Request, id string) bool { return has(r.Answer, id) || r.names(id) }
	for _, r := range all {
		if !slices.ContainsFunc(known, func(id string) bool { return about(r, id) }) {
			continue
		}
		own = append(own, r)
		for _, m := range contract.Members(r.Answer) {
			shared := func(q Request) bool {
				return about(q, m.Value) && slices.ContainsFunc(uploads, func(other upload.Result) bool {
					return other.ID != id && about(q, other.ID)
				})
			}
			if ids.MatchString(m.Name) && !slices.ContainsFunc(all, shared) {
				known = append(known, m.Value)
			}
		}
	}
	return own
}

// traces compares a trace id with the one of the last answer that an operation
// of the spec gave, if the spec declares such ids: a failed presigned step goes
// by the API's. The answer to a DELETE does not count, since a client may clear
// up after a failure. Only the exchanges of the upload with an id count, or all
// if none is given.
func (t *trial) traces(traceID, id string, all ...upload.Result) bool {
	t.Helper()
	if t.Server == nil || t.plain() {
		return true
	}
	want, last := "", ""
	for _, r := range t.exchanges(id, all) {
		if r.Status != 0 && r.Method != http.MethodDelete && t.Server.contract.Operation(r.Op) != nil {
			last = r.AnswerHeader.Get(t.Server.contract.TraceHeader)
			want = cmp.Or(last, want)
		}
	}
	if want == "" {
		return true
	}
	if t.seen.Note(aTrace); traceID != want && traceID != last { // the last one may have none
		t.broke("trace id: %q, but the API's answer said %q", traceID, want)
		return false
	}
	return true
}

// expects returns the media type that a source must arrive under. It is the
// source's own, unless the operation that carried the file takes only others:
// then the client had to announce another one.
func (t *trial) expects(src *source) string {
	own := cmp.Or(src.ContentType, upload.OctetStream)
	for _, r := range slices.Backward(t.requests()) {
		for _, f := range r.Files {
			if src.whole(f) && !t.Server.contract.Takes(r.Op, r.Header, f.Field, own) {
				return f.ContentType
			}
		}
	}
	return own
}

// holds compares what is stored under id with src.
func (t *trial) holds(id string, src *source) bool {
	t.Helper()
	if t.Stored == nil {
		return true
	}
	content, contentType, err := t.Stored(t.Context(), id)
	if err != nil {
		t.broke("stored: nothing under the returned id: %v", err)
		return false
	}
	defer content.Close()
	wrong, err := payload.Difference(content, src.content)
	switch want := t.expects(src); {
	case err != nil:
		t.broke("stored: what is stored cannot be read: %v", err)
	case wrong != "":
		t.broke("stored: %s", wrong)
	case contentType != "" && contentType != want && contentType != cmp.Or(src.ContentType, upload.OctetStream):
		t.broke("stored: the media type is %q, want %q", contentType, want)
	default:
		if t.seen.Note(aContent); contentType != "" {
			t.seen.Note(aMediaType)
		}
		return true
	}
	return false
}

// fileName matches the members of JSON that name a file.
var fileName = regexp.MustCompile(`(?i)^(original[-_]?)?file[-_]?name$`)

// escapes are how browsers write in a form what would end a name there.
var escapes = strings.NewReplacer("%22", `"`, "%0D", "\r", "%0A", "\n")

// telling is the size in bytes from which no other text equals a file by chance.
const telling = 16

// astray says what is wrong with a request for src by itself.
func (t *trial) astray(r Request, src *source, earlier []Request) string {
	if r.Fields == nil && slices.ContainsFunc(earlier, func(q Request) bool {
		return q.Op == Presigned && q.URI == r.URI && q.Status/100 == 2
	}) {
		return "presigned: the request goes to the URL of an earlier upload"
	}
	for name, values := range r.Fields {
		if name != "" && len(src.content) >= telling && slices.Contains(values, string(src.content)) {
			return fmt.Sprintf("wire: the part %q of the form is the file, and has no file name", name)
		}
	}
	for _, m := range contract.Members(r.Body) {
		want := upload.BaseName(src.Name)
		if !fileName.MatchString(m.Name) || len(r.Files) > 0 || t.Server.contract.Operation(r.Op) == nil {
			continue
		}
		if t.seen.Note(aName); m.Value != want {
			return fmt.Sprintf("wire: the %s of %s is %q, want %q", m.Name, r.Op, m.Value, want)
		}
	}
	others := slices.DeleteFunc(slices.Clone(r.Files), src.whole)
	if copies := len(r.Files) - len(others); copies > 1 {
		return fmt.Sprintf("wire: one request carries the file %d times", copies)
	}
	return ""
}

// carried compares the requests since a number of them with src: their last
// file, or the parts that they carry.
func (t *trial) carried(src *source, since int) bool {
	t.Helper()
	if t.Server == nil {
		return true
	}
	t.Server.quiet() // then it is known how far a request came whose connection was cut
	var last *File
	all := t.requests()
	earlier, own := all[:since], all[since:]
	for _, r := range own {
		if wrong := t.astray(r, src, earlier); wrong != "" {
			t.broke("%s", wrong)
			return false
		}
		if n := len(r.Files); n > 0 && r.Status/100 == 2 {
			last = &r.Files[n-1]
		}
	}
	wrong, inParts := t.joined(src, own)
	files := accepted(own)
	switch name, want := upload.BaseName(src.Name), t.expects(src); {
	case wrong != "":
		t.broke("wire: %s", wrong)
	case inParts:
		t.seen.Note(aContent)
		return true
	case src.inParts(files) && src.came(files):
		t.seen.Scattered.Store(true)
		t.seen.Missed("the file came in parts, and no request says where its part belongs")
		return true
	case last == nil:
		return true
	case !src.whole(*last):
		t.broke("wire: %d bytes arrived, which are not the file's %d", last.Size, src.Size)
	case last.Name != upload.BaseName(last.Name):
		t.broke("wire: the name has directories: %q", last.Name)
	case last.Name != "" && last.Name != name && escapes.Replace(last.Name) != name:
		t.broke("wire: the name is %q, want %q", last.Name, name)
	case last.ContentType != want:
		t.broke("wire: the media type is %q, want %q", last.ContentType, want)
	default:
		if t.seen.Note(aContent, aMediaType); last.Name != "" {
			t.seen.Note(aName)
		}
		return true
	}
	return false
}
