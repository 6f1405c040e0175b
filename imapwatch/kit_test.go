package imapwatch_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"earnest/imapwatch"
	"earnest/internal/mailhost"
	"earnest/internal/mailtest"
)

const bobPassword = "bob secret"

// backend is a mail server with one user, bob.
type backend struct {
	addr, startTLSAddr string
	tls                *tls.Config
	junk, archive      string
	deliver            func(t *testing.T, mailbox string, raw []byte)
	renumber           func(t *testing.T)
}

func embedded(t *testing.T, opts mailhost.Options) (*mailhost.Host, backend) {
	t.Helper()
	h, err := mailhost.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	if err := h.AddUser("bob", bobPassword, "bob@example.org"); err != nil {
		t.Fatal(err)
	}
	return h, backend{
		addr: h.IMAPAddr, startTLSAddr: h.IMAPStartTLSAddr, tls: h.TLSConfig(),
		junk: mailhost.Junk, archive: mailhost.Archive,
		deliver: func(t *testing.T, mailbox string, raw []byte) {
			t.Helper()
			if err := h.DeliverTo("bob@example.org", mailbox, raw); err != nil {
				t.Fatal(err)
			}
		},
		renumber: func(t *testing.T) {
			t.Helper()
			if err := h.Renumber(t.Context(), "bob", mailhost.Inbox); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func dovecot(t *testing.T) (*mailtest.Dovecot, backend) {
	t.Helper()
	d := mailtest.StartDovecot(t, "bob")
	return d, backend{
		addr: d.IMAPAddr, startTLSAddr: d.IMAPStartTLSAddr, tls: d.TLSConfig(),
		junk: mailtest.Junk, archive: mailtest.Archive,
		deliver: func(t *testing.T, mailbox string, raw []byte) {
			t.Helper()
			var err error
			if mailbox == "INBOX" {
				err = d.Deliver("bob", raw)
			} else {
				err = d.Put("bob", mailbox, raw)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		renumber: func(t *testing.T) {
			t.Helper()
			if err := d.Renumber("bob"); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// onBoth runs a test against the embedded server and against Dovecot.
func onBoth(t *testing.T, test func(t *testing.T, b backend)) {
	t.Helper()
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		_, b := embedded(t, mailhost.Options{})
		test(t, b)
	})
	t.Run("dovecot", func(t *testing.T) {
		t.Parallel()
		_, b := dovecot(t)
		test(t, b)
	})
}

// config has short clocks, so that nothing is waited for.
func (b backend) config(states *states) imapwatch.Config {
	return imapwatch.Config{
		Addr: b.addr, TLSConfig: b.tls, User: "bob", OnState: states.add,
		Password: func(context.Context) (string, error) { return bobPassword, nil },
		Timing: imapwatch.Timing{
			IdleRestart: time.Minute, PollEvery: 50 * time.Millisecond, LookEvery: 100 * time.Millisecond,
			LookAfterMail: time.Millisecond, Command: 5 * time.Second, Search: 5 * time.Second, RetryMin: 20 * time.Millisecond,
			RetryMax: 40 * time.Millisecond, ReconnectMin: 10 * time.Millisecond, ReconnectMax: 50 * time.Millisecond,
			LoginRetry: 50 * time.Millisecond,
		},
	}
}

// states collects what a watcher told of itself.
type states struct {
	mu  sync.Mutex
	all []imapwatch.State
}

func (s *states) add(state imapwatch.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, state)
}

func (s *states) count(phase imapwatch.Phase) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, state := range s.all {
		if state.Phase == phase {
			n++
		}
	}
	return n
}

// failure waits for the first failure.
func (s *states) failure(t *testing.T) error {
	t.Helper()
	await(t, "a failure", func() bool { return s.count(imapwatch.Failing) > 0 })
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.all, func(state imapwatch.State) bool { return state.Phase == imapwatch.Failing })
	return s.all[i].Err
}

// memory keeps positions in a map, as they would be on disk.
type memory struct {
	mu        sync.Mutex
	positions map[string]imapwatch.Position
}

func (m *memory) Position(_ context.Context, mailbox string) (imapwatch.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.positions[mailbox], nil
}

func (m *memory) SavePosition(_ context.Context, p imapwatch.Position) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.positions == nil {
		m.positions = make(map[string]imapwatch.Position)
	}
	m.positions[p.Mailbox] = p
	return nil
}

// taker wants encrypted and token mails and remembers what it got.
type taker struct {
	mu    sync.Mutex
	mails []imapwatch.Mail
	// fail, if set, says whether a mail is refused.
	fail func(imapwatch.Mail) error
}

func (k *taker) Want(h imapwatch.Header) bool {
	return strings.HasPrefix(strings.ToLower(h.ContentType), "multipart/encrypted") || h.Claim != ""
}

func (k *taker) Handle(_ context.Context, m imapwatch.Mail) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		if err := k.fail(m); err != nil {
			return err
		}
	}
	k.mails = append(k.mails, m)
	return nil
}

