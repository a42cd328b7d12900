package console_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/console"
	"github.com/putpost/putpost/wrappers/upload"
)

func (s service) inject(fault string) (injected api.Fault) {
	s.t.Helper()
	s.change(http.MethodPost, "faults", fault, &injected)
	return injected
}

func (s service) faults() []api.Fault { return get[api.FaultList](s, "faults").Faults }

func TestEachKindOfFaultIsMet(t *testing.T) {
	s := serve(t, console.Config{})
	for name, tc := range map[string]struct {
		fault  string
		status int
		kind   error
		least  time.Duration
		stored int
	}{
		"answer": {
			`"kind":"answer","status":503,"headers":{"Retry-After":"7"},"body":"busy"`,
			503, upload.ErrUnavailable, 0, 0,
		},
		"delay":        {`"kind":"delay","delayMs":60`, 201, nil, 60 * time.Millisecond, 1},
		"resetBefore":  {`"kind":"resetBefore"`, 0, upload.ErrUnavailable, 0, 0},
		"resetMiddle":  {`"kind":"resetMiddle"`, 0, upload.ErrUnavailable, 0, 0},
		"resetAfter":   {`"kind":"resetAfter"`, 0, upload.ErrUnavailable, 0, 1},
		"unauthorized": {`"kind":"unauthorized"`, 401, upload.ErrUnauthorized, 0, 0},
	} {
		s.change(http.MethodPost, "reset", "{}", nil)
		f := s.inject(`{"provider":"ncloudmailer","operation":"createFile","times":1,` + tc.fault + `}`)
		if len(s.faults()) != 1 || f.ID == nil || string(f.Kind) != name || *f.Met != 0 {
			t.Errorf("%s: waits as %+v", name, f)
		}
		begun := time.Now()
		_, err := s.send("a.txt", strings.Repeat("a", 1<<16))
		if !errors.Is(err, tc.kind) || tc.kind == nil && err != nil || time.Since(begun) < tc.least {
			t.Errorf("%s: the upload ended after %s with %v", name, time.Since(begun), err)
		}
		x := s.exchanges("operation=createFile")[0]
		if x.Status != tc.status || x.Fault == nil || x.Fault.ID != *f.ID || x.Fault.Kind != f.Kind ||
			len(x.Violations) != 0 {
			t.Errorf("%s: the exchange is %+v", name, x)
		}
		if n := len(s.files()); n != tc.stored || len(s.faults()) != 0 {
			t.Errorf("%s: %d files are stored, and %d faults wait", name, n, len(s.faults()))
		}
		s.ask(http.MethodDelete, "faults/"+*f.ID, "").Is(http.StatusNotFound) // it is used up
	}
}

// An injected refusal looks like the provider's own.
func TestRefusedCredentialsAreRefusedInTheProvidersWords(t *testing.T) {
	s := serve(t, console.Config{})
	s.inject(`{"provider":"ncloudmailer","operation":"createFile","kind":"unauthorized"}`)
	_, err := s.send("a.txt", "a")
	if e, ok := errors.AsType[*upload.Error](err); !ok || e.Status != 401 || e.Code != "200" || e.TraceID == "" {
		t.Errorf("the upload failed with %+v", err)
	}
	if x := s.exchanges("")[0]; x.Refusal == "" || x.Fault == nil || len(x.Violations) != 0 {
		t.Errorf("it is shown as %+v", x)
	}
	s.inject(`{"provider":"twentyfourseven","operation":"token","kind":"unauthorized"}`)
	s.call(http.MethodPost, s.url+"/oauth/token", nil, "Content-Type", "application/x-www-form-urlencoded").
		Is(http.StatusUnauthorized, `{"error":"invalid_client"}`)
}

func TestAnExpiredURLIsWhatTheStoreSays(t *testing.T) {
	s := serve(t, console.Config{})
	s.inject(`{"provider":"twentyfourseven","operation":"presigned","kind":"expired","times":1}`)
	target, _ := s.initiate()
	s.put(target, "text/plain", "hello").Is(http.StatusForbidden, "Request has expired")
	s.put(target, "text/plain", "hello").Is(http.StatusOK)
}

func TestAFaultStaysUntilItIsRemoved(t *testing.T) {
	s := serve(t, console.Config{})
	for _, times := range []string{"", `,"times":0`} {
		f := s.inject(`{"provider":"ncloudmailer","operation":"createFile","kind":"answer","status":500` + times + `}`)
		for range 3 {
			if _, err := s.send("a.txt", "a"); err == nil {
				t.Fatal("the fault was not met")
			}
		}
		if waits := s.faults(); len(waits) != 1 || *waits[0].Met != 3 || *waits[0].ID != *f.ID ||
			*waits[0].Status != 500 {
			t.Errorf("it waits as %+v", waits)
		}
		s.change(http.MethodDelete, "faults/"+*f.ID, "", nil)
		if _, err := s.send("a.txt", "a"); err != nil {
			t.Error(err)
		}
	}
}

func TestTheNumberOfFaultsIsLimited(t *testing.T) {
	s := serve(t, console.Config{})
	const fault = `{"provider":"ncloudmailer","operation":"createFile","kind":"resetBefore","times":1}`
	for range console.MaxFaults {
		s.call(http.MethodPost, s.url+"/_putpost/faults", strings.NewReader(fault), inJSON, "application/json")
	}
	for range 10 {
		s.ask(http.MethodPost, "faults", fault, inJSON, "application/json").
			Is(http.StatusConflict, fmt.Sprint(console.MaxFaults))
	}
	if n := len(s.faults()); n != console.MaxFaults {
		t.Errorf("%d faults wait", n)
	}
	_, _ = s.send("a.txt", "a") // uses one up
	s.inject(fault)
	s.change(http.MethodPost, "reset", "{}", nil)
	if _, err := s.send("a.txt", "a"); err != nil {
		t.Error(err)
	}
}
