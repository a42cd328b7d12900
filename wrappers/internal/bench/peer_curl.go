package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// curlTransfer sends all files of a round in one process, as many at once as
// the others do. Its start, some 10 ms, is part of what it costs.
func curlTransfer(ctx context.Context, t task) (int64, error) {
	return curl(ctx, t, fmt.Sprintf("url = \"%s/put/[1-%d]\"\nupload-file = %q\nheader = \"Content-Type: %s\"\n%s",
		t.Base, t.Count, t.File, mediaType, curlEach(t)))
}

// curlMultipart describes each upload by itself: curl 7.88 sends a form only
// once where it is shared by transfers that run at once.
func curlMultipart(ctx context.Context, t task) (int64, error) {
	one := fmt.Sprintf("url = \"%s/api/v1/files\"\nform = \"fileList=@%s\"\n%s", t.Base, t.File, curlEach(t))
	return curl(ctx, t, strings.Repeat(one+"next\n", t.Count-1)+one)
}

// curlEach are the options that hold for one transfer.
func curlEach(t task) string {
	return fmt.Sprintf("output = \"/dev/null\"\nsilent\nshow-error\nfail\ncacert = %q\n", t.CA)
}

func curl(ctx context.Context, t task, config string) (peak int64, err error) {
	args := []string{"--config", "-"}
	if t.Concurrency > 1 {
		args = append(args, "--parallel", "--parallel-immediate", "--parallel-max", strconv.Itoa(t.Concurrency))
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "curl", args...)
	cmd.Stdin, cmd.Stderr = strings.NewReader(config), &said
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	watched := watchPeak(cmd.Process.Pid)
	err = cmd.Wait()
	peak = watched()
	if err != nil {
		err = fmt.Errorf("curl: %w: %.200s", err, strings.TrimSpace(said.String()))
	}
	return peak, err
}

func curlFound() bool {
	_, err := exec.LookPath("curl")
	return err == nil
}
