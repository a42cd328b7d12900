// Package bench measures what an upload costs its client, with putpost and with
// other common ways.
//
//	go test -run Goals -v -timeout 2h  # writes goals.txt and bench.txt
//	go test -run Goals -v -only Solo   # some goals; writes nothing
//	go test -run Goals -v -quick       # all goals once; its figures mean nothing
//	go test -run '^$' -bench 'Upload/way=TLS$/size=16KiB$/at=16$/peer=pu.*'
//
// bench.txt is in the format of Go benchmarks, so benchstat reads it.
//
// # Method
//
// Each goal names a benchmark and a unit that it reports. Each round runs each
// benchmark in a process of its own, in random order, so no peer pays for the
// heap or the connections of another. Compared peers run one after the other,
// so a busy minute affects both. A goal compares the peers of each round and
// takes the median. A slow benchmark runs only in the first round.
//
// Client CPU is user and system time by getrusage. The server is another
// process than the client. It compares the checksum of each file, and answers
// with constants. Its work for a form is that for a PUT: if it parsed the form,
// a client of M would wait longer for its answer. Connections are open
// before the clock starts. Each upload opens its file anew.
//
// P is 24SevenOffice's way (POST, then a presigned PUT), M is NAVER's (one
// multipart POST). The other Go peers get net/http's default transport, but
// with one idle connection for each upload in flight. The default of two would
// cost them more. curl sends all files of a round from one process, and its
// start counts.
//
// Solo uses one processor, and a server in the same process that allocates
// nothing. Its figures vary least, so it detects regressions. ./lean is the
// smallest program with the library. Its peak memory is a goal.
//
// # Missed goals
//
// Small files: a prototype without the library's promises costs 0.92 times what
// M costs over TLS, and 0.9 times over plain HTTP. For P it is 0.86 times. The
// prototype signs, makes the same system calls on the same transport, and uses
// encoding/json. Where the library misses a goal over TLS, the prototype misses
// it as well. Of the time of M, solo, the file takes 13 %, JSON 6 %, the form
// 2 %, the signature 2 %. Of P, the file takes 10 %, JSON 5 %, the check of the
// URL 2 %. The limit on the wait for an answer takes 2 % of M, and 3 % of P. No
// other step of the library takes 1 % of a request. The server takes 15 to
// 20 %, and net/http, TLS and the kernel nearly all of the rest.
//
// One timer for all waits gained nothing with 16 uploads at once. No gain came
// from fewer checks of the file, fewer copies of the request, other random
// boundaries, plain JSON fields, other buffers, or GOGC. Nor did a file of
// 256 KiB gain from a write buffer of its size, or from fewer TLS records in
// one write.
//
// serve in memory: a bare handler keeps no record and checks nothing. The
// console reads a form, and checks an exchange, only when somebody looks at it.
// But it must record each one. That takes a sixth of the time for M, and a tenth
// for P. The garbage collector had the largest share, so serve now has 32 MiB
// that count as heap and are never touched. Without them M costs 0.1 times a
// bare handler more, and P as well. With 16 or 64 MiB the gain is smaller, and
// GOGC=400 lets the store need 2.5 times the memory. The search for the
// boundary takes 2 % of M, finding the operation 2 %, and the second check of
// the URL's signature 1 % of P. No gain came from a form that is kept whole, or
// from pooled buffers for the signatures. A reader of forms of our own costs
// more than the form that is read later.
//
// serve on disk: a batch is whole after two fsyncs, one of the file and one of
// the list of its files. Nearly all of the time is theirs. The bare handler of
// the goal has one. One with two costs 1.9 times as much, and serve no more
// than that. One fsync is not enough: it writes one file, and not every file
// system writes what other files were told before. The list would have to be in
// the file: behind its bytes, where the file is no plain file any more, or in
// an extended attribute, which not every file system has.
package bench
