package specs_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/go-cmp/cmp"
)

// The documents' own examples, as they print them.
const (
	fileUploadRequest = `{
  "contentType": "application/pdf"
}`
	fileUploadResponse = `{
  "uploadMethod": "PUT",
  "uploadUrl": "https://attachment.api.24sevenoffice.com/upload/abc123?signature=xyz",
  "fileId": 67890
}`
	fileUploadSample = `curl \
 --request POST 'https://rest.api.24sevenoffice.com/v1/fileUpload' \
 --header "Content-Type: application/json" \
 --header "Authorization: string" \
 --data '{"contentType":"application/pdf"}'
`
	fileUploadStatus  = `{"fileId": 67890, "status": "Completed", "documentId": 12345}`
	createFileRequest = `POST https://mail.apigw.ntruss.com/api/v1/files
Content-Type: multipart/form-data; boundary=a29b1180-70f5-42f7-afbe-0d68a15f2370

--a29b1180-70f5-42f7-afbe-0d68a15f2370
Content-Disposition: form-data; name="fileList"; filename="test\resources\test.txt"
Content-Type: text/plain
Content-Length: 16

upload test file
--a29b1180-70f5-42f7-afbe-0d68a15f2370--
`
	createFileResponse = `{
  "tempRequestId":"f355aac1-7776-4c0b-8484-20eaa065cb65-99",
  "files":[
    {
      "fileName":"test.txt",
      "fileSize":16,
      "fileId":"40fe58bd-91fe-4f89-a62e-705a7c17d65e-99"
    }
  ]
}`
)

// exchange is a request to an operation (nil for the smallest one) and, unless
// the status is 0, its answer. The test says whether the spec allows it.
type exchange struct {
	provider, operation string
	request             *http.Request
	status              int
	contentType, body   string
}

func (e exchange) validate(t *testing.T) error {
	t.Helper()
	doc := load(t, e.provider)
	path, method, op := find(t, doc, e.operation)
	if e.request == nil {
		e.request = httptest.NewRequest(method, path, nil)
	}
	in := &openapi3filter.RequestValidationInput{
		Request:    e.request,
		PathParams: map[string]string{"fileId": "67890", "tempRequestId": "f355aac1", "documentId": "12345"},
		Route: &routers.Route{Spec: doc, Path: path, PathItem: doc.Paths.Value(path), Method: method,
			Operation: op},
		Options: &openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
			IncludeResponseStatus: true,
			// The first half of the test covers requests.
			ExcludeRequestBody: e.status != 0,
		},
	}
	if e.status == 0 {
		return openapi3filter.ValidateRequest(t.Context(), in)
	}
	header := http.Header{}
	if e.contentType != "" {
		header.Set("Content-Type", e.contentType)
	}
	return openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in,
		Status:                 e.status,
		Header:                 header,
		Body:                   io.NopCloser(strings.NewReader(e.body)),
		Options:                in.Options,
	})
}

func post(contentType, body string) *http.Request {
	req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	return req
}

