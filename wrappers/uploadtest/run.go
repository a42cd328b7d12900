package uploadtest

import (
	"cmp"
	"context"
	"io"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/tally"
)

// Subject is a client to check, with the facts that are known of its server.
// Only Uploader is required. A property that then has nothing to look at is
// skipped with the reason.
type Subject struct {
	// Uploader is the client. Give it small waits between attempts
	// (upload.Retry{MaxWait: time.Millisecond}): many properties make it
	// repeat. [Func] and [Call] make one of a function, of net/http and of a
	// generated client.
	Uploader upload.Uploader

	// Patient is the same client with the waits that its users get. It waits as
	// long as a Retry-After asks, up to two seconds at least, and a second at
	// most if no answer asks for a wait. Run sees with it that a Retry-After is
	// waited for, and that the wait ends with its context.
	Patient upload.Uploader

	// Server is where the client sends its requests: faults go there.
	Server *Server

	// Stored opens the file that is held under an id from Uploader, and returns
	// its media type, or "" if none is kept. If nothing is held under the id, it
	// returns an error.
	Stored func(ctx context.Context, id string) (content io.ReadCloser, contentType string, err error)

	// Count returns the number of all files that are held.
	Count func() int

	// Once lists the operations, by operationId, that the client sends only
	// once, since a duplicate would do harm. For these, a failure that might
	// pass must be an error of its kind after one request. A 429 is survived
	// all the same, since it says that nothing was done.
	Once []string

	// Secrets are the client's credentials: keys, tokens and passwords, each as
	// it is written. No error, no printed client, no line of package log, no URL,
	// and no header of the presigned step may show one, plain or
	// percent-encoded. The kit adds the secrets in the query of a presigned URL.
	// No error and no line may show the token or the signature of a request
	// either.
	Secrets []string
}

// Run checks a client against the two sentences that every client must keep.
// Under the returned id, the server stores the bytes that the caller handed
// over, with their name and media type. Every failure of the server comes out
// as the error of its kind.
//
// Each property is a subtest with a subject of its own from setup, and go test
// -run and -skip choose among them. Each failure is one line with the rule that
// was broken. If a property breaks a rule in several cases, it tells the first
// in full, and how many more there are. A property that had nothing to look at
// is skipped with the reason. With go test -v each property logs how often it
// saw each thing. If setup fails the test, Run looks at no more properties.
//
// If t is no *testing.T, the properties run on t itself, one after another.
func Run(t testing.TB, setup func(testing.TB) Subject) {
	t.Helper()
	var run tally.Told // a rule that breaks in many properties is told in full once
	usable := true
	for _, p := range properties {
		within(t, p.name, func(t testing.TB) {
			if !usable {
				t.Skip("nothing was held: the setup did not return in an earlier property")
			}
			usable = false
			it := begin(t, func(t testing.TB) Subject {
				s := setup(t)
				if s.Server != nil {
					s.Server.said.Store(&run)
				}
				return s
			})
			usable, it.run = true, &run
			p.hold(it)
		})
	}
	for _, line := range run.Again() {
		t.Error(line)
	}
}

// property is one sentence that every client keeps.
type property struct {
	name  string
	needs string // the aspect without which nothing was seen
	blind string // why nothing could be seen
	check func(*trial)
}

const (
	noServer    = "the subject has no Server to inject faults into"
	noWitness   = "the subject has neither Stored nor a Server that the file goes to"
	noRepeat    = "nothing was sent a second time, or the subject has no Server"
	noPresigned = "no answer handed out a URL for the file"
	noMethod    = noPresigned + ", or none says the method for it"
	noExpiry    = noPresigned + ", or the client is a plain one, which need not ask for another"
)

