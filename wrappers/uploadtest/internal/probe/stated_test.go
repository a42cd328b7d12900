package probe

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

func TestWhatARequestStatesOfItsFileIsTrue(t *testing.T) {
	const hex64 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" // of "a"
	other := strings.Repeat("0", 64)
	for _, c := range []struct{ name, value, schema, want string }{
		{"size", `17`, `{}`, `1`},
		{"fileSize", `"17"`, `{}`, `"1"`},
		{"X-File-Size", `"17"`, `{}`, `"1"`},
		{"length", `17`, `{}`, `1`},
		{"maxSize", `17`, `{}`, `17`},
		{"size", `"large"`, `{}`, `"large"`},
		{"oid", `"` + other + `"`, `{}`, `"` + hex64 + `"`},
		{"checksum", `"uploadtest"`, `{"pattern":"^[0-9a-f]{64}$"}`, `"` + hex64 + `"`},
		{"checksum", `"sha256:` + other + `"`, `{}`, `"sha256:` + hex64 + `"`},
		{"sha1", `"uploadtest"`, `{}`, `"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"`},
		{"contentMd5", `"0000000000000000000000=="`, `{}`, `"DMF1ucDxtqgxw5niaXcmYQ=="`},
		{"Content-MD5", `"uploadtest"`, `{}`, `"DMF1ucDxtqgxw5niaXcmYQ=="`},
		{"Digest", `"uploadtest"`, `{}`, `"sha-256=ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs="`},
		{"Content-Digest", `"uploadtest"`, `{}`, `"sha-256=:ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=:"`},
		{"digest", `"uploadtest"`, `{"pattern":"^sha256:[0-9a-f]{64}$"}`, `"sha256:` + hex64 + `"`},
		{"hash_algo", `"sha256"`, `{}`, `"sha256"`},
		{"hash", `"uploadtest"`, `{"maxLength":10}`, `"uploadtest"`},
		{"a", `{"objects":[{"size":17}]}`, `{}`, `{"objects":[{"size":1}]}`},
	} {
		var value any
		if err := json.Unmarshal([]byte(c.value), &value); err != nil {
			t.Fatal(err)
		}
		got, _ := json.Marshal(stated(c.name, value, lab.SchemaOf(t, c.schema), []byte("a")))
		if string(got) != c.want {
			t.Errorf("%s: %s became %s, want %s", c.name, c.value, got, c.want)
		}
	}
}

func TestAParameterStatesNoEarlierFile(t *testing.T) {
	p, ops := idProber(t)
	s := sample{body: []byte("a"), params: map[string]string{"Content-MD5": "x", "size": "7", "label": "x", "key": "k"}}
	for _, c := range []struct{ name, in, schema, want string }{
		{"Content-MD5", openapi3.ParameterInHeader, `{"type":"string"}`, "DMF1ucDxtqgxw5niaXcmYQ=="},
		{"size", openapi3.ParameterInQuery, `{"type":"integer"}`, "1"},
		{"label", openapi3.ParameterInQuery, `{"type":"string"}`, "x"},
		{"key", openapi3.ParameterInPath, `{"type":"string"}`, "k"},
	} {
		param := &openapi3.Parameter{Name: c.name, In: c.in, Schema: lab.SchemaOf(t, c.schema)}
		if got := p.valueOf(ops["make"], param, s); got != c.want {
			t.Errorf("%s is %q, want %q", c.name, got, c.want)
		}
	}
}

