package console

// These are for the tests.
var (
	Meanings = meanings
	Event    = (*Console).event
)

const (
	MaxListeners = maxListeners
	MaxFaults    = maxFaults
)
