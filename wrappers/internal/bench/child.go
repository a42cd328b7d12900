package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// child is a server process. Those of this program end with their standard
// input, so that none is left behind however the parent ends.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

// start starts cmd and waits for the first line that it prints.
func start(cmd *exec.Cmd) (*child, string, error) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	c := &child{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		c.stop()
		return nil, "", fmt.Errorf("%s said nothing: %w", cmd, err)
	}
	return c, line[:len(line)-1], nil
}

// startSelf starts one of this program's own servers.
func startSelf(ctx context.Context, args ...string) (*child, string, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = os.Stderr
	return start(cmd)
}

// stop ends the process, by its own means if it can, and waits for it.
func (c *child) stop() {
	c.stdin.Close()
	c.cmd.Process.Signal(os.Interrupt)
	end := time.AfterFunc(5*time.Second, func() { c.cmd.Process.Kill() })
	defer end.Stop()
	c.cmd.Wait()
}

func (c *child) peak() int64 { return peakOf(c.cmd.Process.Pid) }
