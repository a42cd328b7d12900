package probe

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

func TestAnAnswerMaySayThatItsUploadWasDeleted(t *testing.T) {
	for answer, want := range map[string]bool{
		`{"deleted":true}`: true, `{"deleted":false}`: false, `{"deletedAt":"2026-11-26T12:00:00Z"}`: true,
		`{"deletedAt":""}`: false, `{"deletedAt":null}`: false, `{"status":"deleted"}`: true,
		`{"status":"kept"}`:                 false,
		`{"datetime_removed":"2026-11-26"}`: true, `{"datetime_removed":null}`: false, `{"deletedAt":1795694400}`: true,
		`{"deletedAt":0}`: false, `{"timeTrashed":"2026-11-26"}`: true,
		`{"kept":true,"size":7}`: false, `{"fileName":"deleted.txt"}`: false, `{"note":"What was deleted"}`: false,
		`{"message":"The file was deleted."}`: true, `{"name":"(deleted)"}`: true,
	} {
		if saysDeleted([]byte(answer)) != want {
			t.Errorf("%s says that it was deleted: %t", answer, !want)
		}
	}
}

func TestAThingOutlivesItsParts(t *testing.T) {
	_, ops := idProber(t)
	const thing, paper = `{"id":"t-1","parts":[{"id":"p-1"}]}`, `{"thingId":"t-1"}`
	for _, c := range []struct {
		answer, deletedBy, asked string
		want                     bool
	}{
		{thing, "look", "look", false}, {thing, "look", "list", false}, {thing, "part", "part", false},
		{thing, "part", "parts", false}, {thing, "part", "look", true}, {thing, "part", "list", true},
		{thing, "wipe", "look", true}, {thing, "wipe", "list", true}, {thing, "wipe", "content", false},
		{thing, "paper", "look", true}, {paper, "paper", "look", false},
	} {
		m := &made{by: ops["make"], answer: answer{body: []byte(c.answer)}, deletedBy: ops[c.deletedBy],
			ids: map[string]string{"thingId": "t-1", "partId": "p-1", "paper_id": "x-1"}}
		if m.outlives(ops[c.asked]) != c.want {
			t.Errorf("%s: %s after the DELETE of %s: outlives %t", c.answer, c.asked, c.deletedBy, !c.want)
		}
	}
}

// A folder may list the files of uploads that were made in another way. What is
// below an id is not the upload, unless its file was put there.
func TestAPartIsDeletedOfWhatHasAFile(t *testing.T) {
	for _, c := range []struct {
		by, deletes string
		files       []sentFile
		want        string
	}{
		{"make", "part", nil, ""}, {"make", "part", []sentFile{{}}, "/v1/things/t-1/parts/p-1"},
		{"make", "parts", []sentFile{{}}, ""},
		{"make", "wipe", []sentFile{{}}, "/v1/things/t-1/content"}, {"make", "wipe", nil, ""},
		{"make", "release", []sentFile{{}}, ""}, {"make", "unlock", []sentFile{{}}, ""},
		{"fill", "fill", []sentFile{{}}, "/v1/rows/r-1/content"}, {"fill", "fill", nil, ""},
	} {
		p, ops := idProber(t)
		asked := ""
		ops["content"].succeeded, ops["held"].succeeded = true, true
		p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodPost {
				asked = r.URL.Path // the last
			}
			return came(r, http.StatusConflict, "", ""), nil
		})
		p.TB = &lab.Recorder{TB: t}
		p.kept = []*made{{by: ops[c.by], files: c.files, answer: answer{body: []byte(`{"id":"t-1"}`)},
			ids: map[string]string{"thingId": "t-1", "partId": "p-1", "rowId": "r-1"}}}
		if p.deletes(ops[c.deletes]); asked != c.want {
			t.Errorf("of %d files, %s deletes %q, want %q", len(c.files), c.deletes, asked, c.want)
		}
	}
}

func TestAnUploadOfSeveralFilesIsDeletedToo(t *testing.T) {
	var asked *[]string
	lab.Recorded(t, func(tb testing.TB) {
		p, ops := specProber(tb, sendSpec)
		p.transport, asked = answered(http.StatusConflict)
		for i, files := range []int{2, 1, 1, 1} {
			p.kept = append(p.kept, &made{by: ops["start"], files: make([]sentFile, files),
				ids: map[string]string{"id": fmt.Sprint("u-", i)}})
		}
		p.deletes(ops["drop"])
	})
	deleted := slices.DeleteFunc(*asked, func(one string) bool { return !strings.HasPrefix(one, "DELETE") })
	if want := []string{"DELETE /v1/uploads/u-3", "DELETE /v1/uploads/u-0"}; !slices.Equal(deleted, want) {
		t.Errorf("asked %q, want %q", deleted, want)
	}
}

