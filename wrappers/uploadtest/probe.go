package uploadtest

import (
	"net/http"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/probe"
)

// Probing holds facts about a server beside its spec, for [Probe].
type Probing struct {
	// Timeout is how long one answer may take, and what an answer says is not
	// ready yet. Zero means 10 s. After three answers that did not come in time,
	// Probe asks no more.
	Timeout time.Duration

	// MaxSize is the size in bytes of the largest file that the server takes: a
	// file with one more byte must be answered with 413, or refused in another
	// way if it comes in chunks. Zero means that no limit is known, and none is
	// looked for.
	MaxSize int64

	// Advance moves the server's clock, as far as the test can, and also back.
	// A signature must then be stale or too early, and a presigned URL must
	// have expired. It is called last.
	Advance func(time.Duration)

	// Known are failures that you know and do not want to see, such as a fault
	// that will be mended later. Each is a part of a failure's line. A line with
	// it is logged and fails nothing. If no line has it, that fails.
	Known []string
}

// Probe checks the service at baseURL against spec, an OpenAPI 3.0 document in
// YAML or JSON, from the outside. The service may be a handler of your own
// behind httptest.NewServer, or somebody else's server. Authorize puts good
// credentials on a request, just before it is sent. It is nil if none are
// needed. Each broken rule fails t with one line. What could not be looked at is
// in the log, with the reason.
//
// Probe leaves its uploads there, but for one upload of each kind that it
// deletes. Do not point it at a [Server]: that reports requests that are wrong
// on purpose.
//
// # Examples
//
// Probe sends the spec's own examples to each operation, and they must succeed,
// POST first and DELETE last. If there is no example, it makes one up from the
// schema. If a request states the size or the checksum of its file, Probe states
// the true one. A request that cannot be built as the spec wants it is not sent.
//
// A path parameter gets the value that an earlier answer gave under its name, or
// the id in the answer of the path before it: the id in the answer of POST /files
// is the fileId of /files/{fileId}. If that id has slashes, and a URL in the
// answer has only its end, so has the parameter. The only id of an answer, in a
// dataFile with a size or a checksum, is that of /datafile/{id}, and a UUID that
// is called file is that of /files/{uuid}. One word may stand between POST /hooks
// and /hooks/messages/{messageId} if both answer alike. A URL of the folder of
// PUT /files/{bucket}/{name} gives the bucket. A required id in a query, and an
// id in a body, are filled in the same way if they are called like fileId or
// file_ids, unless the operation deletes or cancels something.
//
// These may fail, and are not seen then:
//   - an operation whose parameters no answer gave
//   - one that declares a refusal of an id, a path or the like that it requires
//     and that was made up
//   - one that takes no file, if it says by a 404, a 409, a 422 or the like that
//     something which it names is not there
//   - one that has no body, if it declares a refusal of what its path names
//   - one that gives files, if it withholds them all by a declared 400 or 403
//
// A file is a raw body, a field of a form, or base64 in a member of JSON whose
// format is byte. Bytes also go where an answer says: to a URL, in a form with
// the fields beside the URL, to the session at the Location of a call that is
// named for uploads, or to the Location of a 307 or a 308 to a PUT or a POST. A
// call below the upload that is named complete, commit, finish or the like comes
// last. With a 409 or a 422 it declares that it refuses what was not sent.
//
// # Uploads
//
// Each operation that makes something does so some twenty times: with files of
// up to 10 MiB whose bytes are easily changed or lost, with odd names and texts,
// with several files in one request, and with several requests at once. After a
// 409 or a 422 the same is sent once more under other names: the first may be
// taken. If what a path names takes one upload only, each upload gets a new one.
// A refused name is no failure, and an empty file may be refused.
//
// Probe reads back all that tells of an upload, at once and again after
// everything else, though long files less often:
//   - the operations whose path its ids fill, and its Location
//   - a list of all uploads or of one parent's, whole and in short pages
//   - URLs for its download, of each of several files its own: those whose names
//     say so, and those of the same host that gave two files back; a signed one
//     gets credentials, too, if it is refused without them
//   - a range of a file, if a 206 is declared and no redirect leads to another host
//
// A GET or a HEAD may be answered by a redirect, if the spec declares it, and
// what makes something by a 303, a 307 or a 308. What is told only later is
// awaited for the first upload, and for the others when all are read again: a
// second, or as long as Timeout if an answer says that it takes time, by a 202 to
// the upload, a 409, a Retry-After or a status such as pending. What never came
// is not awaited again.
//
// These must hold:
//   - The bytes, names, sizes, types, checksums and ids of an upload are those that
//     were sent or answered. A name with directories loses them. Where the spec
//     says that characters of names are replaced, letters and digits stay. A name
//     that is taken may get a number, as in a-1.pdf. A header such as X-File-Name
//     names a raw body, and so does a Content-Disposition. A member of an answer
//     that was never right about a file is not held.
//   - If each PUT to a place gives the file another number, the first file can
//     still be had by its own number, or not at all.
//   - Two uploads have two ids, unless they are equal. The id of a deleted one is
//     not given out again.
//   - No upload is pending after Timeout if a later one is done.
//   - A request with the Idempotency-Key of an earlier one, or of one at the same
//     time, makes nothing new, nor does a second request to complete an upload.
//   - A PATCH changes what it names, in the list, too, and nothing else, such as
//     the files of its upload. If it has no example and requires nothing, it
//     names the texts, the enums and the booleans that it may.
//   - A text, an enum or a boolean that a request need not have, and that the spec
//     has an example or a default of, comes back as it was sent, if an answer has a
//     member of its name. What is called like an id, a URL or an end is not sent.
//   - The ETag of an answer is answered by a 304 if that is declared, and another
//     ETag by all that was asked for.
//   - The id of a part, such as an attachment, deletes no more than that.
//
// # Refusals
//
// Each operation must refuse wrong requests:
//   - without credentials, with spoiled ones, or with a signature from elsewhere;
//     by a 404 if the spec declares no 401, or by a 400 if its description says so
//   - without credentials before its body comes, if the service is on this machine:
//     elsewhere a proxy may want the body first
//   - without a body or a parameter, or with a wrong parameter, unless it may be
//     overlooked
//   - with a body that is cut off, of another type, or lacks something required
//   - with a file of another type, if a 415 is declared
//   - with the checksum of other bytes, if a 422 is declared, or if a description
//     says that it is compared, beside a small file and one above 1 MiB
//   - with an If-Match of another ETag, or an If-None-Match of *, if a 412 is
//     declared; one with the ETag of a GET is not answered by a 412
//   - for an id that was deleted, never there, or under another parent, and for a
//     URL of the service for the download of what was deleted
//
// What is refused is not stored, also if its file is too large: the file that was
// there is read back, and nothing may be found under a new name.
//
// An empty list says that nothing is there, too, and so does an answer that calls
// what it tells of deleted, archived or the like. A presigned URL must refuse
// another method, another type, another key, the key of another upload, and any
// change of it. If the answer names no method, and nothing in the URL signs it, the
// URL may have other methods.
//
// # Answers
//
// Every answer must come in time, be declared and match its schema, and show
// nothing of the server's machine. Its error code must not be one that the
// spec's examples show for another status. After a 429, or another failure with
// a Retry-After, Probe waits as that says: at most 10 s, and 60 times in all.
func Probe(t testing.TB, baseURL string, spec []byte, authorize func(*http.Request), probing ...Probing) {
	t.Helper()
	probe.Probe(t, baseURL, spec, authorize, probe.Facts(append(probing, Probing{})[0]))
}
