package monitor

import (
	"context"
	"log/slog"
)

// Refusals returns a handler for a log. It reads the attribute reason of each
// line that is logged with a request's context, and records it in the exchange
// as the reason of the refusal. Each line also goes on to next.
func Refusals(next slog.Handler) slog.Handler { return refusals{next} }

type refusals struct{ slog.Handler }

func (h refusals) Enabled(ctx context.Context, level slog.Level) bool {
	if h.Handler.Enabled(ctx, level) {
		return true
	}
	if level < slog.LevelWarn { // no refusal has such a level
		return false
	}
	_, watched := ctx.Value(visitKey{}).(*visit)
	return watched
}

func (h refusals) Handle(ctx context.Context, line slog.Record) error {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		line.Attrs(func(a slog.Attr) bool {
			if a.Key == "reason" {
				v.m.mu.Lock()
				v.record.Refusal = a.Value.String()
				v.m.history.measure(v.record)
				v.m.mu.Unlock()
			}
			return a.Key != "reason"
		})
	}
	if !h.Handler.Enabled(ctx, line.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, line)
}

func (h refusals) WithAttrs(attrs []slog.Attr) slog.Handler {
	return refusals{h.Handler.WithAttrs(attrs)}
}
func (h refusals) WithGroup(name string) slog.Handler { return refusals{h.Handler.WithGroup(name)} }
