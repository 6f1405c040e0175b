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
	mailUnpaid    = "unpaid"
)

// entry is a mail as the lists keep it. It is never changed, only replaced, so
// that a list that was taken stays as it was.
type entry struct {
	mail agentclient.Mail
	hay  string // what a search looks through
	rev  int    // grows with each change, to know an answer that is older
}

// box is the mails that came in and the one that is open. Each page's list is
// kept sorted and is replaced by a changed copy, so that an event costs one copy
// of pointers, and a redraw of ten thousand mails next to nothing.
type box struct {
	byID      map[string]*entry
	lists     map[Page][]*entry
	rejecting map[string]*entry
	loaded    bool
	fresh     map[string]bool // changed while the whole inbox is being asked for
	search    string
	filter    Filter
	seen      sight

	selected string // id
	cursor   string // id of the row that marks grow from; the selected one mostly
	marks    map[string]bool
	reading  bool // narrow window: the mail is shown, not the list
	open     agentclient.Message
	opening  bool
	more     int // how often more of a long text was asked for
	openErr  said
	looks    int  // how often a mail was opened: which of them is the one that is shown
	plain    bool // the plain text of a mail that was HTML
	aside    aside
	saves    map[saveKey]saving

	deciding map[string]string // id: what was asked and is not answered yet
	next     map[string]string // id: where to go on once it is answered
	notice   map[string]said   // id: why the last decision failed
	asks     map[string]ask    // id: the form for an accept or a reject that is open
	batch    map[string]int    // id: the rejects that were asked for at once
	batches  int
	run      run
	told     told
}

// sight is the list in sight: what was filtered, and by what.
type sight struct {
	of       []*entry
	search   string
	filter   Filter
	selected string
	minute   time.Time
	list     []*entry
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

func newEntry(mail agentclient.Mail, old *entry) *entry {
	e := &entry{mail: mail, hay: strings.ToLower(mail.From + " " + mail.Name + " " + mail.Subject)}
	if old != nil {
		e.rev = old.rev + 1
	}
	return e
}

// order sorts those that wait by their deadlines, the next to decide first, and
// all others by their age, the newest first.
func order(page Page) func(x, y *entry) int {
	if page == PageWaiting {
		return func(x, y *entry) int {
			if c := due(x.mail).Compare(due(y.mail)); c != 0 {
				return c
			}
			return strings.Compare(x.mail.ID, y.mail.ID)
		}
	}
	return func(x, y *entry) int {
		if c := y.mail.At.Compare(x.mail.At); c != 0 {
			return c
		}
		return strings.Compare(x.mail.ID, y.mail.ID)
	}
}

// due sorts a mail without a deadline yet behind those with one.
func due(m agentclient.Mail) time.Time {
	if m.DecideBy.IsZero() {
		return m.At.AddDate(100, 0, 0)
	}
	return m.DecideBy
}

// putAll takes the whole inbox. What changed while it was on its way is newer.
func (b *box) putAll(mails []agentclient.Mail) {
	byID, lists := make(map[string]*entry, len(mails)), map[Page][]*entry{}
	rejecting := map[string]*entry{}
	add := func(e *entry) {
		byID[e.mail.ID] = e
		page := pageOf(e.mail.State)
		lists[page] = append(lists[page], e)
		if e.mail.State == mailRejecting {
			rejecting[e.mail.ID] = e
		}
	}
	for _, mail := range mails {
		if !b.fresh[mail.ID] {
			add(newEntry(mail, b.byID[mail.ID]))
		}
	}
	for id := range b.fresh {
		if e := b.byID[id]; e != nil {
			add(e)
		}
	}
	for page, list := range lists {
		slices.SortFunc(list, order(page))
	}
	b.byID, b.lists, b.rejecting, b.loaded, b.fresh = byID, lists, rejecting, true, nil
	b.follow(b.open.ID)
}

// put takes one mail that is new or has changed.
func (b *box) put(mail agentclient.Mail) {
	old := b.byID[mail.ID]
	e := newEntry(mail, old)
	if b.byID == nil {
		b.byID, b.lists, b.rejecting = map[string]*entry{}, map[Page][]*entry{}, map[string]*entry{}
	}
	b.take(old)
	b.byID[mail.ID] = e
	page := pageOf(mail.State)
	at, _ := slices.BinarySearchFunc(b.lists[page], e, order(page))
	b.lists[page] = slices.Insert(slices.Clone(b.lists[page]), at, e)
	if mail.State == mailRejecting {
		b.rejecting[mail.ID] = e
	}
	b.changed(mail.ID)
}

// drop takes away a mail that is no longer there.
func (b *box) drop(id string) {
	b.take(b.byID[id])
	delete(b.byID, id)
	b.changed(id)
}

func (b *box) take(old *entry) {
	if old == nil {
		return
	}
	delete(b.rejecting, old.mail.ID)
	page := pageOf(old.mail.State)
	if at, found := slices.BinarySearchFunc(b.lists[page], old, order(page)); found {
		b.lists[page] = slices.Delete(slices.Clone(b.lists[page]), at, at+1)
	}
}

func (b *box) changed(id string) {
	if b.fresh != nil {
		b.fresh[id] = true
	}
	if id == b.open.ID {
		b.follow(id)
	}
}

// follow keeps the open mail's line as the list has it.
func (b *box) follow(id string) {
	if mail, ok := b.find(id); ok {
		mail.Unread = false
		b.open.Mail = mail
	}
}

// turn is called when another page is shown.
func (b *box) turn() {
	b.selected, b.cursor, b.reading, b.open, b.openErr, b.plain = "", "", false, agentclient.Message{}, nil, false
	b.marks, b.aside = nil, aside{}
}

func (b *box) find(id string) (agentclient.Mail, bool) {
	e := b.byID[id]
	if id == "" || e == nil {
		return agentclient.Mail{}, false
	}
	return e.mail, true
}

func folder(p Page) bool {
	return p == PageWaiting || p == PageAccepted || p == PageRejected || p == PageExpired
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
		m.box.more, m.box.plain, m.box.aside = 0, false, aside{}
	}
	m.box.selected, m.box.cursor, m.box.reading = id, id, true
	opens := opens(mail)
	switch {
	case !opens:
		m.box.open, m.box.opening, m.box.openErr = agentclient.Message{Mail: mail}, false, nil
	case again && m.box.open.ID == id && m.box.openErr == nil:
		opens = false
	default:
		m.box.open, m.box.opening, m.box.openErr = agentclient.Message{Mail: mail}, true, nil
	}
	m.mu.Unlock()
	m.changed()
	if opens {
		m.do(func(ctx context.Context) { m.openMail(ctx, id) })
	}
}

