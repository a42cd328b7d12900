package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

// A real credential beside a test one would open the stand-in to everybody who
// has read the manual.
func TestOnlyLoopbackGoesWithoutCredentialsAndOnlyIfNoneIsSet(t *testing.T) {
	ncp := map[string]string{ncpAccessKey: "own-access", ncpSecretKey: "own-secret"}
	tfs, naver := providers["twentyfourseven"].fallback, providers["ncloudmailer"].fallback
	for name, tc := range map[string]struct {
		env      map[string]string
		loopback bool
		fallen   []variable
		want     string // in the error; empty means that there is none
	}{
		"nothing on loopback":        {nil, true, slices.Concat(naver, tfs), ""},
		"one provider's on loopback": {ncp, true, tfs, ""},
		"a token on loopback":        {map[string]string{tfsToken: "real"}, true, naver, ""},
		"a client on loopback":       {map[string]string{tfsClientID: "x", tfsClientSecret: "y"}, true, naver, ""},
		"half a client on loopback": {map[string]string{tfsClientID: "x"}, true, nil,
			"TWENTYFOURSEVEN_CLIENT_SECRET is not set"},
		"the other half on loopback": {map[string]string{tfsClientSecret: "x"}, true, nil,
			"TWENTYFOURSEVEN_CLIENT_ID is not set"},
		"one key on loopback": {map[string]string{ncpAccessKey: "x"}, true, nil, "NCLOUD_SECRET_KEY is not set"},
		"half beside a token, loopback": {map[string]string{tfsToken: "x", tfsClientID: "y"}, true, nil,
			"TWENTYFOURSEVEN_CLIENT_SECRET is not set"},
		"nothing of one":       {ncp, false, nil, ""},
		"nothing of the other": {map[string]string{tfsToken: "x"}, false, nil, ""},
		"nothing":              {nil, false, nil, "no stand-in has credentials, and only a loopback address goes without: "},
		"what is not checked": {map[string]string{tfsOrganization: "1", tfsBaseURL: "http://x/v1"}, false, nil,
			"no stand-in has credentials"},
		"half a client": {with(ncp, tfsClientID, "x"), false, nil,
			"TWENTYFOURSEVEN_CLIENT_SECRET is not set"},
		"a token":  {with(ncp, tfsToken, "y"), false, nil, ""},
		"a client": {with(with(ncp, tfsClientSecret, "x"), tfsClientID, "y"), false, nil, ""},
		"one key": {map[string]string{tfsToken: "x", ncpAccessKey: "y"}, false, nil,
			"NCLOUD_SECRET_KEY is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			env, fallen, err := serveCredentials(func(name string) string { return tc.env[name] }, tc.loopback)
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v, want an error with %q", err, tc.want)
				}
				return
			}
			if err != nil || !slices.Equal(fallen, tc.fallen) {
				t.Fatalf("got %v and %v, want %v", fallen, err, tc.fallen)
			}
			for _, p := range providers {
				for _, v := range p.fallback {
					want := tc.env[v.name]
					if slices.Contains(fallen, v) {
						want = v.value
					}
					if got := env(v.name); got != want {
						t.Errorf("%s is %q, want %q", v.name, got, want)
					}
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

var silent = slog.New(slog.DiscardHandler)

// What is not set must not be what an empty credential matches.
func TestAStandInWithATokenAloneTakesNoClient(t *testing.T) {
	env := map[string]string{tfsToken: "x"}
	all, err := newStandins(func(name string) string { return env[name] }, standinConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range []string{"client_id=&client_secret=",
		"client_id=test-client-id&client_secret=test-client-secret"} {
		body := "grant_type=client_credentials&" + client + "&audience=https://api.24sevenoffice.com&login_organization=1"
		req := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		all.handler(silent).ServeHTTP(w, req)
		if w.Code < 400 || strings.Contains(w.Body.String(), "access_token") {
			t.Errorf("%s: got status %d: %s", client, w.Code, w.Body)
		}
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
		"/v1/fileUpload": 401, "/upload/x": 403, "/download/x": 405, "/oauth/token": 400,
		"/api/v1/files": 401, "/api/v1-sgn/files": 401, "/api/v1-jpn/files": 401,
		"/": 404, "/other": 404, "/v2/fileUpload": 404,
	} {
		method := http.MethodPost
		if strings.HasPrefix(path, "/upload") {
			method = http.MethodPut
		}
		w := httptest.NewRecorder()
		all.handler(silent).ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader("")))
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
			all.handler(silent).ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
			if w.Code != want {
				t.Errorf("%s beside %s: got %d, want %d", path, third, w.Code, want)
			}
		}
		delete(all, third)
	}
	// A path that http.ServeMux would clean with a redirect stays the provider's to answer.
	w := httptest.NewRecorder()
	all.handler(silent).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/v1//files", nil))
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
	if want := "putpost: left out, since no credentials are set for it: " + and(others) + "\n"; got.code != exitFailed ||
		!strings.HasPrefix(got.stderr, want) {
		t.Errorf("got %+v, want %q first", got, want)
	}
}

func TestUnknownPathSaysWhichThereAreAndIsLogged(t *testing.T) {
	var log bytes.Buffer
	all, err := newStandins(func(name string) string {
		return map[string]string{ncpAccessKey: "a", ncpSecretKey: "s"}[name]
	}, standinConfig{})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h := all.handler(slog.New(slog.NewTextHandler(&log, nil)))
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/files?signature=SECRET", nil))
	if got := w.Body.String(); w.Code != 404 || !strings.Contains(got, "POST /api/v1/files") ||
		strings.Contains(got, "fileUpload") {
		t.Errorf("got %d %s", w.Code, got)
	}
	if got := log.String(); !strings.Contains(got, "path=/files ") ||
		!strings.Contains(got, "traceId="+w.Header().Get("X-Trace-Id")) ||
		strings.Contains(got, "SECRET") {
		t.Errorf("the log is %s", got)
	}
}

// The clock of the bubble is moved, and not slept through.
func TestExpiredFilesAreReclaimedWhileNobodyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env, _, err := serveCredentials(func(string) string { return "" }, true)
		if err != nil {
			t.Fatal(err)
		}
		st := store.Memory(0)
		all, err := newStandins(env, standinConfig{store: st})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go all.reclaim(ctx, silent)
		ms := time.Now().UnixMilli()
		key := fmt.Sprintf("ncloudmailer/files/%08x-%04x-7000-8000-000000000000-99", ms>>16, ms&0xffff)
		if _, err := st.Put(ctx, key, "", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(23 * time.Hour)
		if _, err := st.Stat(ctx, key); err != nil {
			t.Errorf("within a day: %v", err)
		}
		time.Sleep(time.Hour + reclaimEvery + time.Second)
		if _, err := st.Stat(ctx, key); err == nil {
			t.Error("after a day it is still there")
		}
	})
}

