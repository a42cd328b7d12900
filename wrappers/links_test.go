package wrappers_test

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/putpost/putpost/specs"
)

const module = "github.com/putpost/putpost"

type link struct {
	pkg     string   // what the program imports, below this module
	own     []string // packages of this module that come along
	modules []string // other modules
}

// A program that sends files links the packages of this list and no others: no
// validator, no stand-in, no store, nothing of the tests. A new line here is a
// decision, so the list is written out.
var links = []link{
	{pkg: "wrappers/upload"},
	{pkg: "wrappers/wire", own: []string{"wrappers/upload"}},
	{pkg: "gen/ncloudmailer", own: []string{"wrappers/upload", "wrappers/wire"}, modules: runtime},
	{pkg: "gen/twentyfourseven", modules: runtime},
	{
		pkg:     "wrappers/ncloudmailer",
		own:     []string{"gen/ncloudmailer", "wrappers/upload", "wrappers/wire"},
		modules: runtime,
	},
	{
		pkg:     "wrappers/twentyfourseven",
		own:     []string{"gen/twentyfourseven", "wrappers/upload", "wrappers/wire"},
		modules: append([]string{"golang.org/x/oauth2"}, runtime...),
	},
	{pkg: "gen/console", modules: runtime},
}

// runtime is what generated code needs, with what that brings.
var runtime = []string{
	"github.com/apapsch/go-jsonmerge/v2",
	"github.com/google/uuid",
	"github.com/oapi-codegen/runtime",
}

func TestProgramLinksWhatIsListedAndNothingElse(t *testing.T) {
	for _, tc := range links {
		for _, goos := range []string{"linux", "windows"} {
			t.Run(tc.pkg+" on "+goos, func(t *testing.T) {
				t.Parallel()
				own, modules := linked(t, goos, tc.pkg)
				watch(t, own)
				compare(t, "package", own, append(tc.own, tc.pkg))
				compare(t, "module", modules, tc.modules)
			})
		}
	}
}

// Each start of putpost initialises the packages of all linked modules, even if
// the command needs none of them. A general validator of documents once doubled
// the time of a start.
func TestPutpostLinksTheModulesThatAreListed(t *testing.T) {
	own, modules := linked(t, "linux", "wrappers/cmd/putpost")
	watch(t, own)
	compare(t, "module", modules, append([]string{
		"github.com/alecthomas/kong",
		"go.yaml.in/yaml/v3", // reads the specs
		"golang.org/x/oauth2",
		"golang.org/x/sys",
		"golang.org/x/term",
	}, runtime...))
}

// Each spec adds packages, so each has a list.
func TestEverySpecHasItsListsOfLinks(t *testing.T) {
	files, err := fs.Glob(specs.FS, "*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("specs.FS holds %q: %v", files, err)
	}
	for _, file := range files {
		for _, folder := range []string{"gen/", "wrappers/"} {
			pkg := folder + strings.TrimSuffix(file, ".yaml")
			if pkg == "wrappers/console" {
				continue // belongs to the stand-ins, and holds calls to their specs
			}
			if !slices.ContainsFunc(links, func(l link) bool { return l.pkg == pkg }) {
				t.Errorf("%s has no line in links", pkg)
			}
		}
	}
}

// linked lists the packages of this module, and the other modules, that a
// program importing pkg links. The standard library's package testing counts as
// one, because it adds flags to a program.
func linked(t *testing.T, goos, pkg string) (own, modules []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f",
		"{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}", module+"/"+pkg)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &complaint)
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		path, mod, _ := strings.Cut(lines.Text(), " ")
		switch {
		case mod == module:
			own = append(own, strings.TrimPrefix(path, module+"/"))
		case mod != "":
			modules = append(modules, mod)
		case path == "testing":
			modules = append(modules, path)
		}
	}
	return own, modules
}

// watch reads go.mod and the packages, so that go test runs the test again
// after a change. The cache of go test does not see the reads of go list.
func watch(t *testing.T, own []string) {
	t.Helper()
	if _, err := os.Stat("../go.mod"); err != nil {
		t.Error(err)
	}
	for _, pkg := range own {
		if _, err := os.ReadDir("../" + pkg); err != nil {
			t.Error(err)
		}
	}
}

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	for _, path := range slices.Compact(slices.Sorted(slices.Values(got))) {
		if !slices.Contains(want, path) {
			t.Errorf("links the %s %s, which is not listed", what, path)
		}
	}
	for _, path := range want {
		if !slices.Contains(got, path) {
			t.Errorf("no longer links the %s %s: the list is out of date", what, path)
		}
	}
}
