package specs_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sources returns the marks x-source of a document by their paths. A mark holds
// for everything below it, until another mark.
func sources(t *testing.T, provider string) map[string]string {
	t.Helper()
	var root any
	data, err := json.Marshal(load(t, provider))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	marks := map[string]string{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if mark, ok := v["x-source"]; ok {
				marks[at], _ = mark.(string)
			}
			for key, below := range v {
				walk(at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), below)
			}
		case []any:
			for i, below := range v {
				// An element of a list is named by its own name.
				name := string(rune('0' + i))
				if named, ok := below.(map[string]any); ok {
					for _, key := range []string{"url", "name"} {
						if text, ok := named[key].(string); ok {
							name = text
						}
					}
				}
				walk(at+"/"+name, below)
			}
		}
	}
	walk("", root)
	return marks
}

// Each document began with the reference page of one operation. Any statement
// that is not on that page has a mark with its source.
func TestEachStatementHasItsSource(t *testing.T) {
	want := map[string]map[string]string{
		"twentyfourseven": {
			"":                                              "documented",
			"/components/headers/RetryAfter":                "putpost",
			"/components/responses/NotFound":                "provider",
			"/components/responses/BadGateway":              "putpost",
			"/components/responses/GatewayTimeout":          "putpost",
			"/components/responses/RateLimited":             "putpost",
			"/components/responses/ServerError":             "provider",
			"/components/responses/TooLarge":                "putpost",
			"/components/responses/Unavailable":             "provider",
			"/components/responses/UnsupportedMediaType":    "putpost",
			"/components/schemas/Document":                  "provider",
			"/components/schemas/FileID":                    "putpost",
			"/components/schemas/FileUploadStatus":          "provider",
			"/components/securitySchemes/clientCredentials": "provider",
			"/info":                            "putpost",
			"/paths/~1documents~1{documentId}": "provider",
			"/paths/~1documents~1{documentId}/get/parameters/documentId/schema":                             "putpost",
			"/paths/~1documents~1{documentId}/get/responses/200/content/application~1json/examples/invoice": "putpost",
			"/paths/~1fileUpload/post/responses/200/content/application~1json/examples/stringFileId":        "putpost",
			"/paths/~1fileUpload~1{fileId}":                                                              "provider",
			"/paths/~1fileUpload~1{fileId}/get/parameters/fileId/schema":                                 "putpost",
			"/paths/~1fileUpload~1{fileId}/get/responses/200/content/application~1json/examples/failed":  "putpost",
			"/paths/~1fileUpload~1{fileId}/get/responses/200/content/application~1json/examples/pending": "putpost",
			"/tags/documents": "provider",
		},
		"ncloudmailer": {
			"":                               "documented",
			"/components/headers/RetryAfter": "putpost",
			"/components/headers/TraceID":    "putpost",
			"/components/responses/BadRequest/content/application~1json/examples/100":             "provider",
			"/components/responses/BadRequest/content/application~1json/examples/77101":           "putpost",
			"/components/responses/BadRequest/content/application~1json/examples/77102":           "putpost",
			"/components/responses/BadRequest/content/application~1json/examples/77103":           "putpost",
			"/components/responses/Forbidden/content/application~1json/examples/230":              "provider",
			"/components/responses/Forbidden/content/application~1json/examples/77201":            "putpost",
			"/components/responses/Forbidden/content/application~1json/examples/77202":            "putpost",
			"/components/responses/GatewayTimeout":                                                "provider",
			"/components/responses/MethodNotAllowed/content/application~1json/examples/77001":     "putpost",
			"/components/responses/NotFound":                                                      "provider",
			"/components/responses/RateLimited":                                                   "provider",
			"/components/responses/ServerError/content/application~1json/examples/77301":          "putpost",
			"/components/responses/ServerError/content/application~1json/examples/77302":          "putpost",
			"/components/responses/ServerError/content/application~1json/examples/77303":          "putpost",
			"/components/responses/ServerError/content/application~1json/examples/900":            "provider",
			"/components/responses/TooLarge":                                                      "provider",
			"/components/responses/Unauthorized":                                                  "provider",
			"/components/responses/Unavailable":                                                   "provider",
			"/components/responses/UnsupportedMediaType/content/application~1json/examples/77002": "putpost",
			"/components/schemas/AttachFile":                                                      "provider",
			"/components/schemas/CreateFileRequest/properties/fileList":                           "putpost",
			"/components/schemas/ErrorCode":                                                       "putpost",
			"/components/schemas/ErrorDetail":                                                     "provider",
			"/components/schemas/ErrorDetail/properties/details":                                  "putpost",
			"/components/schemas/ErrorResponse":                                                   "provider",
			"/components/schemas/ErrorResponse/properties/errorMessage":                           "putpost",
			"/components/securitySchemes/accessKey":                                               "provider",
			"/components/securitySchemes/signature":                                               "provider",
			"/components/securitySchemes/timestamp":                                               "provider",
			"/info":                                                                               "provider",
			"/info/contact":                                                                       "putpost",
			"/info/license":                                                                       "putpost",
			"/paths/~1files~1{tempRequestId}":                                                     "provider",
			"/paths/~1files~1{tempRequestId}/parameters/tempRequestId/schema":                     "putpost",
			"/servers/https://mail.apigw.gov-ntruss.com/api/v1":                                   "provider",
			"/servers/https://mail.apigw.gov-ntruss.com/api/v1-jpn":                               "provider",
			"/servers/https://mail.apigw.gov-ntruss.com/api/v1-sgn":                               "provider",
			"/servers/https://mail.apigw.ntruss.com/api/v1-jpn":                                   "provider",
			"/servers/https://mail.apigw.ntruss.com/api/v1-sgn":                                   "provider",
			"/servers/https://{endpoint}/variables/endpoint":                                      "provider",
		},
	}
	for provider, want := range want {
		if diff := cmp.Diff(want, sources(t, provider)); diff != "" {
			t.Errorf("%s: marks (-want +got):\n%s", provider, diff)
		}
	}
}
