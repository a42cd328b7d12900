package main

import (
	"runtime"
	"strings"
	"testing"
)

func TestTheManualHasEveryCommandAndFlag(t *testing.T) {
	got := invoke(nil, nil, "man")
	if got.code != 0 || !strings.HasPrefix(got.stdout, ".TH PUTPOST 1") {
		t.Fatalf("got %+v", got)
	}
	for _, want := range []string{
		".SH SEND\n", ".SH JOURNAL REPAIR\n", `\-\-wait\-timeout=D`, `\-\-env\-file=FILE`, "find . \\-name",
		"TWENTYFOURSEVEN_ORGANIZATION", ".SH SERVE\n", `\-\-to=PROVIDER`,
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("the manual has no %q", want)
		}
	}
	if n := strings.Count(got.stdout, `\-\-env\-file=FILE`); n != 1 {
		t.Errorf("a flag of all commands is described %d times", n)
	}
	for line := range strings.Lines(got.stdout) {
		request, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(line, ".") &&
			!strings.Contains(" .TH .SH .B .I .br .TP .PP .nf .fi .IP .RS .RE ", " "+request+" ") {
			t.Errorf("text became a request: %q", line)
		}
	}
}

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
