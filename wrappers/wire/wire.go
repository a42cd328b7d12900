// Package wire adds to a generated client what its generator cannot write:
// bodies of exact length that stream and can be sent again, attempts below the
// generated code, and errors that say what to do and show no secret.
//
// It works with any client that oapi-codegen generates. A body is a request
// editor, and a [Doer] is the client's HttpRequestDoer:
//
//	doer, err := wire.NewDoer(wire.API{Provider: "example", BaseURL: "https://api.example.com/v2"}, upload.Config{})
//	client, err := api.NewClient(doer.BaseURL, api.WithHTTPClient(doer))
//
//	form := wire.Form("document", src)
//	resp, err := client.CreateDocumentWithBody(ctx, form.ContentType, nil, form.Edit)
//
// A second generation saves these two lines: it adds methods that take the
// model of a form ([FormFrom]), or a file. README.md says how, in "Your own
// API".
//
// The request has a Content-Length and is never chunked. A large body is never
// held in memory, and each attempt opens the source anew.
//
// A failure is an [*upload.Error]: use [Doer.Call] to read the answer yourself,
// and [CallTyped] for the typed answer of a method whose name ends in
// WithResponse. [Shared] keeps a token for all callers.
//
// [Presigned] sends the bytes if an API answers with a URL to send them to.
package wire
