// Package logx sets up logging: text for a person at a terminal, JSON for
// machines, and addresses only as hashes.
package logx

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"
)

// New returns a logger to out: coloured text if it is a terminal (without
// colours where NO_COLOR is set), else JSON, one object a line.
func New(out *os.File, level slog.Leveler) *slog.Logger {
	if isatty.IsTerminal(out.Fd()) || isatty.IsCygwinTerminal(out.Fd()) {
		return slog.New(text(out, level, os.Getenv("NO_COLOR") != ""))
	}
	return slog.New(JSON(out, level))
}

// JSON returns a handler that writes one object a line, with times in UTC.
func JSON(out io.Writer, level slog.Leveler) slog.Handler {
	return slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: inUTC})
}

func text(out io.Writer, level slog.Leveler, plain bool) slog.Handler {
	return tint.NewTextHandler(out, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: plain})
}

func inUTC(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime {
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	}
	return a
}

// ParseLevel reads a level as a person writes it: debug, info, warn or error.
func ParseLevel(name string) (slog.Level, error) {
	switch strings.ToLower(name) {
	case "debug":
		return slog.LevelDebug, nil
	case "", "info":
		return slog.LevelInfo, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("there is no log level %q: it is debug, info, warn or error", name)
}
