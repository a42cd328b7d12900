package specs_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
)

// These tests hold the specs to the facts on the providers' reference pages of
// fileUpload and createFile, sentence by sentence.

// find returns the operation of that id with its path and method.
func find(t *testing.T, doc *openapi3.T, id string) (path, method string, op *openapi3.Operation) {
	t.Helper()
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.OperationID == id {
				return path, method, op
			}
		}
	}
	t.Fatalf("there is no operation %s", id)
	return "", "", nil
}

func TestOperationsStandWhereTheProvidersHaveThem(t *testing.T) {
	for _, c := range []struct{ provider, id, method, path string }{
		{"twentyfourseven", "fileUpload", "POST", "/fileUpload"},
		{"twentyfourseven", "getFileUploadStatus", "GET", "/fileUpload/{fileId}"},
		{"twentyfourseven", "getDocument", "GET", "/documents/{documentId}"},
		{"ncloudmailer", "createFile", "POST", "/files"},
		{"ncloudmailer", "getFile", "GET", "/files/{tempRequestId}"},
		{"ncloudmailer", "deleteFile", "DELETE", "/files/{tempRequestId}"},
	} {
		path, method, _ := find(t, load(t, c.provider), c.id)
		if method != c.method || path != c.path {
			t.Errorf("%s is %s %s, want %s %s", c.id, method, path, c.method, c.path)
		}
	}
}

func TestServersAreTheDocumentedOnes(t *testing.T) {
	doc := load(t, "twentyfourseven")
	if got, want := doc.Servers[0].URL, "https://rest.api.24sevenoffice.com/v1"; got != want || len(doc.Servers) != 1 {
		t.Errorf("24SevenOffice: %d servers, the first %s; want only %s", len(doc.Servers), got, want)
	}

	regions := []string{
		"mail.apigw.ntruss.com/api/v1",
		"mail.apigw.ntruss.com/api/v1-sgn",
		"mail.apigw.ntruss.com/api/v1-jpn",
		"mail.apigw.gov-ntruss.com/api/v1",
		"mail.apigw.gov-ntruss.com/api/v1-sgn",
		"mail.apigw.gov-ntruss.com/api/v1-jpn",
	}
	servers := load(t, "ncloudmailer").Servers
	if len(servers) != len(regions)+1 {
		t.Fatalf("NAVER: %d servers, want one a region and the documented form", len(servers))
	}
	for i, region := range regions { // tools route plain servers best, and take the first
		if got := servers[i]; got.URL != "https://"+region || got.Variables != nil {
			t.Errorf("NAVER: server %d is %s, want https://%s", i, got.URL, region)
		}
	}
	documented := servers[len(regions)]
	endpoint := documented.Variables["endpoint"]
	if documented.URL != "https://{endpoint}" || endpoint == nil {
		t.Fatalf("NAVER: the last server is %s, want https://{endpoint}", documented.URL)
	}
	if diff := cmp.Diff(regions, endpoint.Enum); diff != "" {
		t.Errorf("NAVER's regions (-want +got):\n%s", diff)
	}
	if endpoint.Default != regions[0] {
		t.Errorf("NAVER: the default is %s, want Korea", endpoint.Default)
	}
}

