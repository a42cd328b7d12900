// Package soak holds no code, only tests with many uploads and faults. Both
// providers' clients upload to stand-ins in another process.
//
// TestSoak sends PUTPOST_SOAK_UPLOADS uploads through each client ("make soak"
// sets 100,000), 64 at once. A fault spoils one request in a hundred. The test
// checks that every acknowledged upload is stored whole, that each failure was
// injected, and that memory and goroutines of both processes do not grow. It
// begins no upload after PUTPOST_SOAK_TIME (7 minutes unless set). On a slow
// machine at least half of all uploads must end by then. It prints its figures.
// A short version always runs.
//
// The other test kills the stand-ins' process during a hundred uploads, and
// starts it again. Signals that drain the program are tested in cmd/putpost.
package soak
