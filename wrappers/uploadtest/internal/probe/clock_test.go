package probe

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// The clock is put back.
func TestTheClockIsAsItWas(t *testing.T) {
	p, _ := specProber(t, completeSpec)
	p.transport, _ = answered(http.StatusForbidden)
	var moved []time.Duration
	p.Advance = func(d time.Duration) { moved = append(moved, d/time.Hour) }
	if p.ages(); fmt.Sprint(moved) != "[24ns -48ns 24ns]" {
		t.Errorf("it was moved by %v hours", moved)
	}
}

// A GET may hand out a list of URLs for a file, too.
func TestAURLInAListExpires(t *testing.T) {
	for grants, want := range map[bool]string{true: "200 to a presigned URL that has expired", false: ""} {
		lab.Blames(t, want, func(tb testing.TB) {
			p, ops := specProber(tb, sendSpec)
			p.Advance = func(time.Duration) {}
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				switch {
				case r.Method == http.MethodPut, r.URL.Path == "/v1/uploads" && r.Method == http.MethodGet:
					return came(r, http.StatusOK, "application/json", `{"urls":["http://b.example/k?sig=a"]}`), nil
				case r.URL.Path == "/v1/anything": // it may have no body
					return came(r, http.StatusForbidden, "", ""), nil
				}
				return came(r, http.StatusForbidden, "application/json", "{}"), nil
			})
			ops["list"].grants = grants
			p.ages()
		})
	}
}
