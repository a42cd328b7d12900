package probe

import "testing"

func TestAnAnswerMaySayThatItsUploadWasDeleted(t *testing.T) {
	for answer, want := range map[string]bool{
		`{"deleted":true}`: true, `{"deleted":false}`: false, `{"deletedAt":"2026-11-26T12:00:00Z"}`: true,
		`{"deletedAt":""}`: false, `{"deletedAt":null}`: false, `{"status":"deleted"}`: true, `{"status":"kept"}`: false,
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
		{thing, "paper", "look", true}, {paper, "paper", "look", false},
	} {
		m := &made{by: ops["make"], answer: answer{body: []byte(c.answer)}, deletedBy: ops[c.deletedBy],
			ids: map[string]string{"thingId": "t-1", "partId": "p-1", "paper_id": "x-1"}}
		if m.outlives(ops[c.asked]) != c.want {
			t.Errorf("%s: %s after the DELETE of %s: outlives %t", c.answer, c.asked, c.deletedBy, !c.want)
		}
	}
}

func TestAnUploadIsDeletedThatOthersAreTakenFor(t *testing.T) {
	_, ops := idProber(t)
	of := func(op, place, body, key string) *made {
		return &made{by: ops[op], place: place, sample: sample{body: []byte(body), params: map[string]string{"key": key}}}
	}
	one, same := of("put", "/blobs/a", "x", ""), of("make", "/things", "x", "")
	for _, c := range []struct {
		m, other *made
		want     bool
	}{
		{one, of("put", "/blobs/ab", "y", "z"), true}, {of("put", "/blobs/ab", "x", ""), one, false}, {one, one, false},
		{same, of("make", "/things", "x", ""), true}, {same, of("make", "/things", "y", ""), false},
		{same, of("make", "/things", "x", "k"), false}, {same, of("make", "/others", "x", ""), false}, {same, same, false},
	} {
		if got := c.m.begins(c.other); got != c.want {
			t.Errorf("%s %q begins %s %q: %t", c.m.place, c.m.body, c.other.place, c.other.body, got)
		}
	}
}
