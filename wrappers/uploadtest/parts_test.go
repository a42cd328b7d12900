package uploadtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// The dock is the depot for files in parts. The path, a query, a header or a
// field says where a part belongs, or nothing does.

var dockSpec = bytes.Replace(lab.DepotSpec, []byte("  /raw:\n"), []byte(`
  /parts:
    post:
      operationId: start
      requestBody: {required: true, content: {application/json: {schema: {type: object}}}}
      responses: &taken
        '200': {description: Taken.}
        '201': {$ref: '#/components/responses/Object'}
        308: {description: 'The next part, please.', x-source: reality}
        4XX: {description: Refused.}
  /parts/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    head: {operationId: ask, responses: *taken}
    put: &put
      operationId: lay
      parameters: [{name: part, in: query, schema: {type: integer}}]
      requestBody: {required: true, content: {application/octet-stream: {schema: {type: string, format: binary}}}}
      responses: *taken
    patch: {operationId: add, requestBody: &part {required: true, content: {application/offset+octet-stream: {schema: {
      type: string, format: binary}}}}, responses: *taken}
    post: {operationId: finish, responses: *taken}
  /parts/{id}/{n}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}},
      {name: n, in: path, required: true, schema: {type: integer}}]
    put: {<<: *put, operationId: put, parameters: []}
  /chunks/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    post: {operationId: chunk, responses: *taken,
      requestBody: {required: true, content: {multipart/form-data: {schema: {
      type: object, properties: {file: {type: string, format: binary}, dzchunkindex: {type: integer}}}}}}}
  /raw:
`[1:]), 1)

// docked makes a dock of a depot.
func docked(next http.Handler) http.Handler {
	d := next.(*lab.Depot)
	type lot struct {
		lab.Object
		parts map[int][]byte
	}
	lots := map[string]*lot{}
	var mu sync.Mutex
	traces := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v2/"), "/")
		if path[0] != "parts" && path[0] != "chunks" && path[0] != "signed" {
			d.ServeHTTP(w, r)
			return
		}
		body, err := faulty.ReadAll(r.Body, r.ContentLength)
		mu.Lock()
		defer mu.Unlock()
		traces++
		if w.Header().Set("X-Depot-Trace", fmt.Sprintf("trace-%d", traces)); path[0] == "signed" {
			at, _ := strconv.Atoi(r.URL.Query().Get("partNumber"))
			lots[path[1]].parts[at] = body
			return
		}
		if r.Header.Get("X-Depot-Key") != lab.DepotKey {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		signed := 0
		say := func(status int, id string, o lab.Object) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Depot-Left", "7")
			w.WriteHeader(status)
			urls := []any{}
			for n := 1; n <= signed; n++ {
				urls = append(urls, map[string]any{
					"uploadUrl": fmt.Sprintf("http://%s/v2/signed/%s?partNumber=%d&s=%[2]s", r.Host, id, n)})
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"id": id, "name": o.Name, "size": len(o.Content),
				"urls": urls})
		}
		if len(path) == 1 {
			var in struct {
				Name, ContentType string
				Signed            int
			}
			_ = json.Unmarshal(body, &in)
			id := fmt.Sprintf("o-%08x", len(lots)+0xabc)
			signed = in.Signed
			lots[id] = &lot{lab.Object{Name: in.Name, ContentType: in.ContentType}, map[int][]byte{}}
			say(http.StatusCreated, id, lots[id].Object)
			return
		}
		id := path[1]
		it := lots[id]
		if it == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		end := 0
		for at, part := range it.parts {
			end = max(end, at+len(part))
		}
		finish := func() {
			var all [][]byte
			for _, at := range slices.Sorted(maps.Keys(it.parts)) {
				all = append(all, it.parts[at])
			}
			it.Content = bytes.Join(all, nil)
			d.Mu.Lock()
			defer d.Mu.Unlock()
			d.Objects[id] = it.Object
			say(http.StatusCreated, id, it.Object)
		}
		var from, size int
		switch said := cmp.Or(path[len(path)-1], "x"); {
		case r.Method == http.MethodHead:
			w.Header().Set("Upload-Offset", fmt.Sprint(end))
		case r.Method == http.MethodPatch:
			if at, _ := strconv.Atoi(r.Header.Get("Upload-Offset")); at != end {
				w.WriteHeader(http.StatusConflict)
				return
			}
			it.parts[end] = body // also what came of a part that was cut off
		case err != nil:
			w.WriteHeader(http.StatusBadRequest)
		case len(path) == 2 && r.Method == http.MethodPost && path[0] == "parts":
			finish()
		case r.Header.Get("Content-Range") != "":
			_, _ = fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, new(int), &size)
			if it.parts[from] = body; from+len(body) == size {
				finish()
				return
			}
			w.WriteHeader(http.StatusPermanentRedirect)
		case path[0] == "chunks":
			r.Body = io.NopCloser(bytes.NewReader(body))
			f, _, err := r.FormFile("file")
			at, _ := strconv.Atoi(r.FormValue("dzchunkindex"))
			if err == nil {
				it.parts[at], _ = faulty.ReadAll(f, int64(len(body)))
			}
		default:
			at, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("part"), said))
			if err != nil {
				at = len(it.parts) // in the order of their arrival
				if at > 0 && bytes.Equal(it.parts[at-1], body) {
					at--
				}
			}
			it.parts[at] = body
		}
	})
}

