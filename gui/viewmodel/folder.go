package viewmodel

import (
	"strings"

	"earnest/agentclient"
)

// Row is a line of a list, ready to draw.
type Row struct {
	ID       string
	Title    string // who
	Aside    string // the proven address beside a display name
	Subject  string
	Amount   string
	Note     string // time left, or what became of it
	NoteTone Tone
	Warning  string // what to beware of
	Marks    string // why it can be trusted, and how far
	Unread   bool
	Selected bool
	Marked   bool
	Attached bool // has attachments
	Cursor   bool // marks grow from here
}

// Empty is what a list without rows says.
type Empty struct {
	Title, Text string
	Price, Card bool // offer to change the price, to copy the card
	Clear       bool // offer to take search and filter away
}

// FilterChoice is one of the kinds that a list can be narrowed to.
type FilterChoice struct {
	Filter Filter
	Name   string
	On     bool
}

// List is a page's list. Its rows are made when they are asked for, so that ten
// thousand cost no more than those in sight.
type List struct {
	Page     Page
	Title    string
	Search   string
	Filters  []FilterChoice
	Filter   string // name of the chosen one
	Order    string // how it is sorted, in words
	Len      int
	Selected int // -1: none
	Marks    Marks
	Empty    Empty
	Reading  bool // a narrow window shows the mail in its place
	Decides  May  // what the keys can do to mails of this page

	entries  []*entry
	say      speech
	selected string
	cursor   string
	marks    map[string]bool
	busy     map[string]string
	notice   map[string]said
}

// Folder is the list of mails of the page shown.
func (m *Model) Folder() List {
	m.mu.Lock()
	defer m.mu.Unlock()
	page := m.shown()
	b := &m.box
	list := List{Page: page, Title: m.titleOf(page), Search: b.search, Reading: b.reading, Selected: -1,
		entries: m.inSight(page), say: m.say, selected: b.selected, cursor: b.cursor, marks: b.marks, busy: b.deciding, notice: b.notice}
	list.Len = len(list.entries)
	list.Decides = May{Accept: page == PageWaiting || page == PageExpired, Reject: page == PageWaiting}
	chosen := m.kind(page)
	list.Filter = m.filterName(chosen)
	for _, f := range filtersOf(page) {
		list.Filters = append(list.Filters, FilterChoice{Filter: f, Name: m.filterName(f), On: f == chosen})
	}
	list.Order = m.say.T("folder.order.newest")
	if page == PageWaiting {
		list.Order = m.say.T("folder.order.deadline")
	}
	list.Marks = m.marksView()
	at := b.selected
	if len(b.marks) > 0 {
		at = b.cursor
	}
	for i, e := range list.entries {
		if at != "" && e.mail.ID == at {
			list.Selected = i
			break
		}
	}
	if list.Len == 0 {
		list.Empty = m.empty(page)
	}
	return list
}

// All makes all rows.
func (l List) All() []Row {
	rows := make([]Row, l.Len)
	for i := range rows {
		rows[i] = l.Row(i)
	}
	return rows
}

// ID is that of the i-th row.
func (l List) ID(i int) string { return l.entries[i].mail.ID }

// Row makes the i-th row.
func (l List) Row(i int) Row {
	mail := l.entries[i].mail
	row := rowOf(l.say, mail)
	row.Selected, row.Marked = mail.ID == l.selected, l.marks[mail.ID]
	row.Unread = row.Unread && !row.Selected // it is being looked at
	row.Cursor = mail.ID == l.cursor && len(l.marks) > 0
	switch {
	case l.busy[mail.ID] != "":
		row.Note, row.NoteTone = busyWords(l.say, l.busy[mail.ID]), Muted
	case l.notice[mail.ID] != nil:
		row.Note, row.NoteTone = l.say.T("row.not-done"), Against
	}
	return row
}

func rowOf(say speech, mail agentclient.Mail) Row {
	row := Row{ID: mail.ID, Title: line(mail.Name), Aside: line(mail.From), Subject: subjectOf(say, mail),
		Amount: amountOf(say, mail), NoteTone: Muted, Unread: mail.Unread, Attached: mail.Attachments > 0}
	if row.Title == "" || row.Title == row.Aside {
		row.Title, row.Aside = row.Aside, ""
	}
	row.Warning, row.Marks = trust(say, mail)
	switch mail.State {
	case mailDamaged:
		row.Note, row.NoteTone = say.T("row.damaged"), Against
	case mailRejecting:
		row.Note, row.NoteTone = say.T("row.rejecting"), Against
	case mailRejected:
		row.Note, row.NoteTone = say.T("row.rejected"), Against
	case mailWithdrawn:
		row.Note = say.T("row.withdrawn")
	case mailUnpaid:
		row.Note, row.NoteTone = say.T("row.unpaid"), Waits
	case mailWaiting:
		if mail.DecideBy.IsZero() {
			break
		}
		var little bool
		if row.Note, little = say.left(mail.DecideBy.Sub(say.now())); little {
			row.NoteTone = Waits
		}
	default:
		row.Note = say.at(mail.At)
	}
	return row
}

