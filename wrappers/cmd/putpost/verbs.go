package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kong"

	"github.com/putpost/putpost/wrappers/upload"
)

// providerCommands are the verbs of all providers as commands. Should two
// providers use one name, the second is told apart by the provider before it.
func providerCommands() []kong.Option {
	var options []kong.Option
	used := map[string]bool{}
	for _, provider := range providerNames() {
		for _, v := range providers[provider].verbs {
			name := v.name
			if used[name] {
				name = provider + "." + name
			}
			used[name] = true
			options = append(options, kong.DynamicCommand(name, v.help, "", &verbCmd{provider: provider, verb: v}))
		}
	}
	return options
}

// verbCmd is one operation of one provider.
type verbCmd struct {
	provider string
	verb     verb

	JSON bool     `name:"json" help:"Print a JSON object a line."`
	IDs  []string `arg:"" name:"ID" help:"What the operation takes: a fileId or a tempRequestId."`
}

func (c *verbCmd) Run(p *program) error {
	client, err := providers[c.provider].client(p.env, upload.Config{})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer onInterrupt(cancel, func() {})()
	out, failed := &console{out: p.stdout, err: p.stderr}, false
	for _, id := range c.IDs {
		if ctx.Err() != nil {
			return errReported
		}
		records, err := c.verb.call(ctx, client, id)
		if err != nil {
			out.note("%s: %v", id, err)
			failed = true
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
