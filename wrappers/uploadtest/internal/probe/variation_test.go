package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// albumSpec is a provider's that answers an upload by a Location, lists what it
// has page by page, and gives it back.
const albumSpec = v1 + `
info: {title: Album, version: '1'}
security: [{user: []}]
paths:
  /photos:
    post:
      operationId: add
      requestBody: {required: true, content: {image/png: {schema: {type: string, format: binary}}}}
      responses: {'201': {description: Added.}, 4XX: &no {description: Refused.}}
    get:
      operationId: list
      parameters: [{name: limit, in: query, schema: {type: integer}}, {name: cursor, in: query, schema: {type: string}}]
      responses:
        '200': {description: A page., content: {application/json: {schema: {type: object}}}}
        4XX: *no
  /photos/{id}:
    parameters: &id [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      operationId: show
      responses: {'200': {description: The file., content: {'*/*': {schema: {type: string, format: binary}}}}, 4XX: *no,
        '307': {description: The file is elsewhere.}}
    delete: {operationId: remove, responses: {2XX: {description: Gone.}, 4XX: *no}}
components: {securitySchemes: {user: {type: http, scheme: basic}}}
`

type album struct {
	mu     lab.Lock
	n      int
	ids    []string
	photos map[string]photograph
}

type photograph struct {
	content []byte
	sum     string
}

func newAlbum() *album { return &album{photos: map[string]photograph{}} }

func asAnna(r *http.Request) { r.SetBasicAuth("anna", "password-of-anna") }

