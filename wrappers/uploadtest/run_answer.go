package uploadtest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
)

// The properties of answers: an answer has one meaning, whoever gives it.

// again says whether a request is sent again after an answer.
type again int

const (
	never  again = iota
	maybe        // once more with other credentials, if there are any
	always       // unless a duplicate would do harm
)

type refusal struct {
	status int
	kind   error
	again  again
	after  int    // the status of the first answer, if that is another one
	body   string // an example of the spec's
	code   string // in it
}

func (r refusal) String() string {
	switch {
	case r.code != "":
		return fmt.Sprintf("%d and the code %s", r.status, r.code)
	case r.after != 0:
		return fmt.Sprintf("%d, then %d without JSON", r.after, r.status)
	}
	return fmt.Sprintf("%d without JSON", r.status)
}

// refusals are answers that mean the same whoever gives them.
var refusals = []refusal{
	{status: http.StatusBadRequest, kind: upload.ErrInvalid},
	{status: http.StatusUnauthorized, kind: upload.ErrUnauthorized, again: maybe},
	{status: http.StatusForbidden, kind: upload.ErrForbidden},
	{status: http.StatusNotFound, kind: upload.ErrNotFound},
	{status: http.StatusRequestTimeout, kind: upload.ErrUnavailable, again: always},
	{status: http.StatusConflict, kind: upload.ErrInvalid},
	{status: http.StatusRequestEntityTooLarge, kind: upload.ErrTooLarge},
	{status: http.StatusUnprocessableEntity, kind: upload.ErrInvalid},
	{status: http.StatusTooManyRequests, kind: upload.ErrRateLimited, again: always},
	{status: http.StatusInternalServerError, kind: upload.ErrUnavailable, again: always},
	{status: http.StatusBadGateway, kind: upload.ErrUnavailable, again: always},
	{status: http.StatusServiceUnavailable, kind: upload.ErrUnavailable, again: always},
	{status: http.StatusGatewayTimeout, kind: upload.ErrUnavailable, again: always},
	{status: http.StatusForbidden, kind: upload.ErrForbidden, after: http.StatusTooManyRequests},
}

// ahead is how far a date in Retry-After is in the future.
const ahead = 3 * time.Second

// wait returns the Retry-After of a refusal: seconds or a date.
func (r refusal) wait() string {
	switch r.status {
	case http.StatusTooManyRequests:
		return "1"
	case http.StatusServiceUnavailable:
		return time.Now().Add(ahead).UTC().Format(http.TimeFormat)
	}
	return "0"
}

// codes matches the names of members that say what went wrong, and statuses
// what looks like a status.
var codes, statuses = regexp.MustCompile(`(?i)code$|status$`), regexp.MustCompile(`^[1-9]\d\d$`)

// refusalsOf returns the refusals of an operation. Some carry an example of the
// spec's with a code in it that looks like another status.
func (t *trial) refusalsOf(op string) []refusal {
	list := slices.Clone(refusals)
	for _, c := range refusals {
		for _, said := range t.Server.contract.Answers(op, c.status) {
			at := slices.IndexFunc(contract.Members(said), func(m contract.Member) bool {
				return codes.MatchString(m.Name) && statuses.MatchString(m.Value) && m.Value != fmt.Sprint(c.status)
			})
			if at >= 0 && c.after == 0 {
				c.body, c.code = string(said), contract.Members(said)[at].Value
				list = append(list, c)
			}
		}
	}
	return list
}

