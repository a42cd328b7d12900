package main

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestAShellCompletesCommandsFlagsAndValues(t *testing.T) {
	providers := strings.Join(providerNames(), " ")
	for typed, want := range map[string]string{
		"se":                      "send serve",
		"--env-file x se":         "send serve",
		"-":                       "--help --version --env-file",
		"journal ":                "check repair",
		"journal repair --env":    "--env-file",
		"send --to ":              providers,
		"send --to ncl":           "ncloudmailer",
		"send --to = ncl":         "ncloudmailer", // as bash divides --to=ncl
		"send --to =":             providers,
		"send --to=ncl":           "--to=ncloudmailer",
		"send --conc":             "--concurrency",
		"send -c 4 --wait-t":      "--wait-timeout",
		"send --to x --files-f":   "--files-from",
		"send --to x se":          "",
		"send --name --to ncl":    "",
		"completion f":            "fish",
		"completion fish ":        "",
		"serve --log-format json": "json",
		"m":                       "", // the manual is for those who package the program
	} {
		got := invoke(nil, nil, append([]string{"complete", "--"}, strings.Split(typed, " ")...)...)
		var words []string
		for _, row := range rows(got.stdout) {
			words = append(words, row[0])
		}
		if list := strings.Join(words, " "); got.code != 0 || got.stderr != "" || list != want {
			t.Errorf("%q: got %+v, want %q", typed, got, want)
		}
	}
	if got := invoke(nil, nil, "complete", "--", "send", "--wait-t"); !strings.HasPrefix(got.stdout,
		"--wait-timeout\tWith --wait: ") {
		t.Errorf("there is no help beside the flag: %+v", got)
	}
	if got := invoke(nil, nil, "completion", "csh"); got.code != exitUsage {
		t.Errorf("another shell: got %+v", got)
	}
}

func TestTheScriptsAskTheProgram(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	for shell, ask := range map[string]string{
		"bash": "COMP_WORDS=(putpost send --to ncl) COMP_CWORD=3; _putpost putpost; echo \"${COMPREPLY[*]}\"",
		"zsh":  "compadd() { echo $found }; words=(putpost send --to ncl) CURRENT=4; _putpost",
		"fish": "complete -C 'putpost send --to ncl'",
	} {
		path, err := exec.LookPath(shell)
		if err != nil || runtime.GOOS == "windows" {
			continue
		}
		putpost := "putpost() { PUTPOST_TEST_IS_PROGRAM=1 '" + self + "' \"$@\"; }\n"
		if shell == "fish" {
			putpost = "function putpost; PUTPOST_TEST_IS_PROGRAM=1 '" + self + "' $argv; end\n"
		}
		script := invoke(nil, nil, "completion", shell).stdout
		cmd := exec.CommandContext(t.Context(), path, "-c", putpost+script+ask)
		cmd.Env = append(slices.Clone(os.Environ()), "HOME="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "ncloudmailer" {
			t.Errorf("%s: got %q, %v", shell, out, err)
		}
	}
}