func TestTheDocumentsExamplesStandInTheSpecs(t *testing.T) {
	_, _, fileUpload := find(t, load(t, "twentyfourseven"), "fileUpload")
	_, _, status := find(t, load(t, "twentyfourseven"), "getFileUploadStatus")
	_, _, createFile := find(t, load(t, "ncloudmailer"), "createFile")
	_, _, getFile := find(t, load(t, "ncloudmailer"), "getFile")
	_, _, deleteFile := find(t, load(t, "ncloudmailer"), "deleteFile")
	for name, c := range map[string]struct {
		want string
		got  any
	}{
		"fileUpload request": {fileUploadRequest,
			fileUpload.RequestBody.Value.Content["application/json"].Examples["documented"].Value.Value},
		"fileUpload response": {fileUploadResponse,
			fileUpload.Responses.Value("200").Value.Content["application/json"].Examples["documented"].Value.Value},
		"getFileUploadStatus response": {fileUploadStatus,
			status.Responses.Value("200").Value.Content["application/json"].Examples["documented"].Value.Value},
		"createFile response": {createFileResponse,
			createFile.Responses.Value("201").Value.Content["application/json"].Examples["documented"].Value.Value},
		"getFile response": {createFileResponse,
			getFile.Responses.Value("200").Value.Content["application/json"].Examples["documented"].Value.Value},
		"deleteFile response": {createFileResponse,
			deleteFile.Responses.Value("200").Value.Content["application/json"].Examples["documented"].Value.Value},
	} {
		var want, got any
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		recode(t, c.got, &got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for op, want := range map[*openapi3.Operation]string{fileUpload: fileUploadSample, createFile: createFileRequest} {
		var samples []struct{ Source string }
		recode(t, op.Extensions["x-codeSamples"], &samples)
		if len(samples) != 1 || samples[0].Source != want {
			t.Errorf("%s: the code samples are %+v, want the document's:\n%s", op.OperationID, samples, want)
		}
	}
	for _, example := range createFile.RequestBody.Value.Content["multipart/form-data"].Examples {
		if diff := cmp.Diff(map[string]any{"fileList": []any{"upload test file"}}, example.Value.Value); diff != "" {
			t.Errorf("createFile request (-want +got):\n%s", diff)
		}
	}
}

// TestEverySpecIsValidWithItsExamples holds the examples in JSON.
func TestSpecsAdmitWhatIsDocumentedAndWhatHappens(t *testing.T) {
	// On the wire the form's lines end with CRLF.
	_, form, _ := strings.Cut(strings.ReplaceAll(createFileRequest, "\n", "\r\n"), "\r\n\r\n")
	const boundary = "multipart/form-data; boundary=a29b1180-70f5-42f7-afbe-0d68a15f2370"
	admitted := map[string]bool{}
	for name, e := range map[string]exchange{
		"a fileId that is a string": {"twentyfourseven", "fileUpload", nil, 200, "application/json",
			strings.Replace(fileUploadResponse, "67890", `"67890"`, 1)},
		"a fileId beyond 64 bits": {"twentyfourseven", "fileUpload", nil, 200, "application/json",
			strings.Replace(fileUploadResponse, "67890", "92233720368547758079", 1)},
		"400 without a body": {"twentyfourseven", "fileUpload", nil, 400, "", ""},
		"404 without a body": {"twentyfourseven", "getFileUploadStatus", nil, 404, "", ""},
		"404 in JSON": {"twentyfourseven", "getFileUploadStatus", nil, 404,
			"application/json", `{"error":{"name":"NotFound"}}`},
		"429 in plain text": {"twentyfourseven", "fileUpload", nil, 429, "text/plain",
			"slow down"},
		"500 in JSON": {"twentyfourseven", "getDocument", nil, 500, "application/json",
			`{"error":{"name":"Internal"}}`},
		"502 in HTML": {"twentyfourseven", "fileUpload", nil, 502, "text/html",
			"<h1>Bad Gateway</h1>"},
		"a status that is pending": {"twentyfourseven", "getFileUploadStatus", nil, 200,
			"application/json", `{"fileId":"67890","status":"Pending"}`},
		"a document": {"twentyfourseven", "getDocument", nil, 200, "application/json",
			`{"documentId":12345,"contentType":"application/pdf",` +
				`"downloadUrl":"https://store.example/x?sig=1","pages":[{"page":1}]}`},
		"a status of another name": {"twentyfourseven", "getFileUploadStatus", nil, 200,
			"application/json", `{"fileId":67890,"status":"Scanned","documentId":12345}`},
		"the request example of createFile": {provider: "ncloudmailer", operation: "createFile",
			request: post(boundary, form)},
		"a form with two files": {provider: "ncloudmailer", operation: "createFile",
			request: post("multipart/form-data; boundary=b",
				"--b\r\nContent-Disposition: form-data; name=\"fileList\"; filename=\"a\"\r\n\r\n1\r\n"+
					"--b\r\nContent-Disposition: form-data; name=\"fileList\"; filename=\"b\"\r\n\r\n2\r\n--b--\r\n")},
		"the gateway's own error example": {"ncloudmailer", "createFile", nil, 401, "application/json",
			`{"error":{"errorCode":"200","message":"Authentication Failed",` +
				`"details":"Invalid authentication information."}}`},
		"an error code that is a number, no details": {"ncloudmailer", "createFile", nil, 400, "application/json",
			`{"error":{"errorCode":77102,"message":"BAD_REQUEST","details":null}}`},
		"a flat error": {"ncloudmailer", "getFile", nil, 400,
			"application/json; charset=utf-8", `{"errorCode":77103,"errorMessage":"Resource not found"}`},
	} {
		if err := e.validate(t); err != nil {
			t.Errorf("%s is refused: %v", name, err)
		}
		admitted[e.provider] = true
	}
	listed(t, admitted)
}

// TestRequiredFieldsAndTypes holds the fields, and
// TestCreateFileListsEveryReturnCodeUnderItsStatus its statuses.
func TestSpecsRefuseWhatNoDocumentAdmits(t *testing.T) {
	refused := map[string]bool{}
	for name, e := range map[string]exchange{
		"a fileUpload that is no JSON": {provider: "twentyfourseven", operation: "fileUpload",
			request: post("text/plain", `application/pdf`)},
		"a fileUpload without a body": {provider: "twentyfourseven", operation: "fileUpload",
			request: post("application/json", ``)},
		"a fileId that is null": {"twentyfourseven", "fileUpload", nil, 200, "application/json",
			strings.Replace(fileUploadResponse, "67890", "null", 1)},
		"a fileId that is a fraction": {"twentyfourseven", "fileUpload", nil, 200, "application/json",
			strings.Replace(fileUploadResponse, "67890", "678.9", 1)},
		"a 200 in HTML": {"twentyfourseven", "fileUpload", nil, 200, "text/html",
			"<h1>Welcome</h1>"},
		"a documentId in a string": {"twentyfourseven", "getFileUploadStatus", nil, 200, "application/json",
			`{"fileId":"1","status":"Completed","documentId":"12345"}`},
		"fileUpload answering 201": {"twentyfourseven", "fileUpload", nil, 201, "application/json",
			fileUploadResponse},
		"fileUpload answering 418": {"twentyfourseven", "fileUpload", nil, 418, "", ""},
		"a form without fileList": {provider: "ncloudmailer", operation: "createFile",
			request: post("multipart/form-data; boundary=b",
				"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n1\r\n--b--\r\n")},
		"a createFile that is no form": {provider: "ncloudmailer", operation: "createFile",
			request: post("application/json", `{"fileList":["x"]}`)},
		"a createFile without a body": {provider: "ncloudmailer", operation: "createFile",
			request: post("multipart/form-data; boundary=b", "")},
		"deleteFile answering 204": {"ncloudmailer", "deleteFile", nil, 204, "", ""},
		"a fileSize below nothing": {"ncloudmailer", "createFile", nil, 201, "application/json",
			strings.Replace(createFileResponse, "16", "-16", 1)},
		"an error without a body": {"ncloudmailer", "createFile", nil, 400, "", ""},
		"an empty error object":   {"ncloudmailer", "createFile", nil, 400, "application/json", `{}`},
		"a nested error without its code": {"ncloudmailer", "createFile", nil, 400, "application/json",
			`{"error":{"message":"no"}}`},
		"an error code that is an object": {"ncloudmailer", "createFile", nil, 400, "application/json",
			`{"errorCode":{}}`},
	} {
		if err := e.validate(t); err == nil {
			t.Errorf("%s is admitted", name)
		}
		refused[e.provider] = true
	}
	listed(t, refused)
}
