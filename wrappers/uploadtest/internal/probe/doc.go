// Package probe asks a server what its spec says, and reports each rule that
// an answer broke. Success.go comes first.
//
// It asks each operation with the spec's examples. What that makes is sent in
// odd ways by variation.go and together.go, and to URLs that are handed out by
// presigned.go, batch.go and complete.go. Option.go adds all that a request may
// have. What was made is read back by readback.go, range.go, list.go and
// download.go. Then wrong requests must be refused: refusal.go, stray.go,
// condition.go, credential.go, cut.go. They must leave nothing: leftover.go. Last
// come changes: patch.go, delete.go, limit.go and clock.go.
//
// These share others: operation.go asks the spec about an operation.
// request.go builds its request of a sample (sample.go), from the spec's
// examples, with other texts (text.go, nameheader.go), and with true sizes and
// checksums (stated.go). ask.go sends it and holds its answer to the contract, and to
// answer.go. What it makes (made.go) may wait for its bytes (send.go). Its ids
// (id.go) stand in later requests and lead to answers about it, and tell.go
// compares those.
// name.go knows what names mean, and value.go walks through JSON.
package probe
