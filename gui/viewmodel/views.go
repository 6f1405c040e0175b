package viewmodel

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
		{Page: PageWaiting, Title: m.say.T("nav.waiting"), Count: len(m.box.lists[PageWaiting])},
		{Page: PageAccepted, Title: m.say.T("nav.accepted")},
		{Page: PageRejected, Title: m.say.T("nav.rejected")},
		{Page: PageExpired, Title: m.say.T("nav.expired")},
		{Page: PageSent, Title: m.say.T("nav.sent"), Gap: true},
		{Page: PageDrafts, Title: m.say.T("nav.drafts"), Count: m.desk.count()},
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