// piece is a part of a file.
type piece struct {
	nth, at, end int
}

// pieces makes a client of the dock. It sends parts of 50,000 bytes.
func pieces(how string, spoil func([]piece) []piece) func(upload.Uploader) upload.Uploader {
	send := func(c call) (res upload.Result, err error) {
		client := c.u.(*depotClient)
		res = upload.Result{Name: upload.BaseName(c.src.Name), Size: c.src.Size}
		texts := c.src.Name + c.src.ContentType
		if res.Name == "" || !utf8.ValidString(texts) || strings.ContainsAny(texts, "\r\n\x00") {
			return res, &upload.Error{Provider: "dock",
				Err: fmt.Errorf("%w: name or type cannot be sent", upload.ErrInvalid)}
		}
		content := bytes.NewBuffer(make([]byte, 0, max(0, c.src.Size)+bytes.MinRead))
		if err = slurp(c.ctx, c.src, content); err != nil {
			return res, &upload.Error{Provider: "dock", Err: err}
		}
		var answer depotAnswer
		defer func() { res.ID, res.TraceID = answer.ID, answer.trace }()
		size := 50_000
		if content.Len() > 1<<20 {
			size = 5 << 20
		}
		var all []piece
		for at := 0; at == 0 || at < content.Len(); at += size {
			all = append(all, piece{len(all) + 1, at, min(at+size, content.Len())})
		}
		if spoil != nil {
			all = spoil(all)
		}
		in, _ := json.Marshal(map[string]any{"name": res.Name, "signed": len(all),
			"contentType": cmp.Or(c.src.ContentType, upload.OctetStream)})
		if err = client.do(c.ctx, "start", "POST", client.base+"/parts", "application/json", in, &answer); err != nil {
			return res, err
		}
		var turns sync.WaitGroup
		fails := make(chan error, len(all))
		for _, p := range all {
			send := func() {
				said := &answer
				if how != "range" || p.end < content.Len() {
					said = &depotAnswer{ID: answer.ID, URLs: answer.URLs, trace: answer.trace, bare: true}
				}
				if err := client.piece(c.ctx, how, said, p, content.Bytes()); err != nil {
					fails <- err
				}
			}
			if how == "at once" {
				turns.Go(send)
			} else if send(); len(fails) > 0 {
				break
			}
		}
		turns.Wait()
		select {
		case err = <-fails:
			return res, err
		default:
		}
		if how != "range" { // there the last part's answer says all
			id := url.PathEscape(answer.ID)
			answer = depotAnswer{}
			err = client.do(c.ctx, "finish", "POST", client.base+"/parts/"+id, "", nil, &answer)
		}
		if err == nil && !client.trusting {
			err = answer.sized("finish", 201, c.src.Size)
		}
		return res, err
	}
	return uploads(func(c call) (upload.Result, error) {
		res, err := send(c)
		if errors.Is(err, upload.ErrExpired) {
			res, err = send(c)
		}
		return res, err
	})
}

