package viewmodel

import (
	"context"
	"time"
)

// readAfter is how long a mail is shown until it counts as read. One that was only
// gone past, or opened by itself after another was decided, does not: its sender may
// be told that it was read.
const readAfter = 2 * time.Second

// Seen notes that the person does something with the open mail, so it is read.
func (m *Model) Seen() {
	m.mu.Lock()
	look := m.box.looks
	m.mu.Unlock()
	m.seen(look)
}

// seen has the agent mark the open mail as read, if it is still the one that was
// opened at that look.
func (m *Model) seen(look int) {
	m.mu.Lock()
	id := m.box.selected
	mail, ok := m.box.find(id)
	ok = ok && look == m.box.looks && mail.Unread && m.box.open.ID == id && !m.box.opening && m.box.openErr == nil && folder(m.shown())
	m.mu.Unlock()
	if !ok {
		return
	}
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		if _, err := m.agent.Message(ctx, id); err != nil {
			return // it stays unread, and is tried when it is opened again
		}
		m.update(func() {
			if mail, ok := m.box.find(id); ok && mail.Unread {
				mail.Unread = false
				m.box.put(mail)
			}
		})
	})
}
