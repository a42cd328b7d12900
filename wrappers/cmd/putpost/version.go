package main

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"strings"
)

// build returns the version and the commit that the go command stored in the
// program.
func build() (version, commit string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel", ""
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))] + commit
		case s.Key == "vcs.modified" && s.Value == "true":
			commit += "+changed"
		}
	}
	return cmp.Or(strings.Trim(info.Main.Version, "()"), "devel"), commit
}

// version returns "putpost v1.2.3 (commit 0123456789ab, go1.26.0)".
func version() string {
	version, commit := build()
	return "putpost " + version + " (commit " + cmp.Or(commit, "unknown") + ", " + runtime.Version() + ")"
}

// userAgent returns "putpost/v1.2.3 (0123456789ab; go1.26.0)".
func userAgent() string {
	version, commit := build()
	return "putpost/" + version + " (" + cmp.Or(commit, "unknown") + "; " +
		strings.ReplaceAll(runtime.Version(), " ", "_") + ")"
}
