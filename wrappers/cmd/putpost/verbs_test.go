package main

import (
	"strings"
	"testing"
)

// With two commands of one name, a script could delete at the wrong provider.
func TestNoTwoCommandsHaveTheSameName(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range subcommands() {
		if seen[c.name] {
			t.Errorf("two commands are called %s: name a verb of a new provider PROVIDER.%[1]s", c.name)
		}
		seen[c.name] = true
	}
}

func TestAVerbSaysWhichIDItTakes(t *testing.T) {
	for command, want := range map[string]string{"getFile": "A tempRequestId", "getFileUploadStatus": "A fileId"} {
		if got := invoke(nil, nil, command, "--help"); got.code != 0 || !strings.Contains(got.stdout, want) {
			t.Errorf("%s --help: want %q in %+v", command, want, got)
		}
	}
}
