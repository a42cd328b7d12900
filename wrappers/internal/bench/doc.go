// Package bench measures the cost of an upload for its client: through putpost
// and through other common ways.
//
//	go test -run Goals -v -quick        # everything once; its figures mean nothing
//	go test -run Goals -v -timeout 2h   # writes results/: goals.txt, bench.txt, chart.svg
//	go test -bench 'way=TLS$/size=16KiB$/at=16$/peer=(put|putpost-M)$'
//
// bench.txt is in the format of Go benchmarks, so benchstat reads it:
//
//	benchstat -filter .unit:cpu-ns/op -row /way,/size,/at -col /peer results/bench.txt
//
// # Method
//
// Client CPU is user and system time by getrusage. Each round of each peer runs
// in a process of its own, in random order, so no peer pays for the heap or the
// connections of another peer, and a busy minute of the machine falls on all.
// The server is one more process. It reads a form with mime/multipart and
// answers with constants. Connections are open before the clock starts. Compare
// figures inside one run only. A goal compares the medians over the rounds.
//
// Every peer sends each size once while the server takes the SHA-256; a peer
// whose file does not arrive is an error. Each upload opens its file anew.
//
// putpost has nothing configured but the address: attempts, signing, redaction
// and the pinned size are on. P is 24SevenOffice's way (POST, then a presigned
// PUT), M is NAVER's (one multipart POST). The other Go peers get net/http's
// default transport with one idle connection for each upload in flight; its
// default of two idle connections would cost them more. curl sends all files of
// a round from one process, whose start counts.
//
// "solo" is one processor and a server of the same process that allocates
// nothing: it scatters least, so it guards against regressions.
//
// A peer that holds the whole file sends 1 GiB only with 10 GiB of free memory.
// ./lean is the smallest program with the library; its peak memory is a goal.
package bench
