package wire_test

import (
	"net/http"
	"testing"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// Transport has the name of oauth2's and nothing else of it.
type Transport struct{ http.RoundTripper }

type held struct {
	http.RoundTripper
	under any
}

func TestOAuth2TransportIsFoundHoweverDeepItIs(t *testing.T) {
	adds := &oauth2.Transport{Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "t"})}
	plain := upload.NewTransport()
	itself := &held{RoundTripper: plain}
	itself.under = itself
	for name, tt := range map[string]struct {
		tr   http.RoundTripper
		adds bool
	}{
		"none":                          {plain, false},
		"another of its name":           {Transport{plain}, false},
		"one that holds itself":         {itself, false},
		"oauth2's":                      {adds, true},
		"below another":                 {Transport{adds}, true},
		"below itself":                  {struct{ http.RoundTripper }{&held{itself, adds}}, true},
		"in a client":                   {held{plain, http.Client{Transport: adds}}, true},
		"in a client by its address":    {held{plain, &http.Client{Transport: adds}}, true},
		"in one of several":             {several{plain, []http.RoundTripper{plain, adds}}, true},
		"in a value of another kind":    {held{plain, map[string]any{"a": adds}}, false},
		"in a client that is not there": {held{plain, (*http.Client)(nil)}, false},
	} {
		d := newDoer(t, wire.API{}, upload.Config{HTTPClient: &http.Client{Transport: tt.tr}})
		if err := d.Presigned().Err(); (err != nil) != tt.adds {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type several struct {
	http.RoundTripper
	list []http.RoundTripper
}
