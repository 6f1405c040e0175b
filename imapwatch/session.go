package imapwatch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// session is one logged-in connection. One goroutine uses it.
type session struct {
	cfg    Config
	client *imapclient.Client
	raw    *patientConn
	stop   func() bool
	// exists gets a value when the server announced mail.
	exists chan struct{}
}

// selected is an opened mailbox.
type selected struct {
	name     string
	validity uint32
	// next is UIDNEXT, 0 if the server keeps it to itself.
	next uint32
	// messages is how many there are.
	messages uint32
}

// dial connects and logs in.
func dial(ctx context.Context, cfg Config) (*session, error) {
	conn, raw, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s := &session{cfg: cfg, raw: raw, exists: make(chan struct{}, 1)}
	s.stop = context.AfterFunc(ctx, func() { conn.Close() })
	s.client = imapclient.New(conn, &imapclient.Options{
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(data *imapclient.UnilateralDataMailbox) {
				if data.NumMessages != nil {
					s.announce()
				}
			},
		},
	})
	if err := s.login(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) announce() {
	select {
	case s.exists <- struct{}{}:
	default:
	}
}

func (s *session) close() {
	s.stop()
	s.client.Close()
}

// logout is polite; nothing depends on it.
func (s *session) logout() {
	defer s.patience(s.cfg.Timing.Command)()
	_ = s.client.Logout().Wait()
}

// patience bears so much silence until the returned func is called.
func (s *session) patience(silence time.Duration) func() {
	s.raw.bear(silence)
	return func() { s.raw.bear(0) }
}

// fault makes err name what broke: the network's own error rather than the
// library's text of it.
func (s *session) fault(doing string, err error) error {
	if err == nil {
		return nil
	}
	if broken := s.raw.broken(); broken != nil {
		if timeout, ok := errors.AsType[net.Error](broken); ok && timeout.Timeout() {
			return fmt.Errorf("%s: the mail server does not answer: %w", doing, broken)
		}
		return fmt.Errorf("%s: connection lost: %w", doing, broken)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// wellConnected says whether the connection itself has not failed: then a
// command that ended it did so by what the server wrote.
func (s *session) wellConnected() bool { return s.raw.broken() == nil }

// alive says whether the connection can still be used. The library's state is
// asked, not its Closed: that comes only after the commands under way have been
// answered with the error that ended them, and a mail that is fetched between
// the two would be blamed for it.
func (s *session) alive() bool {
	return s.client.State() != imap.ConnStateLogout && s.wellConnected()
}

func (s *session) login(ctx context.Context) error {
	defer s.patience(s.cfg.Timing.Command)()
	if err := s.client.WaitGreeting(); err != nil {
		return s.fault("greeting of the mail server", err)
	}
	if s.client.State() == imap.ConnStateAuthenticated {
		return nil
	}
	tried, err := s.present(ctx)
	if !tried {
		return err
	}
	if answer, ok := errors.AsType[*imap.Error](err); ok {
		if answer.Code == imap.ResponseCodeUnavailable || answer.Code == imap.ResponseCodeInUse ||
			answer.Code == imap.ResponseCodeServerBug {
			return fmt.Errorf("log in: the mail server cannot now (%s)", answer.Code)
		}
		return fmt.Errorf("log in: %w", ErrLogin)
	}
	if err != nil {
		return s.fault("log in", err)
	}
	if s.client.Caps() == nil {
		return s.fault("log in", errors.New("the mail server does not say what it can"))
	}
	return nil
}

// examine opens a mailbox for reading only (RFC 3501 section 6.3.2).
func (s *session) examine(mailbox string) (selected, error) {
	defer s.patience(s.cfg.Timing.Search)()
	data, err := s.client.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return selected{}, s.fault("open mailbox", err)
	}
	return selected{
		name:     mailbox,
		validity: data.UIDValidity,
		next:     uint32(data.UIDNext),
		messages: data.NumMessages,
	}, nil
}

// status asks for UIDVALIDITY and UIDNEXT of a mailbox that is not open.
func (s *session) status(mailbox string) (selected, error) {
	defer s.patience(s.cfg.Timing.Search)()
	data, err := s.client.Status(mailbox, &imap.StatusOptions{UIDNext: true, UIDValidity: true}).Wait()
	if err != nil {
		return selected{}, s.fault("look at mailbox", err)
	}
	return selected{name: mailbox, validity: data.UIDValidity, next: uint32(data.UIDNext)}, nil
}

// noop proves that the server is there and lets it announce mail.
func (s *session) noop() error {
	defer s.patience(s.cfg.Timing.Command)()
	return s.fault("ask the mail server", s.client.Noop().Wait())
}

// canIdle says whether IDLE (RFC 2177) is offered.
func (s *session) canIdle() bool {
	caps := s.client.Caps()
	return caps.Has(imap.CapIdle) || caps.Has(imap.CapIMAP4rev2)
}

// idle waits with IDLE until mail is announced or the time is over. Ending
// IDLE is answered by the server, so each return without error proves that the
// connection lives.
func (s *session) idle(ctx context.Context, longest time.Duration) error {
	s.raw.bear(s.cfg.Timing.Command)
	defer s.raw.bear(0)
	command, err := s.client.Idle()
	if err != nil {
		return s.fault("wait for mail", err)
	}
	s.raw.bear(0)
	s.wait(ctx, longest)
	s.raw.bear(s.cfg.Timing.Command)
	if err := command.Close(); err != nil {
		return s.fault("wait for mail", err)
	}
	if err := command.Wait(); err != nil {
		return s.fault("wait for mail", err)
	}
	return ctx.Err()
}

// wait returns when mail is announced, the connection ends, or time is over.
func (s *session) wait(ctx context.Context, longest time.Duration) {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-s.exists:
		s.announce()
	case <-timer.C:
	case <-s.client.Closed():
	case <-ctx.Done():
	}
}

