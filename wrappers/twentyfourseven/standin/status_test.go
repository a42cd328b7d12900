package standin_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/twentyfourseven/standin"
)

func TestStatusIsTheOneThatWasSet(t *testing.T) {
	cfg := standin.Config{Store: store.Memory(0)}
	s := serve(t, cfg)
	id := s.initiate("a/b").FileID
	for _, word := range []string{"Failed", "Pending", "Scanning for viruses", "Completed", "ferdig: på plass",
		"Pending"} {
		must(t, s.SetStatus(t.Context(), id, word))
		if got := s.status(id); !strings.Contains(got, `"status":"`+word+`"`) ||
			strings.Contains(got, "documentId") != (word == "Completed") {
			t.Errorf("%s: %s", word, got)
		}
	}
	for _, word := range []string{"", " ", "a\nb", "\x00", "\xff", strings.Repeat("x", 101)} {
		if err := s.SetStatus(t.Context(), id, word); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v, want fs.ErrInvalid", word, err)
		}
	}
	if err := s.SetStatus(t.Context(), "unknown", "Failed"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an unknown id: %v, want fs.ErrNotExist", err)
	}
	// Replicas that share the store and the credentials say the same.
	if got := serve(t, cfg).status(id); !strings.Contains(got, `"Pending"`) {
		t.Errorf("a replica: %s", got)
	}
}

func TestStatusIsPendingForTheDelay(t *testing.T) {
	clock := standintest.NewClock(time.Now()) // the store uses the real time
	s := serve(t, standin.Config{Now: clock.Now, StatusDelay: time.Hour})
	i := s.initiate("a/b")
	s.put(i.UploadURL, "a/b", "x")
	clock.Add(59 * time.Minute)
	if got := s.status(i.FileID); !strings.Contains(got, `"Pending"`) {
		t.Errorf("before the delay is over: %s", got)
	}
	clock.Add(2 * time.Minute)
	if got := s.status(i.FileID); !strings.Contains(got, `"Completed"`) {
		t.Errorf("after the delay: %s", got)
	}
}
