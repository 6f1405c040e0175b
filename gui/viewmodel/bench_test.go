package viewmodel

import (
	"fmt"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// tenThousand is a model with ten thousand mails that wait, without an agent's run.
func tenThousand() *Model {
	now := time.Now()
	m := New(Config{Agent: agenttest.New(time.Now), Location: time.UTC})
	mails := make([]agentclient.Mail, 10_000)
	for i := range mails {
		mails[i] = agentclient.Mail{ID: fmt.Sprintf("mail%06d", i), From: fmt.Sprintf("sender%d@example.net", i), Name: fmt.Sprintf("Sender %d", i),
			Subject: fmt.Sprintf("A subject of some length, number %d", i), State: "waiting", Price: agentclient.Money{Amount: "0.25", Unit: "EUR"},
			At: now.Add(-time.Duration(i) * time.Minute), DecideBy: now.Add(time.Duration(i) * time.Minute), Unread: i%2 == 0, FirstTime: i%3 == 0}
	}
	m.box.putAll(mails)
	m.loaded, m.status.Accounts = true, []agentclient.Account{{Address: "me@example.org"}}
	return m
}

// redraw asks for what a page asks for: the list, the rows in sight, the rest.
func redraw(m *Model) {
	l := m.Folder()
	for i := range min(15, l.Len) {
		l.Row(i)
	}
	m.Nav()
	m.Reading()
	m.Undo()
	m.Told()
}

func TestTenThousandMailsAreCheapToShow(t *testing.T) {
	m := tenThousand()
	m.box.selected = "mail009999"
	took := func(what string, most time.Duration, do func()) {
		t.Helper()
		best := time.Hour
		for range 5 {
			start := time.Now()
			do()
			best = min(best, time.Since(start))
		}
		t.Logf("%s: %s (meant to be below %s)", what, best, most)
		// A machine that does something else, or looks for races, may be many times
		// slower; work that grows with the list is slower by thousands.
		if best > 50*most {
			t.Errorf("%s took %s", what, best)
		}
	}
	i := 0
	took("a redraw", 5*time.Millisecond, func() { redraw(m) })
	took("a mail that changed, and a redraw", 5*time.Millisecond, func() {
		i++
		mail := m.box.byID[fmt.Sprintf("mail%06d", 5000+i)].mail
		mail.Unread = !mail.Unread
		m.update(func() { m.box.put(mail) })
		redraw(m)
	})
	took("a key in the search", 30*time.Millisecond, func() {
		i++
		m.Search(fmt.Sprintf("number 9%d sender", i))
		redraw(m)
	})
	took("a change and a redraw of a searched list", 5*time.Millisecond, func() {
		i++
		m.update(func() { m.box.put(m.box.byID[fmt.Sprintf("mail%06d", i)].mail) })
		redraw(m)
	})
	m.Search("")
	took("a filter", 30*time.Millisecond, func() { m.NextFilter(1); redraw(m) })
	m.Unfilter()
	took("all marked and rejected", 20*time.Millisecond, func() {
		m.update(func() { m.box.run, m.box.deciding = run{}, nil })
		m.MarkAll()
		m.RejectMarked()
		redraw(m)
	})
}

func BenchmarkRedrawOfTenThousand(b *testing.B) {
	m := tenThousand()
	for b.Loop() {
		redraw(m)
	}
}

func BenchmarkSearchInTenThousand(b *testing.B) {
	m := tenThousand()
	i := 0
	for b.Loop() {
		i++
		m.Search(fmt.Sprint("number ", i%100))
		redraw(m)
	}
}