func (a *album) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id, one := strings.CutPrefix(r.URL.Path, "/v1/photos/")
	if user, password, _ := r.BasicAuth(); user != "anna" || password != "password-of-anna" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	photo, ok := a.photos[id]
	switch {
	case !one && r.URL.Path != "/v1/photos" || one && !ok:
		w.WriteHeader(http.StatusNotFound)
	case !one && r.Method == http.MethodPost:
		content, err := faulty.ReadAll(r.Body, r.ContentLength)
		if err != nil || r.Header.Get("Content-Type") != "image/png" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		a.n++
		id = fmt.Sprintf("p%d", 1000+a.n)
		a.ids, a.photos[id] = append(a.ids, id), photograph{content, payload.Sum(content)}
		w.Header().Set("Location", "/v1/photos/"+id)
		w.WriteHeader(http.StatusCreated)
	case !one && r.Method == http.MethodGet:
		a.list(w, r)
	case one && r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("ETag", fmt.Sprintf("%q", photo.sum))
		_, _ = w.Write(photo.content)
	case one && r.Method == http.MethodDelete:
		a.ids = slices.DeleteFunc(a.ids, func(other string) bool { return other == id })
		delete(a.photos, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (a *album) list(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 {
		limit = 1000
	}
	from = max(from, 0)
	items := []any{}
	page := a.ids[min(from, len(a.ids)):min(from+limit, len(a.ids))]
	for _, id := range page {
		items = append(items, map[string]any{
			"id": id, "sizeInBytes": len(a.photos[id].content), "ownerName": "Anna", "width": 0,
			"sha256": a.photos[id].sum})
	}
	answer := map[string]any{"photos": items, "total": len(a.ids), "pageSize": limit}
	if from+limit < len(a.ids) {
		answer["next"] = strconv.Itoa(from + limit)
	}
	say(w, http.StatusOK, answer)
}

func TestProbeNamesWhatAnUploadLosesOrDisturbs(t *testing.T) {
	arrives := func(spoil func([]byte) []byte) func(http.Handler) http.Handler {
		return faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				b, err := faulty.ReadAll(r.Body, r.ContentLength)
				if err == nil {
					b = spoil(b)
				}
				r.Body = faulty.Torn(b, err)
			}
			next.ServeHTTP(w, r)
		})
	}
	listed := func(edit func(all map[string]any)) func(http.Handler) http.Handler {
		return faulty.Reply("/photos", faulty.On(200, func(rec *httptest.ResponseRecorder) {
			var all map[string]any
			if rec.Header().Get("Content-Type") == "application/json" && json.Unmarshal(rec.Body.Bytes(), &all) == nil {
				edit(all)
				rec.Body.Reset()
				_ = json.NewEncoder(rec.Body).Encode(all)
			}
		}))
	}
	given := func(spoil func([]byte) []byte) func(http.Handler) http.Handler {
		return faulty.Reply("/photos/", faulty.On(200, func(rec *httptest.ResponseRecorder) {
			rec.Body = bytes.NewBuffer(spoil(rec.Body.Bytes()))
		}))
	}
	query := func(name, value string) func(http.Handler) http.Handler {
		return faulty.Arrival("/photos", func(r *http.Request) {
			if q := r.URL.Query(); q.Has(name) {
				q.Set(name, value)
				r.URL.RawQuery = q.Encode()
			}
		})
	}
	failsOn := func(param string) func(http.Handler) http.Handler {
		return faulty.Refuses(http.StatusBadGateway, func(r *http.Request) bool {
			return r.URL.Query().Get(param) == "uploadtest-other"
		})
	}
	elsewhere := faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if photo, ok := strings.CutPrefix(r.URL.Path, "/elsewhere/"); ok {
			r.URL.Path = "/v1/photos/" + photo
		} else if photo, ok := strings.CutPrefix(r.URL.Path, "/v1/photos/"); ok && r.Method == http.MethodGet {
			w.Header().Set("Location", "/elsewhere/"+photo)
			w.WriteHeader(http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
	kept := func(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:min(n, len(b))] } }
	const changed = "Album: show: response body: the file (content: %s) comes back changed"
	eachNamed(t, []fault{
		{"none", func(h http.Handler) http.Handler { return h }, ""},
		{"lines end otherwise",
			arrives(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }),
			fmt.Sprintf(changed, "lines that end with CRLF")},
		{"no byte order mark", arrives(func(b []byte) []byte { return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")) }),
			fmt.Sprintf(changed, "a byte order mark")},
		{"bytes that are no text", arrives(func(b []byte) []byte { return bytes.ToValidUTF8(b, []byte("?")) }),
			fmt.Sprintf(changed, "bytes of every value")},
		{"white space is cut", arrives(bytes.TrimSpace), fmt.Sprintf(changed, "white space at both ends")},
		{"zeros are cut", arrives(func(b []byte) []byte { return bytes.TrimRight(b, "\x00") }),
			fmt.Sprintf(changed, "zeros at its end")},
		{"the last line loses its end", arrives(func(b []byte) []byte { return bytes.TrimRight(b, "\r\n") }),
			fmt.Sprintf(changed, "lines that end with CRLF")},
		{"zeros are refused", faulty.Refuses(http.StatusBadRequest, func(r *http.Request) bool {
			return bytes.HasSuffix(faulty.Peek(r), []byte("\x00\x00\x00"))
		}), "Album: add: response status: 400 to a file (content: zeros at its end)"},
		{"64 KiB", arrives(kept(64 << 10)), fmt.Sprintf(changed, "70,001 bytes")},
		{"1 MiB", arrives(kept(1 << 20)), fmt.Sprintf(changed, "1,200,001 bytes")},
		{"10 MiB", arrives(kept(10 << 20)), fmt.Sprintf(changed, fmt.Sprint(largest)+" bytes")},
		{"a line more", given(func(b []byte) []byte { return append(b, '\n') }),
			"Album: show: response body: the file comes back changed: more than"},
		{"another type", faulty.Reply("/photos/", faulty.On(200, func(rec *httptest.ResponseRecorder) {
			rec.Header().Set("Content-Type", "image/gif")
		})), `Album: show: response header: Content-Type is "image/gif", but the file was sent as "image/png"`},
		{"a Location that leads nowhere", faulty.Reply("/photos", faulty.On(201, func(rec *httptest.ResponseRecorder) {
			rec.Header().Set("Location", "/v1/pictures"+strings.TrimPrefix(rec.Header().Get("Location"), "/v1/photos"))
		})), "Album: add: response header: nothing is found at the Location"},
		{"a Location of another", faulty.Reply("/photos", faulty.On(201, func(rec *httptest.ResponseRecorder) {
			rec.Header().Set("Location", "/v1/photos/p1001")
		})), "Album: add: response body: two uploads have the same id"},
		{"the last is not listed", listed(func(all map[string]any) {
			if all["next"] == nil {
				all["photos"] = all["photos"].([]any)[:len(all["photos"].([]any))-1]
				all["total"] = all["total"].(float64) - 1
			}
		}), `Album: list: response body: the list has an upload with the id "p`},
		{"one is listed twice", listed(func(all map[string]any) {
			photos := all["photos"].([]any)
			all["photos"] = append(photos, photos[0])
		}), `Album: list: response body: the list has an upload with the id "p`},
		{"another total in a header", func(next http.Handler) http.Handler {
			return faulty.Reply("/photos",
				faulty.On(200, func(rec *httptest.ResponseRecorder) { rec.Header().Set("X-Total-Count", "1") }))(
				listed(func(all map[string]any) { delete(all, "total") })(next))
		}, "Album: list: response body: the total is 1, and"},
		{"another total", listed(func(all map[string]any) { all["total"] = 1 }),
			"Album: list: response body: the total is 1, and"},
		{"a total is no matter", listed(func(all map[string]any) { delete(all, "total") }), ""},
		{"another size is listed", listed(func(all map[string]any) {
			for _, photo := range all["photos"].([]any) {
				photo.(map[string]any)["sizeInBytes"] = 1
			}
		}), `Album: list: response body: sizeInBytes is "1", but 10 bytes were sent`},
		{"a limit that is not kept", query("limit", "50"), "Album: list: response body: a page has"},
		{"a page that comes twice", query("cursor", "1"), "Album: list: response body: the list has no last page"},
		{"a page that begins too late", faulty.Arrival("/photos", func(r *http.Request) {
			q := r.URL.Query()
			if n, err := strconv.Atoi(q.Get("cursor")); err == nil {
				q.Set("cursor", strconv.Itoa(n+1))
				r.URL.RawQuery = q.Encode()
			}
		}), "Album: list: response body: short pages list"},
		{"what is deleted is listed", func(next http.Handler) http.Handler {
			return listed(func(all map[string]any) {
				next := all["photos"].([]any)
				for n := 1001; n < 1030; n++ {
					id := fmt.Sprint("p", n)
					if !slices.ContainsFunc(next, func(photo any) bool { return photo.(map[string]any)["id"] == id }) {
						all["photos"] = append(all["photos"].([]any), map[string]any{"id": id})
					}
				}
			})(next)
		}, "Album: list: response body: the list has a deleted upload"},
		{"eight characters of a password count", faulty.Arrival("/", func(r *http.Request) {
			if user, password, _ := r.BasicAuth(); strings.HasPrefix(password, "password") {
				r.SetBasicAuth(user, "password-of-anna")
			}
		}), "200 to a request with a longer Authorization, want 401 or 403 (GET /v1/photos)"},
		{"a refusal shows the credentials", faulty.Reply("/",
			faulty.On(404, faulty.Body("not for YW5uYTpwYXNzd29yZC1vZi1hbm5h"))),
			"Album: show: response body: status 404: it shows the credentials of a request"},
		{"files are elsewhere", elsewhere, ""},
		{"files are elsewhere, by a signature",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/elsewhere/") {
					if r.Header.Get("Authorization") != "" || r.URL.RawQuery != "signature=1" {
						w.WriteHeader(http.StatusForbidden)
						return
					}
					asAnna(r)
				} else if user, password, _ := r.BasicAuth(); user+password != "annapassword-of-anna" {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				faulty.Reply("/v1/photos/", faulty.On(307, func(rec *httptest.ResponseRecorder) {
					rec.Header().Set("Location", rec.Header().Get("Location")+"?signature=1")
				}))(elsewhere(next)).ServeHTTP(w, r)
			}), ""},
		{"other files are elsewhere", func(next http.Handler) http.Handler {
			return faulty.Reply("/elsewhere", faulty.On(200, faulty.Body("other")))(elsewhere(next))
		}, "Album: show: response body: the file comes back changed"},
		{"a limit that is no number is a failure", failsOn("limit"),
			"Album: list: response status: 502 is not declared"},
		{"the last one is overwritten", faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if a := next.(*album); r.Method == http.MethodPost {
				defer func() {
					a.mu.Lock()
					defer a.mu.Unlock()
					if n := len(a.ids); n > 4 {
						a.photos[a.ids[n-2]] = a.photos[a.ids[n-1]]
					}
				}()
			}
			next.ServeHTTP(w, r)
		}), "comes back changed"},
		{"one ETag for all", faulty.Reply("/photos/",
			faulty.On(200, func(rec *httptest.ResponseRecorder) { rec.Header().Set("ETag", `"1"`) })),
			""}, // of different photos
		{"photos that begin alike are one",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r)
				a := next.(*album)
				a.mu.Lock()
				defer a.mu.Unlock()
				for _, id := range a.ids {
					first, last := a.photos[id].content, a.photos[a.ids[len(a.ids)-1]].content
					if len(first) > 64<<10 && len(first) == len(last) && bytes.Equal(first[:64<<10], last[:64<<10]) {
						a.photos[a.ids[len(a.ids)-1]] = a.photos[id]
						break
					}
				}
			}), fmt.Sprintf(changed, "210,000 bytes, in the middle others") + ": it is the file of another upload"},
		{"equal photos are one", faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			a := next.(*album)
			faulty.Reply("/photos", faulty.On(201, func(rec *httptest.ResponseRecorder) {
				a.mu.Lock()
				defer a.mu.Unlock()
				id := strings.TrimPrefix(rec.Header().Get("Location"), "/v1/photos/")
				for _, other := range a.ids {
					if other != id && a.photos[other].sum == a.photos[id].sum {
						delete(a.photos, id)
						a.ids = a.ids[:len(a.ids)-1]
						rec.Header().Set("Location", "/v1/photos/"+other)
						return
					}
				}
			}))(next).ServeHTTP(w, r)
		}), ""},
		{"what is deleted goes later", faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodDelete {
				next.ServeHTTP(w, r)
				return
			}
			rec, look := httptest.NewRecorder(), r.Clone(context.Background())
			look.Method = http.MethodGet
			if next.ServeHTTP(rec, look); rec.Code == http.StatusOK {
				rec.Code, look.Method = http.StatusAccepted, http.MethodDelete
				time.AfterFunc(200*time.Millisecond, func() { next.ServeHTTP(httptest.NewRecorder(), look) })
			}
			w.WriteHeader(rec.Code)
		}), ""},
		{"JSON twice", faulty.Reply("/photos", faulty.On(200, func(rec *httptest.ResponseRecorder) {
			if rec.Header().Get("Content-Type") == "application/json" {
				rec.Body.WriteString("{}")
			}
		})), "Album: list: response body: status 200: the body is not one JSON value"},
	}, func(tb testing.TB, b fault) {
		probes(tb, b.spoil(newAlbum()), "/v1", []byte(albumSpec), asAnna)
	})
}

