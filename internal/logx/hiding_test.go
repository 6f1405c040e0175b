package logx

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestHiding_NoAddressGetsThrough(t *testing.T) {
	var out bytes.Buffer
	h := NewHasher([]byte("key"))
	log := slog.New(Hiding(JSON(&out, slog.LevelInfo), h)).With("mailbox", "anna@mail.example", "n", 3)
	log.Debug("not shown")
	said := errors.New("SELECT: the mailbox of <o'brien@mail.example> is locked; 'anna@mail.example' too")
	log.WithGroup("g").With("err", said).Warn("it failed", "err", fmt.Errorf("look: %w", said), slog.Group("in", "to", "ben@mail.example", "size", 7))
	log.Info("it ended for anna@mail.example", "error", &told{"kept to itself"})
	text := out.String()
	for _, part := range []string{"anna", "brien", "ben", "mail.example", "not shown"} {
		if strings.Contains(text, part) {
			t.Errorf("%q is in the log: %s", part, text)
		}
	}
	anna := h.Address("anna@mail.example").String()
	for _, part := range []string{`"n":3`, `"size":7`, `"code":535`, "SELECT: the mailbox of", anna, "'" + anna + "'", `"mailbox":"` + anna + `"`} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in the log: %s", part, text)
		}
	}
}
