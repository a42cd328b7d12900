package storetest

import (
	"context"
	"fmt"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

// tick is more than a second, because S3 counts in whole seconds.
const tick = 1100 * time.Millisecond

func modTime(ctx context.Context, s store.Store) error {
	stored := func() (time.Time, error) {
		r, opened, err := s.Open(ctx, "a")
		if err != nil {
			return time.Time{}, fmt.Errorf("Open: %w", err)
		}
		r.Close()
		info, err := s.Stat(ctx, "a")
		if err != nil {
			return time.Time{}, fmt.Errorf("Stat: %w", err)
		}
		if !opened.ModTime.Equal(info.ModTime) {
			return time.Time{}, fmt.Errorf("Open says ModTime = %v, and Stat %v", opened.ModTime, info.ModTime)
		}
		return info.ModTime.Round(0), nil
	}
	must(put(ctx, s, "a", textPlain, []byte("first")))
	first, err := stored()
	must(err)
	time.Sleep(tick)
	again, err := stored()
	must(err)
	failIf(!again.Equal(first), "ModTime went from %v to %v without a put", first, again)
	must(put(ctx, s, "a", textPlain, []byte("first")))
	second, err := stored()
	must(err)
	failIf(second.Equal(first),
		"ModTime did not move: it is %v after a put, and after another put %v later", first, tick)
	failIf(second.Before(first), "ModTime went back from %v to %v with a put %v later", first, second, tick)
	return nil
}
