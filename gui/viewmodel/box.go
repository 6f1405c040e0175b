package viewmodel

import (
	"context"
	"slices"
	"strings"
	"time"

	"earnest/agentclient"
)

// The states of a mail that came in, as agentclient says them.
const (
	mailHeld      = "held"
	mailWaiting   = "waiting"
	mailRejecting = "rejecting"
	mailAccepted  = "accepted"
	mailRejected  = "rejected"
	mailExpired   = "expired"
	mailWithdrawn = "withdrawn"
	mailDamaged   = "damaged"
)

// box is the mails that came in and the one that is open.
type box struct {
	mails    []agentclient.Mail
	loaded   bool
	search   string
	selected string // id
	reading  bool   // narrow window: the mail is shown, not the list
	open     agentclient.Message
	opening  bool
	more     int // how often more of a long text was asked for
	openErr  string
	deciding map[string]string // id: what was asked and is not answered yet
	notice   map[string]string // id: why the last decision failed
	saved    string            // what became of an attachment
}

func (b *box) put(mails []agentclient.Mail) {
	b.mails, b.loaded = mails, true
	if mail, ok := b.find(b.open.ID); ok {
		mail.Unread = false
		b.open.Mail = mail
	}
}

// turn is called when another page is shown.
func (b *box) turn() {
	b.selected, b.reading, b.open, b.openErr, b.saved = "", false, agentclient.Message{}, "", ""
}

func (b *box) find(id string) (agentclient.Mail, bool) {
	i := slices.IndexFunc(b.mails, func(m agentclient.Mail) bool { return m.ID == id })
	if id == "" || i < 0 {
		return agentclient.Mail{}, false
	}
	return b.mails[i], true
}

func pageOf(state string) Page {
	switch state {
	case mailAccepted:
		return PageAccepted
	case mailRejecting, mailRejected:
		return PageRejected
	case mailExpired, mailWithdrawn:
		return PageExpired
	}
	return PageWaiting
}

// in lists the mails of a page that match the search. Those that wait are in
// the order of their deadlines: the next to decide first.
func (b *box) in(page Page) []agentclient.Mail {
	var mails []agentclient.Mail
	words := strings.Fields(strings.ToLower(b.search))
	for _, mail := range b.mails {
		if pageOf(mail.State) != page {
			continue
		}
		hay := strings.ToLower(mail.From + " " + mail.Name + " " + mail.Subject)
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(hay, w) }) {
			mails = append(mails, mail)
		}
	}
	if page == PageWaiting {
		slices.SortStableFunc(mails, func(x, y agentclient.Mail) int { return due(x).Compare(due(y)) })
	}
	return mails
}

// due sorts a mail without a deadline yet behind those with one.
func due(m agentclient.Mail) time.Time {
	if m.DecideBy.IsZero() {
		return m.At.AddDate(100, 0, 0)
	}
	return m.DecideBy
}

func folder(p Page) bool {
	return p == PageWaiting || p == PageAccepted || p == PageRejected || p == PageExpired
}

// Search narrows the lists to mails with these words in sender or subject.
func (m *Model) Search(words string) {
	m.update(func() { m.box.search = words })
}

// Select opens a mail. In a narrow window it takes the place of the list.
func (m *Model) Select(id string) {
	m.mu.Lock()
	mail, ok := m.box.find(id)
	if !ok {
		m.mu.Unlock()
		return
	}
	again := m.box.selected == id
	if !again {
		m.box.more = 0
	}
	m.box.selected, m.box.reading, m.box.saved = id, true, ""
	// A held or damaged mail is not opened: there is nothing verified to show.
	opens := mail.State != mailHeld && mail.State != mailDamaged
	switch {
	case !opens:
		m.box.open, m.box.opening, m.box.openErr = agentclient.Message{Mail: mail}, false, ""
	case again && m.box.open.ID == id && m.box.openErr == "":
		opens = false
	default:
		m.box.open, m.box.opening, m.box.openErr = agentclient.Message{Mail: mail}, true, ""
	}
	m.mu.Unlock()
	m.changed()
	if opens {
		m.do(func(ctx context.Context) { m.openMail(ctx, id) })
	}
}

func (m *Model) openMail(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	message, err := m.agent.Message(ctx, id)
	m.update(func() {
		if m.box.selected != id {
			return // another one was chosen meanwhile
		}
		m.box.opening = false
		if err != nil {
			m.box.openErr = m.say.failure(err)
			return
		}
		m.box.open = message
		if i := slices.IndexFunc(m.box.mails, func(mail agentclient.Mail) bool { return mail.ID == id }); i >= 0 {
			m.box.mails = slices.Clone(m.box.mails)
			m.box.mails[i].Unread = false
		}
	})
}

// More shows more of a long text.
func (m *Model) More() {
	m.update(func() { m.box.more = min(m.box.more+1, mostMore) })
}

// Back returns to the list in a narrow window.
func (m *Model) Back() {
	m.update(func() { m.box.reading, m.out.reading = false, false })
}

// Move selects the next (1) or the previous (-1) row of the page's list.
func (m *Model) Move(step int) {
	m.mu.Lock()
	page := m.shown()
	ids, selected := m.ids(page)
	m.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	i := slices.Index(ids, selected)
	switch {
	case i < 0 && step < 0:
		i = len(ids) - 1
	case i < 0:
		i = 0
	default:
		i = min(max(i+step, 0), len(ids)-1)
	}
	if page == PageSent {
		m.SelectSent(ids[i])
	} else {
		m.Select(ids[i])
	}
}

func (m *Model) ids(page Page) (ids []string, selected string) {
	if page == PageSent {
		for _, s := range m.out.mails {
			ids = append(ids, s.ID)
		}
		return ids, m.out.selected
	}
	if folder(page) {
		for _, mail := range m.box.in(page) {
			ids = append(ids, mail.ID)
		}
	}
	return ids, m.box.selected
}

// SaveAttachment fetches the n-th attachment of the open mail and gives it to
// write, which is called outside the drawing goroutine.
func (m *Model) SaveAttachment(n int, write func(name string, data []byte) error) {
	m.mu.Lock()
	id := m.box.open.ID
	m.mu.Unlock()
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		attachment, err := m.agent.Attachment(ctx, id, n)
		if err == nil {
			err = write(line(attachment.Name), attachment.Data)
		}
		m.update(func() {
			if m.box.open.ID != id {
				return
			}
			m.box.saved = "Saved " + line(attachment.Name) + "."
			if err != nil {
				m.box.saved = m.say.failure(err)
			}
		})
	})
}
