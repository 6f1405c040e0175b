// Package imapwatch watches one account over IMAP: new mail comes out, once,
// and nothing in the mailbox is altered.
//
// A [Watcher] keeps INBOX open with IDLE and looks at Junk and Archive now and
// then. Mailboxes are opened with EXAMINE and mail is read with BODY.PEEK, so
// foreign mail keeps every byte and every flag. What was handled is remembered
// by (UIDVALIDITY, UID), never by Message-ID, which a stranger chooses.
package imapwatch

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"
)

// TLSMode says how the connection becomes private. There is no mode without TLS.
type TLSMode int

const (
	// Implicit speaks TLS from the first byte (port 993, RFC 8314).
	Implicit TLSMode = iota
	// StartTLS begins in the clear and upgrades before anything is said (port 143).
	StartTLS
)

// ErrLogin means that the server refused the user or password.
var ErrLogin = errors.New("the mail server refused the login")

// ErrNoStartTLS means that the server does not offer STARTTLS; the password was not sent.
var ErrNoStartTLS = errors.New("the mail server offers no STARTTLS")

// Config says which account is watched and how. Zero fields have sane defaults.
type Config struct {
	// Addr is host:port.
	Addr string
	TLS  TLSMode
	// TLSConfig may name further roots; the server name is taken from Addr when
	// it is empty.
	TLSConfig *tls.Config
	User      string
	// Password is asked at every login, so that a changed one is found.
	Password func(context.Context) (string, error)
	// Token, if set, is asked for an OAuth 2.0 access token in place of the
	// password. refused is the token that the server has just refused, empty at
	// first: the same one again means that there is no other.
	Token func(ctx context.Context, refused string) (string, error)
	Log   *slog.Logger
	// MaxMail is the size in bytes above which a mail is not fetched: 64 MiB
	// unless set. The handler is told of it with Mail.TooLarge.
	MaxMail int64
	// Other names further mailboxes to look at, beside INBOX and the Junk and
	// Archive that are found by SPECIAL-USE (RFC 6154) or by common names.
	Other []string
	// OnState, if set, is told of each change. It must not block.
	OnState func(State)
	Timing  Timing
	// Now is time.Now unless set.
	Now func() time.Time
}

// Timing holds the clocks of a watcher. Zero fields take the default.
type Timing struct {
	// IdleRestart is how long an IDLE stands before the connection is proven
	// alive and IDLE begins anew: 4 minutes.
	IdleRestart time.Duration
	// PollEvery is the distance of polls of INBOX where IDLE is missing: 1 minute.
	PollEvery time.Duration
	// LookEvery is the distance of looks at the other mailboxes: 5 minutes.
	LookEvery time.Duration
	// LookAfterMail is the least distance of looks caused by new mail: 15 seconds.
	LookAfterMail time.Duration
	// Command is the longest silence that is borne while an answer is due: 30 seconds.
	Command time.Duration
	// Search is the same for a search or a big fetch, which servers chew on: 2 minutes.
	Search time.Duration
	// RetryMin and RetryMax bound the waits before a mail whose handling failed
	// is offered again: 10 seconds, 15 minutes.
	RetryMin, RetryMax time.Duration
	// ReconnectMin and ReconnectMax bound the waits between connections: 1
	// second, 2 minutes.
	ReconnectMin, ReconnectMax time.Duration
	// LoginRetry is the wait after a refused login, so that no account is
	// locked by trying: 5 minutes.
	LoginRetry time.Duration
}

// Phase is what a watcher is doing.
type Phase string

// The phases.
const (
	Connecting Phase = "connecting"
	Watching   Phase = "watching"
	Failing    Phase = "failing"
)

// State is told to Config.OnState. Err is set when failing: it can be
// [ErrLogin], an x509 error, a network error.
type State struct {
	Phase Phase
	Err   error
}

// Header is what is known of a mail before it is fetched. The strings are as
// they stand in the mail, unfolded, and were written by a stranger.
type Header struct {
	Mailbox          string
	UIDValidity, UID uint32
	From             string
	MessageID        string
	ContentType      string
	// Claim is the Earnest-Claim field of a token mail.
	Claim string
	// Size is the server's word for it, in bytes.
	Size int64
	// More are all values of the fields that a [Curious] handler asked for, by their
	// canonical names, and Arrived is the server's word for when the mail came. Both
	// are empty where nothing more was asked.
	More    map[string][]string
	Arrived time.Time
}

