package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestOnlyLoopbackGoesWithoutCredentials(t *testing.T) {
	ncp := map[string]string{ncpAccessKey: "own-access", ncpSecretKey: "own-secret"}
	for name, tc := range map[string]struct {
		env      map[string]string
		loopback bool
		want     string // in the error; empty means that there is none
	}{
		"nothing on loopback":       {nil, true, ""},
		"some on loopback":          {ncp, true, ""},
		"nothing of one":            {ncp, false, ""},
		"nothing of the other":      {map[string]string{tfsToken: "x"}, false, ""},
		"nothing":                   {nil, false, "no stand-in has credentials, and only a loopback address goes without: "},
		"what is not checked":       {map[string]string{tfsOrganization: "1", tfsBaseURL: "http://x/v1"}, false, "no stand-in has credentials"},
		"half a client":             {with(ncp, tfsClientID, "x"), false, "TWENTYFOURSEVEN_CLIENT_SECRET is not set"},
		"half a client and a token": {with(with(ncp, tfsClientSecret, "x"), tfsToken, "y"), false, "TWENTYFOURSEVEN_CLIENT_ID is not set"},
		"a token":                   {with(ncp, tfsToken, "y"), false, ""},
		"a client":                  {with(with(ncp, tfsClientSecret, "x"), tfsClientID, "y"), false, ""},
		"one key":                   {map[string]string{tfsToken: "x", ncpAccessKey: "y"}, false, "NCLOUD_SECRET_KEY is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			env, fallen, err := serveCredentials(func(name string) string { return tc.env[name] }, tc.loopback)
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v, want an error with %q", err, tc.want)
				}
				return
			}
			var want []variable
			for _, p := range providerNames() {
				for _, v := range providers[p].fallback {
					if tc.loopback && tc.env[v.name] == "" {
						want = append(want, v)
					}
				}
			}
			if err != nil || !slices.Equal(fallen, want) {
				t.Fatalf("got %v and %v, want %v", fallen, err, want)
			}
			for name, value := range tc.env {
				if env(name) != value {
					t.Errorf("%s is %q, want what was set", name, env(name))
				}
			}
			all, err := newStandins(env, standinConfig{})
			if err != nil {
				t.Errorf("with these the stand-ins cannot be made: %v", err)
			}
			for name, p := range providers {
				if made := all[name] != nil; made == p.unset(env) {
					t.Errorf("%s has a stand-in: %t", name, made)
				}
			}
		})
	}
}

// What is not set must not be what an empty credential matches.
func TestAStandInWithATokenAloneTakesNoEmptyClient(t *testing.T) {
	env := map[string]string{tfsToken: "x"}
	all, err := newStandins(func(name string) string { return env[name] }, standinConfig{})
	if err != nil {
		t.Fatal(err)
	}
	body := "grant_type=client_credentials&client_id=&client_secret=&audience=https://api.24sevenoffice.com&login_organization=1"
	req := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	all.ServeHTTP(w, req)
	if w.Code < 400 || strings.Contains(w.Body.String(), "access_token") {
		t.Errorf("got status %d: %s", w.Code, w.Body)
	}
}

func TestEachStandInServesItsOwnPaths(t *testing.T) {
	env, _, err := serveCredentials(func(string) string { return "" }, true)
	if err != nil {
		t.Fatal(err)
	}
	all, err := newStandins(env, standinConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/v1/fileUpload": 401, "/upload/x": 403, "/oauth/token": 400,
		"/api/v1/files": 401, "/api/v1-sgn/files": 401, "/api/v1-jpn/files": 401,
		"/": 404, "/other": 404, "/v2/fileUpload": 404,
	} {
		method := http.MethodPost
		if strings.HasPrefix(path, "/upload") {
			method = http.MethodPut
		}
		w := httptest.NewRecorder()
		all.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader("")))
		if w.Code != want {
			t.Errorf("%s %s: got %d, want %d", method, path, w.Code, want)
		}
	}
	// A longer beginning counts before a shorter one, whichever stands first in the alphabet.
	for _, third := range []string{"aaa", "zzz"} {
		providers[third] = provider{paths: []string{"/v1/files/"}}
		defer delete(providers, third)
		all[third] = teapot{}
		for path, want := range map[string]int{"/v1/files/x": 418, "/v1/fileUpload": 401, "/v1/files": 401} {
			w := httptest.NewRecorder()
			all.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
			if w.Code != want {
				t.Errorf("%s beside %s: got %d, want %d", path, third, w.Code, want)
			}
		}
		delete(all, third)
	}
	// A path that http.ServeMux would clean with a redirect stays the provider's to answer.
	w := httptest.NewRecorder()
	all.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/v1//files", nil))
	if w.Code < 400 {
		t.Errorf("an unclean path: got %d", w.Code)
	}
}

// teapot is the stand-in of a provider that is not there.
type teapot struct{ standin }

func (teapot) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }

// With one beginning for two, chance would choose between their stand-ins.
func TestNoTwoStandInsServeTheSamePaths(t *testing.T) {
	holder := map[string]string{}
	for name, p := range providers {
		for _, path := range p.paths {
			if other, taken := holder[path]; taken || !strings.HasPrefix(path, "/") {
				t.Errorf("%s serves %q, and so does %q", name, path, other)
			}
			holder[path] = name
		}
	}
}

func TestWhatIsLeftOutIsSaid(t *testing.T) {
	// An address for documentation, which is nobody's: the rest fails.
	got := invoke(map[string]string{tfsToken: "x"}, nil, "serve", "--addr", "192.0.2.1:0")
	others := slices.DeleteFunc(providerNames(), func(name string) bool { return name == "twentyfourseven" })
	if want := "putpost: left out, since no credentials are set for it: " + and(others) + "\n"; got.code != exitFailed || !strings.HasPrefix(got.stderr, want) {
		t.Errorf("got %+v, want %q first", got, want)
	}
}