func kindsHold(t *trial) {
	for _, op := range t.operations() {
		for _, c := range t.refusalsOf(op) {
			switch {
			case slices.ContainsFunc(t.of(op), func(r Request) bool { return r.Status == c.status }):
				continue // it is what the client looks for, such as whether a name is free
			case op == Token && c.again == never:
				continue // OAuth 2 has a language of its own for these
			case c.after != 0 && t.plain():
				continue // it need not send again
			}
			t.about("%s answered %s", op, c).fresh(func(t *trial) {
				if c.after != 0 {
					t.Server.Inject(op, 1, Answer(c.after, "", "Retry-After", "0"))
				}
				var n atomic.Int32
				t.Server.Inject(op, forEver, instead(func(w http.ResponseWriter, r *http.Request) {
					if name := t.Server.contract.TraceHeader; name != "" {
						w.Header().Set(name, fmt.Sprintf("uploadtest-trace-id-%d", n.Add(1)))
					}
					if c.body != "" {
						w.Header().Set("Content-Type", "application/json")
					}
					Answer(c.status, c.body, "Retry-After", c.wait())(nil).ServeHTTP(w, r)
				}))
				if failure, ok := t.storesNothing(t.Context(), file(1000), c.kind); ok {
					t.accounts(failure, op, c.status)
					switch wait := failure.RetryAfter; {
					case c.status == http.StatusTooManyRequests && wait != time.Second:
						t.broke("error: RetryAfter is %v, the answer said 1s", wait)
					case c.status == http.StatusServiceUnavailable && (wait <= 0 || wait > ahead):
						t.broke("error: RetryAfter is %v, the answer said a date %v ahead", wait, ahead)
					}
					if c.code != "" && failure.Lasting {
						return // the code may say so: a quota of the month is used up
					}
				}
				if c.after == 0 {
					t.asks(op, c)
				}
			})
		}
	}
}

// asks compares the number of requests of an operation with the sensible number
// for an answer.
func (t *trial) asks(op string, c refusal) {
	t.Helper()
	for _, r := range t.of(op) {
		if t.place(r, nil).bytes && c.status == http.StatusConflict {
			return // the client may ask for the offset, and send the rest
		}
	}
	switch n := t.tries(t.of(op)); {
	case c.again == never && n > 1, c.again == maybe && n > 2:
		t.broke("attempts: %d requests came: the client must not send again after this answer", n)
	case c.again != always:
	case t.once(op, c.status) && n > 1:
		t.broke("attempts: %d requests came, want 1: the operation is one of Subject.Once", n)
	case n != 1 || t.once(op, c.status) || t.plain(): // none is known of forms that were not read
	case c.code != "":
		t.broke("attempts: only one request came, and the error says that it may pass: send again, " +
			"or set Lasting of upload.Error where the code says that it lasts")
	default:
		t.broke("attempts: only one request came: after this answer the client must send again")
	}
}

// spoilt is a success that lacks what it is for.
type spoilt struct {
	name   string
	status int
	body   string
	header []string // names and values
}

// misled returns what is no Location, for an answer that has nothing else, if a
// request went to its Location.
func (t *trial) misled(r Request) []spoilt {
	where := r.AnswerHeader.Get("Location")
	followed := func(q Request) bool { return strings.HasSuffix(where, q.URI) }
	if !slices.ContainsFunc(t.requests(), followed) {
		return nil
	}
	return []spoilt{
		{"no Location", r.Status, "", []string{}},
		{"a Location that is no URL", r.Status, "", []string{"Location", "://"}},
	}
}

// unusable checks that a success without its required content is an error, and
// that the file is not sent again for it.
func unusable(t *trial) {
	const size = 54321 // no id holds this number
	first, _ := t.about("an upload without a fault").arrives(file(size))
	const otherSize, cut = "another size", "all of an answer but its end" // a plain client finds the id in both
	id := first.ID
	for _, r := range t.requests() {
		// A client need not read more of an answer than that its part was taken.
		taken := t.place(r, t.requests()).known && !has(r.Answer, id)
		if taken || r.Status/100 != 2 || t.Server.contract.Operation(r.Op) == nil && (id == "" || !has(r.Answer, id)) {
			continue
		}
		withID := idsOf(r.Answer, id)
		cases := []spoilt{ // first the one that tells most: of a rule that breaks in all, one is told in full
			{"an error", http.StatusAccepted, `{"error":{"errorCode":"900","message":"not now"}}`, nil},
			{"nothing", r.Status, "", nil},
			{"HTML", r.Status, "<html><body>Welcome</body></html>", nil},
			{"an empty object", r.Status, "{}", nil},
			{"null", r.Status, "null", nil},
			{"null for an id", r.Status, withID(string(r.Answer), "null"), nil},
			{"an empty id", r.Status, withID(string(r.Answer), `""`), nil},
			{"half of an answer", r.Status, string(r.Answer[:len(r.Answer)/2]), nil},
			{cut, r.Status, strings.TrimSuffix(strings.TrimSpace(string(r.Answer)), "}"), nil},
			{otherSize, r.Status, strings.ReplaceAll(string(r.Answer), fmt.Sprint(size), "12345"), nil},
		}
		if len(r.Answer) == 0 {
			cases = t.misled(r)
		}
		for _, c := range cases {
			if c.body == string(r.Answer) && c.header == nil {
				continue // it says nothing of an id, or of a size
			}
			t.about("%s answered %d and %s", r.Op, c.status, c.name).fresh(func(t *trial) {
				header := append(c.header, "Content-Type", "application/json")
				t.Server.Inject(r.Op, forEver, afterBody(Answer(c.status, c.body, header...), 0))
				_, err := t.send(t.Context(), file(size))
				if err == nil && (c.name == otherSize || c.name == cut) && t.plain() {
					return
				}
				if failure, ok := t.fails(err, upload.ErrUnavailable); ok {
					t.accounts(failure, r.Op, c.status)
				}
				t.asks(r.Op, refusal{status: c.status})
			})
		}
		if has(r.Answer, id) {
			id = "" // a client need not read it again where a later answer repeats it
		}
	}
}

