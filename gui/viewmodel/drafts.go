package viewmodel

import (
	"context"
	"slices"
	"time"

	"earnest/agentclient"
)

// undoDelete is how long a deleted draft can be had back.
const undoDelete = 8 * time.Second

// desk is the drafts that the agent keeps.
type desk struct {
	drafts   []agentclient.Draft // the last changed first
	loaded   bool
	selected string // id
	opening  string // id
	notice   said
	came     Page // where writing was begun from
	unkept   []*draft
	gone     []gone // thrown away, and not yet deleted
}

// gone is a draft on its way out.
type gone struct {
	id   string
	open *draft // it was being written
}

// DraftList is the page of drafts.
type DraftList struct {
	Rows   []Row
	Empty  Empty
	Notice string
	Tone   Tone
	Undo   string // what was deleted, as long as it can be had back
}

// Drafts lists the drafts, the last changed first.
func (m *Model) Drafts() DraftList {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := DraftList{Notice: m.say.again(m.desk.notice), Tone: Against}
	for _, d := range m.desk.drafts {
		if m.desk.hidden(d.ID) {
			continue
		}
		row := Row{ID: d.ID, Title: m.toWords(d.Mail.To), Subject: subject(m.say, d.Mail.Subject),
			Note: m.say.at(d.Changed), Selected: d.ID == m.desk.selected, NoteTone: Muted}
		if n := len(d.Mail.Attachments); n > 0 {
			row.Note = m.say.N("drafts.files", n) + " · " + row.Note
		}
		if m.desk.opening == d.ID {
			row.Note = m.say.T("drafts.opening")
		}
		list.Rows = append(list.Rows, row)
	}
	if n := len(m.desk.unkept); n > 0 {
		list.Notice = m.say.N("drafts.unkept", n)
	}
	if n := len(m.desk.gone); n > 0 {
		list.Undo = m.say.N("drafts.deleted", n)
	}
	switch {
	case len(list.Rows) > 0:
	case !m.desk.loaded:
		list.Empty = m.notYet()
	default:
		list.Empty = Empty{Title: m.say.T("drafts.empty.title"), Text: m.say.T("drafts.empty.text")}
	}
	return list
}

// count is for the navigation.
func (d *desk) count() (n int) {
	for _, one := range d.drafts {
		if !d.hidden(one.ID) {
			n++
		}
	}
	return n
}

func (d *desk) hidden(id string) bool {
	return slices.ContainsFunc(d.gone, func(g gone) bool { return g.id == id || g.open != nil && g.open.id == id })
}

func (m *Model) toWords(to []string) string {
	if len(to) == 0 {
		return m.say.T("drafts.nobody")
	}
	if more := len(to) - 1; more > 0 {
		return m.say.T("drafts.more", "Who", line(to[0]), "N", more)
	}
	return line(to[0])
}

// SelectDraft marks a draft in the list, without opening it.
func (m *Model) SelectDraft(id string) {
	m.update(func() { m.desk.selected = id })
}

// MoveDraft marks the next (1) or the previous (-1) one.
func (m *Model) MoveDraft(step int) {
	rows := m.Drafts().Rows
	if len(rows) == 0 {
		return
	}
	i := slices.IndexFunc(rows, func(r Row) bool { return r.Selected })
	if i < 0 && step > 0 {
		i = -1
	}
	m.SelectDraft(rows[min(max(i+step, 0), len(rows)-1)].ID)
}

// OpenDraft goes on writing a draft. What is being written is kept as one.
func (m *Model) OpenDraft(id string) {
	if id == "" {
		return
	}
	m.mu.Lock()
	current, opening := m.draft.id == id, m.desk.opening
	m.desk.selected, m.desk.notice = id, nil
	if !current {
		m.desk.opening = id
	}
	m.mu.Unlock()
	switch {
	case current:
		m.Write()
	case opening != id:
		m.changed()
		m.do(func(ctx context.Context) { m.openDraft(ctx, id, m.agent.DraftByID) })
	}
}

// openDraft puts what get answers onto the page of writing.
func (m *Model) openDraft(ctx context.Context, id string, get func(context.Context, string) (agentclient.Draft, error)) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	kept, err := get(ctx, id)
	if err == nil && slices.ContainsFunc(kept.Mail.Attachments, func(a agentclient.Attachment) bool { return a.Size > 0 && len(a.Data) == 0 }) {
		kept, err = m.agent.DraftByID(ctx, kept.ID)
	}
	wanted := false
	m.update(func() {
		wanted = m.desk.opening == id
		if !wanted {
			return // another one was chosen meanwhile
		}
		m.desk.opening = ""
		if err != nil {
			m.desk.notice = fails(err)
			m.out.notice = m.desk.notice
			return
		}
		m.setAside()
		m.draft = reopened(kept)
	})
	if wanted && err == nil {
		m.Write()
		m.askNow()
	}
}

