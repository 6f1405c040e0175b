package viewmodel

import (
	"context"
	"slices"
	"strings"

	"earnest/agentclient"
)

// The states of a mail that was sent, as agentclient says them.
const (
	sentPaying      = "paying"
	sentPaid        = "paid"
	sentSubmitted   = "submitted"
	sentArrived     = "arrived"
	sentAccepted    = "accepted"
	sentRejected    = "rejected"
	sentExpired     = "expired"
	sentWithdrawing = "withdrawing"
	sentWithdrawn   = "withdrawn"
	sentFailed      = "failed"
)

// SentFilter narrows the list of mails that were sent.
type SentFilter string

// The filters, in the order that they are offered.
const (
	SentAll      SentFilter = "all"
	SentOnWay    SentFilter = "on-way"
	SentHeld     SentFilter = "held"
	SentAccepted SentFilter = "accepted"
	SentRejected SentFilter = "rejected"
	SentExpired  SentFilter = "expired"
	SentFree     SentFilter = "free"
	SentFailed   SentFilter = "failed"
)

// SentFilters lists them.
func SentFilters() []SentFilter {
	return []SentFilter{SentAll, SentOnWay, SentHeld, SentAccepted, SentRejected, SentExpired, SentFree, SentFailed}
}

func (f SentFilter) takes(s agentclient.Sent) bool {
	switch f {
	case SentOnWay:
		return s.State == sentPaying || s.State == sentPaid || s.State == sentSubmitted && !s.Free || s.State == sentWithdrawing
	case SentHeld:
		return s.Money == "held"
	case SentAccepted:
		return s.State == sentAccepted
	case SentRejected:
		return s.State == sentRejected
	case SentExpired:
		return s.State == sentExpired || s.State == sentWithdrawn
	case SentFree:
		return s.Free
	case SentFailed:
		return s.State == sentFailed
	}
	return true
}

// outbox is the mails that were sent from here.
type outbox struct {
	mails       []agentclient.Sent
	hay         []string // what is searched in, of each
	loaded      bool
	search      string
	filter      SentFilter
	shown       []int // the mails that search and filter take
	stale       bool  // shown is to be made anew
	selected    string
	reading     bool
	withdrawing map[string]bool
	notice      said
	fresh       []string // ids of what was just sent
	news        map[string]bool
	asking      bool            // for the news
	newer       map[string]bool // changed while the whole list is being asked for
	proof       proof
}

// take is the whole list. What changed while it was on its way is newer.
func (o *outbox) take(mails []agentclient.Sent) {
	old, newer := o.mails, o.newer
	o.mails, o.loaded, o.stale, o.newer = mails, true, true, nil
	o.hay = make([]string, len(mails))
	for i, s := range mails {
		o.hay[i] = hayOf(s)
	}
	for _, s := range slices.Backward(old) {
		if newer[s.ID] {
			o.put(s)
		}
	}
}

func hayOf(s agentclient.Sent) string { return strings.ToLower(s.To + " " + s.Subject) }

// put takes one mail's news; a new one is the first.
func (o *outbox) put(s agentclient.Sent) {
	o.stale = true
	if o.newer != nil {
		o.newer[s.ID] = true
	}
	if i := o.index(s.ID); i >= 0 {
		o.mails[i], o.hay[i] = s, hayOf(s)
		return
	}
	o.mails, o.hay = slices.Insert(o.mails, 0, s), slices.Insert(o.hay, 0, hayOf(s))
}

func (o *outbox) index(id string) int {
	if id == "" {
		return -1
	}
	return slices.IndexFunc(o.mails, func(s agentclient.Sent) bool { return s.ID == id })
}

// rows are the indexes of the mails to list.
func (o *outbox) rows() []int {
	if !o.stale {
		return o.shown
	}
	words := strings.Fields(strings.ToLower(o.search))
	shown := make([]int, 0, len(o.mails))
	for i, s := range o.mails {
		if o.filter.takes(s) && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(o.hay[i], w) }) {
			shown = append(shown, i)
		}
	}
	o.shown, o.stale = shown, false
	return shown
}

// SearchSent narrows the list to mails with these words in address or subject.
func (m *Model) SearchSent(words string) {
	m.update(func() { m.out.search, m.out.stale = words, true })
}

// FilterSent narrows the list to mails in a state.
func (m *Model) FilterSent(f SentFilter) {
	m.update(func() { m.out.filter, m.out.stale = f, true })
}

// SelectSent shows the life of a mail that was sent.
func (m *Model) SelectSent(id string) {
	m.update(func() {
		if m.out.selected != id || m.out.proof.file {
			m.out.notice, m.out.proof = nil, proof{}
		}
		m.out.selected, m.out.reading = id, true
		if !slices.Contains(m.out.fresh, id) {
			m.out.fresh = nil
		}
	})
}

