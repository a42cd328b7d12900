// Package uploadtest holds clients and servers that move files to a contract.
// The contract is an OpenAPI document, and the few rules that no such document
// can state. The package is for people who write a client or a server for one
// of these APIs, a provider of their own, or just code that uploads.
//
// [Serve] starts a stand-in on a loopback socket for one test. It holds every
// exchange to the spec, and remembers the requests and their files:
//
//	srv := uploadtest.Serve(t, handler, spec)
//	client, err := ncloudmailer.New(cred, upload.Config{BaseURL: srv.BaseURL})
//	... // the code under test uploads report.pdf
//	if got := srv.Files(); len(got) != 1 || got[0].Name != "report.pdf" {
//		t.Errorf("the server received %v", got)
//	}
//
// [Server.Inject] makes it fail on purpose. [Run] checks that a client keeps
// all that putpost's clients promise. [Probe] checks a server from the outside.
// [Live] checks a client with a real service, by a few small uploads. [Check]
// is an http.RoundTripper that holds the exchanges of any other program or test
// to a spec. [Func] and [Call] make a client for Run: of a plain function, of
// net/http, or of a generated client. None of them knows a provider: the spec
// comes as bytes, the server as an http.Handler. The example RawPut shows all
// that a third API needs, from its spec to a passing test.
//
// # What is held
//
// An operation of the spec: the request has credentials and repeats none in its
// query, its parameters and body match their schemas, and it states the length
// of its body. The answer's
// status is declared, and its headers, media type and body match. If a status
// is declared without a body, the answer has none, unless it is a redirect, or
// the spec marks the response with an x-source other than "documented". A body
// is a file if its media type is application/octet-stream, or if its schema has
// the format binary. It may be empty.
//
// A form: its lines end with CRLF. It ends with its boundary, and the spec knows
// the name of each part. Each file has a name in UTF-8 and a media type. A field
// of the format binary is a file, and a field of text is not. A field that is no
// list occurs once. A part's own Content-Length is right.
//
// The presigned step: it is a request to the URL of an upload, from an
// operation's JSON answer or its header Location. The URL is sent byte for byte
// as the answer had it. The method is the one that the answer names beside the
// URL. The Content-Type is the one that the initiating request named in its
// field contentType, mimeType or mediaType. A part of a file may have another.
// The request has none of the API's credentials, no cookie, and no X- header but
// Azure's blob type and those that proxies add, such as X-Request-Id. Two kinds of headers are exceptions: the
// answer may name some in an object called header beside the URL, and the query
// of the URL may list some as signed. Those in the object must be sent. If an
// object called fields stands beside the URL, its members come first in a form.
//
// A file in parts: the requests of one upload may each carry a part, as with S3
// and tus. Each says where its part belongs: in its header Content-Range or
// Upload-Offset, or by a number in its path, query or form. [Run] joins the
// parts, and compares them with the file. If no request says where its part
// belongs, Run compares only the file that is stored.
//
// The token call: it is a POST of a URL-encoded form to an address that the
// spec does not have. The form has a grant_type, and the address has no query.
// Uploads at once share one token. After a 401 of the API the client asks for
// another one, in the next upload at the latest.
//
// The trace id in a client's results and errors: it is the one of the API's
// last answer. A call of the API that got no answer may have none. Its header is
// the one that the spec declares with "trace" in the name, or else with
// "request-id". If the spec declares neither, trace ids are not checked.
//
// The name of the file: if a JSON request has a member called fileName, it is the
// name without directories.
//
// Any other request breaks a rule, unless [Scope] lets it pass.
//
// # What is not held
//
// A check that had nothing to look at does not pass. [Run] skips the property
// and says why, and [Probe] logs what it could not see. With go test -v, Run
// also logs how often it saw each thing. Bodies stream through and are never
// held whole. Only the first 1 MiB of a body, and of each file in a form, is
// kept and looked at.
package uploadtest
