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
		"http://a.example/k":                           nil,
		"http://a.example/k?page=1&signature=x&token=": {"with another signature", "without its query"},
	} {
		want = append([]string{"by another method", "with another key"}, want...)
		if got := slices.Sorted(maps.Keys(tampered(contract.HandedOut{URL: address}))); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}
