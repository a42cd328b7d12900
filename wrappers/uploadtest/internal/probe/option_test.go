package probe

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
)

// A press takes more than it must have: a paper and a draft with each print, and
// the kind of an order. All that an order has can be changed.
const pressSpec = v1 + `
info: {title: Press, version: '1'}
paths:
  /prints: {post: {operationId: print, requestBody: {required: true, content: {'*/*': {schema: {type: string,
    format: binary}}}}, responses: &it {2XX: {description: It., content: {application/json: {schema: {type: object}}}},
    4XX: &no {description: No.}, '500': *no}, parameters: [
      {name: paper, in: query, schema: {type: string, enum: [a4, a3], default: a4}},
      {name: copies, in: query, schema: {type: integer, example: 3}},
      {name: parentId, in: query, schema: {type: string, example: none}},
      {name: draft, in: header, schema: {type: boolean, default: false}}]}}
  /prints/{printId}: {get: {operationId: printed, responses: *it, parameters: [{name: printId, in: path, required: true,
    schema: {type: string}}, {name: view, in: query, schema: {type: string, example: short}}]}}
  /sheets: {get: {operationId: sheet, responses: *it, parameters: [{name: print_id, in: query, required: true,
    schema: {type: string}}]}, delete: {operationId: shred, responses: *it, parameters: [{name: printId, in: query,
    required: true, schema: {type: string}}]}}
  /usage: {get: {operationId: usage, responses: *it, parameters: [{name: accountId, in: query, required: true,
    schema: {type: string}}]}}
  /bundles: {post: {operationId: bundle, responses: *it, requestBody: {required: true, content: {application/json: {
    schema: {type: object, required: [printIds], properties: {printIds: {type: array, items: {type: string}}}}}}}}}
  /orders: {post: {operationId: order, responses: *it, requestBody: {required: true, content: {application/json: {
    schema: {type: object, required: [text], properties: {text: &text {type: string}, express: {type: boolean,
    default: false}, kind: {type: string, enum: [gift, plain], default: gift}}}}}}}}
  /orders/{orderId}:
    parameters: [{name: orderId, in: path, required: true, schema: {type: string}}]
    get: {operationId: ordered, responses: *it}
    patch: {operationId: change, responses: *it, requestBody: {required: true, content: {application/json: {
      schema: {type: object, properties: {text: *text, express: {type: boolean}, kind: {type: string,
      enum: [gift, plain]}}}}}}}
`

