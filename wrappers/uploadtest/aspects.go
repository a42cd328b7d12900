package uploadtest

// Aspects are what a property can look at.
const (
	aResult     = "result"
	aContent    = "content"
	aID         = "id"
	aName       = "name"
	aMediaType  = "media type"
	aTrace      = "trace id"
	aProgress   = "progress"
	aFailure    = "failure"
	aRepeat     = "repeat"
	aWait       = "wait"
	aCredential = "credential"
	aPresigned  = "presigned step"
	aSecret     = "secret"
	aRedirect   = "redirect"
	aGoroutine  = "goroutines"
)
