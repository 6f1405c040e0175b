package viewmodel

import (
	"context"
	"time"

	"earnest/agentclient"
)

// mostSingle is how many mails are asked for one by one. A burst of more is one
// question for all of them.
const mostSingle = 64

// loadInbox asks for all mails: when the agent is back, and after a burst.
func (m *Model) loadInbox(ctx context.Context) {
	m.reload(ctx, &m.loads.inbox, func(ctx context.Context) error {
		m.mu.Lock()
		m.box.fresh = map[string]bool{}
		m.mu.Unlock()
		mails, err := m.agent.Inbox(ctx)
		if err != nil {
			return err
		}
		m.update(func() { m.box.putAll(mails) })
		return nil
	})
}

// mailChanged notes that a mail has changed; loadMails asks for it.
func (m *Model) mailChanged(id string) {
	if id == "" {
		m.do(m.loadInbox)
		return
	}
	m.mu.Lock()
	if m.loads.mails == nil {
		m.loads.mails = map[string]bool{}
	}
	m.loads.mails[id] = true
	m.mu.Unlock()
	m.do(m.loadMails)
}

// loadMails asks for the mails that have changed, each by itself.
func (m *Model) loadMails(ctx context.Context) {
	m.reload(ctx, &m.loads.mail, func(ctx context.Context) error {
		m.mu.Lock()
		ids := m.loads.mails
		m.loads.mails = nil
		m.mu.Unlock()
		if len(ids) > mostSingle {
			m.do(m.loadInbox)
			return nil
		}
		for id := range ids {
			if err := m.loadMail(ctx, id); err != nil {
				m.mailsAgain(ids)
				return err
			}
			delete(ids, id)
		}
		return nil
	})
}

func (m *Model) mailsAgain(ids map[string]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.loads.mails == nil {
		m.loads.mails = map[string]bool{}
	}
	for id := range ids {
		m.loads.mails[id] = true
	}
}

func (m *Model) loadMail(ctx context.Context, id string) error {
	rev := m.revOf(id)
	mail, err := m.agent.MailByID(ctx, id)
	switch {
	case codeOf(err) == agentclient.CodeNotFound:
		m.update(func() { m.box.drop(id) })
		return nil
	case err != nil:
		return err
	}
	if m.revOf(id) != rev { // decided or opened meanwhile: this answer may be older
		m.mailChanged(id)
		return nil
	}
	m.update(func() { m.box.put(mail) })
	return nil
}

func (m *Model) revOf(id string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.box.byID[id]; e != nil {
		return e.rev
	}
	return -1
}

// minutes tells when "6 days" is to be drawn anew, and seconds that something
// counts down or goes away by itself.
func (m *Model) counts(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, undo := m.undoable()
	return undo || m.box.told.until.After(now.Add(-2*time.Second))
}
