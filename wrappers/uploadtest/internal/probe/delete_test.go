package probe

import "testing"

func TestAnAnswerMaySayThatItsUploadWasDeleted(t *testing.T) {
	for answer, want := range map[string]bool{
		`{"deleted":true}`: true, `{"deleted":false}`: false, `{"deletedAt":"2026-11-26T12:00:00Z"}`: true,
		`{"deletedAt":""}`: false, `{"deletedAt":null}`: false, `{"status":"deleted"}`: true, `{"status":"kept"}`: false,
		`{"kept":true,"size":7}`: false,
	} {
		if saysDeleted([]byte(answer)) != want {
			t.Errorf("%s says that it was deleted: %t", answer, !want)
		}
	}
}
