package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"unicode"
)

// environment looks up a variable. An empty variable counts as not set.
type environment func(name string) string

// consoleToken is the variable with the console's token. Only serve reads it.
const consoleToken = "PUTPOST_CONSOLE_TOKEN"

// knownVariables returns the names of all variables that the program reads.
func knownVariables() []string {
	known := []string{awsKeyID, awsSecret, awsSession, consoleToken}
	for _, p := range providers {
		known = append(known, p.credentials...)
		known = append(known, p.baseVar)
		for _, v := range p.reach("") {
			known = append(known, v.name)
		}
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// largestEnvFile is more than credentials need.
const largestEnvFile = 1 << 20

// envFile returns env with the variables of the file at path. A variable of the
// file replaces the one in env. If the file has one credential of a provider,
// env's credentials for that provider are ignored, because a mix would be
// wrong.
func envFile(path string, env environment) (environment, error) {
	set, err := readVariables(path)
	if err != nil {
		return nil, fmt.Errorf("--env-file %s: %w", shown(path), cause(err))
	}
	for _, p := range providers {
		if slices.ContainsFunc(p.credentials, func(name string) bool { return set[name] != "" }) {
			for _, name := range p.credentials {
				if _, ok := set[name]; !ok {
					set[name] = ""
				}
			}
		}
	}
	return func(name string) string {
		if value, ok := set[name]; ok {
			return value
		}
		return env(name)
	}, nil
}

func readVariables(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if open := info.Mode().Perm() & 0o077; open != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("others may read or write it (mode %04o); chmod 600 keeps them out", info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, largestEnvFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > largestEnvFile {
		return nil, fmt.Errorf("is larger than %s", byteSize(largestEnvFile))
	}
	return variables(text)
}

// variables reads lines of NAME=value. It skips empty lines and lines that
// begin with #, and removes quotes around a value. Its errors never show a
// line, because it may hold a secret.
func variables(text []byte) (map[string]string, error) {
	known := knownVariables()
	set := map[string]string{}
	for i, line := range bytes.Split(bytes.TrimPrefix(text, []byte("\ufeff")), []byte("\n")) {
		trimmed := strings.TrimSpace(string(line))
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(trimmed, "export "), "=")
		if !ok {
			return nil, fmt.Errorf("line %d is not like NAME=value", i+1)
		}
		if name = strings.TrimSpace(name); !slices.Contains(known, name) {
			if strings.ContainsFunc(name, func(r rune) bool {
				return r != '_' && (r < '0' || r > '9') &&
					(r < 'A' || r > 'Z')
			}) {
				name = "of this name"
			}
			return nil, fmt.Errorf("line %d: putpost reads no variable %s; it reads %s", i+1, name, and(known))
		}
		if _, twice := set[name]; twice {
			return nil, fmt.Errorf("line %d sets %s a second time", i+1, name)
		}
		set[name] = unquoted(strings.TrimSpace(value))
	}
	if len(set) == 0 {
		return nil, fmt.Errorf("sets nothing; putpost reads %s", and(known))
	}
	return set, nil
}

func unquoted(value string) string {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return value[1 : n-1]
	}
	return value
}

// need returns an error unless all names are set. If none of them is set, the
// variable alone is enough. Alone is empty if there is no such variable.
func (env environment) need(provider, alone string, names ...string) error {
	set := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return env(name) == "" })
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return env(name) != "" })
	switch {
	case len(missing) == 0, len(set) == 0 && env(alone) != "":
		return nil
	case len(set) > 0 && alone != "":
		return fmt.Errorf("%s: %s not set, but %s; set all of them, or only %s",
			provider, are(missing), are(set), alone)
	case len(set) > 0:
		return fmt.Errorf("%s: %s not set, but %s; set both", provider, are(missing), are(set))
	case alone != "":
		return fmt.Errorf("%s: set the environment variable %s, or %s", provider, alone, and(names))
	}
	return fmt.Errorf("%s: the environment variables %s are not set", provider, and(names))
}

// are returns "A is" or "A and B are".
func are(words []string) string {
	if len(words) == 1 {
		return words[0] + " is"
	}
	return and(words) + " are"
}

// clean returns an error if a credential has a blank or a line break. No real
// credential has one, but a secret file often ends with a line break.
func (env environment) clean(names ...string) error {
	for _, name := range names {
		if strings.ContainsFunc(env(name), unicode.IsSpace) {
			return fmt.Errorf("%s has a blank or a line break in it; remove it", name)
		}
	}
	return nil
}

// or returns env with values for the variables that are not set.
func (env environment) or(values []variable) environment {
	return func(name string) string {
		if set := env(name); set != "" {
			return set
		}
		for _, v := range values {
			if v.name == name {
				return v.value
			}
		}
		return ""
	}
}
