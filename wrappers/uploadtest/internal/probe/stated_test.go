package probe

import (
	"encoding/json"
	"net/http"
	"strings"
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
			"Keeps the sha256 with the file.", raw, true},
		{"an operation that says so", "sha256", "", `{"type":"string"}`, "400",
			"Its sha256\n is compared. Others are kept.", raw, true},
		{"an operation that says so of another", "sha256", "", `{"type":"string"}`, "400",
			"The sha256 is kept. The md5 is compared.", raw, false},
		{"no checksum", "label", "", `{"type":"string"}`, "422", "", raw, false},
		{"a file of that name", "hashes", "", `{"items":{"format":"binary"}}`, "422", "", raw, false},
		{"a thing that the spec does not know", "sha256", "", "", "422", "", raw, false},
		{"no file", "sha256", "", `{"type":"string"}`, "422", "", json, false},
	} {
		schema := apispec.Unknown
		if c.schema != "" {
			schema = lab.SchemaOf(t, c.schema).Value
		}
		ofOperation, ofStatus := "", c.text
		if strings.HasPrefix(c.what, "an operation") {
			ofOperation, ofStatus = c.text, ""
		}
		r := &operation{Route: &routers.Route{Operation: &openapi3.Operation{Description: ofOperation,
			Responses: &openapi3.Responses{}}}}
		r.Operation.Responses.Set(c.status, &openapi3.ResponseRef{Value: &openapi3.Response{Description: &ofStatus}})
		if got := ofOtherBytes(r, c.s, c.name, c.description, schema); (got != "") != c.want || got != "" &&
			payload.DigestOf(got, c.s.body) {
			t.Errorf("%s: a checksum of other bytes is %q", c.what, got)
		}
	}
	if (&made{sample: raw}).announcesFile() {
		t.Error("a file announces itself")
	}
}

// A deposit may come with a checksum in a header.
func TestProbeStatesTheChecksumOfOtherBytes(t *testing.T) {
	t.Parallel()
	before, deposit, _ := strings.Cut(string(lab.DepotSpec), "operationId: deposit\n      parameters:\n")
	spec := before + "operationId: deposit\n      parameters:\n        - {name: X-SHA256, in: header, schema: {" +
		"type: string, pattern: '^[0-9a-f]{64}$'}}\n" + deposit
	spec = spec[:len(before)] + strings.Replace(spec[len(before):], "        '400':",
		"        '422': {description: Other bytes.}\n        '400':", 1)
	for _, c := range []struct {
		what   string
		looked int    // how large a file may be whose checksum is compared
		want   string // empty: nothing is wrong
	}{
		{"compared", 2 << 20, ""},
		{"not compared", 0, "Depot: deposit: response status: 201 to the X-SHA256 of other bytes"},
		{"compared up to 1 MiB", 1 << 20,
			"Depot: deposit: response status: 201 to the X-SHA256 of other bytes, " +
				"beside a file of 1200001 bytes, which must be refused by a 4xx"},
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
			lab.Blames(t, c.want, func(tb testing.TB) { probes(tb, handler, "/v2", []byte(spec), lab.WithKey) })
		})
	}
}
