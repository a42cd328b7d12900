package browser

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// axeVersion is the release of axe-core that looks at the page.
const axeVersion = "axe-core@4.10.3"

// axe returns the source of axe-core, or why there is none.
var axe = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "axe-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	install := exec.Command("npm", "install", "--no-save", "--ignore-scripts", "--silent", "--prefix", dir, axeVersion)
	if err := install.Run(); err != nil {
		return "", err
	}
	source, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	return string(source), err
})

// accessible fails for each serious finding of axe-core.
func accessible(t *testing.T, ctx context.Context, state string) {
	t.Helper()
	source, err := axe()
	if err != nil {
		t.Logf("%s: axe-core is not looked at: npm does not give it: %v", state, err)
		return
	}
	do(t, ctx, "axe-core", chromedp.Evaluate[chromedp.Void](source+"\n;undefined"))
	found := script(t, ctx, `
		const {violations} = await axe.run(document, {resultTypes: ["violations"]});
		return JSON.stringify(violations.map((v) =>
			({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.map((n) => n.html)})));`)
	var violations []struct {
		ID, Impact, Help string
		Nodes            []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		if v.Impact == "serious" || v.Impact == "critical" {
			t.Errorf("%s: axe-core: %s: %s: %s: %q", state, v.Impact, v.ID, v.Help, v.Nodes)
		} else {
			t.Logf("%s: axe-core: %s: %s: %s", state, v.Impact, v.ID, v.Help)
		}
	}
}
