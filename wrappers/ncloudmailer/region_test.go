package ncloudmailer_test

import (
	"net/url"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
)

// regions returns the plain servers of the spec. It leaves out the last one,
// because that has a variable for all of them.
func regions(t *testing.T) []string {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(standintest.Spec(t, "ncloudmailer"))
	must(t, err)
	var addresses []string
	for _, server := range doc.Servers {
		if len(server.Variables) == 0 {
			addresses = append(addresses, server.URL)
		}
	}
	return addresses
}

// paths are the base paths of the regions, each once.
func paths(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, region := range regions(t) {
		u, err := url.Parse(region)
		must(t, err)
		if !slices.Contains(paths, u.Path) {
			paths = append(paths, u.Path)
		}
	}
	return paths
}

func TestBaseURLsAreTheServersOfTheSpec(t *testing.T) {
	got := []string{
		ncloudmailer.BaseURLKR, ncloudmailer.BaseURLSGN, ncloudmailer.BaseURLJPN,
		ncloudmailer.BaseURLGov, ncloudmailer.BaseURLGovSGN, ncloudmailer.BaseURLGovJPN,
	}
	if diff := cmp.Diff(regions(t), got); diff != "" {
		t.Errorf("the constants (-spec +constants):\n%s", diff)
	}
}
