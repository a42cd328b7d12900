package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// A test credential beside a real one would open the stand-in to everybody who
// has read the manual.
func TestOnlyLoopbackGoesWithoutCredentialsAndOnlyIfNoneIsSet(t *testing.T) {
	ncp := map[string]string{ncpAccessKey: "own-access", ncpSecretKey: "own-secret"}
	tfs, naver := providers["twentyfourseven"].fallback, providers["ncloudmailer"].fallback
	for name, tc := range map[string]struct {
		env      map[string]string
		loopback bool
		defaults []variable
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
		"nothing": {nil, false, nil,
			"no stand-in has credentials, and only a loopback address works without them: "},
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
			env, defaults, err := serveCredentials(environ(tc.env), tc.loopback)
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v, want an error with %q", err, tc.want)
				}
				return
			}
			if err != nil || !slices.Equal(defaults, tc.defaults) {
				t.Fatalf("got %v and %v, want %v", defaults, err, tc.defaults)
			}
			for _, p := range providers {
				for _, v := range p.fallback {
					want := tc.env[v.name]
					if slices.Contains(defaults, v) {
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

func TestAProviderThatIsLeftOutIsNamed(t *testing.T) {
	// No machine has this address, so serve cannot listen on it.
	got := invoke(map[string]string{tfsToken: "x"}, nil, "serve", "--addr", "192.0.2.1:0")
	others := slices.DeleteFunc(providerNames(), func(name string) bool { return name == "twentyfourseven" })
	if want := "putpost: no credentials are set for " + and(others) + ", so it is left out\n"; got.code != exitFailed ||
		!strings.HasPrefix(got.stderr, want) {
		t.Errorf("got %+v, want %q first", got, want)
	}
}

func TestLogHasTheRequestedFormat(t *testing.T) {
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
			all := loopbackStandins(t, standinConfig{logger: tc.cmd.logger(&log)})
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
				if json.Valid([]byte(line)) != tc.json || !strings.Contains(line, status) ||
					!strings.Contains(line, "traceId") ||
					!strings.Contains(line, "/v1/fileUpload") {
					t.Errorf("the line is %s", line)
				}
			}
		})
	}
}
