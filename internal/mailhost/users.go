package mailhost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// Mailboxes that each user has.
const (
	Inbox   = "INBOX"
	Junk    = "Junk"
	Archive = "Archive"
)

type user struct {
	login, password string
	addresses       []string
	store           *imapmemserver.User
}

// AddUser makes a user with a mailbox of INBOX, Junk and Archive. Mail to any
// of the addresses comes in there, and the user may send from each.
func (h *Host) AddUser(login, password string, addresses ...string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users[login] != nil {
		return fmt.Errorf("add mail user: login is taken")
	}
	u := &user{login: login, password: password, addresses: addresses, store: imapmemserver.NewUser(login, password)}
	for _, mailbox := range []string{Inbox, Junk, Archive} {
		if err := u.store.Create(mailbox, nil); err != nil {
			return fmt.Errorf("add mail user: %w", err)
		}
	}
	for _, address := range addresses {
		if h.boxes[fold(address)] != nil {
			return fmt.Errorf("add mail user: address is taken")
		}
	}
	for _, address := range addresses {
		h.boxes[fold(address)] = u
	}
	h.users[login] = u
	h.imap.AddUser(u.store)
	return nil
}

// fold makes addresses comparable. It is this host's own rule, as each
// provider has one.
func fold(address string) string { return strings.ToLower(address) }

func (h *Host) owner(address string) *user {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.boxes[fold(address)]
}

// Deliver puts a mail into the INBOX of an address, byte for byte.
func (h *Host) Deliver(address string, raw []byte) error {
	return h.DeliverTo(address, Inbox, raw)
}

// DeliverTo puts a mail into another mailbox: what a spam filter or a person does.
func (h *Host) DeliverTo(address, mailbox string, raw []byte) error {
	u := h.owner(address)
	if u == nil {
		return errors.New("deliver mail: nobody has this address")
	}
	if _, err := u.store.Append(mailbox, literal{bytes.NewReader(bytes.Clone(raw))}, &imap.AppendOptions{}); err != nil {
		return fmt.Errorf("deliver mail: %w", err)
	}
	return nil
}

type literal struct{ *bytes.Reader }

// Size implements imap.LiteralReader.
func (l literal) Size() int64 { return l.Reader.Size() }

// Messages reads every mail of a mailbox over IMAP, as any client would, in
// order. It does not mark them as seen.
func (h *Host) Messages(ctx context.Context, login, mailbox string) ([][]byte, error) {
	var raws [][]byte
	err := h.visit(ctx, login, func(c *imapclient.Client) error {
		opened, err := c.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
		if err != nil || opened.NumMessages == 0 {
			return err
		}
		var all imap.SeqSet
		all.AddRange(1, opened.NumMessages)
		whole := &imap.FetchItemBodySection{Peek: true}
		buffers, err := c.Fetch(all, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{whole}}).Collect()
		for _, b := range buffers {
			raws = append(raws, b.FindBodySection(whole))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read mailbox: %w", err)
	}
	return raws, nil
}

// Flags reads the flags of every mail of a mailbox, in order.
func (h *Host) Flags(ctx context.Context, login, mailbox string) ([][]imap.Flag, error) {
	var flags [][]imap.Flag
	err := h.visit(ctx, login, func(c *imapclient.Client) error {
		opened, err := c.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
		if err != nil || opened.NumMessages == 0 {
			return err
		}
		var all imap.SeqSet
		all.AddRange(1, opened.NumMessages)
		buffers, err := c.Fetch(all, &imap.FetchOptions{Flags: true}).Collect()
		for _, b := range buffers {
			flags = append(flags, b.Flags)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read flags: %w", err)
	}
	return flags, nil
}

// Renumber gives a mailbox a new UIDVALIDITY with the same mails, as a restore
// from a backup does, and breaks the connections.
func (h *Host) Renumber(ctx context.Context, login, mailbox string) error {
	raws, err := h.Messages(ctx, login, mailbox)
	if err != nil {
		return err
	}
	h.mu.Lock()
	u := h.users[login]
	h.mu.Unlock()
	if err := errors.Join(u.store.Delete(mailbox), u.store.Create(mailbox, nil)); err != nil {
		return fmt.Errorf("renumber mailbox: %w", err)
	}
	for _, raw := range raws {
		if _, err := u.store.Append(mailbox, literal{bytes.NewReader(raw)}, &imap.AppendOptions{}); err != nil {
			return fmt.Errorf("renumber mailbox: %w", err)
		}
	}
	h.Cut()
	return nil
}

// Empty deletes every mail of a mailbox.
func (h *Host) Empty(ctx context.Context, login, mailbox string) error {
	err := h.visit(ctx, login, func(c *imapclient.Client) error {
		opened, err := c.Select(mailbox, nil).Wait()
		if err != nil || opened.NumMessages == 0 {
			return err
		}
		var all imap.SeqSet
		all.AddRange(1, opened.NumMessages)
		gone := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
		if err := c.Store(all, gone, nil).Close(); err != nil {
			return err
		}
		return c.Expunge().Close()
	})
	if err != nil {
		return fmt.Errorf("empty mailbox: %w", err)
	}
	return nil
}

// visit logs in as the user over TLS.
func (h *Host) visit(ctx context.Context, login string, do func(*imapclient.Client) error) error {
	h.mu.Lock()
	u := h.users[login]
	h.mu.Unlock()
	if u == nil {
		return errors.New("no such user")
	}
	c, err := imapclient.DialTLS(h.IMAPAddr, &imapclient.Options{TLSConfig: h.TLSConfig()})
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if err := c.Login(u.login, u.password).Wait(); err != nil {
		return err
	}
	return do(c)
}