// opens tells whether there is something verified to show: a held, damaged or
// unpaid mail is not opened.
func opens(mail agentclient.Mail) bool {
	return mail.State != mailHeld && mail.State != mailDamaged && mail.State != mailUnpaid
}

func (m *Model) openMail(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	message, err := m.agent.Look(ctx, id)
	if codeOf(err) == agentclient.CodeNotFound { // or an agent that is older than Look
		message, err = m.agent.Message(ctx, id)
	}
	m.update(func() {
		if m.box.selected != id {
			return // another one was chosen meanwhile
		}
		m.box.opening = false
		if err != nil {
			m.box.openErr = fails(err)
			return
		}
		m.box.open = message
		m.box.follow(id)
		m.box.looks++
		look := m.box.looks
		time.AfterFunc(readAfter, func() { m.seen(look) })
	})
}

// More shows more of a long text.
func (m *Model) More() {
	m.update(func() { m.box.more = min(m.box.more+1, mostMore) })
}

// Plain shows the text of a mail that was HTML without its looks, or with them.
func (m *Model) Plain() { m.update(func() { m.box.plain = !m.box.plain }) }

// Back returns to the list in a narrow window.
func (m *Model) Back() {
	m.update(func() { m.box.reading, m.out.reading = false, false })
}

// Move selects the next (1) or the previous (-1) row of the page's list.
func (m *Model) Move(step int) {
	m.mu.Lock()
	ids, selected := m.ids()
	sent := m.shown() == PageSent
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
	if sent {
		m.SelectSent(ids[i])
	} else {
		m.Select(ids[i])
	}
}

// ids are the rows in sight, from the first to the last.
func (m *Model) ids() (ids []string, selected string) {
	page := m.shown()
	if page == PageSent {
		for _, i := range m.out.rows() {
			ids = append(ids, m.out.mails[i].ID)
		}
		return ids, m.out.selected
	}
	if folder(page) {
		for _, e := range m.inSight(page) {
			ids = append(ids, e.mail.ID)
		}
	}
	return ids, m.box.selected
}
