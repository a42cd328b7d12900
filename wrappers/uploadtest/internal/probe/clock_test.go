package probe

import (
	"fmt"
	"net/http"
	"testing"
	"time"
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
