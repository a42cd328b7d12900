package specs_test

import (
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/specs"
)

// providers returns the names of the documents in FS.
func providers(t *testing.T) []string {
	t.Helper()
	files, err := fs.Glob(specs.FS, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 2 {
		t.Fatalf("specs.FS holds %q, want both providers at least", files)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(file, ".yaml")
	}
	return files
}

// listed fails for each spec that a list of facts leaves out, since nothing
// else would test it.
func listed[Fact any](t *testing.T, facts map[string]Fact) {
	t.Helper()
	for _, provider := range providers(t) {
		if _, ok := facts[provider]; !ok && provider != "console" { // our own: no provider documents it
			t.Errorf("%s.yaml: this test has nothing of it", provider)
		}
	}
}

func load(t *testing.T, provider string) *openapi3.T {
	t.Helper()
	data, err := specs.FS.ReadFile(provider + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatalf("%s.yaml: %v", provider, err)
	}
	return doc
}

func TestEverySpecIsValidWithItsExamples(t *testing.T) {
	for _, provider := range providers(t) {
		doc := load(t, provider)
		err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation())
		if err != nil {
			t.Errorf("%s.yaml: %v", provider, err)
		}
		if doc.OpenAPI != "3.0.3" {
			t.Errorf("%s.yaml is OpenAPI %s, want 3.0.3, which the generator reads", provider, doc.OpenAPI)
		}
	}
}

// A provider has the same name in specs/, gen/, wrappers/ and generate.go. If
// one of the four lacks it, a part of the provider is missing.
func TestEverySpecHasItsFoldersAndGenerateLine(t *testing.T) {
	generate, err := os.ReadFile(filepath.Join("..", "generate.go"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^//go:generate .* -package (\w+) -o (\S+) (\S+)$`)
	lines := line.FindAllStringSubmatch(string(generate), -1)

	for _, provider := range providers(t) {
		want := []string{
			provider,
			"gen/" + provider + "/" + provider + ".gen.go",
			"specs/" + provider + ".yaml",
		}
		if !slices.ContainsFunc(lines, func(line []string) bool { return slices.Equal(line[1:], want) }) {
			t.Errorf("generate.go has no line that writes package %s to %s from %s", want[0], want[1], want[2])
		}
		if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(want[1]))); err != nil {
			t.Errorf("nothing is generated from %s: %v", want[2], err)
		}
		pkg, err := build.ImportDir(filepath.Join("..", "wrappers", provider), 0)
		if err != nil {
			t.Errorf("nobody wraps %s: %v", want[0], err)
		} else if pkg.Name != provider {
			t.Errorf("wrappers/%s is package %s", provider, pkg.Name)
		}
	}
	for _, line := range lines {
		if !slices.Contains(providers(t), line[1]) {
			t.Errorf("generate.go has a line for %s, which has no spec", line[1])
		}
	}
}