var properties = []property{
	{"bytes arrive unchanged", aContent, noWitness, bytesArrive},
	{"names arrive without directories", aName,
		"neither the client's results nor the requests with the bytes name the file", namesArrive},
	{"names that no header holds", aContent, noWitness, oddNames},
	{"media types arrive unchanged", aMediaType, noWitness, mediaTypesArrive},
	{"each upload has its own id", aResult, "the client returns no ids", idsDiffer},
	{"uploads run at once", aResult, "no upload succeeded", uploadsAtOnce},
	{"progress ends at the size", aProgress, "no upload succeeded", progressEnds},
	{"a stream that can be read once", aResult,
		"no upload succeeded, or the client reads each file more than once", readOnce},
	{"a source that is not its size", aFailure, "no upload failed", sizeIsPinned},
	{"a source that fails", aFailure, "no upload failed", sourceFails},

	{"a canceled context", aFailure, "no upload failed", cancelBefore},
	{"cancel while the body is sent", aFailure, "the transport of a plain client waits for its reader", cancelInBody},
	{"cancel while the answer is awaited", aFailure, noServer, cancelInAnswer},
	{"a wait ends with its context", aWait,
		"no wait was met, since the client did not send again after a 429, or the subject has no Server", waitEnds},

	{"answers are errors of their kind", aFailure, noServer, kindsHold},
	{"answers that cannot be used", aFailure,
		"the subject has no Server, or the client needs nothing of any answer but its status", unusable},
	{"answers may be written in other ways", aResult, noServer, otherSpellings},
	{"an id arrives as it was written", aID,
		"no answer of an operation has the id in it, or its schema allows no other id", idsAsWritten},
	{"an endless answer is left alone", aFailure, noServer, endless},
	{"an early refusal arrives", aFailure, noServer, earlyRefusal},
	{"a success comes after the whole body", aFailure,
		"a plain client does not see what was sent, or the subject has no Server", earlySuccess},

	{"a passing fault is survived", aRepeat, noRepeat, faultsPass},
	{"a repeated upload is whole", aRepeat, noRepeat, repeatsAreWhole},
	{"a lasting fault is an error", aFailure, noServer, faultsLast},
	{"a Retry-After is waited for", aWait, "the subject has no Patient or no Server, nothing was sent again, " +
		"or Patient waits longer than Retry-After asks", waitsAsAsked},
	{"credentials are fresh in each attempt", aCredential,
		"the credentials are the same in every request, or the subject has no Server", freshCredentials},

	{"any 2xx of the presigned step is success", aPresigned, noPresigned, handingOut(presignedSuccess)},
	{"the presigned method is sent", aPresigned, noMethod, handingOut(presignedMethod)},
	{"an expired URL is asked for again once", aPresigned, noExpiry, handingOut(presignedExpires)},
	{"cookies stay out of the presigned step", aPresigned, noPresigned, handingOut(cookiesStay)},

	{"secrets stay inside", aSecret, "the subject has no Secrets, and no URL held any", secretsStay},
	{"credentials stand in no URL", aSecret, "the subject has no Secrets or no Server", urlsTellNothing},
	{"a redirect gets no credentials", aRedirect, noServer, redirectsTellNothing},

	{"nothing is left running", aGoroutine, "no upload was made", nothingIsLeft},
}

// hold checks the property and logs how much of it was seen.
func (p property) hold(it *trial) {
	t := it.TB
	t.Helper()
	defer func() {
		for _, line := range it.told.Again() {
			t.Error(line)
		}
	}()
	p.check(it)
	if it.seen.Has(p.needs) {
		t.Logf("held: %s", it.seen)
		return
	}
	blind := cmp.Or(it.seen.Blind(), p.blind)
	if _, ok := t.(*testing.T); ok && !t.Failed() {
		t.Skip("nothing was held: " + blind)
	}
	if it.seen.Failed.Load() {
		blind = "an upload did not come out right even without a fault"
	}
	t.Logf("%s: skipped: %s", p.name, blind)
}

// within runs f as a subtest if t has subtests, and otherwise on t.
func within(t testing.TB, name string, f func(testing.TB)) {
	if parent, ok := t.(interface {
		Run(string, func(*testing.T)) bool
	}); ok {
		parent.Run(name, func(t *testing.T) { f(t) })
		return
	}
	f(t)
}
