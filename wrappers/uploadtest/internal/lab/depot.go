// Package lab has what the tests of the kit share: two small services, a test
// that notes what it is told, and schemas.
package lab

import (
	"bytes"
	"context"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"

	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"mime"
	"net/http"
	"strings"
	"sync"

	"github.com/putpost/putpost/wrappers/upload"
)

//go:embed depot.yaml
var DepotSpec []byte

// DepotKey is just long enough to be looked for. A URL spells it in another
// way.
const DepotKey = "k3y+/of8"

type Object struct {
	Name        string `json:"name"`
	ContentType string `json:"-"`
	Content     []byte `json:"-"`
}

// Depot is the handler.
type Depot struct {
	*http.ServeMux
	Mu      sync.Mutex
	Objects map[string]Object
	Pending map[string]string // id to announced content type
	lent    []*bytes.Buffer   // hold the contents
}

// buffers hold large contents, for one depot after another. Those for less than
// n+1 MiB are in the n-th channel.
var buffers [32]chan *bytes.Buffer

func init() {
	for n := range buffers {
		buffers[n] = make(chan *bytes.Buffer, 50)
	}
}

// keep reads a content to its end.
func (d *Depot) keep(r io.Reader, size int64) ([]byte, error) {
	n := int(size >> 20)
	if n < 1 || n >= len(buffers) {
		return faulty.ReadAll(r, size)
	}
	var b *bytes.Buffer
	select {
	case b = <-buffers[n]:
		b.Reset()
	default:
		b = bytes.NewBuffer(make([]byte, 0, (n+1)<<20+bytes.MinRead))
	}
	d.Mu.Lock()
	d.lent = append(d.lent, b)
	d.Mu.Unlock()
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

// Release ends the depot: nothing in it may be used any more.
func (d *Depot) Release() {
	for _, b := range d.lent {
		select {
		case buffers[b.Cap()>>20-1] <- b:
		default:
		}
	}
}

func NewDepot() *Depot {
	d := &Depot{ServeMux: http.NewServeMux(), Objects: map[string]Object{}, Pending: map[string]string{}}
	d.HandleFunc("POST /v2/objects", d.keyed(d.announce))
	d.HandleFunc("POST /v2/forms", d.keyed(d.submit))
	d.HandleFunc("GET /v2/objects/{id}", d.keyed(func(w http.ResponseWriter,
		r *http.Request) {
		d.look(w, r, http.StatusOK, r.PathValue("id"))
	}))
	d.HandleFunc("DELETE /v2/objects/{id}", d.keyed(func(w http.ResponseWriter, r *http.Request) {
		d.look(w, r, http.StatusOK, r.PathValue("id"))
		d.Mu.Lock()
		defer d.Mu.Unlock()
		delete(d.Objects, r.PathValue("id"))
		delete(d.Pending, r.PathValue("id"))
	}))
	d.HandleFunc("POST /v2/raw", d.keyed(d.deposit))
	d.HandleFunc("PUT /store/{id}", d.receive)
	return d
}

func (d *Depot) keyed(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Depot-Trace", d.newID())
		if r.Header.Get("X-Depot-Key") != DepotKey {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

func (d *Depot) announce(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ContentType *string `json:"contentType"`
	}
	if typ, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); typ != "application/json" {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.ContentType == nil || len(*in.ContentType) < 3 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	id := d.newID()
	d.Mu.Lock()
	d.Pending[id] = *in.ContentType
	d.Mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{
		"uploadMethod": "PUT", "id": id,
		"uploadUrl": "http://" + r.Host + "/store/" + id + "?" + Query(id),
	})
}

// Query is the query that opens a presigned URL, in an order that no library
// keeps.
func Query(id string) string { return "b=1&a=%7e&signature=" + strings.Repeat(id, 2) }

func (d *Depot) receive(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Depot-Trace", "of the storage service")
	content, err := d.keep(r.Body, r.ContentLength)
	d.Mu.Lock()
	defer d.Mu.Unlock()
	typ, announced := d.Pending[r.PathValue("id")]
	if err != nil || !announced || r.URL.RawQuery != Query(r.PathValue("id")) || typ != r.Header.Get("Content-Type") {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	d.Objects[r.PathValue("id")] = Object{"", typ, content}
}

func (d *Depot) deposit(w http.ResponseWriter, r *http.Request) {
	content, err := d.keep(r.Body, r.ContentLength)
	if err != nil || r.URL.Query().Get("name") == "" || len(r.URL.Query().Get("name")) > 900 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	id := d.newID()
	d.Mu.Lock()
	d.Objects[id] = Object{r.URL.Query().Get("name"), r.Header.Get("Content-Type"), content}
	d.Mu.Unlock()
	d.look(w, r, http.StatusCreated, id)
}

func (d *Depot) submit(w http.ResponseWriter, r *http.Request) {
	form, err := r.MultipartReader()
	if err != nil {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	var o Object
	for files := 0; ; files++ {
		part, err := form.NextPart()
		if err == io.EOF && files == 1 {
			break
		}
		if err != nil || part.FormName() != "file" || part.FileName() == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, params, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		o = Object{Name: upload.BaseName(params["filename"]), ContentType: part.Header.Get("Content-Type")}
		if o.Content, err = d.keep(part, r.ContentLength); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	id := d.newID()
	d.Mu.Lock()
	d.Objects[id] = o
	d.Mu.Unlock()
	d.look(w, r, http.StatusCreated, id)
}

func (d *Depot) look(w http.ResponseWriter, _ *http.Request, status int, id string) {
	d.Mu.Lock()
	o, ok := d.Objects[id]
	_, pending := d.Pending[id]
	d.Mu.Unlock()
	if !ok && !pending {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Depot-Left", "7")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"id": id, "name": o.Name, "size": len(o.Content)})
}

func (d *Depot) newID() string { return fmt.Sprintf("o-%016x", rand.Uint64()) }

func (d *Depot) Stored(_ context.Context, id string) (io.ReadCloser, string, error) {
	d.Mu.Lock()
	defer d.Mu.Unlock()
	o, ok := d.Objects[id]
	if !ok {
		return nil, "", fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(o.Content)), o.ContentType, nil
}

func (d *Depot) Count() int {
	d.Mu.Lock()
	defer d.Mu.Unlock()
	return len(d.Objects)
}

func WithKey(r *http.Request) { r.Header.Set("X-Depot-Key", DepotKey) }
