package logx

import (
	"context"
	"log/slog"
)

// Hiding returns a handler that passes on to another what it gets, with the hash of
// each address in its place: what a mail server says may name the mailbox.
func Hiding(to slog.Handler, hasher Hasher) slog.Handler { return hiding{to, hasher} }

type hiding struct {
	slog.Handler
	hasher Hasher
}

// Handle implements [slog.Handler].
func (h hiding) Handle(ctx context.Context, record slog.Record) error {
	hidden := slog.NewRecord(record.Time, record.Level, h.hasher.hide(record.Message), record.PC)
	record.Attrs(func(a slog.Attr) bool {
		hidden.AddAttrs(h.attr(a))
		return true
	})
	return h.Handler.Handle(ctx, hidden)
}

// WithAttrs implements [slog.Handler].
func (h hiding) WithAttrs(attrs []slog.Attr) slog.Handler {
	return hiding{h.Handler.WithAttrs(h.attrs(attrs)), h.hasher}
}

// WithGroup implements [slog.Handler].
func (h hiding) WithGroup(name string) slog.Handler {
	return hiding{h.Handler.WithGroup(name), h.hasher}
}

func (h hiding) attrs(attrs []slog.Attr) []slog.Attr {
	all := make([]slog.Attr, 0, len(attrs))
	for _, a := range attrs {
		all = append(all, h.attr(a))
	}
	return all
}

func (h hiding) attr(a slog.Attr) slog.Attr {
	value := a.Value.Resolve()
	switch value.Kind() {
	case slog.KindGroup:
		value = slog.GroupValue(h.attrs(value.Group())...)
	case slog.KindString:
		value = slog.StringValue(h.hasher.hide(value.String()))
	case slog.KindAny:
		// What an error says of itself for logs was resolved above.
		if err, ok := value.Any().(error); ok {
			value = slog.StringValue(h.hasher.hide(err.Error()))
		}
	}
	return slog.Attr{Key: a.Key, Value: value}
}