// announced takes the announcement, if there is one.
func (s *session) announced() bool {
	select {
	case <-s.exists:
		return true
	default:
		return false
	}
}

// others finds Junk and Archive: by SPECIAL-USE, else by name.
func (s *session) others() ([]string, error) {
	defer s.patience(s.cfg.Timing.Search)()
	var options *imap.ListOptions
	caps := s.client.Caps()
	if caps.Has(imap.CapSpecialUse) && (caps.Has(imap.CapListExtended) || caps.Has(imap.CapIMAP4rev2)) {
		options = &imap.ListOptions{ReturnSpecialUse: true}
	}
	list, err := s.client.List("", "*", options).Collect()
	if err != nil {
		return nil, s.fault("list mailboxes", err)
	}
	return pickOthers(list, s.cfg.Other), nil
}

// pickOthers chooses the mailboxes to look at beside INBOX.
func pickOthers(list []*imap.ListData, named []string) []string {
	var junk, archive, all, junkByName, archiveByName []string
	for _, box := range list {
		if slices.Contains(box.Attrs, imap.MailboxAttrNoSelect) || slices.Contains(box.Attrs, imap.MailboxAttrNonExistent) {
			continue
		}
		leaf := box.Mailbox
		if box.Delim != 0 {
			leaf = leaf[strings.LastIndex(leaf, string(box.Delim))+1:]
		}
		switch strings.ToLower(leaf) {
		case "junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk mail", "bulk":
			junkByName = append(junkByName, box.Mailbox)
		case "archive", "archives":
			archiveByName = append(archiveByName, box.Mailbox)
		}
		for _, attr := range box.Attrs {
			switch attr {
			case imap.MailboxAttrJunk:
				junk = append(junk, box.Mailbox)
			case imap.MailboxAttrArchive:
				archive = append(archive, box.Mailbox)
			case imap.MailboxAttrAll:
				all = append(all, box.Mailbox)
			}
		}
	}
	chosen := slices.Clone(named)
	chosen = append(chosen, firstOf(junk, junkByName)...)
	chosen = append(chosen, firstOf(archive, all, archiveByName)...)
	slices.Sort(chosen)
	chosen = slices.Compact(chosen)
	return slices.DeleteFunc(chosen, func(name string) bool { return strings.EqualFold(name, "INBOX") })
}

// firstOf returns the first list that is not empty.
func firstOf(lists ...[]string) []string {
	for _, list := range lists {
		if len(list) > 0 {
			return list
		}
	}
	return nil
}
