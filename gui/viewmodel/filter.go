package viewmodel

import (
	"maps"
	"slices"
	"strings"
	"time"

	"earnest/agentclient"
)

// Filter narrows a list to mails of one kind.
type Filter string

// The filters.
const (
	FilterAll      Filter = ""
	FilterUnread   Filter = "unread"
	FilterFirst    Filter = "first"
	FilterSoon     Filter = "soon"
	FilterFree     Filter = "free"
	FilterUnopened Filter = "unopened"
	FilterAttached Filter = "attached"
)

// filtersOf lists what makes sense on a page.
func filtersOf(p Page) []Filter {
	switch p {
	case PageWaiting:
		return []Filter{FilterAll, FilterUnread, FilterFirst, FilterSoon, FilterAttached, FilterUnopened}
	case PageAccepted:
		return []Filter{FilterAll, FilterUnread, FilterFirst, FilterAttached, FilterFree}
	}
	return []Filter{FilterAll, FilterUnread, FilterFirst, FilterAttached}
}

func (f Filter) takes(mail agentclient.Mail, now time.Time) bool {
	switch f {
	case FilterUnread:
		return mail.Unread
	case FilterFirst:
		return mail.FirstTime
	case FilterSoon:
		return mail.State == mailWaiting && !mail.DecideBy.IsZero() && mail.DecideBy.Sub(now) < 24*time.Hour
	case FilterFree:
		return mail.Free
	case FilterAttached:
		return mail.Attachments > 0
	case FilterUnopened:
		return !opens(mail)
	}
	return true
}

// Search narrows the lists to mails with these words in sender or subject.
func (m *Model) Search(words string) {
	m.update(func() {
		m.box.search = words
		m.leaveHidden()
	})
}

// ClearSearch takes the words away, and tells whether there were any.
func (m *Model) ClearSearch() (was bool) {
	m.update(func() {
		was = m.box.search != ""
		m.box.search = ""
	})
	return was
}

// leaveHidden closes the mail that the list no longer shows, and takes the marks of
// such mails away: a key never acts on what is not shown.
func (m *Model) leaveHidden() {
	b, list := &m.box, m.inSight(m.shown())
	shown := func(id string) bool {
		return slices.ContainsFunc(list, func(e *entry) bool { return e.mail.ID == id })
	}
	if b.selected != "" && !shown(b.selected) {
		b.selected, b.reading, b.open, b.opening, b.openErr, b.aside = "", false, agentclient.Message{}, false, nil, aside{}
	}
	if b.cursor != "" && !shown(b.cursor) {
		b.cursor = b.selected
	}
	marks := maps.Clone(b.marks)
	maps.DeleteFunc(marks, func(id string, _ bool) bool { return !shown(id) })
	b.marks = marks
}

// SetFilter narrows the list to mails of one kind.
func (m *Model) SetFilter(f Filter) {
	m.update(func() {
		m.box.filter = f
		m.leaveHidden()
	})
}

// NextFilter goes on to the next kind of the page's (1), or back (-1).
func (m *Model) NextFilter(step int) {
	m.update(func() {
		all := filtersOf(m.shown())
		i := slices.Index(all, m.kind(m.shown()))
		m.box.filter = all[(i+step+len(all))%len(all)]
		m.leaveHidden()
	})
}

// kind is the chosen one, where the page has it.
func (m *Model) kind(p Page) Filter {
	if slices.Contains(filtersOf(p), m.box.filter) {
		return m.box.filter
	}
	return FilterAll
}

func (m *Model) filterName(f Filter) string {
	if f == FilterAll {
		return m.say.T("filter.all")
	}
	return m.say.T("filter." + string(f))
}

// inSight lists the mails of a page that match search and filter. It is worked
// out anew only when one of them, the mails or the minute have changed.
func (m *Model) inSight(page Page) []*entry {
	all, filter := m.box.lists[page], m.kind(page)
	words := strings.Fields(strings.ToLower(m.box.search))
	if len(words) == 0 && filter == FilterAll {
		return all
	}
	now := m.say.now()
	want := sight{of: all, search: m.box.search, filter: filter, selected: m.box.selected, minute: now.Truncate(time.Minute)}
	if m.box.seen.same(want) {
		return m.box.seen.list
	}
	for _, e := range all {
		// The open mail stays, or it would go from under the one who reads it.
		if e.mail.ID != want.selected && !filter.takes(e.mail, now) {
			continue
		}
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(e.hay, w) }) {
			want.list = append(want.list, e)
		}
	}
	m.box.seen = want
	return want.list
}

func (s sight) same(o sight) bool {
	return s.search == o.search && s.filter == o.filter && s.selected == o.selected && s.minute.Equal(o.minute) &&
		len(s.of) == len(o.of) && (len(s.of) == 0 || &s.of[0] == &o.of[0])
}
