// Package uploadtest holds clients and servers that move files to a contract:
// an OpenAPI document, and the few rules that no such document can state. It is
// for people who write a client or a server for one of these APIs, a provider
// of their own, or just code that uploads.
//
// [Serve] gives a test the handler of a stand-in on a loopback socket, holds
// every exchange to the spec, and can be asked for what it received:
//
//	srv := uploadtest.Serve(t, handler, spec)
//	client, err := ncloudmailer.New(cred, upload.Config{BaseURL: srv.BaseURL})
//	... // what uploads report.pdf
//	if got := srv.Files(); len(got) != 1 || got[0].Name != "report.pdf" {
//		t.Errorf("the server received %v", got)
//	}
//
// [Server.Inject] makes it fail on purpose. [Run] checks a client against all
// that putpost's clients promise, [Probe] checks a server from the outside, and
// [Live] checks a client and a real service by a few small uploads. [Check] is
// an http.RoundTripper that looks on anywhere else. [Func] and [Call] make a
// client for Run of a plain function, of net/http and of a generated client.
// None of them knows a provider: the spec comes as bytes, the server as an
// http.Handler. The example RawPut shows all that a third API needs, from its
// spec to green.
//
// # What is held
//
// An operation of the spec: the request has credentials, its parameters and
// body match their schemas, and it says the length of its body. The answer's
// status is declared, and its headers, media type and body match. Where a
// status declares no body, there is none, unless the spec marks the response by
// an x-source other than "documented". A body that is a file, of the media type
// application/octet-stream or with a schema of the format binary, may be empty.
//
// A form: it ends with its boundary, and each part has a name that the spec
// knows. Each file has a name in UTF-8 and a media type. A field of the format
// binary is a file, a text is none, and a field that is no list stands there
// once. A part's own Content-Length is right.
//
// The presigned step: it is a request to the URL of an upload in an operation's
// JSON answer, or in its header Location. The URL goes out byte for byte as it
// was handed out. The method is the one that stood beside it. Content-Type is
// what the initiating request called contentType. None of the API's
// credentials, no cookie and no X- header comes along, but for Azure's blob
// type. Headers that stand beside the URL in an object called header, or that
// its query lists as signed, may come along, and those in the object must.
// Where an object called fields stands beside it, these come first in a form.
//
// The token call: it is a POST of a URL-encoded form to an address that the
// spec does not have. The form has a grant_type, and the address has no query.
//
// The trace id of a client's results and errors: it is the one of the API's
// last answer, in the header that the spec declares with "trace" in its name,
// or else with "request-id". Where it declares neither, trace ids are not
// looked at.
//
// Any other request breaks a rule, unless [Scope] lets it pass.
//
// # What is not held
//
// A check that had nothing to look at does not pass: [Run] skips a property
// with the reason, [Probe] logs what it could not see, and go test -v shows how
// often each thing was looked at. Bodies stream through and are never held
// whole. Of a body, and of each file in a form, the first 1 MiB is kept and
// looked at.
package uploadtest
