package console

// These are for the tests.
var Meanings = meanings

const (
	MaxListeners = maxListeners
	MaxFaults    = maxFaults
)
