package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is either the benchmark or, by its first argument, one of the processes
// that it starts.
func run(ctx context.Context, args []string) error {
	verb := ""
	if len(args) > 0 {
		verb = args[0]
	}
	switch verb {
	case "task":
		return told[task](ctx, args)
	case "batch":
		return told[batch](ctx, args)
	case "serve", "disk":
		flags := flag.NewFlagSet(verb, flag.ContinueOnError)
		delay, dir := flags.Duration("delay", 0, "round trip"), flags.String("dir", "", "folder")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		if verb == "disk" {
			return serveDisk(*dir)
		}
		return serve(*delay, *dir)
	}
	return compare(ctx, args)
}

// told has a job done that another process described.
func told[job interface {
	do(context.Context, io.Writer) error
}](ctx context.Context, args []string) error {
	var j job
	if err := json.Unmarshal([]byte(args[1]), &j); err != nil {
		return err
	}
	return j.do(ctx, os.Stdout)
}

var errMissed = errors.New("not all goals were reached")

func compare(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "a few seconds: everything runs once, and the figures mean nothing")
	goals := flags.Bool("goals", false, "only what the goals are about; exit status 1 where one is missed")
	cpu := flags.Bool("cpu", false, "of the goals, those about processor time; for tuning")
	out := flags.String("out", "", "folder for the text and the chart of a full run (default results, here)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p := full()
	switch {
	case *quick:
		p = quickest()
	case *goals || *cpu:
		p = goalsOnly()
	case *out == "":
		*out = "results"
	}
	b, err := newBench(ctx, p, os.Stderr)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.checkBytes(ctx); err != nil {
		return err
	}
	if err := b.measure(ctx); err != nil {
		return err
	}
	results := b.processorGoals()
	if !*cpu {
		more, err := b.otherGoals(ctx)
		if err != nil {
			return err
		}
		results = append(results, more...)
	}
	var text bytes.Buffer
	b.write(&text, results)
	fmt.Print(text.String())
	if *out != "" {
		if err := b.keep(*out, text.Bytes()); err != nil {
			return err
		}
	}
	if *goals && !*quick {
		for _, g := range results {
			if !g.met {
				return errMissed
			}
		}
	}
	return nil
}

// keep leaves the run's text and chart in a folder.
func (b *bench) keep(dir string, text []byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "results.txt"), text, 0o644); err != nil {
		return err
	}
	chart, drawn := b.chart()
	if !drawn {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, "chart.svg"), chart, 0o644)
}
