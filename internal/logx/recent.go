package logx

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Line is a line of the log that is kept in memory.
type Line struct {
	Time  time.Time
	Level slog.Level
	// Text is the message with its values, addresses under their hashes.
	Text string
	// Bare is what may be shown to strangers: the message, and of the values only
	// numbers, words of a known kind, and of errors what kinds they are.
	Bare string
}

// Recent keeps the last lines of a log. It is safe for concurrent use.
type Recent struct {
	hasher Hasher

	mu    sync.Mutex
	most  int
	next  int
	lines []Line
}

// NewRecent keeps at most so many lines.
func NewRecent(most int, hasher Hasher) *Recent { return &Recent{hasher: hasher, most: most} }

// Lines are the lines that are kept, the newest last.
func (r *Recent) Lines() []Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(append([]Line(nil), r.lines[r.next:]...), r.lines[:r.next]...)
}

func (r *Recent) add(line Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) < r.most {
		r.lines = append(r.lines, line)
		return
	}
	r.lines[r.next] = line
	r.next = (r.next + 1) % r.most
}

// Handler is what a logger writes to, beside its real handler.
func (r *Recent) Handler(level slog.Leveler) slog.Handler { return recentHandler{r: r, level: level} }

type recentHandler struct {
	r          *Recent
	level      slog.Leveler
	group      string
	text, bare string // of the values that every line has
}

func (h recentHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

func (h recentHandler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.group += name + "."
	}
	return h
}

func (h recentHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		h.attr(h.group, a)
	}
	return h
}

func (h recentHandler) Handle(_ context.Context, record slog.Record) error {
	h.text, h.bare = record.Message+h.text, bareMessage(record.Message)+h.bare
	record.Attrs(func(a slog.Attr) bool {
		h.attr(h.group, a)
		return true
	})
	h.r.add(Line{Time: record.Time.UTC(), Level: record.Level,
		Text: oneLine(h.r.hasher.hide(h.text)), Bare: oneLine(h.r.hasher.hide(h.bare))})
	return nil
}

// attr adds a value to both forms.
func (h *recentHandler) attr(group string, a slog.Attr) {
	err, failed := a.Value.Any().(error)
	if failed {
		h.text += " " + group + a.Key + "=" + fmt.Sprintf("%q", err.Error())
		h.bare += " " + group + a.Key + "=" + Kinds(err)
		return
	}
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, inner := range value.Group() {
			h.attr(group, inner)
		}
		return
	}
	if a.Key == "" {
		return
	}
	h.text += " " + group + a.Key + "=" + quoted(value.String())
	h.bare += " " + group + a.Key + "=" + bareValue(a.Key, value)
}

func quoted(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '"' }) {
		return fmt.Sprintf("%q", s)
	}
	return s
}

// words are the keys whose values are words of the program's own, or random ids.
func words(key string) bool {
	switch key {
	case "code", "state", "stage", "keyring", "mailbox_role", "bond", "mail", "verdict", "event":
		return true
	}
	return false
}

const withheld = "-"

// bareMessage is a message of the program's own, which is a literal in its source
// (internal/repotest holds that). What net/http says of a broken request or a
// panic is none and is withheld: it quotes, and has signs that messages have not.
func bareMessage(message string) string {
	if len(message) > 150 || strings.ContainsFunc(message, func(r rune) bool {
		return !unicode.IsLetter(r) && r != ' ' && r != ',' && r != ';' && r != '\'' && r != '-'
	}) {
		return withheld
	}
	return message
}

func bareValue(key string, value slog.Value) string {
	switch value.Kind() {
	case slog.KindBool, slog.KindDuration, slog.KindFloat64, slog.KindInt64, slog.KindUint64, slog.KindTime:
		return value.String()
	}
	if text := value.String(); words(key) && isWord(text) {
		return text
	}
	return withheld
}

// isWord reports a word or an id: nothing with a dot or an at sign, which hosts
// and addresses have.
func isWord(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

// hide puts the hash of each address in its place.
func (h Hasher) hide(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	return addressIn.ReplaceAllStringFunc(text, func(address string) string {
		// An apostrophe may be of the name, and around it is a quotation.
		bare := strings.Trim(address, "'")
		before, after, _ := strings.Cut(address, bare)
		return before + h.Address(bare).String() + after
	})
}

// addressIn finds what looks like an address, rather too much than too little.
var addressIn = regexp.MustCompile(`[^\s<>()\[\]"=,;:]+@[^\s<>()\[\]"=,;:]+`)

// maxLine is how much of a line is kept.
const maxLine = 2000

func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) > maxLine {
		s = strings.ToValidUTF8(s[:maxLine], "") + "…"
	}
	return s
}
