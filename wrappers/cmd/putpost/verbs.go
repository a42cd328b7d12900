package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/putpost/putpost/wrappers/internal/stall"
	"github.com/putpost/putpost/wrappers/upload"
)

// providerCommands returns the verbs of all providers as commands.
func providerCommands() (all []subcommand) {
	for _, provider := range providerNames() {
		for _, v := range providers[provider].verbs {
			all = append(all, subcommand{v.name, v.help, &verbCmd{provider: provider, verb: v},
				`set:"takes=` + v.takes + `"`})
		}
	}
	return all
}

// verbCmd is one operation of one provider.
type verbCmd struct {
	provider string
	verb     verb

	JSON bool     `help:"Print a JSON object for each file instead of columns."`
	IDs  []string `arg:"" name:"ID" help:"${takes}"`
}

func (c *verbCmd) Help() string {
	return c.verb.more + `

An ID that fails is a line on standard error. It does not stop the others. With
--json it also has an object. Only a failure has a kind. The credentials are the
same as for putpost send: see putpost send --help.`
}

// verbStall is the longest time for the answer to one call.
const verbStall = time.Minute

func (c *verbCmd) Run(p *program) error {
	transport := &stall.Transport{Base: upload.NewTransport(), After: verbStall, Reason: stalled(verbStall)}
	client, err := providers[c.provider].client(p.env, upload.Config{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer onInterrupt(cancel, func() {})()
	out, failed := newOutput(p), false
	for _, id := range c.IDs {
		if ctx.Err() != nil {
			return errReported
		}
		records, err := c.verb.call(ctx, client, id)
		if err != nil {
			hint := ""
			if c.verb.mistaken != "" && errors.Is(err, upload.ErrNotFound) {
				hint = " (" + c.verb.mistaken + ")"
			}
			out.failure("%s: %s%s", id, message(err), hint)
			failed = true
			if c.JSON {
				f := failureOf(err)
				f.Provider, f.ID = c.provider, id
				if err := out.data(jsonLine(f)); err != nil {
					return err
				}
			}
			continue
		}
		for _, r := range records {
			r.Provider = c.provider
			if err := out.data(r.line(c.JSON)); err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
		}
	}
	if failed {
		return errReported
	}
	return nil
}
