// Package soak holds no code, only tests of both providers' clients against
// their stand-ins in a process of their own: many uploads while things go
// wrong.
//
// TestSoak is the load: as many uploads through each client as
// PUTPOST_SOAK_UPLOADS says ("make soak" says 100,000), 64 of them at once,
// where one request in a hundred is spoiled. It holds that every upload that
// was acknowledged is there and whole, that each failure is one that was
// injected, and that memory and goroutines of both processes are flat. It
// begins no upload after PUTPOST_SOAK_TIME (7 minutes unless set); on a machine
// that is too slow for all of them, half must have been enough. It prints its
// figures. A short one always runs.
//
// The other runs the built program, kills it in the middle of a hundred
// uploads, and starts it again. That a signal drains it is tested in
// cmd/putpost.
package soak