const shouted, packed = "Application/JSON", "gzip, as the request asks for"

// spellings change how an answer is written, and not what it says.
var spellings = []struct {
	what  string
	fault Fault
}{
	{"application/json; charset=utf-8", typed("application/json; charset=utf-8")},
	{shouted, typed("Application/JSON;charset=UTF-8")},
	{"a member that is not documented", opened(`{"uploadtest":[1,{"a":null}],`)},
	{"white space around it", opened("\r\n\t{\n ")},
	{packed, faulty.Respelled(func(a *httptest.ResponseRecorder) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = a.Body.WriteTo(z)
		z.Close()
		a.Header().Set("Content-Encoding", "gzip")
		a.Body = &b
	})},
}

// gzips matches an Accept-Encoding that takes gzip.
var gzips = regexp.MustCompile(`(?i)(^|,)\s*gzip\s*(;\s*q=(1|0\.\d*[1-9])|,|$)`)

// typed gives a JSON answer another media type.
func typed(contentType string) Fault {
	return faulty.Respelled(func(a *httptest.ResponseRecorder) {
		if strings.HasPrefix(a.Header().Get("Content-Type"), "application/json") {
			a.Header().Set("Content-Type", contentType)
		}
	})
}

// opened gives the first brace of a JSON answer another text.
func opened(brace string) Fault {
	return respelledText(func(s string) string { return braces.ReplaceAllString(s, brace+"$1") })
}

// braces matches a first brace that a member follows.
var braces = regexp.MustCompile(`^\{(\s*")`)

func otherSpellings(t *trial) {
	takesGzip := func(r Request) bool {
		return gzips.MatchString(r.Header.Get("Accept-Encoding")) && len(r.Answer) > 0
	}
	for _, op := range slices.DeleteFunc(t.operations(), func(op string) bool { return op == Presigned }) {
		for _, c := range spellings {
			if t.plain() && c.what == shouted || // the parser of a generated client may look for small letters
				c.what == packed && !slices.ContainsFunc(t.of(op), takesGzip) {
				continue
			}
			t.about("%s answered with %s", op, c.what).fresh(func(t *trial) {
				t.Server.Inject(op, forEver, c.fault)
				t.arrives(file(1000))
			})
		}
		for _, c := range refusals {
			for _, said := range t.Server.contract.Answers(op, c.status) {
				number, text := textCode.ReplaceAll(said, []byte(`$1$2`)), numberCode.ReplaceAll(said, []byte(`$1"$2"`))
				allows := func(body []byte) bool { return t.Server.contract.Allows(op, c.status, body) }
				if c.again != always && !bytes.Equal(number, text) && allows(number) && allows(text) {
					t.codesAlike(op, c.status, string(number), string(text))
				}
			}
		}
	}
}

