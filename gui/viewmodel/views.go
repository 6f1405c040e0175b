package viewmodel

import (
	"fmt"
	"strings"

	"earnest/agentclient"
)

// Tone is how a text is meant; colour is never its only sign.
type Tone int

// The tones.
const (
	Plain Tone = iota
	Muted
	Good    // came back, accepted
	Waits   // little time left, held
	Against // rejected, forfeited, failed
)

// NavItem is a line of the left column.
type NavItem struct {
	Page     Page
	Title    string
	Count    int
	Selected bool
	Gap      bool // a little air above it
}

// Nav lists the pages to go to.
func (m *Model) Nav() []NavItem {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := []NavItem{
		{Page: PageWaiting, Title: m.say.T("nav.waiting"), Count: len(m.box.all(PageWaiting))},
		{Page: PageAccepted, Title: m.say.T("nav.accepted")},
		{Page: PageRejected, Title: m.say.T("nav.rejected")},
		{Page: PageExpired, Title: m.say.T("nav.expired")},
		{Page: PageSent, Title: m.say.T("nav.sent"), Gap: true},
		{Page: PageDrafts, Title: m.say.T("nav.drafts")},
		{Page: PagePeople, Title: m.say.T("nav.people"), Gap: true},
		{Page: PageMoney, Title: m.say.T("nav.money")},
		{Page: PagePrice, Title: m.say.T("nav.price")},
		{Page: PageSettings, Title: m.say.T("nav.settings"), Gap: true},
	}
	for i := range items {
		items[i].Selected = items[i].Page == m.shown()
	}
	return items
}

func (b *box) all(page Page) []agentclient.Mail {
	all := *b
	all.search = ""
	return all.in(page)
}

// Row is a line of a list, ready to draw.
type Row struct {
	ID       string
	Title    string // who
	Aside    string // the proven address beside a display name
	Subject  string
	Amount   string
	Note     string // time left, or what became of it
	NoteTone Tone
	Unread   bool
	Selected bool
}

// Empty is what a list without rows says.
type Empty struct {
	Title, Text string
	Price, Card bool // offer to change the price, to copy the card
}

// List is a page's list.
type List struct {
	Page    Page
	Title   string
	Search  string
	Rows    []Row
	Empty   Empty
	Reading bool // a narrow window shows the mail in its place
}

// Folder is the list of mails of the page shown.
func (m *Model) Folder() List {
	m.mu.Lock()
	defer m.mu.Unlock()
	page := m.shown()
	list := List{Page: page, Title: m.titleOf(page), Search: m.box.search, Reading: m.box.reading}
	for _, mail := range m.box.in(page) {
		list.Rows = append(list.Rows, m.row(mail))
	}
	if len(list.Rows) == 0 {
		list.Empty = m.empty(page)
	}
	return list
}

func (m *Model) titleOf(p Page) string {
	switch p {
	case PageWaiting:
		return m.say.T("nav.waiting")
	case PageAccepted:
		return m.say.T("nav.accepted")
	case PageRejected:
		return m.say.T("nav.rejected")
	case PageExpired:
		return m.say.T("nav.expired")
	}
	return ""
}

func (m *Model) row(mail agentclient.Mail) Row {
	row := Row{ID: mail.ID, Title: line(mail.Name), Aside: line(mail.From), Subject: subject(mail.Subject),
		Amount: m.say.money(mail.Price), NoteTone: Muted, Unread: mail.Unread, Selected: mail.ID == m.box.selected}
	if row.Title == "" || row.Title == row.Aside {
		row.Title, row.Aside = row.Aside, ""
	}
	switch mail.State {
	case mailHeld:
		row.Subject, row.Note = "One paid mail, waiting for the escrow", m.say.at(mail.At)
	case mailDamaged:
		row.Note, row.NoteTone = "damaged", Against
	case mailRejecting:
		row.Note, row.NoteTone = "rejecting", Against
	case mailRejected:
		row.Note, row.NoteTone = "rejected", Against
	case mailWithdrawn:
		row.Note = "withdrawn"
	case mailWaiting:
		if mail.DecideBy.IsZero() {
			break
		}
		var little bool
		if row.Note, little = m.say.left(mail.DecideBy.Sub(m.say.now())); little {
			row.NoteTone = Waits
		}
	default:
		row.Note = m.say.at(mail.At)
	}
	return row
}

func subject(s string) string {
	if s = line(s); s == "" {
		return "(no subject)"
	}
	return s
}

func (m *Model) empty(page Page) Empty {
	switch {
	case !m.box.loaded:
		return m.notYet()
	case strings.TrimSpace(m.box.search) != "":
		return Empty{Title: "Nothing found", Text: fmt.Sprintf("No mail here has “%s” in its sender or subject.", line(m.box.search))}
	case page == PageAccepted:
		return Empty{Title: "Nothing accepted yet", Text: "A mail that you accept moves here, and its money goes back to the sender."}
	case page == PageRejected:
		return Empty{Title: "Nothing rejected", Text: "A mail that you reject moves here. Until its money goes, you can take the reject back."}
	case page == PageExpired:
		return Empty{Title: "Nothing expired", Text: "A mail that nobody decided in time moves here, and its money goes back to the sender."}
	}
	e := Empty{Title: "Nothing is waiting", Card: m.card() != "", Price: true}
	if price := m.own.first(m.say); price != "" {
		e.Text = fmt.Sprintf("Strangers put down %s to write to you, and get it back unless you reject.", price)
	} else {
		e.Text = "You have not set a price yet. Strangers put it down to write to you, and get it back unless you reject."
	}
	return e
}

// notYet is what stands where nothing was told yet.
func (m *Model) notYet() Empty {
	if m.link.state == linkDown {
		return Empty{Title: m.say.T("link.empty.title"), Text: m.say.T("link.empty.text")}
	}
	return Empty{Title: m.say.T("status.asking")}
}

func (m *Model) card() string {
	for _, a := range m.status.Accounts {
		if a.Card != "" {
			return line(a.Card)
		}
	}
	return ""
}

// Card is the text to give to people who want to write.
func (m *Model) Card() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.card()
}