func (c *depotClient) piece(ctx context.Context, how string, answer *depotAnswer, p piece, content []byte) error {
	answer.send = http.Header{}
	to, part := c.base+"/parts/"+url.PathEscape(answer.ID), content[p.at:p.end]
	switch how {
	case "signed":
		return c.do(ctx, Presigned, "PUT", answer.URLs[p.nth-1].UploadURL, upload.OctetStream, part, answer)
	case "path", "at once":
		return c.do(ctx, "put", "PUT", fmt.Sprintf("%s/%d", to, p.nth), upload.OctetStream, part, answer)
	case "query":
		return c.do(ctx, "lay", "PUT", fmt.Sprintf("%s?part=%d", to, p.nth), upload.OctetStream, part, answer)
	case "nowhere":
		return c.do(ctx, "lay", "PUT", to, upload.OctetStream, part, answer)
	case "range":
		said := fmt.Sprintf("bytes %d-%d/%d", p.at, p.end-1, len(content))
		answer.send.Set("Content-Range", strings.Replace(said, "0--1/", "*/", 1))
		return c.do(ctx, "lay", "PUT", to, upload.OctetStream, part, answer)
	case "form":
		body := bytes.NewBuffer(make([]byte, 0, len(part)+1<<10))
		form := multipart.NewWriter(body)
		_ = form.WriteField("dzchunkindex", fmt.Sprint(p.nth))
		into, _ := form.CreateFormFile("file", "blob")
		_, _ = into.Write(part)
		form.Close()
		return c.do(ctx, "chunk", "POST", c.base+"/chunks/"+url.PathEscape(answer.ID), form.FormDataContentType(),
			body.Bytes(), answer)
	}
	for tries := 1; ; tries++ { // by offset: what came of a part that was cut off stays
		answer.send.Set("Upload-Offset", fmt.Sprint(p.at))
		err := c.do(ctx, "add", "PATCH", to, "application/offset+octet-stream", content[p.at:p.end], answer)
		if e, ok := errors.AsType[*upload.Error](err); !ok || e.Status != 409 || tries == 2 {
			if ok {
				e.Attempts += tries - 1
			}
			return err
		}
		if err := c.do(ctx, "ask", "HEAD", to, "", nil, answer); err != nil {
			return err
		}
		if p.at, _ = strconv.Atoi(answer.got.Get("Upload-Offset")); p.at == p.end {
			return nil
		}
	}
}

func dock(how string, spoil func([]piece) []piece) rig {
	return rig{raw: true, spec: dockSpec, received: docked, client: pieces(how, spoil), stored: func(s *Subject) {
		s.Patient = pieces(how, spoil)(s.Patient)
	}}
}

// misplaced makes a client of the dock that sends other parts, and believes each
// answer. Only its requests are looked at.
func misplaced(how string, spoil func([]piece) []piece) rig {
	r := dock(how, nil)
	r.client = func(u upload.Uploader) upload.Uploader { return pieces(how, spoil)(trusting(u)) }
	r.stored = unseen
	return r
}

// spoiled is a dock whose requests are spoiled on their way.
func spoiled(how string, sent func(http.RoundTripper) http.RoundTripper) rig {
	r := misplaced(how, nil)
	r.sent = sent
	return r
}

func TestAFileMayBeSentInParts(t *testing.T) {
	for _, how := range []string{"range", "offset", "form", "at once", "signed", "nowhere"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			Run(t, func(t testing.TB) Subject {
				s := dock(how, nil).setup(t)
				if how != "at once" && how != "signed" { // the others wait as these do, for seconds
					s.Patient = nil
				}
				return s
			})
		})
	}
}

func TestPartsThatBelongNowhereAreNotHeld(t *testing.T) {
	l := &lab.Logged{TB: t}
	p := property{"a file", aContent, "", func(t *trial) { t.about("a file").arrives(file(200 << 10)) }}
	p.hold(begin(l, misplaced("nowhere", nil).setup))
	const want = "skipped: the file came in parts, and no request says where its part belongs"
	if !strings.Contains(l.Text.String(), want) {
		t.Errorf("%q does not say %q", l.Text.String(), want)
	}
}

// Several integers in a path are an id and a place. Requests that differ in the
// place alone tell which is which.
func TestAPartIsKnownByItsPlace(t *testing.T) {
	it := begin(t, dock("path", nil).setup)
	puts := func(paths ...string) (all []Request) {
		for _, path := range paths {
			all = append(all, Request{Op: "put", URI: "/v2/parts/" + path})
		}
		return all
	}
	for _, c := range []struct {
		among []Request
		want  bool
	}{
		{puts("x/7"), false}, {puts("x/7", "x/7"), false}, {puts("x/7", "y/8"), false}, {puts("x/7", "x/8"), true},
	} {
		if got := it.place(c.among[0], c.among); got.known != c.want {
			t.Errorf("%s is known among %d: %t", c.among[0].URI, len(c.among), got.known)
		}
	}
	content := []byte("seven")
	whole, shorter := file(0), File{Body: content[:5], Size: 6} // of a long file the body is its beginning
	if begins(content, shorter) || whole.inParts([]File{shorter}) || whole.came(nil) {
		t.Error("a file that is no part of another counts as one")
	}
}

// A form that was not read is any part of a file. One that was read and says no
// place is a whole file.
func TestAFormThatWasNotReadIsNoAttempt(t *testing.T) {
	it, chunk := begin(t, dock("form", nil).setup), Request{Op: "chunk", URI: "/v2/chunks/x",
		Header: http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}}
	read := chunk
	read.Files = []File{{}}
	if unread, n := it.tries([]Request{chunk, chunk}), it.tries([]Request{read, read}); unread != 0 || n != 2 {
		t.Errorf("%d and %d attempts, want 0 and 2", unread, n)
	}
	it.asks("chunk", refusal{status: 503, again: always}) // of no attempt it reports nothing
}