// ids are the Message-IDs that were taken, in order.
func (k *taker) ids() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var ids []string
	for _, m := range k.mails {
		ids = append(ids, m.MessageID)
	}
	return ids
}

// wants waits until exactly these came, in any order if they are of several
// mailboxes, and no more within a little time.
func (k *taker) wants(t *testing.T, ids ...string) {
	t.Helper()
	await(t, fmt.Sprintf("mails %v", ids), func() bool { return len(k.ids()) >= len(ids) })
	time.Sleep(30 * time.Millisecond)
	got := k.ids()
	slices.Sort(got)
	slices.Sort(ids)
	if !slices.Equal(got, ids) {
		t.Fatalf("got mails %v, want %v", got, ids)
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

// watch runs a watcher until the returned func is called or the test ends.
func watch(t *testing.T, cfg imapwatch.Config, h imapwatch.Handler, m imapwatch.Memory) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- imapwatch.New(cfg, h, m).Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Run returned %v, want the end of the context", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Run does not end with its context")
		}
	})
	t.Cleanup(stop)
	return stop
}

// encrypted is a PGP/MIME mail by its looks.
func encrypted(id string) []byte {
	return []byte("From: Al <al@example.net>\r\nMessage-ID: " + id + "\r\nContent-Type: multipart/encrypted;\r\n" +
		"\tprotocol=\"application/pgp-encrypted\"; boundary=b\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\n" +
		"Version: 1\r\n\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n.bytes \xff of " + id + "\r\n--b--\r\n")
}

func token(id string) []byte {
	return []byte("From: escrow@example.net\r\nMessage-ID: " + id + "\r\nEarnest-Claim: abc\r\nContent-Type: text/plain\r\n\r\ntoken\r\n")
}

func foreign(id string) []byte {
	return []byte("From: friend@example.net\r\nMessage-ID: " + id + "\r\nSubject: hi\r\n\r\nA mail of " + id + "\r\n")
}

// wire is a TCP proxy that can be cut or go deaf.
type wire struct {
	addr   string
	target string
	mu     sync.Mutex
	deaf   bool
	pairs  []net.Conn
	opened int
}

func newWire(t *testing.T, target string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{addr: l.Addr().String(), target: target}
	t.Cleanup(func() {
		l.Close()
		w.cut()
	})
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", w.target)
			if err != nil {
				in.Close()
				continue
			}
			w.mu.Lock()
			w.pairs = append(w.pairs, in, out)
			w.opened++
			hole := &hole{wire: w, number: w.opened}
			w.mu.Unlock()
			go hole.copy(in, out)
			go hole.copy(out, in)
		}
	}()
	return w
}

// hole copies until the wire is deaf; then it swallows, for the connections
// that were open at that time.
type hole struct {
	wire   *wire
	number int
	lost   bool
}

func (h *hole) copy(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		h.wire.mu.Lock()
		h.lost = h.lost || h.wire.deaf
		lost := h.lost
		h.wire.mu.Unlock()
		if lost {
			_, _ = io.Copy(io.Discard, from)
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.pairs {
		c.Close()
	}
	w.pairs = nil
}

// goDeaf makes the open connections swallow everything from now on.
func (w *wire) goDeaf(deaf bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf = deaf
}