// A spec does not say how large a file may be, or what changes with time.
// Probing says it.
func TestProbeHoldsTheLimitsThatItIsTold(t *testing.T) {
	t.Parallel()
	const most = 3000
	for what, c := range map[string]struct {
		takes func(size int64, body []byte) bool
		lives func(age time.Duration) bool
		want  string // empty: nothing is wrong
		taken bool   // what it does not take has a name that is taken
	}{
		"right": {takes: func(_ int64, body []byte) bool { return len(body) <= most },
			lives: func(age time.Duration) bool { return age.Abs() < time.Minute }},
		"the name of the largest is taken": {taken: true,
			takes: func(_ int64, body []byte) bool { return bytes.Count(body, []byte("x")) < most }},
		"any file is taken": {want: "Album: add: response status: 201 to a file of 3001 bytes, want 413"},
		"the largest is too large": {takes: func(_ int64, body []byte) bool { return len(body) < most },
			want: "Album: add: response status: 413 to a file of 3000 bytes, which is not too large"},
		"any file in chunks is taken": {takes: func(size int64, _ []byte) bool { return size <= most },
			want: "Album: add: response status: 201 to a file of 3001 bytes in chunks, which is too large"},
		"an old signature": {lives: func(age time.Duration) bool { return age > -time.Minute },
			want: "Album: list: response status: 200 to a signature that is a day old"},
		"an early signature": {lives: func(age time.Duration) bool { return age < time.Minute },
			want: "Album: list: response status: 200 to a signature of tomorrow"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var moved time.Duration
			handler := faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				b := faulty.Peek(r)
				signed, _ := strconv.ParseInt(r.Header.Get("X-Signed"), 10, 64)
				switch age := time.Now().Add(moved).Sub(time.Unix(signed, 0)); {
				case c.lives != nil && !c.lives(age):
					w.WriteHeader(http.StatusUnauthorized)
				case c.takes != nil && !c.takes(r.ContentLength, b) && c.taken:
					w.WriteHeader(http.StatusConflict)
				case c.takes != nil && !c.takes(r.ContentLength, b):
					w.WriteHeader(http.StatusRequestEntityTooLarge)
				default:
					next.ServeHTTP(w, r)
				}
			})(newAlbum())
			sign := func(r *http.Request) {
				asAnna(r)
				if c.lives != nil {
					r.Header.Set("X-Signed", strconv.FormatInt(time.Now().Unix(), 10))
				}
			}
			lab.Blames(t, c.want, func(tb testing.TB) {
				probes(tb, handler, "/v1", []byte(albumSpec), sign,
					Facts{MaxSize: most, Advance: func(d time.Duration) { moved += d }})
			})
		})
	}
}
