package monitor

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Kind describes a fault as data, for callers in other languages than Go.
type Kind struct {
	Name   string            // one of [Kinds]
	Status int               // of answer
	Header map[string]string // of answer
	Body   string            // of answer
	Delay  time.Duration     // of delay
}

// The kinds of faults by their names.
var kinds = map[string]func(Kind) Fault{
	"answer": func(k Kind) Fault {
		var header []string
		for _, name := range slices.Sorted(maps.Keys(k.Header)) {
			header = append(header, name, k.Header[name])
		}
		return Answer(k.Status, k.Body, header...)
	},
	"delay":       func(k Kind) Fault { return Delay(k.Delay) },
	"resetBefore": func(Kind) Fault { return ResetBefore },
	"resetMiddle": func(Kind) Fault { return ResetMiddle },
	"resetAfter":  func(Kind) Fault { return ResetAfter },
	"expired": func(Kind) Fault {
		return Answer(http.StatusForbidden,
			"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", "Content-Type", "application/xml")
	},
	"unauthorized": func(Kind) Fault { return Answer(http.StatusUnauthorized, "") },
}

// Kinds returns the names of all kinds of faults.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Fault returns the fault. The error says what the kind lacks.
func (k Kind) Fault() (Fault, error) {
	fault, ok := kinds[k.Name]
	switch {
	case !ok:
		return nil, fmt.Errorf("no fault is called %.100q; the faults are %s", k.Name, strings.Join(Kinds(), ", "))
	case k.Name == "answer" && (k.Status < 200 || k.Status > 599):
		return nil, fmt.Errorf("an answer needs a status from 200 to 599, not %d", k.Status)
	case k.Name == "delay" && k.Delay <= 0:
		return nil, fmt.Errorf("a delay needs a time above zero")
	}
	return fault(k), nil
}