// A code in JSON, as a text and as a number.
var (
	textCode   = regexp.MustCompile(`(?i)("\w*code":\s*)"([1-9]\d*)"`)
	numberCode = regexp.MustCompile(`(?i)("\w*code":\s*)([1-9]\d*)`)
)

// codesAlike compares the errors of two answers that have the same code, once as a
// number and once as a text.
func (t *trial) codesAlike(op string, status int, number, text string) {
	failure := func(body string) (said string) {
		t.fresh(func(t *trial) {
			t.Server.Inject(op, forEver, Answer(status, body, "Content-Type", "application/json"))
			_, err := t.send(t.Context(), file(1000))
			if at := slices.IndexFunc(kinds, func(kind error) bool { return errors.Is(err, kind) }); at >= 0 {
				said = fmt.Sprintf("the kind %q", kinds[at])
			}
			if e, ok := errors.AsType[*upload.Error](err); ok {
				said += fmt.Sprintf(" and the code %q", e.Code)
			}
		})
		return said
	}
	t = t.about("%s answered %d", op, status)
	if is, other := failure(number), failure(text); is != other {
		t.broke("error: %s where the code %s is a number, and %s where it is a text", is,
			numberCode.FindStringSubmatch(number)[2], other)
	}
}

// idsAsWritten checks that a client changes no character of an id. An id is a
// text, or a number of any size.
func idsAsWritten(t *trial) {
	first, ok := t.about("an upload without a fault").arrives(file(54321)) // no id is this number
	if !ok || first.ID == "" {
		return
	}
	requests := t.requests()
	at := slices.IndexFunc(requests, func(r Request) bool { return has(r.Answer, first.ID) })
	if at < 0 || slices.ContainsFunc(requests[at+1:], func(q Request) bool {
		return q.names(first.ID) && !t.Server.contract.Declares(q.Op, http.StatusNotFound)
	}) {
		return // the server could not say that it does not know another id
	}
	r := requests[at] // a client need not read the id again where a later answer repeats it
	for _, written := range []string{"9007199254740993", `"a/b c%2F+é"`, `"007"`} {
		id := strings.Trim(written, `"`)
		if slices.ContainsFunc(requests[at:], func(q Request) bool {
			answer := idsOf(q.Answer, first.ID)(string(q.Answer), written)
			return answer != string(q.Answer) && !t.Server.contract.Allows(q.Op, q.Status, []byte(answer))
		}) {
			continue
		}
		t.about("%s answered with the id %s", r.Op, id).fresh(func(t *trial) {
			t.seen.Note(aID)
			gives, tells := renamed(r.Answer, first.ID, written)
			t.Server.Inject(r.Op, forEver, gives)
			t.Server.Inject("", forEver, tells)
			res, err := t.send(t.Context(), file(54321))
			strange := func(last Request) bool { return last.Op != r.Op && last.Status/100 == 4 }
			switch all := t.requests(); {
			case err != nil && slices.ContainsFunc(all, strange): // a body or a signature has the id in it
			case err != nil:
				t.broke("upload: %v", err)
			case res.ID != id:
				t.broke("result: the ID is %q, want %q", res.ID, id)
			}
		})
	}
}

// renamed returns faults that give an upload another id than the handler does.
// Gives is for the operation whose answer said gives the id. Tells is for all
// others. Every answer tells the other id, and a URL may name it.
func renamed(said []byte, id, written string) (gives, tells Fault) {
	members := contract.Members(said)
	name := members[slices.IndexFunc(members, func(m contract.Member) bool { return m.Value == id })].Name
	var given atomic.Value // what the handler calls it
	given.Store("")
	fault := func(learn bool) Fault {
		respelled := respelledText(func(s string) string {
			for _, m := range contract.Members([]byte(s)) {
				if learn && m.Name == name {
					given.Store(m.Value)
					break
				}
			}
			return idsOf([]byte(s), given.Load().(string))(s, written)
		})
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				respelled(next).ServeHTTP(w, renaming(r, strings.Trim(written, `"`), given.Load().(string)))
			})
		}
	}
	return fault(true), fault(false)
}

// words matches what stands between the separators of a URL.
var words = regexp.MustCompile(`[^/?&=:;,()]+`)

