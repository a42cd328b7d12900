package main

import (
	"runtime"
	"strings"
	"testing"
)

func TestTheVersionNamesTheCommitAndGo(t *testing.T) {
	got := invoke(nil, nil, "--version")
	if got.code != 0 || !strings.HasPrefix(got.stdout, "putpost ") || !strings.Contains(got.stdout, "commit ") ||
		!strings.Contains(got.stdout, runtime.Version()) || strings.Count(got.stdout, "\n") != 1 {
		t.Errorf("got %+v", got)
	}
	if !strings.HasPrefix(userAgent(), "putpost/") || !strings.HasSuffix(userAgent(), runtime.Version()+")") {
		t.Errorf("the User-Agent is %q", userAgent())
	}
}
