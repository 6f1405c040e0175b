package imapwatch_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"earnest/imapwatch"
)

// counter counts what it is asked about.
type counter struct {
	taker
	asked atomic.Int64
}

func (c *counter) Want(h imapwatch.Header) bool {
	c.asked.Add(1)
	return c.taker.Want(h)
}

func TestFirstScanOfABigMailboxAsksOnlyForWhatMayBeWanted(t *testing.T) {
	t.Parallel()
	d, b := dovecot(t)
	var want []string
	err := d.Fill("bob", 5000, func(i int) []byte {
		id := fmt.Sprintf("<m%d>", i)
		switch {
		case i%100 == 7:
			want = append(want, id)
			return encrypted(id)
		case i%500 == 9:
			want = append(want, id)
			return token(id)
		}
		return foreign(id)
	})
	if err != nil {
		t.Fatal(err)
	}
	var s states
	var k counter
	m := &memory{}
	stop := watch(t, b.config(&s), &k, m)
	k.wants(t, want...)
	await(t, "the position", func() bool {
		p, _ := m.Position(t.Context(), "INBOX")
		return p.LastUID == 5000
	})
	if n := k.asked.Load(); n != int64(len(want)) {
		t.Errorf("the handler was asked about %d mails, want %d", n, len(want))
	}
	stop()
	// What came while nobody watched is few: each header is looked at.
	b.deliver(t, "INBOX", foreign("<late>"))
	b.deliver(t, "INBOX", encrypted("<e>"))
	watch(t, b.config(&s), &k, m)
	k.wants(t, append(slices.Clone(want), "<e>")...)
	if n := k.asked.Load(); n != int64(len(want))+2 {
		t.Errorf("the handler was asked about %d mails, want two more", n)
	}
}