// Mail is a fetched mail. Raw is byte for byte what the server holds; it is
// nil when TooLarge.
type Mail struct {
	Header
	Raw      []byte
	TooLarge bool
}

// Handler takes the mail. Its methods are called one at a time.
type Handler interface {
	// Want says by the header whether the mail is to be fetched. It is asked
	// about every mail that is encrypted (Content-Type multipart/encrypted) or
	// carries Earnest-Claim; about others it may be asked too.
	Want(Header) bool
	// Handle takes a wanted mail. Nil means done; an error means that it is
	// offered again later, and the others go on. The same mail can come twice
	// (after a crash, a move between mailboxes, a new UIDVALIDITY): content
	// decides, not the UID.
	Handle(context.Context, Mail) error
}

// Curious is a Handler that sometimes looks at mail that is not encrypted, too.
type Curious interface {
	// More names further header fields of the mails of a mailbox. While it names
	// none, the server is asked exactly what it is asked without.
	More(mailbox string) []string
}

// Position is how far a mailbox is handled.
type Position struct {
	Mailbox     string
	UIDValidity uint32
	// LastUID: all up to here is handled, except Pending.
	LastUID uint32
	// Pending are to be offered again, in ascending order.
	Pending []uint32
}

// Memory keeps positions over restarts. An unknown mailbox has the zero Position.
type Memory interface {
	Position(ctx context.Context, mailbox string) (Position, error)
	SavePosition(context.Context, Position) error
}

// Watcher watches one account.
type Watcher struct {
	cfg     Config
	handler Handler
	memory  Memory
	// culprits remembers, over connections, where reading went wrong.
	culprits culprits
	retries  map[mailID]retry
}

// New makes a watcher. It does nothing until Run.
func New(cfg Config, handler Handler, memory Memory) *Watcher {
	return &Watcher{
		cfg:      cfg.withDefaults(),
		handler:  handler,
		memory:   memory,
		culprits: newCulprits(),
		retries:  make(map[mailID]retry),
	}
}

// Run watches until ctx ends and returns its error. It reconnects by itself;
// what goes wrong meanwhile is told to Config.OnState.
func (w *Watcher) Run(ctx context.Context) error {
	wait := w.cfg.Timing.ReconnectMin
	for {
		w.tell(Connecting, nil)
		began := w.cfg.Now()
		watched, err := w.once(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.tell(Failing, err)
		if watched && w.cfg.Now().Sub(began) > w.cfg.Timing.ReconnectMax {
			wait = w.cfg.Timing.ReconnectMin
		}
		pause := jitter(wait)
		var bad *unreadableError
		switch {
		case errors.As(err, &bad):
			// The server is well; a mail in it is not. Go on at once, past it.
			pause = w.cfg.Timing.ReconnectMin / 4
		case errors.Is(err, ErrLogin):
			pause = w.cfg.Timing.LoginRetry
		default:
			wait = min(2*wait, w.cfg.Timing.ReconnectMax)
		}
		w.cfg.Log.Info("mailbox connection ended", "error", err, "retry_in", pause)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// Check logs in once, opens INBOX and logs out.
func Check(ctx context.Context, cfg Config) error {
	cfg = cfg.withDefaults()
	s, err := dial(ctx, cfg)
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.examine("INBOX"); err != nil {
		return err
	}
	s.logout()
	return nil
}

func (w *Watcher) tell(phase Phase, err error) {
	if w.cfg.OnState != nil {
		w.cfg.OnState(State{Phase: phase, Err: err})
	}
}

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.MaxMail <= 0 {
		c.MaxMail = 64 << 20
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	t := &c.Timing
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.IdleRestart, 4 * time.Minute},
		{&t.PollEvery, time.Minute},
		{&t.LookEvery, 5 * time.Minute},
		{&t.LookAfterMail, 15 * time.Second},
		{&t.Command, 30 * time.Second},
		{&t.Search, 2 * time.Minute},
		{&t.RetryMin, 10 * time.Second},
		{&t.RetryMax, 15 * time.Minute},
		{&t.ReconnectMin, time.Second},
		{&t.ReconnectMax, 2 * time.Minute},
		{&t.LoginRetry, 5 * time.Minute},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return c
}
