// Package faults holds no code, only the fault matrix: what the clients of both
// providers do when the other side, the network, the file or the caller
// misbehaves. Each row of a table names one fault and the requests that it
// befalls, and says what the caller gets, how many requests reached the server
// and what is stored. The *_test.go files named after a kind of fault hold the
// rows; matrix_test.go runs them.
//
// Every row runs on real sockets against correct servers in memory, behind
// which a store keeps only what arrived whole. After each one these hold too:
//
//   - every reader that was opened was closed once, and nothing was read after
//     that or after the call had returned;
//   - no goroutine is left;
//   - no secret stands in any error, log line, or printed or marshalled value;
//   - an error is one line without control characters, and an [upload.Error];
//   - what is stored is the whole file, if anything;
//   - the same client uploads the next file as if nothing had happened.
//
// Only the network, the life of a call, leaks and secrets are here. The meaning
// of an answer is tested beside the code that reads it: statuses, codes and
// token answers in the providers' packages, presigned URLs and stores' errors
// in wire, and what stand-ins do in theirs.
//
// A new fault is a row in the table that it belongs to, and, where nothing in
// misbehave_test.go does it yet, a func of a few lines there.
//
// [upload.Error]: https://pkg.go.dev/github.com/putpost/putpost/wrappers/upload#Error
package faults
