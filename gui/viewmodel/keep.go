package viewmodel

import (
	"context"
	"slices"
	"time"

	"earnest/agentclient"
)

const (
	// keepDelay is how much typing a killed window can lose.
	keepDelay = 2 * time.Second
	// lastKeep is how long a window that closes waits for the agent.
	lastKeep = 2 * time.Second
)

// keeping is how far the agent has a draft.
type keeping struct {
	turn, kept int           // changes so far, and up to which they are kept
	gate       chan struct{} // one at a time keeps it, or sends it
	due        bool
	at         time.Time
	err        said
	over       bool // sent or thrown away: never kept again
	// files the agent has already, by name: they are not handed over again.
	files map[string]int64
}

func newDraft() *draft {
	return &draft{keep: keeping{gate: make(chan struct{}, 1)}}
}

// touch notes a change and has it kept in a little while. The caller holds the lock.
func (m *Model) touch(d *draft) {
	d.keep.turn++
	m.keepIn(d, keepDelay)
}

func (m *Model) keepIn(d *draft, wait time.Duration) {
	if d.keep.due || d.keep.over {
		return
	}
	d.keep.due = true
	m.after(wait, func(ctx context.Context) { m.keepDraft(ctx, d) })
}

// keepDraft hands the draft to the agent, which seals it. A failure is said, and
// tried again for as long as the window lives.
func (m *Model) keepDraft(ctx context.Context, d *draft) {
	select {
	case d.keep.gate <- struct{}{}:
		defer func() { <-d.keep.gate }()
	case <-ctx.Done():
		return
	}
	m.mu.Lock()
	d.keep.due = false
	m.mu.Unlock()
	m.keepHeld(ctx, d)
}

// keepHeld is keepDraft for who holds the gate.
func (m *Model) keepHeld(ctx context.Context, d *draft) {
	m.mu.Lock()
	turn := d.keep.turn
	if d.keep.over || d.keep.kept == turn {
		m.mu.Unlock()
		return
	}
	save, empty := d.whole(), d.blank()
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var err error
	switch {
	case !empty:
		save, err = m.agent.SaveDraft(ctx, save)
	case save.ID != "":
		err, save.ID = m.agent.DeleteDraft(ctx, save.ID), ""
	}
	m.update(func() {
		if err != nil {
			m.keepFailed(d, err)
			return
		}
		d.id = save.ID
		d.keep.kept, d.keep.at, d.keep.err = turn, m.now(), nil
		d.keep.files = map[string]int64{}
		if empty {
			d.keep.at = time.Time{}
		} else {
			for _, a := range save.Mail.Attachments {
				d.keep.files[a.Name] = a.Size
			}
		}
		if d.keep.turn != turn {
			m.keepIn(d, keepDelay)
			return
		}
		m.desk.unkept = slices.DeleteFunc(m.desk.unkept, func(other *draft) bool { return other == d })
	})
}

func (m *Model) keepFailed(d *draft, err error) {
	d.keep.err = fails(err)
	d.keep.files = nil // it may not have them after all
	switch codeOf(err) {
	case "", agentclient.CodeNoAgent, agentclient.CodeInternal, agentclient.CodeLocked:
		m.keepIn(d, retryMost)
	}
}

// whole is the draft as the agent keeps it. What it has of the attachments
// already is named by its size alone.
func (d *draft) whole() agentclient.Draft {
	mail := d.compose(append(slices.Clone(d.to), d.unsettled()...))
	mail.Attachments = slices.Clone(mail.Attachments)
	for i, a := range mail.Attachments {
		if size, ok := d.keep.files[a.Name]; ok && size == a.Size && d.id != "" {
			mail.Attachments[i].Data = nil
		}
	}
	mail.Draft = ""
	kept := agentclient.Draft{ID: d.id, Mail: mail}
	for _, to := range mail.To {
		if way := (agentclient.Way{To: to, Option: d.choice[key(to)], Paid: d.paid[key(to)]}); way.Option > 0 || way.Paid {
			kept.Ways = append(kept.Ways, way)
		}
	}
	return kept
}

func (d *draft) unsettled() []string {
	if a := bareAddress(d.typing); a != "" {
		return []string{a}
	}
	return nil
}

// compose is the mail to those recipients. Only a single one's way to pay can be
// said in it.
func (d *draft) compose(to []string) agentclient.Compose {
	mail := agentclient.Compose{From: d.from, To: to, Subject: d.subject, Body: d.body, Attachments: d.files,
		InReplyTo: d.inReplyTo, Draft: d.id}
	if len(to) == 1 {
		mail.Option, mail.Paid = d.choice[key(to[0])], d.paid[key(to[0])]
	}
	return mail
}

// keptWords is the one quiet word about it.
func (m *Model) keptWords(d *draft) (string, Tone) {
	switch {
	case d.keep.err != nil:
		return m.say.T("write.not-kept", "Why", m.say.again(d.keep.err)), Against
	case !d.keep.at.IsZero():
		return m.say.T("write.kept", "Clock", m.say.clock(d.keep.at)), Muted
	}
	return "", Muted
}

// leaving is called when another page is shown: nothing waits then.
func (m *Model) leaving(p Page) {
	d := m.draft
	if p != PageWrite || d.keep.turn == d.keep.kept || d.keep.over {
		return
	}
	m.do(func(ctx context.Context) { m.keepDraft(ctx, d) })
}

// SetAside ends the writing of this mail for now: it is among the drafts, and
// the page of writing is empty.
func (m *Model) SetAside() {
	m.update(func() { m.setAside() })
}

func (m *Model) setAside() {
	d := m.draft
	if d.blank() && d.id == "" && !d.sending {
		d.inReplyTo = ""
		return
	}
	m.draft = newDraft()
	m.offers.known, m.offers.faults = nil, nil
	if d.keep.turn == d.keep.kept || d.keep.over || d.sending {
		return
	}
	m.desk.unkept = append(m.desk.unkept, d)
	m.do(func(ctx context.Context) { m.keepDraft(ctx, d) })
}

// keepLast keeps what is not kept yet when the window closes, and deletes what waits
// to be deleted.
func (m *Model) keepLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastKeep)
	defer cancel()
	m.mu.Lock()
	all, thrown := append(slices.Clone(m.desk.unkept), m.draft), slices.Clone(m.desk.gone)
	m.mu.Unlock()
	for _, g := range thrown {
		m.deleteNow(ctx, g)
	}
	for _, d := range all {
		m.keepDraft(ctx, d)
	}
}
