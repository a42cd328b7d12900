// Package faults holds no code, only the fault matrix: tests of both providers'
// clients when the server, the network, the file or the caller misbehaves. Each
// row of a table names one fault and the requests that it affects, and says
// what the caller gets, how many requests reach the server and what is stored.
// The *_test.go files named after a kind of fault hold the rows. matrix_test.go
// runs them.
//
// Every row runs on real sockets against the provider's stand-in. The kit
// injects the fault in front of it, and holds every exchange to the spec. After
// each row these hold, too:
//
//   - every reader that was opened was closed once, and nothing was read after
//     that or after the call had returned;
//   - no goroutine is left;
//   - no secret stands in any error, log line, or printed or marshalled value;
//   - an error is one line without control characters, and an [upload.Error];
//   - what is stored is the whole file, if anything;
//   - the same client uploads the next file as if nothing had happened.
//
// Only the network, the life of a call, leaks and secrets are tested here, as
// far as the kit's own properties (uploadtest.Run) do not. The meaning of an
// answer is tested beside the code that reads it: statuses, codes and token
// answers in the providers' packages, presigned URLs and stores' errors in
// wire, and stand-ins in their own packages.
//
// To test a new fault, add a row to the table of its kind. If no func in
// fault_test.go causes the fault, add one there.
//
// [upload.Error]: https://pkg.go.dev/github.com/putpost/putpost/wrappers/upload#Error
package faults
