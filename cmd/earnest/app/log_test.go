package app

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"earnest/internal/logx"
)

// What the agent logs goes where it went, and the last of it is kept.
func TestTheLogIsKeptBesideTheRealOne(t *testing.T) {
	var out bytes.Buffer
	config := Config{Home: t.TempDir(), Keyring: "memory", Version: "1.2.3", Log: slog.New(logx.JSON(&out, slog.LevelWarn))}
	recent := keepLog(&config)
	for range 600 {
		config.Log.Info("not for the real one", "to", "anna@example.org")
	}
	config.Log.Warn("of a server", "err", errors.New("NO the mailbox of anna@example.org is locked"))
	config.Log.Warn("for both")
	lines := recent.Lines()
	if len(lines) != recentLines || lines[len(lines)-1].Text != "for both" || strings.Contains(lines[0].Text, "anna") {
		t.Errorf("%d lines are kept, from %q to %q", len(lines), lines[0].Text, lines[len(lines)-1].Text)
	}
	if text := out.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "for both") || strings.Contains(text, "anna") {
		t.Errorf("the real log: %s", text)
	}
}