// A checksum of other bytes is sent where it is known to be wrong.
func TestAChecksumOfOtherBytesIsOneThatIsCompared(t *testing.T) {
	raw := sample{contentType: "text/plain", body: []byte("a")}
	json := sample{typ: "application/json", object: map[string]any{"sha256": "0"}}
	for _, c := range []struct {
		what, name, description, schema, status, text string
		s                                             sample
		want                                          bool
	}{
		{"a status for it", "sha256", "", `{"type":"string"}`, "422", "", raw, true},
		{"a status for much", "sha256", "", `{"type":"string"}`, "400", "Wrong.", raw, false},
		{"a status that says so", "sha256", "", `{"type":"string"}`, "400", "The checksum differs.", raw, true},
		{"a parameter that is compared", "digest", "Its digest, which is compared.", `{"type":"string"}`, "400", "",
			raw, true},
		{"a parameter that says so", "sha256", "We will check it.", `{"type":"string"}`, "400", "", raw, true},
		{"an operation that speaks of it too", "sha256", "We will check it.", `{"type":"string"}`, "400",
			"", raw, true},
		{"no checksum", "label", "", `{"type":"string"}`, "422", "", raw, false},
		{"a file of that name", "hashes", "", `{"items":{"format":"binary"}}`, "422", "", raw, false},
		{"a thing that the spec does not know", "sha256", "", "", "422", "", raw, false},
		{"no file", "sha256", "", `{"type":"string"}`, "422", "", json, false},
	} {
		schema := apispec.Unknown
		if c.schema != "" {
			schema = lab.SchemaOf(t, c.schema).Value
		}
		r := &operation{Route: &routers.Route{Operation: &openapi3.Operation{
			Description: map[bool]string{true: "Keeps the sha256 with the file."}[strings.HasPrefix(c.what,
				"an operation")],
			Responses: &openapi3.Responses{}}}}
		r.Operation.Responses.Set(c.status, &openapi3.ResponseRef{Value: &openapi3.Response{Description: &c.text}})
		if got := ofOtherBytes(r, c.s, c.name, c.description, schema); (got != "") != c.want || got != "" &&
			payload.DigestOf(got, c.s.body) {
			t.Errorf("%s: a checksum of other bytes is %q", c.what, got)
		}
	}
	if (&made{sample: raw}).announcesFile() {
		t.Error("a file announces itself")
	}
}

// A storage that holds each file to the size that was announced.
func TestProbeAnnouncesTheSizeThatItSends(t *testing.T) {
	var mu lab.Lock
	sizes := map[string]int64{} // by id
	handler := faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		id, isFile := strings.CutPrefix(r.URL.Path, "/store/")
		var announced struct{ Size int64 }
		switch {
		case isFile && r.Method == http.MethodPut && r.ContentLength != sizes[id]:
			w.WriteHeader(http.StatusBadRequest)
			return
		case r.URL.Path == "/v2/objects" && r.Method == http.MethodPost:
			faulty.Rewrite(r, func(b []byte) []byte {
				if json.Unmarshal(b, &announced) != nil || !bytes.Contains(b, []byte(`"size":`)) {
					return []byte("{}")
				}
				return b
			})
			next = faulty.Reply("/", faulty.On(200, func(rec *httptest.ResponseRecorder) {
				var a struct{ ID string }
				_ = json.Unmarshal(rec.Body.Bytes(), &a)
				sizes[a.ID] = announced.Size
			}))(next)
		}
		next.ServeHTTP(w, r)
	})(lab.NewDepot())
	spec := strings.Replace(string(lab.DepotSpec), "required: [contentType]", "required: [contentType, size]", 1)
	spec = strings.Replace(spec, "{contentType: text/plain}", "{contentType: text/plain, size: 4711}", 1)
	lines := lab.Recorded(t, func(tb testing.TB) { probes(tb, handler, "/v2", []byte(spec), lab.WithKey) })
	if len(lines) > 0 || len(sizes) == 0 {
		t.Errorf("%d files were announced, and it was blamed: %q", len(sizes), lines)
	}
}