func newPress() http.Handler {
	var mu sync.Mutex
	n, things := 0, map[string]map[string]any{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := faulty.ReadAll(r.Body, r.ContentLength)
		mu.Lock()
		defer mu.Unlock()
		path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
		if path[0] == "sheets" && r.Method != http.MethodPost {
			q := r.URL.Query()
			key := "/v1/prints/" + q.Get("print_id") + q.Get("printId")
			if thing := things[key]; thing != nil && r.Method == http.MethodDelete {
				delete(things, key)
				say(w, http.StatusOK, thing)
			} else if thing != nil && r.Method == http.MethodGet {
				say(w, http.StatusOK, thing)
			} else {
				w.WriteHeader(http.StatusNotFound)
			}
			return
		}
		if path[0] == "usage" && r.Method == http.MethodGet { // any account may have used nothing
			if r.URL.Query().Get("accountId") == "" {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			say(w, http.StatusOK, map[string]any{"size": len(things), "paper": "none"})
			return
		}
		if path[0] == "bundles" && r.Method == http.MethodPost {
			var said struct{ PrintIds []string }
			typ, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
			if json.Unmarshal(body, &said) != nil || said.PrintIds == nil || typ != "application/json" {
				w.WriteHeader(http.StatusBadRequest)
			} else if len(said.PrintIds) > 0 && things["/v1/prints/"+said.PrintIds[0]] == nil {
				w.WriteHeader(http.StatusNotFound)
			} else {
				say(w, http.StatusOK, map[string]any{"prints": len(said.PrintIds)})
			}
			return
		}
		thing, patches := map[string]any{}, r.Method == http.MethodPatch
		switch key := r.URL.Path; {
		case r.Method != http.MethodGet && r.Method != http.MethodPost && !(patches && path[0] == "orders"),
			(len(path) == 1) != (r.Method == http.MethodPost):
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		case err != nil || len(path) > 2 || path[0] != "prints" && path[0] != "orders":
			w.WriteHeader(http.StatusNotFound)
			return
		case len(path) == 2:
			if thing = things[key]; thing == nil {
				w.WriteHeader(http.StatusNotFound)
				return
			}
		case r.Method == http.MethodPost:
			n++
			id := fmt.Sprintf("%s-%05d", path[0], 10*n)
			thing["accountId"] = "acc-10001"
			thing["id"], things[key+"/"+id] = id, thing
		}
		if said := map[string]any{"kind": "gift", "express": false, "text": thing["text"]}; r.Method == http.MethodGet {
		} else if path[0] == "orders" {
			if patches {
				maps.Copy(said, thing)
			}
			err := json.Unmarshal(body, &said)
			_, isText := said["text"].(string)
			_, isBool := said["express"].(bool)
			typ, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
			if err != nil || !isText || !isBool || said["kind"] != "gift" && said["kind"] != "plain" ||
				typ != "application/json" {
				delete(things, r.URL.Path+"/"+fmt.Sprint(thing["id"]))
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			maps.Copy(thing, said)
		} else {
			thing["size"], thing["draft"] = len(body), r.Header.Get("draft") == "true"
			for name := range r.URL.Query() {
				thing[name] = r.URL.Query().Get(name)
			}
		}
		say(w, http.StatusOK, thing)
	})
}

func TestProbeNamesInQueriesAndBodiesWhatAnAnswerGave(t *testing.T) {
	eachNamed(t, []fault{
		{"a sheet tells another size", faulty.Reply("/v1/sheets", faulty.Said(`"size":`, `"size":1`)),
			`Press: sheet: response body: size is "1`},
		{"a sheet is of a print that is not there", faulty.Reply("/v1/sheets",
			faulty.On(404, func(rec *httptest.ResponseRecorder) {
				rec.Code = http.StatusOK
				rec.Header().Set("Content-Type", "application/json")
				rec.Body.WriteString("{}")
			})), "Press: sheet: response status: 200 to an id that was never issued"},
		{"what is shredded stays", faulty.Arrival("/v1/sheets", func(r *http.Request) {
			if r.Method == http.MethodDelete {
				r.Method = http.MethodGet
			}
		}), "Press: printed: response status: 200 to a deleted upload"},
		{"a bundle of what is there is a failure", faulty.Reply("/v1/bundles",
			faulty.On(200, func(rec *httptest.ResponseRecorder) {
				*rec = *httptest.NewRecorder()
				rec.Code = http.StatusInternalServerError
			})), "Press: bundle: response status: 500 to the spec's own example"},
	}, func(tb testing.TB, b fault) { probes(tb, b.spoil(newPress()), "/v1", []byte(pressSpec), nil) })
}

func TestProbeOffersWhatARequestMayHave(t *testing.T) {
	unasked := func(query string) func(http.Handler) http.Handler {
		return faulty.Arrival("/v1/prints", func(r *http.Request) {
			q := r.URL.Query()
			if q.Get(query) != "" {
				q.Set(query, "a4")
			}
			r.URL.RawQuery = q.Encode()
		})
	}
	eachNamed(t, []fault{
		{"nothing", func(next http.Handler) http.Handler { return next }, ""},
		{"a query is ignored", unasked("paper"),
			`Press: print: response body: paper is "a4", but the request said "a3" in its optional paper (POST `},
		{"a header is ignored", faulty.Arrival("/v1/prints", func(r *http.Request) { r.Header.Del("draft") }),
			`Press: print: response body: draft is "false", but the request said "true" in its optional draft`},
		{"a member is ignored", faulty.Reply("/v1/orders", faulty.Said(`"express":true`, `"express":false`)),
			`Press: order: response body: express is "false", but the request said "true" in its optional express`},
		{"a query is not stored", faulty.Reply("/v1/prints/", faulty.Said(`"paper":"a3"`, `"paper":"a4"`)),
			`Press: printed: response body: paper is "a4", but the request said "a3" in its optional paper`},
		{"a query is a failure", faulty.Refuses(http.StatusInternalServerError, func(r *http.Request) bool {
			return r.URL.Query().Get("copies") != ""
		}), "Press: print: response status: 500 to a request with its optional paper, copies, draft (POST /v1/prints)"},
		{"a query of a GET is a failure", faulty.Refuses(http.StatusInternalServerError, func(r *http.Request) bool {
			return r.URL.Query().Get("view") == "short"
		}), "Press: printed: response status: 500 to a request with its optional view (GET /v1/prints/{printId})"},
		{"one is refused and another ignored", func(next http.Handler) http.Handler {
			isDraft := func(r *http.Request) bool { return r.Header.Get("draft") == "true" }
			return faulty.Refuses(http.StatusBadRequest, isDraft)(unasked("paper")(next))
		}, `paper is "a4", but the request said "a3"`},
		{"a PATCH changes nothing", faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPatch {
				r.Method = http.MethodGet
			}
			next.ServeHTTP(w, r)
		}), `" after a PATCH that said "`},
	}, func(tb testing.TB, b fault) { probes(tb, b.spoil(newPress()), "/v1", []byte(pressSpec), nil) })
}