// writer is who wrote a mail: the name where there is one, else the address.
func writer(mail agentclient.Mail) string {
	if name := line(mail.Name); name != "" {
		return name
	}
	return line(mail.From)
}

// amountOf is the bond, or that there is none.
func amountOf(say speech, mail agentclient.Mail) string {
	if mail.Free || mail.State == mailUnpaid {
		return say.T("row.free")
	}
	return say.money(mail.Price)
}

func subjectOf(say speech, mail agentclient.Mail) string {
	switch mail.State {
	case mailHeld:
		return say.T("row.held.subject")
	case mailUnpaid:
		if line(mail.Subject) == "" {
			return say.T("row.unpaid.subject")
		}
	}
	return subject(say, mail.Subject)
}

func subject(say speech, s string) string {
	if s = line(s); s == "" {
		return say.T("row.no-subject")
	}
	return s
}

// trust says in a word each what is known of the sender: first what to beware
// of, then what was proven.
func trust(say speech, mail agentclient.Mail) (warning, marks string) {
	var beware, known []string
	if mail.MixedScript {
		beware = append(beware, say.T("trust.mixed"))
	}
	if mail.Unprotected {
		beware = append(beware, say.T("trust.unprotected"))
	}
	if mail.Late {
		beware = append(beware, say.T("trust.late"))
	}
	if opens(mail) {
		known = append(known, say.T("trust.signed"))
	} else {
		known = append(known, say.T("trust.unopened"))
	}
	switch {
	case mail.Free || mail.State == mailUnpaid:
		known = append(known, say.T("trust.connected"))
	case mail.FirstTime:
		known = append(known, say.T("trust.first"))
	case opens(mail):
		known = append(known, say.T("trust.known"))
	}
	if len(beware) > 0 {
		warning = "▲ " + strings.Join(beware, " · ")
	}
	return warning, strings.Join(known, " · ")
}

func (m *Model) titleOf(p Page) string {
	if !folder(p) {
		return ""
	}
	return m.say.T("nav." + string(p))
}

func (m *Model) empty(page Page) Empty {
	search := strings.TrimSpace(m.box.search) != ""
	switch {
	case !m.box.loaded:
		return m.notYet()
	case search || m.kind(page) != FilterAll:
		e := Empty{Title: m.say.T("folder.nothing-found.title"), Clear: true}
		e.Text = m.say.T("folder.nothing-found.filter", "Filter", m.filterName(m.kind(page)))
		if search {
			e.Text = m.say.T("folder.nothing-found.search", "Words", line(m.box.search))
			if m.kind(page) != FilterAll {
				e.Text = m.say.T("folder.nothing-found.both", "Words", line(m.box.search), "Filter", m.filterName(m.kind(page)))
			}
		}
		return e
	case page == PageAccepted:
		return Empty{Title: m.say.T("folder.accepted.title"), Text: m.say.T("folder.accepted.text")}
	case page == PageRejected:
		return Empty{Title: m.say.T("folder.rejected.title"), Text: m.say.T("folder.rejected.text")}
	case page == PageExpired:
		return Empty{Title: m.say.T("folder.expired.title"), Text: m.say.T("folder.expired.text")}
	}
	e := Empty{Title: m.say.T("waiting.empty.title"), Card: m.card() != "", Price: true, Text: m.say.T("waiting.empty.unpriced")}
	if price := m.own.first(m.say); price != "" {
		e.Text = m.say.T("waiting.empty.priced", "Price", price)
	}
	for _, a := range m.status.Accounts {
		if m.unsold(a) {
			e.Title, e.Text = m.say.T("waiting.empty.unsold.title"), m.say.T("waiting.empty.unsold", "Escrow", line(a.Escrow))
		}
	}

	return e
}

// Unfilter takes search and filter away.
func (m *Model) Unfilter() { m.update(func() { m.box.search, m.box.filter = "", FilterAll }) }
