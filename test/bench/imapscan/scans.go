package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"earnest/imapwatch"
	"earnest/internal/mailtest"
)

// taker takes encrypted mails and forgets them.
type taker struct{ found int }

// Want implements imapwatch.Handler.
func (k *taker) Want(h imapwatch.Header) bool {
	return strings.HasPrefix(h.ContentType, "multipart/encrypted")
}

// Handle implements imapwatch.Handler.
func (k *taker) Handle(context.Context, imapwatch.Mail) error {
	k.found++
	return nil
}

// memory ends the watch when the last mail is handled.
type memory struct {
	mu   sync.Mutex
	last uint32
	pos  imapwatch.Position
	done func()
}

// Position implements imapwatch.Memory.
func (m *memory) Position(_ context.Context, mailbox string) (imapwatch.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mailbox != "INBOX" {
		return imapwatch.Position{}, nil
	}
	return m.pos, nil
}

// SavePosition implements imapwatch.Memory.
func (m *memory) SavePosition(_ context.Context, p imapwatch.Position) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pos = p
	if p.LastUID == m.last {
		m.done()
	}
	return nil
}

func scanByWatcher(ctx context.Context, j task, secure *tls.Config) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k := &taker{}
	cfg := imapwatch.Config{
		Addr: j.Addr, TLSConfig: secure, User: "bob",
		Password: func(context.Context) (string, error) { return mailtest.Password("bob"), nil },
		OnState: func(s imapwatch.State) {
			if s.Err != nil && ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, "watcher:", s.Err)
			}
		},
	}
	err := imapwatch.New(cfg, k, &memory{last: j.Last, done: cancel}).Run(ctx)
	if !errors.Is(err, context.Canceled) {
		return 0, err
	}
	return k.found, nil
}

// open logs in and opens INBOX.
func open(j task, secure *tls.Config) (*imapclient.Client, error) {
	c, err := imapclient.DialTLS(j.Addr, &imapclient.Options{TLSConfig: secure})
	if err != nil {
		return nil, err
	}
	if err := c.Login("bob", mailtest.Password("bob")).Wait(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if _, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// scanBySearch searches and fetches the mails found, at once.
func scanBySearch(j task, secure *tls.Config) (int, error) {
	c, err := open(j, secure)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	hits, err := c.UIDSearch(&imap.SearchCriteria{
		Header: []imap.SearchCriteriaHeaderField{{Key: "Content-Type", Value: "multipart/encrypted"}},
	}, nil).Wait()
	if err != nil {
		return 0, err
	}
	found, err := fetch(c, hits.All, &imap.FetchItemBodySection{Peek: true}, func([]byte) bool { return true })
	return len(found), err
}

// scanByHeaders fetches the header fields of every mail, then the mails that
// are encrypted.
func scanByHeaders(j task, secure *tls.Config) (int, error) {
	c, err := open(j, secure)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	var all imap.UIDSet
	all.AddRange(1, 0)
	fields := &imap.FetchItemBodySection{
		Specifier: imap.PartSpecifierHeader, Peek: true,
		HeaderFields: []string{"From", "Message-Id", "Content-Type", "Earnest-Claim"},
	}
	hits, err := fetch(c, all, fields, func(header []byte) bool {
		return strings.Contains(string(header), "multipart/encrypted")
	})
	if err != nil {
		return 0, err
	}
	found, err := fetch(c, imap.UIDSetNum(hits...), &imap.FetchItemBodySection{Peek: true}, func([]byte) bool { return true })
	return len(found), err
}

// fetch streams one section of each mail and tells those that count.
func fetch(c *imapclient.Client, set imap.NumSet, section *imap.FetchItemBodySection, counts func([]byte) bool) ([]imap.UID, error) {
	command := c.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
	var found []imap.UID
	for message := command.Next(); message != nil; message = command.Next() {
		var uid imap.UID
		for item := message.Next(); item != nil; item = message.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				uid = item.UID
			case imapclient.FetchItemDataBodySection:
				raw, err := io.ReadAll(item.Literal)
				if err != nil {
					return nil, errors.Join(err, command.Close())
				}
				if counts(raw) {
					found = append(found, uid)
				}
			}
		}
	}
	return found, command.Close()
}

// peakMemory is the most memory that this process ever had, in KiB. It is
// VmHWM of proc(5): getrusage would count what was there before exec.
func peakMemory() (int64, error) {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kib int64
		if n, _ := fmt.Sscanf(lines.Text(), "VmHWM: %d kB", &kib); n == 1 {
			return kib, nil
		}
	}
	return 0, errors.New("the system does not tell the peak memory")
}
