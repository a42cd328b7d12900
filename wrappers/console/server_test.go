package console_test

import (
	"io"
	"net/http"
	"slices"
	"testing"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/console"
	"github.com/putpost/putpost/wrappers/internal/standintest"
)

func TestHealthSaysWhatServes(t *testing.T) {
	s := serve(t, console.Config{Store: "memory", Version: "v1.2.3"})
	h := get[api.Health](s, "health")
	if h.Status != "ok" || h.Store != "memory" || h.Version != "v1.2.3" ||
		!slices.Equal(h.Providers, []string{"ncloudmailer", "twentyfourseven"}) {
		t.Errorf("got %+v", h)
	}
}

func TestOperationsAreThoseThatThereAre(t *testing.T) {
	s := serve(t, console.Config{})
	for _, p := range get[api.ProviderList](s, "providers").Providers {
		for _, op := range p.Operations {
			s.change(http.MethodPost, "faults", `{"provider":"`+p.Name+`","operation":"`+op+`","kind":"resetBefore"}`,
				nil)
		}
		_, url := slices.BinarySearch(p.Operations, "presigned")
		_, token := slices.BinarySearch(p.Operations, "token")
		if want := p.Name == "twentyfourseven"; url != want || token != want || p.SetsStatus != want {
			t.Errorf("got %+v", p)
		}
	}
}

func TestResetForgetsAllButWhatIsUnderWay(t *testing.T) {
	s := serve(t, console.Config{})
	s.sent("old.txt", "old")
	s.inject(`{"provider":"ncloudmailer","operation":"getFile","kind":"resetBefore"}`)
	old, _ := s.uploaded("old")
	target, id := s.initiate()
	const half = 1 << 20
	body, sender := io.Pipe()
	done := make(chan int)
	req := standintest.Request(t, http.MethodPut, target, body, "Content-Type", "text/plain")
	req.ContentLength = 2 * half
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			close(done)
			return
		}
		resp.Body.Close()
		done <- resp.StatusCode
	}()
	if _, err := sender.Write(make([]byte, half)); err != nil {
		t.Fatal(err)
	}
	s.change(http.MethodPost, "reset", "{}", nil)
	if len(s.exchanges("")) != 0 || len(s.faults()) != 0 || len(s.files()) != 0 {
		t.Errorf("after the reset there are %d exchanges, %d faults, %d files",
			len(s.exchanges("")), len(s.faults()), len(s.files()))
	}
	_, _ = sender.Write(make([]byte, half))
	sender.Close()
	if status := <-done; status != http.StatusOK {
		t.Errorf("the upload that was under way ended with %d", status)
	}
	if files := s.files(); len(files) != 1 || files[0].FileID != id || files[0].Size != 2*half {
		t.Errorf("its file is %+v", files)
	}
	if xs := s.exchanges(""); len(xs) != 1 || !slices.Equal(xs[0].FileIds, []string{id}) {
		t.Errorf("its exchange is %+v", xs)
	}
	// A URL from before is good, and using it breaks no rule.
	s.put(old, "text/plain", "new").Is(http.StatusOK)
	if xs := s.exchanges("limit=1"); len(xs) != 1 || xs[0].Operation != "presigned" || len(xs[0].Violations) != 0 {
		t.Errorf("it is seen as %+v", xs)
	}
}
