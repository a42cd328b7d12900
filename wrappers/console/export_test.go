package console

// Meanings and MaxListeners are for the tests.
var Meanings = meanings

const (
	MaxListeners = maxListeners
	MaxFaults    = maxFaults
)