func TestRequiredFieldsAndTypes(t *testing.T) {
	for _, c := range []struct {
		provider, schema string
		required         []string
		types            map[string]string // by property; oneOf for FileID
	}{
		{"twentyfourseven", "FileUploadRequest", []string{"contentType"}, map[string]string{"contentType": "string"}},
		{
			"twentyfourseven", "FileUploadResponse", []string{"uploadMethod", "uploadUrl", "fileId"},
			map[string]string{"uploadMethod": "string", "uploadUrl": "string(uri)", "fileId": "oneOf"},
		},
		{
			"twentyfourseven", "FileUploadStatus", []string{"fileId", "status"},
			map[string]string{"fileId": "oneOf", "status": "string", "documentId": "integer(int64)"},
		},
		{
			"twentyfourseven", "Document", []string{"documentId", "contentType", "downloadUrl"},
			map[string]string{"documentId": "integer(int64)", "contentType": "string", "downloadUrl": "string(uri)",
				"pages": "array"},
		},
		{"ncloudmailer", "CreateFileRequest", []string{"fileList"}, map[string]string{"fileList": "array"}},
		{
			"ncloudmailer", "AttachFileList", []string{"tempRequestId", "files"},
			map[string]string{"tempRequestId": "string", "files": "array"},
		},
		{
			"ncloudmailer", "AttachFile", []string{"fileName", "fileSize", "fileId"},
			map[string]string{"fileName": "string", "fileSize": "integer(int64)", "fileId": "string"},
		},
	} {
		schema := load(t, c.provider).Components.Schemas[c.schema]
		if schema == nil {
			t.Errorf("%s has no schema %s", c.provider, c.schema)
			continue
		}
		if diff := cmp.Diff(c.required, schema.Value.Required); diff != "" {
			t.Errorf("%s: required (-want +got):\n%s", c.schema, diff)
		}
		got := make(map[string]string)
		for name, property := range schema.Value.Properties {
			switch p := property.Value; {
			case p.OneOf != nil:
				got[name] = "oneOf"
			case p.Format != "":
				got[name] = p.Type.Slice()[0] + "(" + p.Format + ")"
			default:
				got[name] = p.Type.Slice()[0]
			}
		}
		if diff := cmp.Diff(c.types, got); diff != "" {
			t.Errorf("%s: types (-want +got):\n%s", c.schema, diff)
		}
	}
}

func TestFileUploadDeclaresItsStatusesAndHeaders(t *testing.T) {
	_, _, op := find(t, load(t, "twentyfourseven"), "fileUpload")
	for _, status := range []string{"200", "400", "401", "403"} {
		response := op.Responses.Value(status)
		if response == nil {
			t.Errorf("%s is not declared", status)
			continue
		}
		got := slices.Sorted(maps.Keys(response.Value.Headers))
		want := []string{"Access-Control-Allow-Credentials", "Access-Control-Allow-Origin", "X-Trace-Id"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: headers (-want +got):\n%s", status, diff)
		}
		for name, header := range response.Value.Headers {
			if !header.Value.Schema.Value.Type.Is("string") {
				t.Errorf("%s: header %s is not a string", status, name)
			}
		}
		if hasBody := len(response.Value.Content) > 0; hasBody != (status == "200") {
			t.Errorf("%s: declares a body: %t", status, hasBody)
		}
	}
}

// The client looks for these headers, although no page of the provider declares
// them.
func TestAnswersCarryTraceIDAndRetryAfter(t *testing.T) {
	trace := map[string]string{"twentyfourseven": "X-Trace-Id", "ncloudmailer": "x-ncp-trace-id"}
	listed(t, trace)
	for provider, traceID := range trace {
		for _, item := range load(t, provider).Paths.Map() {
			for _, op := range item.Operations() {
				for status, response := range op.Responses.Map() {
					if response.Value.Headers[traceID] == nil {
						t.Errorf("%s: %s has no %s", op.OperationID, status, traceID)
					}
					got := response.Value.Headers["Retry-After"] != nil
					if want := status == "429" || status == "503"; got != want {
						t.Errorf("%s: %s has Retry-After: %t, want %t", op.OperationID, status, got, want)
					}
				}
			}
		}
	}
}

// The ten codes of createFile's page and the codes of the gateway, by status.
var returnCodes = map[string][]string{
	"400": {"77101", "77102", "77103", "100"},
	"401": {"200", "210"},
	"403": {"77201", "77202", "230"},
	"404": {"300"},
	"405": {"77001"},
	"413": {"430"},
	"415": {"77002"},
	"429": {"400", "410", "420"},
	"500": {"77301", "77302", "77303", "900"},
	"503": {"500"},
	"504": {"510"},
}