// A deposit may come with a checksum in a header.
func TestProbeStatesTheChecksumOfOtherBytes(t *testing.T) {
	t.Parallel()
	before, deposit, _ := strings.Cut(string(lab.DepotSpec), "operationId: deposit\n      parameters:\n")
	spec := before + "operationId: deposit\n      parameters:\n        - {name: X-SHA256, in: header, schema: {" +
		"type: string, pattern: '^[0-9a-f]{64}$'}}\n" + deposit
	declared := spec[:len(before)] + strings.Replace(spec[len(before):], "        '400':",
		"        '422': {description: Other bytes.}\n        '400':", 1)
	described := strings.Replace(declared, "'422': {description: Other bytes.}\n        '400': {description: ",
		"'400': {description: The checksum does not match. ", 1)
	if described == declared {
		t.Fatal("the spec has no 400 to describe")
	}
	for _, c := range []struct {
		what   string
		spec   string
		looked int    // how large a file may be whose checksum is compared
		want   string // empty: nothing is wrong
	}{
		{"compared", declared, 2 << 20, ""},
		{"not compared", declared, 0, "Depot: deposit: response status: 201 to the X-SHA256 of other bytes"},
		{"compared up to 1 MiB", declared, 1 << 20,
			"Depot: deposit: response status: 201 to the X-SHA256 of other bytes, " +
				"beside a file of 1200001 bytes, which must be refused by a 4xx"},
		{"described, and not compared", described, 0,
			"Depot: deposit: response status: 201 to the X-SHA256 of other bytes"},
		{"the parameter says so", strings.Replace(spec, "name: X-SHA256,",
			"name: X-SHA256, description: It is verified.,", 1),
			0, "Depot: deposit: response status: 201 to the X-SHA256 of other bytes"},
		{"the operation says so", strings.Replace(spec, "operationId: deposit\n",
			"operationId: deposit\n      description: Its X-SHA256\n        is compared. Others are kept.\n", 1), 0,
			"Depot: deposit: response status: 201 to the X-SHA256 of other bytes"},
		{"the operation says so of another", strings.Replace(spec, "operationId: deposit\n",
			"operationId: deposit\n      description: The X-SHA256 is kept. The X-MD5 is compared.\n", 1), 0, ""},
		{"only kept", spec, 0, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			handler := faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if sum := r.Header.Get("X-SHA256"); sum != "" && r.Header.Get("X-Depot-Key") == lab.DepotKey {
					var body []byte
					faulty.Rewrite(r, func(b []byte) []byte { body = b; return b })
					if len(sum) != 64 || len(body) <= c.looked && !payload.DigestOf(sum, body) {
						w.WriteHeader(map[bool]int{true: 422, false: 400}[len(sum) == 64])
						return
					}
				}
				next.ServeHTTP(w, r)
			})(lab.NewDepot())
			lab.Blames(t, c.want, func(tb testing.TB) { probes(tb, handler, "/v2", []byte(c.spec), lab.WithKey) })
		})
	}
}

// A scan has its checksum in a field of its form. Each name is taken once.
func TestProbeStatesTheChecksumOfAnotherScan(t *testing.T) {
	t.Parallel()
	const Spec = `{"openapi":"3.0.3","info":{"title":"Scans","version":"1"},"paths":{"/scans":{"post":{
		"operationId":"scan","requestBody":{"required":true,"content":{"multipart/form-data":{"schema":{
		"type":"object","required":["scan","sha256"],"properties":{"scan":{"type":"string","format":"binary"},
		"sha256":{"type":"string","pattern":"^[0-9a-f]{64}$"}}}}}},
		"responses":{"201":{"description":"Kept."},"4XX":{"description":"No."},"422":{"description":"Other bytes."},
		"409":{"description":"The name is taken."}}}}}}`
	const line = "Scans: scan: response status: 201 to the sha256 of other bytes, which must be refused by a 4xx"
	for _, looks := range []bool{true, false} {
		var names sync.Map
		ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			file, of, err := r.FormFile("scan")
			var content []byte
			if err == nil {
				content, err = io.ReadAll(file)
			}
			switch sum := r.FormValue("sha256"); {
			case err != nil || r.Method != http.MethodPost || len(sum) != 64:
				w.WriteHeader(http.StatusBadRequest)
			case looks && !payload.DigestOf(sum, content):
				w.WriteHeader(http.StatusUnprocessableEntity)
			default:
				status := http.StatusCreated
				if _, taken := names.LoadOrStore(of.Filename, true); taken {
					status = http.StatusConflict
				}
				w.WriteHeader(status)
			}
		}))
		lines := lab.Recorded(t, func(tb testing.TB) { Probe(tb, ts.URL, []byte(Spec), func(*http.Request) {}) })
		ts.Close()
		if named := strings.Contains(strings.Join(lines, "\n"), line); named == looks {
			t.Errorf("the checksum is compared: %t; blamed: %q", looks, lines)
		}
	}
}
