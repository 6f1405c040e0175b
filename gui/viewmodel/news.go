package viewmodel

import (
	"context"
	"time"

	"earnest/agentclient"
)

// News is what is told outside the window: a paid mail that has just come in, or
// what became of a decision made there.
type News struct {
	ID    string
	Title string
	Body  string
	// May: it can be decided from the notification.
	May bool
	// Gone: it was decided; what is shown about it can be taken away.
	Gone bool
}

// news is what was told already.
type news struct {
	tell func(News)
	told map[string]bool
}

// freshFor is how old a mail may be to be news: what came while nobody ran the
// window is in the list, and a hundred notifications at once help nobody.
const freshFor = 5 * time.Minute

// OnNews sets who hears the news. Without content neither sender nor subject is
// told: a notification is seen by whoever passes the screen.
func (m *Model) OnNews(tell func(News)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.news.tell, m.news.told = tell, map[string]bool{}
}

// hearNews looks at a mail that an event names, once it waits for a decision.
func (m *Model) hearNews(e agentclient.Event) {
	m.mu.Lock()
	told, wanted := m.news.told[e.ID], m.news.tell != nil
	m.mu.Unlock()
	switch {
	case !wanted || e.Type != agentclient.EventMail || e.ID == "":
	case told && e.State != mailWaiting:
		m.tellNews(News{ID: e.ID, Gone: true})
	case !told && e.State == mailWaiting:
		m.do(func(ctx context.Context) { m.newMail(ctx, e.ID) })
	}
}

func (m *Model) newMail(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	mail, err := m.agent.MailByID(ctx, id)
	if err != nil {
		m.log.Warn("a new mail could not be told", "err", err)
		return
	}
	m.mu.Lock()
	fresh := !m.news.told[id] && mail.Unread && mail.State == mailWaiting && m.now().Sub(mail.At) < freshFor
	m.news.told[id] = true
	who := line(mail.From)
	if name := line(mail.Name); name != "" && name != who {
		who = name + " <" + who + ">"
	}
	n := News{ID: id, May: true, Title: m.say.T("news.title", "Amount", m.say.money(mail.Price)), Body: who + "\n" + subject(m.say, mail.Subject)}
	m.mu.Unlock()
	if fresh {
		m.tellNews(n)
	}
}

func (m *Model) tellNews(n News) {
	m.mu.Lock()
	tell := m.news.tell
	m.mu.Unlock()
	if tell != nil {
		tell(n)
	}
}

// DecideNews accepts or rejects a mail from its notification. What goes wrong is
// told there too: the window may be hidden.
func (m *Model) DecideNews(id string, accept bool) {
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		var err error
		if accept {
			_, err = m.agent.Accept(ctx, id, agentclient.Accept{})
		} else {
			_, err = m.agent.Reject(ctx, id, agentclient.Reject{})
		}
		if err == nil {
			return // the event of it takes the notification away
		}
		m.mu.Lock()
		n := News{ID: id, Title: m.say.T("news.failed"), Body: m.say.failure(err)}
		m.mu.Unlock()
		m.tellNews(n)
	})
}

// OpenNews shows the mail of a notification.
func (m *Model) OpenNews(id string) {
	m.Show(PageWaiting)
	m.Select(id)
}

// Waiting is how many mails wait for a decision.
func (m *Model) Waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status.Waiting
}
