package logx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestRecent_KeepsTheLastLines(t *testing.T) {
	r := NewRecent(5, NewHasher([]byte("key")))
	log := slog.New(slog.NewMultiHandler(slog.DiscardHandler, r.Handler(slog.LevelInfo)))
	if len(r.Lines()) != 0 {
		t.Errorf("at first: %v", r.Lines())
	}
	log.Debug("not kept")
	for i := range 12 {
		log.With("a", 1).WithGroup("g").Warn("line", "n", i)
		want := fmt.Sprintf("line a=1 g.n=%d", i)
		if all := r.Lines(); len(all) != min(i+1, 5) || all[len(all)-1].Text != want || all[len(all)-1].Level != slog.LevelWarn || all[0].Time.IsZero() {
			t.Errorf("after %d: %v", i, all)
		}
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				log.Info("many", "err", io.EOF)
				_ = r.Lines()
			}
		})
	}
	all.Wait()
	if lines := r.Lines(); len(lines) != 5 || lines[4].Text != `many err="EOF"` {
		t.Errorf("at the end: %v", lines)
	}
}

// told says of itself what may be in a log.
type told struct{ secret string }

func (e *told) Error() string { return e.secret }
func (e *told) LogValue() slog.Value {
	return slog.GroupValue(slog.String("stage", "connect"), slog.String("host", e.secret), slog.Int("code", 535))
}

func TestRecent_BareLinesShowNothingOfAPerson(t *testing.T) {
	const secret = "Zugvogel mail.example.org anna@example.org /home/anna 4.75"
	r := NewRecent(100, NewHasher([]byte("key")))
	log := slog.New(r.Handler(slog.LevelDebug)).With("with", secret, "code", secret)
	errs := []error{errors.New(secret), fmt.Errorf("%s: %w", secret, io.EOF), &told{secret}, fmt.Errorf("x: %w", errors.Join(&told{secret}, os.ErrNotExist)),
		&net.OpError{Op: "dial", Net: secret, Addr: &net.TCPAddr{}, Err: os.NewSyscallError(secret, syscall.ECONNREFUSED)},
		&fs.PathError{Op: "open", Path: secret, Err: syscall.EACCES}, context.DeadlineExceeded, &net.DNSError{Name: secret}}
	for _, err := range errs {
		log.Warn("it failed", "err", err, "state", secret, slog.Group("g", "err", err, "other", secret, "bond", "01939f-ab"))
	}
	log.Info("it failed: "+secret, "any", struct{ A string }{secret}, "bytes", []byte(secret), "code", secret+"x")
	log.WithGroup(secret).Info("words")
	for _, line := range r.Lines()[:len(r.Lines())-1] { // names of groups are the program's own
		for _, word := range strings.Fields(secret) {
			if strings.Contains(line.Bare, word) {
				t.Errorf("%q is in %s", word, line.Bare)
			}
		}
		if strings.Contains(line.Text, "anna@") {
			t.Errorf("an address is in %s", line.Text)
		}
		if !strings.Contains(line.Text, "Zugvogel") {
			t.Errorf("the owner's own log does not say what happened: %s", line.Text)
		}
	}
	bare := make([]string, 0, len(errs))
	for _, err := range errs {
		bare = append(bare, Kinds(err))
	}
	want := []string{"[]", "[EOF]", "[*logx.told{stage=connect host=- code=535}]", "[*logx.told{stage=connect host=- code=535} not exist]",
		"[*net.OpError *os.SyscallError errno 111]", "[*fs.PathError errno 13]", "[context.deadlineExceededError]", "[*net.DNSError]"}
	for i := range want {
		if i != 6 && bare[i] != want[i] {
			t.Errorf("%d: %s, want %s", i, bare[i], want[i])
		}
	}
	if bare[6] != "[deadline exceeded]" || !slices.ContainsFunc(r.Lines(), func(l Line) bool {
		return strings.Contains(l.Bare, "it failed with=- code=- err=[EOF] state=- g.err=[EOF] g.other=- g.bond=01939f-ab")
	}) {
		t.Errorf("%s %v", bare[6], r.Lines())
	}
	if line := r.Lines()[len(errs)]; !strings.HasPrefix(line.Bare, "- with=-") {
		t.Errorf("a message that was put together: %s", line.Bare)
	}
}

func TestRecent_ALineIsOneLineAndNotLong(t *testing.T) {
	r := NewRecent(3, Hasher{})
	slog.New(r.Handler(slog.LevelInfo)).Info("a\nb\x1b[31m", "err", strings.Repeat("ä", 5000), "who", "<a@b.example>")
	line := r.Lines()[0].Text
	if strings.ContainsAny(line, "\n\x1b") || len(line) > maxLine+4 {
		t.Errorf("%q", line)
	}
}