// SentView is the list of mails that were sent. Its rows are asked for one by
// one, as they come into sight.
type SentView struct {
	Count    int
	Selected int // -1 where none is
	Search   string
	Filter   SentFilter
	Filters  []string // in words, in the order of SentFilters
	Empty    Empty
	Reading  bool
}

// SentView is the list, ready to draw.
func (m *Model) SentView() SentView {
	m.mu.Lock()
	defer m.mu.Unlock()
	rows := m.out.rows()
	v := SentView{Count: len(rows), Selected: -1, Search: m.out.search, Filter: m.out.filter, Reading: m.out.reading}
	if v.Filter == "" {
		v.Filter = SentAll
	}
	if i := m.out.index(m.out.selected); i >= 0 {
		if at, ok := slices.BinarySearch(rows, i); ok {
			v.Selected = at
		}
	}
	for _, f := range SentFilters() {
		v.Filters = append(v.Filters, m.say.T("sent.filter."+string(f)))
	}
	switch {
	case len(rows) > 0:
	case !m.out.loaded:
		v.Empty = m.notYet()
	case strings.TrimSpace(m.out.search) != "":
		v.Empty = Empty{Title: m.say.T("sent.none.title"), Text: m.say.T("sent.none.search", "Text", line(m.out.search))}
		if v.Filter != SentAll {
			v.Empty.Text = m.say.T("sent.none.both", "Text", line(m.out.search), "Filter", m.say.T("sent.filter."+string(v.Filter)))
		}
	case len(m.out.mails) > 0:
		v.Empty = Empty{Title: m.say.T("sent.none.title"), Text: m.say.T("sent.none.filter")}
	default:
		v.Empty = Empty{Title: m.say.T("sent.empty.title"), Text: m.say.T("sent.empty.text")}
	}
	return v
}

// SentRow is the i-th row of the list.
func (m *Model) SentRow(i int) Row {
	m.mu.Lock()
	defer m.mu.Unlock()
	rows := m.out.rows()
	if i < 0 || i >= len(rows) {
		return Row{}
	}
	s := m.out.mails[rows[i]]
	row := Row{ID: s.ID, Title: line(s.To), Subject: subject(m.say, s.Subject), Amount: m.say.money(s.Price), Selected: s.ID == m.out.selected}
	if s.Free {
		row.Amount = m.say.T("write.free")
	}
	row.Note, row.NoteTone = m.sentNote(s)
	return row
}

func (m *Model) sentNote(s agentclient.Sent) (string, Tone) {
	switch s.State {
	case sentPaying:
		return m.say.T("sent.note.paying"), Muted
	case sentPaid:
		return m.say.T("sent.note.on-way"), Waits
	case sentSubmitted:
		if s.Free {
			return m.say.at(s.At), Muted
		}
		return m.say.T("sent.note.on-way"), Waits
	case sentArrived:
		return m.say.T("sent.note.held"), Waits
	case sentAccepted, sentExpired, sentWithdrawn:
		if s.Money == "refunded" {
			return m.say.T("sent.note.refunded"), Good
		}
		return m.say.T("sent.note.returning"), Muted
	case sentRejected:
		return m.say.T("sent.note.forfeited"), Against
	case sentWithdrawing:
		return m.say.T("sent.note.withdrawing"), Waits
	case sentFailed:
		return m.say.T("sent.note.failed"), Against
	}
	return line(s.State), Muted
}

// sentNews hears of one mail. However many come at once, one request is under
// way; of very many the whole list is asked for.
func (m *Model) sentNews(id string) {
	if id == "" {
		m.do(m.loadSent)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.out.news = set(m.out.news, id, true)
	if m.out.asking {
		return
	}
	m.out.asking = true
	m.do(m.loadSentNews)
}

const manyNews = 20

func (m *Model) loadSentNews(ctx context.Context) {
	for {
		m.mu.Lock()
		news := m.out.news
		m.out.news = nil
		if len(news) == 0 || ctx.Err() != nil {
			m.out.asking = false
			m.mu.Unlock()
			return
		}
		m.mu.Unlock()
		if len(news) > manyNews {
			m.loadSent(ctx)
			continue
		}
		for id := range news {
			m.loadOneSent(ctx, id)
		}
	}
}

func (m *Model) loadOneSent(ctx context.Context, id string) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sent, err := m.agent.SentByID(call, id)
	if err != nil {
		m.do(m.loadSent)
		return
	}
	m.update(func() {
		if m.out.loaded || m.out.newer != nil {
			m.out.put(sent)
		}
	})
}