func TestLogIsOfTheFormatThatIsAskedFor(t *testing.T) {
	for name, tc := range map[string]struct {
		cmd  serveCmd
		want int // lines
		json bool
	}{
		"refusals":                  {serveCmd{}, 1, false},
		"everything":                {serveCmd{Verbose: true}, 2, false},
		"everything, as JSON":       {serveCmd{Verbose: true, LogFormat: "json"}, 2, true},
		"refusals, as JSON objects": {serveCmd{LogFormat: "json"}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			env, _, err := serveCredentials(func(string) string { return "" }, true)
			if err != nil {
				t.Fatal(err)
			}
			all, err := newStandins(env, standinConfig{logger: tc.cmd.logger(&log)})
			if err != nil {
				t.Fatal(err)
			}
			for _, token := range []string{"test-token", "wrong"} {
				r := httptest.NewRequest(http.MethodPost, "/v1/fileUpload", strings.NewReader(`{"contentType":"a/b"}`))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", "Bearer "+token)
				all.handler(tc.cmd.logger(&log)).ServeHTTP(httptest.NewRecorder(), r)
			}
			lines := strings.Split(strings.TrimSpace(log.String()), "\n")
			if len(lines) != tc.want {
				t.Errorf("%d lines, want %d:\n%s", len(lines), tc.want, &log)
			}
			for _, line := range lines {
				status := "status="
				if tc.json {
					status = `"status":`
				}
				if json.Valid([]byte(line)) != tc.json || !strings.Contains(line, status) || !strings.Contains(line, "traceId") ||
					!strings.Contains(line, "/v1/fileUpload") {
					t.Errorf("the line is %s", line)
				}
			}
		})
	}
}
