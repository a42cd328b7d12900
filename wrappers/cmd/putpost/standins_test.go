package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

func TestLifecycleIsPrintedForNAVERsFilesAlone(t *testing.T) {
	r := invoke(nil, nil, "serve", "--store", "s3://bucket/pre/fix?endpoint=http://127.0.0.1:1", "--print-lifecycle")
	var rule struct {
		Rules []struct {
			Filter     struct{ Prefix string }
			Expiration struct{ Days int }
		}
	}
	if err := json.Unmarshal([]byte(r.stdout), &rule); err != nil || r.code != 0 {
		t.Fatalf("exit %d, %v\n%s%s", r.code, err, r.stdout, r.stderr)
	}
	if len(rule.Rules) != 1 || rule.Rules[0].Filter.Prefix != "pre/fix/ncloudmailer/" ||
		rule.Rules[0].Expiration.Days != 1 {
		t.Errorf("rule %+v, want one of a day for pre/fix/ncloudmailer/", rule)
	}
	for _, store := range []string{"memory", "folder", "s3://bucket/..%2f"} {
		invoke(nil, nil, "serve", "--store", store, "--print-lifecycle").refused(t, exitUsage, "s3")
	}
}

func TestEachStandInServesItsOwnPaths(t *testing.T) {
	all := loopbackStandins(t, standinConfig{})
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
	// A longer prefix counts before a shorter one, in any order of the names.
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
	// The provider answers a path that http.ServeMux would redirect.
	w := httptest.NewRecorder()
	all.handler(silent).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/v1//files", nil))
	if w.Code < 400 {
		t.Errorf("an unclean path: got %d", w.Code)
	}
}

// teapot is the stand-in of a third provider.
type teapot struct{ standin }

func (teapot) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }

// If two providers had the same prefix, chance would choose.
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

func TestUnknownPathSaysWhichThereAreAndIsLogged(t *testing.T) {
	var log bytes.Buffer
	all, err := newStandins(environ(map[string]string{ncpAccessKey: "a", ncpSecretKey: "s"}), standinConfig{})
	must(t, err)
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

func TestExpiredFilesAreReclaimedWhileNobodyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := store.Memory(0)
		all := loopbackStandins(t, standinConfig{store: st})
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
