// Package uploadtest holds clients and servers that move files to a contract:
// an OpenAPI document, and the few rules that no such document can state. It is
// for whoever writes a client or a server for one of these APIs, a provider of
// his own, or just code that uploads.
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
// [Server.Inject] makes it fail on purpose, [Run] checks a client against all
// that putpost's clients promise, [Probe] checks a server from the outside, [Live]
// a client and a real service by a few small uploads, and [Check] is an
// http.RoundTripper that looks on anywhere else. None of them knows a provider:
// the spec comes as bytes, the server as an http.Handler.
//
// # What is held
//
// Of an operation of the spec: credentials are there, parameters and bodies match
// their schemas, the status is declared, and so are the answer's headers, media type
// and body; where a status declares no body there is none, unless the response is
// marked with an x-source other than "documented". Of a form: it ends with its
// boundary, each part has a name, each file a name in UTF-8 and a media type, and a
// part's own Content-Length is right. Of every request with a body: a
// Content-Length, and no chunked encoding.
//
// Of a client's results and errors: their trace id is the one of the API's last
// answer, in the header that the spec declares with "trace" in its name, or else
// "request-id". Where it declares neither, trace ids are not looked at.
//
// Of the presigned step, which is a request to any URL in an operation's JSON
// answer: the URL goes out byte for byte as it was handed out; the method is the one
// that stood beside it; Content-Type is what the initiating request called
// contentType; none of the API's credentials, no cookie and no X- header comes
// along (but for Azure's blob type).
//
// Of the token call, which is a POST of an URL-encoded form to an address that
// the spec does not have: the form has a grant_type, and nothing is in the query.
// Any other request is a violation itself.
//
// Bodies stream through and are never held whole: of a body, and of each file in a
// form, the first 1 MiB is kept and looked at.
package uploadtest
