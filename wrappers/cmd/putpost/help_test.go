package main

import (
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestAShellCompletesCommandsFlagsAndValues(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("there is no bash")
	}
	script := invoke(nil, nil, "completion", "bash")
	if script.code != 0 || script.stderr != "" {
		t.Fatalf("got %+v", script)
	}
	for typed, want := range map[string]string{
		"putpost se":                     "send serve",
		"putpost journal ":               "check repair",
		"putpost send --to ":             strings.Join(providerNames(), " "),
		"putpost send --to ncl":          "ncloudmailer",
		"putpost send --conc":            "--concurrency",
		"putpost send --to x --wait-t":   "--wait-timeout",
		"putpost completion f":           "fish",
		"putpost journal repair --env":   "--env-file",
		"putpost send --to x go.m":       "",
		"putpost ncloudmailer.nothing -": "--help --version",
	} {
		words := strings.Split(typed, " ")
		line := script.stdout + "\nCOMP_WORDS=("
		for _, word := range words {
			line += "'" + word + "' "
		}
		line += ") COMP_CWORD=" + string(rune('0'+len(words)-1)) + "; _putpost; echo \"${COMPREPLY[*]}\""
		out, err := exec.Command(bash, "-c", line).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%q: got %q (%v), want %q", typed, got, err, want)
		}
	}
	for _, shell := range []string{"zsh", "fish"} {
		got := invoke(nil, nil, "completion", shell)
		if got.code != 0 || !strings.Contains(got.stdout, "wait-timeout") ||
			!strings.Contains(got.stdout, "ncloudmailer twentyfourseven") {
			t.Errorf("%s: got %+v", shell, got)
		}
		if path, err := exec.LookPath(shell); err == nil {
			if out, err := exec.Command(path, "-n", "-c", got.stdout).CombinedOutput(); err != nil {
				t.Errorf("%s does not take the script: %s", shell, out)
			}
		}
	}
	if got := invoke(nil, nil, "completion", "csh"); got.code != exitUsage {
		t.Errorf("another shell: got %+v", got)
	}
}

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
		if strings.HasPrefix(line, ".") && !slices.Contains([]string{".TH", ".SH", ".B", ".I", ".br", ".TP", ".PP", ".nf",
			".fi"}, request) {
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
