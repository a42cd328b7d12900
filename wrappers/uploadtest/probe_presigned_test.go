package uploadtest

import (
	"maps"
	"slices"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// A server may ignore a parameter that opens nothing.
func TestAPresignedURLIsTamperedWithWhereItOpens(t *testing.T) {
	for address, want := range map[string][]string{
		"http://a.example/k": nil,
		"http://a.example/k?page=1&signature=x&token=": {"with an empty signature", "with another signature", "with half of the signature",
			"without its query", "without the signature"},
	} {
		want = slices.Sorted(slices.Values(append(want, "by DELETE", "by GET", "by another method", "with another key")))
		if got := slices.Sorted(maps.Keys(tampered(contract.HandedOut{URL: address}))); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}
