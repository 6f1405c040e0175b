package imapwatch_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"earnest/imapwatch"
)

// curious wants ordinary mail, too, by fields that it names.
type curious struct {
	taker
	fields  []string
	mu      sync.Mutex
	headers []imapwatch.Header
}

func (c *curious) More(mailbox string) []string {
	if mailbox != "INBOX" {
		return nil
	}
	return c.fields
}

func (c *curious) Want(h imapwatch.Header) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.headers = append(c.headers, h)
	return c.taker.Want(h) || h.More["Wanted"] != nil
}

func (c *curious) seen() []imapwatch.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.headers)
}

func TestK17_MoreOfTheHeaderIsSeen(t *testing.T) {
	onBoth(t, func(t *testing.T, b backend) {
		begun := time.Now().Add(-2 * time.Second)
		b.deliver(t, "INBOX", []byte("From: a@example.net\r\nMessage-ID: <o1>\r\nWANTED: yes,\r\n\tfolded\r\nWanted: twice\r\nOther: no\r\n\r\nx\r\n"))
		b.deliver(t, "INBOX", []byte("From: a@example.net\r\nMessage-ID: <o2>\r\n\r\nx\r\n"))
		b.deliver(t, b.junk, []byte("From: a@example.net\r\nMessage-ID: <j1>\r\nWanted: yes\r\n\r\nx\r\n"))
		b.deliver(t, "INBOX", encrypted("<e1>"))
		var s states
		c := &curious{fields: []string{"Wanted", "Absent"}}
		watch(t, b.config(&s), c, &memory{})
		c.wants(t, "<o1>", "<e1>")
		for _, h := range c.seen() {
			switch {
			case h.Mailbox != "INBOX":
				if h.More != nil || !h.Arrived.IsZero() {
					t.Errorf("of another mailbox, more came: %+v", h)
				}
			case h.Arrived.Before(begun) || h.Arrived.After(time.Now().Add(2*time.Second)):
				t.Errorf("%s arrived at %v", h.MessageID, h.Arrived)
			case h.MessageID == "<o1>":
				if got := h.More["Wanted"]; !slices.Equal(got, []string{"yes, folded", "twice"}) || len(h.More) != 1 {
					t.Errorf("more of it is %q", h.More)
				}
			}
		}
	})
}

// A handler that wants nothing more costs nothing more: the server is asked the
// same, byte for byte, as for one that cannot be curious at all.
func TestK17_WhoWantsNothingMoreAsksTheSame(t *testing.T) {
	t.Parallel()
	asked := func(handler imapwatch.Handler, wants func(*testing.T, ...string)) string {
		s := newScript(t, &script{mails: [][]byte{foreign("<f1>"), encrypted("<e1>"), foreign("<f2>")}})
		var st states
		watch(t, backend{addr: s.addr, tls: s.tls}.config(&st), handler, &memory{})
		wants(t, "<e1>")
		await(t, "waiting for mail", func() bool { return slices.Contains(s.said(), "IDLE") })
		lines := s.said()
		return strings.Join(lines[:slices.Index(lines, "IDLE")], "\n")
	}
	var plain taker
	off, on := &curious{}, &curious{fields: []string{"Wanted"}}
	want := asked(&plain, plain.wants)
	if !strings.Contains(want, "FETCH") || !strings.Contains(want, "HEADER.FIELDS") {
		t.Fatalf("the server was asked\n%s", want)
	}
	if got := asked(off, off.wants); got != want {
		t.Errorf("the server was asked\n%s\nwhich is not\n%s", got, want)
	}
	if got := asked(on, on.wants); got == want || !strings.Contains(got, "INTERNALDATE") {
		t.Errorf("a curious one asks\n%s", got)
	}
}

func (s *script) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}