func TestAnUploadIsDeletedThatOthersAreTakenFor(t *testing.T) {
	_, ops := idProber(t)
	of := func(op, place, body, key string) *made {
		return &made{by: ops[op], place: place, sample: sample{body: []byte(body),
			params: map[string]string{"key": key}}}
	}
	one, same := of("put", "/blobs/a", "x", ""), of("make", "/things", "x", "")
	for _, c := range []struct {
		m, other *made
		want     bool
	}{
		{one, of("put", "/blobs/ab", "y", "z"), true}, {of("put", "/blobs/ab", "x", ""), one, false}, {one, one, false},
		{same, of("make", "/things", "x", ""), true}, {same, of("make", "/things", "y", ""), false},
		{same, of("make", "/things", "x", "k"), false}, {same, of("make", "/others", "x", ""), false},
		{same, same, false},
	} {
		if got := c.m.begins(c.other); got != c.want {
			t.Errorf("%s %q begins %s %q: %t", c.m.place, c.m.body, c.other.place, c.other.body, got)
		}
	}
}

// A 202 says that it will be gone later.
func TestWhatIsDeletedIsLookedFor(t *testing.T) {
	for _, c := range []struct {
		says   string // of the DELETE
		status int    // of the DELETE
		there  int    // how often it is still found
		asked  string
		want   string
	}{
		{"", 204, 0, "DELETE GET DELETE ", ""}, {"", 204, 1, "DELETE GET DELETE ", "200 to a deleted upload"},
		{"", 202, 1, "DELETE GET GET GET DELETE ", ""}, {"", 409, 1, "DELETE ", "409 to a stored upload"},
		{"twice", 204, 0, "DELETE GET DELETE ", "204 to a deleted upload"},
		{"twice: it may be repeated.", 204, 0, "DELETE GET DELETE ", ""},
		{"twice: it is idempotent.", 204, 0, "DELETE GET DELETE ", ""},
		{"twice: what is already deleted answers 204.", 204, 0, "DELETE GET DELETE ", ""},
		{"twice: what is already deleted answers 404.", 204, 0, "DELETE GET DELETE ", "204 to a deleted upload"},
		{"twice: it is not an error if there is none.", 204, 0, "DELETE GET DELETE ", ""},
		{"twice: it succeeds even if it does not exist.", 204, 0, "DELETE GET DELETE ", ""},
		{"twice, and told of", 204, 0, "DELETE GET DELETE ", ""},
		{`told of: [{"id":"u-2"}]`, 204, 0, "DELETE GET DELETE ", ""},
		{`told of: [{"id":"u-1"}]`, 204, 0, "DELETE GET DELETE ", "200 to a deleted upload"},
		{`twice, and told of: [{"id":"u-2"}]`, 204, 0, "DELETE GET DELETE ", "204 to a deleted upload"},
	} {
		asked, there := "", c.there
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, sendSpec)
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				status := http.StatusNotFound
				switch {
				case r.URL.Path != "/v1/uploads/u-1":
					return came(r, status, "application/json", "{}"), nil
				case r.Method == http.MethodDelete && (asked == "" || strings.HasPrefix(c.says, "twice")):
					status = c.status
				case r.Method == http.MethodGet && strings.Contains(c.says, "told of"):
					asked += "GET "
					_, told, _ := strings.Cut(c.says, "told of: ")
					return came(r, http.StatusOK, "application/json", cmp.Or(told, `{"deleted":true}`)), nil
				case r.Method == http.MethodDelete:
				case there > 0:
					there--
					status = http.StatusOK
				}
				asked += r.Method + " "
				return came(r, status, "application/json", "{}"), nil
			})
			ops["look"].succeeded, ops["drop"].Operation.Description = true, c.says
			p.kept = []*made{{by: ops["start"], ids: map[string]string{"id": "u-1"}, own: []string{"u-1"},
				shown: map[string][]leaf{}}}
			p.deletes(ops["drop"])
		})
		if got := strings.Join(lines, "\n"); asked != c.asked || !strings.Contains(got, c.want) ||
			c.want == "" && got != "" {
			t.Errorf("%q, after %d: asked %s: %s", c.says, c.status, asked, got)
		}
	}
}