// renaming puts one id in another's place in the URL of a request.
func renaming(r *http.Request, old, id string) *http.Request {
	r = r.Clone(r.Context())
	r.RequestURI = words.ReplaceAllStringFunc(r.RequestURI, func(word string) string {
		if text, err := url.PathUnescape(word); err == nil && text == old {
			return url.PathEscape(id)
		}
		return word
	})
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		r.URL = u
	}
	return r
}

// idsOf finds the members that hold the id in a JSON answer, as a text or as a
// number. The function that it returns writes another value into these members
// of any answer.
func idsOf(answer []byte, id string) func(answer, written string) string {
	var names []string
	for _, m := range contract.Members(answer) {
		switch {
		case m.Value != id || id == "":
		case m.Name == "":
			names = append(names, "^") // the answer is the id, or a list of ids
		default:
			names = append(names, regexp.QuoteMeta(fmt.Sprintf("%q", m.Name))+`\s*:`)
		}
	}
	if names == nil {
		return func(answer, _ string) string { return answer }
	}
	value := regexp.MustCompile(`((?:` + strings.Join(names, "|") + `)[\s[]*)(?:"(?:[^"\\]|\\.)*"|[-\d][^\s,}\]]*)`)
	return func(answer, written string) string { return value.ReplaceAllString(answer, "${1}"+written) }
}

// endless checks that a client does not read an endless answer into memory.
func endless(t *trial) {
	const most = 64 << 20
	for _, op := range t.operations() {
		statuses := []int{http.StatusInternalServerError}
		if r := t.of(op)[0]; r.Status/100 == 2 && len(r.Answer) > 0 && t.Server.contract.Operation(op) != nil {
			statuses = append(statuses, r.Status)
		}
		for _, status := range statuses {
			t.about("%s answered %d and 64 MiB", op, status).fresh(func(t *trial) {
				var sent atomic.Int64
				t.Server.Inject(op, forEver, instead(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(status)
					for chunk := bytes.Repeat([]byte(" "), 1<<20); sent.Load() < most; sent.Add(1 << 20) {
						if _, err := w.Write(chunk); err != nil {
							return
						}
					}
				}))
				_, err := t.send(t.Context(), file(1000))
				if t.fails(err, upload.ErrUnavailable); sent.Load() >= most {
					t.broke("answer: the client read all of it, and must stop early: read it through an io.LimitReader")
				}
			})
		}
	}
}

// earlyRefusal checks that a client hears a server that refuses a large body
// unread. Without Expect: 100-continue it is a matter of luck, so it has
// several tries.
func earlyRefusal(t *trial) {
	if t.plain() {
		t.Log("a plain client need not wait for 100 Continue")
	}
	t.each(t.carriers(), "%s refused before its body was read", func(t *trial, op string) {
		src := file(8 << 20)
		if t.arrives(src); src.inParts(accepted(t.requests())) && t.of(op)[0].Size < 1<<20 {
			return // for a small part nobody waits
		}
		before := len(t.of(op))
		t.Server.Inject(op, forEver, instead(slamDoor))
		for try := 1; try <= 6; try++ {
			if _, ok := t.storesNothing(t.Context(), src, upload.ErrTooLarge); !ok {
				return
			}
			if t.tries(t.of(op)[before:]) > try {
				t.broke("attempts: the client missed the refusal and sent again: " +
					"send Expect: 100-continue with a large body")
				return
			}
		}
	})
}

// earlySuccess checks that a success counts only after the whole body: the
// server that answers here has not read it, and stores nothing.
func earlySuccess(t *trial) {
	if t.plain() {
		return
	}
	t.each(t.carriers(), "%s succeeded before its body was read", func(t *trial, op string) {
		src := file(16<<20 + 1)
		if t.arrives(src); src.inParts(accepted(t.requests())) {
			return // the connection may hold all of a small part
		}
		said := t.of(op)[0]
		t.Server.Inject(op, forEver, Answer(said.Status, string(said.Answer),
			"Content-Type", said.AnswerHeader.Get("Content-Type")))
		_, err := t.send(t.Context(), src)
		t.seen.Note(aFailure)
		t.fails(err, upload.ErrUnavailable)
	})
}
