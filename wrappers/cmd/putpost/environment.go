package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// environment looks up a variable; one that is empty is one that is not set.
type environment func(name string) string

// missing are those of names that are not set.
func (env environment) missing(names ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return env(name) != "" })
}

// need says which of names are not set, if any.
func (env environment) need(provider string, names ...string) error {
	switch missing := env.missing(names...); len(missing) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%s: the environment variable %s is not set", provider, missing[0])
	default:
		return fmt.Errorf("%s: the environment variables %s are not set", provider, and(missing))
	}
}

// clean says which of names has what no credential has in it, and what a secret that is
// mounted as a file often ends with. Sent as it is, it would be refused as wrong.
func (env environment) clean(names ...string) error {
	for _, name := range names {
		if strings.ContainsFunc(env(name), unicode.IsSpace) {
			return fmt.Errorf("%s has a blank or a line break in it", name)
		}
	}
	return nil
}

// or is env, with what is not set taken from values.
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