// reopened is a draft as the agent kept it.
func reopened(kept agentclient.Draft) *draft {
	d := newDraft()
	mail := kept.Mail
	d.id, d.from, d.subject, d.body, d.inReplyTo = kept.ID, mail.From, mail.Subject, mail.Body, mail.InReplyTo
	d.to, d.files = slices.Clone(mail.To), mail.Attachments
	if n := len(d.to); n > 0 && !addressLike(d.to[n-1]) {
		d.typing, d.to = d.to[n-1], d.to[:n-1]
	}
	ways := kept.Ways
	if len(mail.To) == 1 && len(ways) == 0 {
		ways = []agentclient.Way{{To: mail.To[0], Option: mail.Option, Paid: mail.Paid}}
	}
	for _, way := range ways {
		if way.Option > 0 {
			d.choice = set(d.choice, key(way.To), way.Option)
		}
		d.paid = set(d.paid, key(way.To), way.Paid)
	}
	d.keep.at, d.keep.files = kept.Changed, map[string]int64{}
	for _, a := range d.files {
		d.keep.files[a.Name] = a.Size
	}
	return d
}

// DeleteDraft deletes a draft in a few seconds; until then it can be had back.
func (m *Model) DeleteDraft(id string) {
	m.mu.Lock()
	switch {
	case id == "" || m.desk.hidden(id):
	case m.draft.id != id:
		m.throw(gone{id: id})
	case !m.draft.sending:
		m.throw(m.discard())
	}
	m.mu.Unlock()
	m.changed()
}

// Discard deletes the draft being written, and goes to the drafts.
func (m *Model) Discard() {
	m.mu.Lock()
	throw := !m.draft.sending && (!m.draft.blank() || m.draft.id != "")
	if throw {
		m.throw(m.discard())
	}
	m.mu.Unlock()
	if throw {
		m.Show(PageDrafts)
	}
}

// discard takes the open draft off the page of writing.
func (m *Model) discard() gone {
	g := gone{id: m.draft.id, open: m.draft}
	g.open.keep.over = true
	m.draft = newDraft()
	return g
}

// throw marks the row after the one that goes, and deletes it when its time is up.
func (m *Model) throw(g gone) {
	ids := []string{}
	for _, d := range m.desk.drafts {
		if !m.desk.hidden(d.ID) {
			ids = append(ids, d.ID)
		}
	}
	if i := slices.Index(ids, g.id); i >= 0 && m.desk.selected == g.id {
		m.desk.selected = ""
		if ids = slices.Delete(ids, i, i+1); len(ids) > 0 {
			m.desk.selected = ids[min(i, len(ids)-1)]
		}
	}
	m.desk.gone = append(m.desk.gone, g)
	m.after(undoDelete, func(ctx context.Context) { m.deleteNow(ctx, g) })
}

func (m *Model) deleteNow(ctx context.Context, g gone) {
	if g.open != nil { // it may be on its way to the agent just now
		g.open.keep.gate <- struct{}{}
		defer func() { <-g.open.keep.gate }()
	}
	m.mu.Lock()
	still := slices.Contains(m.desk.gone, g)
	id := g.id
	if g.open != nil {
		id = g.open.id
	}
	m.mu.Unlock()
	if !still {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var err error
	if id != "" {
		err = m.agent.DeleteDraft(ctx, id)
	}
	m.update(func() {
		m.desk.gone = slices.DeleteFunc(m.desk.gone, func(other gone) bool { return other == g })
		if err != nil {
			m.desk.notice = says("drafts.not-deleted", "Why", fails(err))
			return
		}
		m.desk.drafts = slices.DeleteFunc(slices.Clone(m.desk.drafts), func(d agentclient.Draft) bool { return d.ID == id })
	})
}

// UndoDelete brings the draft back that was deleted last. It tells whether there
// was one.
func (m *Model) UndoDelete() bool {
	m.mu.Lock()
	n := len(m.desk.gone)
	if n == 0 {
		m.mu.Unlock()
		return false
	}
	g := m.desk.gone[n-1]
	m.desk.gone = slices.Clone(m.desk.gone[:n-1])
	m.desk.selected = g.id
	if d := g.open; d != nil {
		d.keep.over = false
		if m.draft.blank() && m.draft.id == "" {
			m.draft = d
		} else {
			m.desk.unkept = append(m.desk.unkept, d)
		}
		m.touch(d)
	}
	m.mu.Unlock()
	m.changed()
	return true
}

func (m *Model) loadDrafts(ctx context.Context) {
	m.reload(ctx, &m.loads.drafts, func(ctx context.Context) error {
		drafts, err := m.agent.Drafts(ctx)
		if err != nil {
			return err
		}
		m.update(func() { m.desk.drafts, m.desk.loaded = drafts, true })
		return nil
	})
}
