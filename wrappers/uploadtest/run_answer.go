package uploadtest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
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
}

// refusals are answers that mean the same whoever gives them.
var refusals = []refusal{
	{http.StatusBadRequest, upload.ErrInvalid, never},
	{http.StatusUnauthorized, upload.ErrUnauthorized, maybe},
	{http.StatusForbidden, upload.ErrForbidden, never},
	{http.StatusNotFound, upload.ErrNotFound, never},
	{http.StatusRequestTimeout, upload.ErrUnavailable, always},
	{http.StatusConflict, upload.ErrInvalid, never},
	{http.StatusRequestEntityTooLarge, upload.ErrTooLarge, never},
	{http.StatusUnprocessableEntity, upload.ErrInvalid, never},
	{http.StatusTooManyRequests, upload.ErrRateLimited, always},
	{http.StatusInternalServerError, upload.ErrUnavailable, always},
	{http.StatusBadGateway, upload.ErrUnavailable, always},
	{http.StatusServiceUnavailable, upload.ErrUnavailable, always},
	{http.StatusGatewayTimeout, upload.ErrUnavailable, always},
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

func kindsHold(t *trial) {
	for _, op := range t.operations() {
		for _, c := range refusals {
			kind := c.kind
			switch {
			case op == Token && c.status == http.StatusForbidden:
				kind = upload.ErrUnauthorized // it is the credentials that are refused
			case op == Token && c.again == never:
				continue // OAuth 2 has a language of its own for these
			}
			t.about("%s answered %d", op, c.status).fresh(func(t *trial) {
				var n atomic.Int32
				t.Server.Inject(op, forEver, instead(func(w http.ResponseWriter, r *http.Request) {
					if name := t.Server.contract.TraceHeader; name != "" {
						w.Header().Set(name, fmt.Sprintf("uploadtest-trace-id-%d", n.Add(1)))
					}
					Answer(c.status, "", "Retry-After", c.wait())(nil).ServeHTTP(w, r)
				}))
				if failure, ok := t.storesNothing(t.Context(), file(1000), kind); ok {
					t.accounts(failure, op, c.status)
					switch wait := failure.RetryAfter; {
					case c.status == http.StatusTooManyRequests && wait != time.Second:
						t.broke("error: RetryAfter is %v, the answer said 1s", wait)
					case c.status == http.StatusServiceUnavailable && (wait <= 0 || wait > ahead):
						t.broke("error: RetryAfter is %v, the answer said a date %v ahead", wait, ahead)
					}
				}
				t.asks(op, c.status, c.again)
			})
		}
	}
}

// asks compares the number of requests of an operation with the sensible
// number.
func (t *trial) asks(op string, status int, again again) {
	t.Helper()
	switch n := len(t.of(op)); {
	case again == never && n > 1, again == maybe && n > 2:
		t.broke("attempts: %d requests, though none but the first can help", n)
	case again != always:
	case t.once(op, status) && n > 1:
		t.broke("attempts: %d requests, though a duplicate would do harm", n)
	case !t.once(op, status) && n == 1 && !t.plain():
		t.broke("attempts: only one request, though a second can help")
	}
}

// unusable checks that a success without its required content is an error, and
// that the file is not sent again for it.
func unusable(t *trial) {
	const size = 54321 // no id holds this number
	first, _ := t.about("an upload without a fault").arrives(file(size))
	id, otherSize := first.ID, "another size"
	for _, r := range t.requests() {
		if len(r.Answer) == 0 || t.Server.contract.Operation(r.Op) == nil {
			continue
		}
		withID := idsOf(r.Answer, id)
		for _, c := range []struct {
			name   string
			status int
			body   string
		}{
			{"nothing", r.Status, ""},
			{"HTML", r.Status, "<html><body>Welcome</body></html>"},
			{"an empty object", r.Status, "{}"},
			{"null", r.Status, "null"},
			{"null for an id", r.Status, withID(string(r.Answer), "null")},
			{"an empty id", r.Status, withID(string(r.Answer), `""`)},
			{"half of an answer", r.Status, string(r.Answer[:len(r.Answer)/2])},
			{"an error", http.StatusAccepted, `{"error":{"errorCode":"900","message":"not now"}}`},
			{otherSize, r.Status, strings.ReplaceAll(string(r.Answer), fmt.Sprint(size), "12345")},
		} {
			if c.body == string(r.Answer) {
				continue // it says nothing of an id, or of a size
			}
			t.about("%s answered %d and %s", r.Op, c.status, c.name).fresh(func(t *trial) {
				t.Server.Inject(r.Op, forEver, Answer(c.status, c.body, "Content-Type", "application/json"))
				_, err := t.send(t.Context(), file(size))
				if err == nil && c.name == otherSize && t.plain() {
					return
				}
				if failure, ok := t.fails(err, upload.ErrUnavailable); ok {
					t.accounts(failure, r.Op, c.status)
				}
				t.asks(r.Op, c.status, never)
			})
		}
		if has(r.Answer, id) {
			id = "" // a client need not read it again where a later answer repeats it
		}
	}
}

const shouted = "Application/JSON"

// spellings change how an answer is written, and not what it says.
var spellings = []struct {
	what  string
	fault Fault
}{
	{"application/json; charset=utf-8", typed("application/json; charset=utf-8")},
	{shouted, typed("Application/JSON;charset=UTF-8")},
	{"a member that is not documented", opened(`{"uploadtest":[1,{"a":null}],`)},
	{"white space around it", opened("\r\n\t{\n ")},
}

// typed gives a JSON answer another media type.
func typed(contentType string) Fault {
	return respelled(func(a *httptest.ResponseRecorder) {
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
	for _, op := range slices.DeleteFunc(t.operations(), func(op string) bool { return op == Presigned }) {
		for _, c := range spellings {
			if t.plain() && c.what == shouted {
				continue // the parser of a generated client may look for small letters
			}
			t.about("%s answered with %s", op, c.what).fresh(func(t *trial) {
				t.Server.Inject(op, forEver, c.fault)
				t.arrives(file(1000))
			})
		}
	}
}

// idsAsWritten checks that a client changes no character of an id. An id is a
// text, or a number of any size.
func idsAsWritten(t *trial) {
	if t.plain() {
		return
	}
	first, ok := t.about("an upload without a fault").arrives(file(54321)) // no id is this number
	if !ok {
		return
	}
	for _, r := range t.requests() {
		withID := idsOf(r.Answer, first.ID)
		for _, written := range []string{"9007199254740993", `"a/b c%2F+é"`, `"007"`} {
			id, answer := strings.Trim(written, `"`), withID(string(r.Answer), written)
			if answer == string(r.Answer) || !t.Server.contract.allows(r.Op, r.Status, []byte(answer)) {
				continue
			}
			t.about("%s answered with the id %s", r.Op, id).fresh(func(t *trial) {
				t.seen.note(aID)
				t.Server.Inject(r.Op, forEver, respelledText(func(s string) string { return withID(s, written) }))
				res, err := t.send(t.Context(), file(54321))
				all := t.requests()
				switch last := all[len(all)-1]; {
				case err != nil && last.Op != r.Op && last.Status/100 == 4: // it asks about an id that nobody gave out
				case err != nil:
					t.broke("upload: %v", err)
				case res.ID != id:
					t.broke("result: the ID is %q", res.ID)
				}
			})
		}
		if has(r.Answer, first.ID) {
			return // a client need not read it again where a later answer repeats it
		}
	}
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
		if t.Server.contract.Operation(op) != nil {
			statuses = append(statuses, t.of(op)[0].Status)
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
					t.broke("answer: all of it was read, so nothing limits what a server makes the client read")
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
	for _, op := range t.carriers() {
		t.about("%s refused before its body was read", op).fresh(func(t *trial) {
			t.Server.Inject(op, forEver, instead(slamDoor))
			src := file(8 << 20)
			for try := 1; try <= 6; try++ {
				if _, ok := t.storesNothing(t.Context(), src, upload.ErrTooLarge); !ok {
					return
				}
				if len(t.of(op)) != try {
					t.broke("attempts: one more, since the refusal got lost")
					return
				}
			}
		})
	}
}
