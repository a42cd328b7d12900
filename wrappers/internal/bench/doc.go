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
package bench