func TestCreateFileListsEveryReturnCodeUnderItsStatus(t *testing.T) {
	_, _, op := find(t, load(t, "ncloudmailer"), "createFile")

	statuses := slices.Sorted(maps.Keys(op.Responses.Map()))
	want := slices.Sorted(maps.Keys(returnCodes))
	want = slices.Insert(want, 0, "201")
	if diff := cmp.Diff(want, statuses); diff != "" {
		t.Fatalf("statuses (-want +got):\n%s", diff)
	}
	for status, codes := range returnCodes {
		response := op.Responses.Value(status).Value
		body := response.Content["application/json"]
		if body == nil || body.Schema.Ref != "#/components/schemas/ErrorResponse" {
			t.Errorf("%s does not carry an ErrorResponse", status)
			continue
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(codes)), slices.Sorted(maps.Keys(body.Examples))); diff != "" {
			t.Errorf("%s: named examples (-want +got):\n%s", status, diff)
		}
		var table []string
		for line := range strings.Lines(*response.Description) {
			if cells := strings.Split(line, " | "); len(cells) > 2 {
				if code := strings.TrimPrefix(cells[0], "| "); code != "code" {
					table = append(table, code)
				}
			}
		}
		if diff := cmp.Diff(codes, table); diff != "" {
			t.Errorf("%s: codes in the description (-want +got):\n%s", status, diff)
		}
		for code, example := range body.Examples {
			var got struct{ Error struct{ ErrorCode string } }
			recode(t, example.Value.Value, &got)
			if got.Error.ErrorCode != code {
				t.Errorf("%s: the example %s has the code %q", status, code, got.Error.ErrorCode)
			}
		}
	}
}

func TestFilesLastForADay(t *testing.T) {
	doc := load(t, "ncloudmailer")
	_, _, op := find(t, doc, "createFile")
	for _, fact := range []string{"can be reused for 24 hours", "file is deleted", "no longer valid"} {
		if !strings.Contains(op.Description, fact) {
			t.Errorf("createFile's description does not say %q", fact)
		}
	}
	if fact := "up to 10 MB"; !strings.Contains(doc.Info.Description, fact) {
		t.Errorf("the description does not say %q", fact)
	}
}

// Generated code would take a declared Authorization or Content-Type parameter
// literally, and answer a missing one with 400 instead of 401.
func TestAuthenticationStandsInSecuritySchemesOnly(t *testing.T) {
	for _, provider := range providers(t) {
		doc := load(t, provider)
		for path, item := range doc.Paths.Map() {
			for method, op := range item.Operations() {
				for _, parameter := range slices.Concat(item.Parameters, op.Parameters) {
					if parameter.Value.In == openapi3.ParameterInHeader && parameter.Value.Name != "Last-Event-ID" {
						t.Errorf("%s: %s %s has the header parameter %s", provider, method, path, parameter.Value.Name)
					}
				}
				if len(doc.Security) == 0 && op.Security == nil {
					t.Errorf("%s: %s %s needs no authentication", provider, method, path)
				}
			}
		}
	}

	sevenOffice := load(t, "twentyfourseven")
	if bearer := sevenOffice.Components.SecuritySchemes["bearerToken"].Value; bearer.Type != "http" ||
		bearer.Scheme != "bearer" {
		t.Errorf("bearerToken is %s %s", bearer.Type, bearer.Scheme)
	}
	flow := sevenOffice.Components.SecuritySchemes["clientCredentials"].Value.Flows.ClientCredentials
	if want := "https://login.24sevenoffice.com/oauth/token"; flow.TokenURL != want {
		t.Errorf("the token URL is %s, want %s", flow.TokenURL, want)
	}
	if _, ok := flow.Scopes["api.accounting.transaction:write"]; !ok {
		t.Error("the scope of the file calls is missing")
	}

	naver := load(t, "ncloudmailer")
	var headers []string
	for name := range naver.Security[0] {
		scheme := naver.Components.SecuritySchemes[name].Value
		if scheme.Type != "apiKey" || scheme.In != "header" {
			t.Errorf("%s is %s in %s", name, scheme.Type, scheme.In)
		}
		headers = append(headers, scheme.Name)
	}
	slices.Sort(headers)
	if diff := cmp.Diff([]string{"x-ncp-apigw-signature-v2", "x-ncp-apigw-timestamp", "x-ncp-iam-access-key"},
		headers); diff != "" || len(naver.Security) != 1 {
		t.Errorf("the three headers belong together (-want +got):\n%s", diff)
	}
}

// recode converts the value of an example to another type through JSON.
func recode(t *testing.T, from, to any) {
	t.Helper()
	data, err := json.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatal(err)
	}
}
