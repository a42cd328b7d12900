package main

import (
	"strings"
	"testing"
)

func TestAVerbOfTwoProvidersNeedsItsProvider(t *testing.T) {
	const third = "aaa" // before the others in every order
	providers[third] = provider{verbs: []verb{{name: "deleteFile", help: "Third: delete each file.",
		takes: "What the third calls an id."}}}
	defer delete(providers, third)

	if got := invoke(nil, nil, "deleteFile", "x"); got.code != exitUsage || !strings.Contains(got.stderr, "deleteFile") {
		t.Errorf("the bare name: got %+v", got)
	}
	if got := commandName(third, "onlyOnce"); got != "onlyOnce" {
		t.Errorf("a verb of one provider is called %s", got)
	}
	for command, want := range map[string]string{
		"aaa.deleteFile":                                      "What the third calls an id.",
		"ncloudmailer.deleteFile":                             "A tempRequestId",
		commandName("ncloudmailer", "getFile"):                "A tempRequestId",
		commandName("twentyfourseven", "getFileUploadStatus"): "A fileId",
	} {
		if got := invoke(nil, nil, command, "--help"); got.code != 0 || !strings.Contains(got.stdout, want) {
			t.Errorf("%s --help: want %q in %+v", command, want, got)
		}
	}
}
