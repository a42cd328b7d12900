// Command bench measures what an upload costs its client, through putpost and
// through what people use otherwise.
//
//	go -C wrappers/internal/bench run . -quick   # everything once, for CI; its figures mean nothing
//	go -C wrappers/internal/bench run . -goals   # what the project holds itself to; exit status 1 where it does not
//	go -C wrappers/internal/bench run .          # all peers and sizes; writes results/results.txt and results/chart.svg
//
// The figures of the last full run stand in results/. Compare them within one
// column of one run only: they depend on the machine, and the ratios do too,
// though less.
//
// # What is measured
//
// Processor time, user and system, by getrusage, of a process that does nothing
// but upload: each peer's round is a process of its own, so that none pays for
// another's heap or connections. The server is another process, the same for
// all, and as cheap as it can be. Connections are opened before the clock
// starts. The peers take turns, round by round, each round beginning with
// another one, so that a busy minute of the machine falls on all of them. What is
// compared is the ratio within a round; the table gives the median over the
// rounds and where the middle half of them lies.
//
// From 10 MiB up a round is one upload, after one that opened the connection. The
// peers that hold the file in memory pay the kernel for each new page of it; in
// a process that sends one such file after the other, they would cost about half
// of what the table says, and three times what streaming does.
//
// Every peer sends every size once while the server takes the SHA-256 of what
// arrives; a peer that does not send the file is an error, not a figure.
//
// All peers send a file from the disk and describe or open it anew each time,
// as if it were another one. putpost is used with nothing configured but the
// address, everything on: attempts, signing, redaction, the size pinned. P is
// 24SevenOffice's way, POST /fileUpload and then the presigned PUT; M is NAVER's,
// one multipart POST. The other Go peers get net/http's default transport with as
// many idle connections as they have uploads at once: with its default of two
// they would cost half as much again, and several times as much over TLS. curl
// sends a round's files, and at least twenty of them, from one process, whose start
// is part of its cost: about a tenth.
//
// "h2" is a server that offers HTTP/2. putpost's own transport does not take the
// offer: a large body costs less over HTTP/1.1.
//
// Memory is the peak of the process by the kernel's count. In the tables the
// processes are this benchmark's, which links every peer and takes some 20 MB
// before it sends a byte; the goals are about ./lean, a program of forty lines.
// A peer that holds the file in memory sends the largest only once, and not at
// all where less than 10 GiB are free.
//
// The long wire is the same server with 25 ms added to each direction of each
// connection, the TLS handshake included. The ideal is the number of round trips
// times the files, shared by as many uploads as there are at once.
//
// The stand-ins are measured as the program runs them, serve --store DIR,
// against a handler that writes the same files aside, syncs and renames them,
// and checks nothing.
//
// The peers are one function each in the files called peer_*.go.
package main
