package viewmodel

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"earnest/agentclient"
)

// folk is the connections: who writes free, and why.
type folk struct {
	list     []agentclient.Person
	loaded   bool
	err      said
	load     reload
	search   string
	selected agentclient.PersonID
	reading  bool // narrow window: the person is shown, not the list
	asking   bool // whether to remove
	typed    map[agentclient.PersonID]string
	busy     map[agentclient.PersonID]bool
	faults   map[agentclient.PersonID]said
	said     said // what became of the last change
	// narrowed is the list as narrowed by the words of narrowing.
	narrowed  []agentclient.Person
	narrowing string
}

// People is the list of connections.
type People struct {
	Search   string
	Len      int // its rows are asked for one by one
	Selected int // of the row, or -1
	Empty    Empty
	Reading  bool
	Count    string
}

// Person is the connection that is shown.
type Person struct {
	Show    bool
	Hint    bool // there are some to choose from
	Name    string
	Address string
	Account string // the own address, where there are several
	To      string // to write to
	Why     string
	Here    string // what they may write
	There   string // what may be written to them
	Counts  string
	Always  bool
	None    bool
	Typed   string
	Fault   string
	Asking  bool
	Means   string // of removing
	Busy    bool
	Said    string
}

func (m *Model) loadPeople(ctx context.Context) {
	m.reload(ctx, &m.folk.load, func(ctx context.Context) error {
		list, err := m.agent.People(ctx)
		if err != nil {
			m.update(func() { m.folk.err = fails(err) })
			return m.unlessNoAccount(err)
		}
		m.update(func() { m.folk.put(list) })
		return nil
	})
}

func (f *folk) put(list []agentclient.Person) {
	f.list, f.loaded, f.err = list, true, nil
	f.narrowed = nil
	if _, ok := f.find(f.selected); !ok {
		f.selected, f.reading, f.asking = agentclient.PersonID{}, false, false
	}
}

func (f *folk) find(id agentclient.PersonID) (agentclient.Person, bool) {
	i := slices.IndexFunc(f.list, func(p agentclient.Person) bool { return p.PersonID == id })
	if id.Address == "" || i < 0 {
		return agentclient.Person{}, false
	}
	return f.list[i], true
}

// found are those whose name or address has every word of the search.
func (f *folk) found() []agentclient.Person {
	words := strings.Fields(strings.ToLower(f.search))
	if len(words) == 0 {
		return f.list
	}
	if f.narrowed != nil && f.narrowing == f.search {
		return f.narrowed
	}
	f.narrowed, f.narrowing = []agentclient.Person{}, f.search
	for _, p := range f.list {
		hay := strings.ToLower(p.Name + " " + p.Address)
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(hay, w) }) {
			f.narrowed = append(f.narrowed, p)
		}
	}
	return f.narrowed
}

// People lists who writes free, the newest first.
func (m *Model) People() People {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := &m.folk
	list := f.found()
	v := People{Search: f.search, Reading: f.reading, Len: len(list),
		Selected: slices.IndexFunc(list, func(p agentclient.Person) bool { return p.PersonID == f.selected })}
	switch {
	case v.Len > 0:
		v.Count = m.say.N("people.count", v.Len)
	case !f.loaded && f.err != nil:
		v.Empty = Empty{Title: m.say.T("people.unknown"), Text: m.say.again(f.err)}
	case !f.loaded:
		v.Empty = m.notYet()
	case strings.TrimSpace(f.search) != "":
		v.Empty = Empty{Title: m.say.T("people.search.none"), Text: m.say.T("people.search.none-text", "Words", line(f.search))}
	default:
		v.Empty = Empty{Title: m.say.T("people.empty"), Text: m.say.T("people.empty-text")}
	}
	return v
}

// PersonRow is the i-th row of the list.
func (m *Model) PersonRow(i int) Row {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.folk.found()
	if i < 0 || i >= len(list) {
		return Row{}
	}
	p := list[i]
	row := Row{ID: p.Account + " " + p.Address, Title: line(p.Name), Aside: line(p.Address), Subject: m.why(p, true),
		Note: m.freeShort(p.Free), NoteTone: Muted, Selected: p.PersonID == m.folk.selected}
	if row.Title == "" || row.Title == row.Aside {
		row.Title, row.Aside = row.Aside, ""
	}
	return row
}

// why says in words why somebody writes free.
func (m *Model) why(p agentclient.Person, short bool) string {
	id := "people.why."
	if short {
		id = "people.why-short."
	}
	day := m.say.day(p.Since)
	switch p.Why {
	case agentclient.WhyPaid, agentclient.WhyBoth:
		if short {
			return m.say.T("people.why-short."+p.Why, "Day", day)
		}
		return m.say.T("people.why."+p.Why, "Day", day)
	}
	return m.say.T(id+agentclient.WhyAccepted, "Day", day)
}

func (m *Model) freeShort(f agentclient.Free) string {
	n, always, ok := f.Count()
	switch {
	case always:
		return m.say.T("people.free.always")
	case !ok:
		return ""
	case n == 0:
		return m.say.T("people.free.none")
	}
	return m.say.N("people.free.left", n)
}

// freeWords say how many mails may still go one way.
func (m *Model) freeWords(f agentclient.Free, there bool) string {
	n, always, ok := f.Count()
	switch {
	case always && there:
		return m.say.T("people.there.always")
	case always:
		return m.say.T("people.here.always")
	case !ok && there:
		return m.say.T("people.there.unknown")
	case !ok:
		return ""
	case n == 0 && there:
		return m.say.T("people.there.none")
	case n == 0:
		return m.say.T("people.here.none")
	case there:
		return m.say.N("people.there.left", n)
	}
	return m.say.N("people.here.left", n)
}

// Person shows the one that was chosen.
func (m *Model) Person() Person {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := &m.folk
	p, ok := f.find(f.selected)
	if !ok {
		return Person{Hint: len(f.list) > 0, Said: m.say.again(f.said)}
	}
	n, always, _ := p.Free.Count()
	v := Person{Show: true, To: p.Address, Name: line(p.Name), Address: line(p.Address), Why: m.why(p, false), Said: m.say.again(f.said),
		Here: m.freeWords(p.Free, false), There: m.freeWords(p.FreeThere, true), Asking: f.asking,
		Always: always, None: !always && n == 0, Busy: f.busy[p.PersonID], Fault: m.say.again(f.faults[p.PersonID])}
	if v.Name == "" {
		v.Name, v.Address = v.Address, ""
	}
	if len(m.status.Accounts) > 1 {
		v.Account = m.say.T("people.account", "Address", line(p.Account))
	}
	v.Counts = m.say.N("people.received", p.Received) + " · " + m.say.N("people.sent", p.Sent)
	if !p.Last.IsZero() {
		v.Counts += " · " + m.say.T("people.last", "When", m.say.at(p.Last))
	}
	v.Typed = f.shownFree(p)
	name := line(p.Name)
	if name == "" {
		name = line(p.Address)
	}
	v.Means = m.say.T("people.remove.means", "Name", name)
	return v
}

// shownFree is what the field of the number holds: what was typed, else the
// number that holds.
func (f *folk) shownFree(p agentclient.Person) string {
	if typed, ok := f.typed[p.PersonID]; ok {
		return typed
	}
	if n, always, ok := p.Free.Count(); ok && !always && n > 0 {
		return strconv.Itoa(n)
	}
	return ""
}

// SearchPeople narrows the list.
func (m *Model) SearchPeople(words string) {
	m.update(func() { m.folk.search = words })
}

// SelectPerson shows the i-th of the list.
func (m *Model) SelectPerson(i int) {
	m.update(func() {
		f := &m.folk
		if list := f.found(); i >= 0 && i < len(list) {
			f.reading = true
			if f.selected != list[i].PersonID {
				f.selected, f.asking, f.said = list[i].PersonID, false, nil
			}
		}
	})
}

// MovePerson chooses the next (1) or the previous (-1).
func (m *Model) MovePerson(step int) {
	m.mu.Lock()
	list := m.folk.found()
	at := slices.IndexFunc(list, func(p agentclient.Person) bool { return p.PersonID == m.folk.selected })
	m.mu.Unlock()
	switch {
	case at < 0 && step < 0:
		at = len(list) - 1
	case at < 0:
		at = 0
	default:
		at = min(max(at+step, 0), len(list)-1)
	}
	m.SelectPerson(at)
}

// LeavePerson goes back by one: from the question whether to remove, from the
// person to the list.
func (m *Model) LeavePerson() {
	m.update(func() {
		f := &m.folk
		if f.asking {
			f.asking = false
			return
		}
		f.reading = false
	})
}

// TypeFree keeps the number of free mails as typed.
func (m *Model) TypeFree(typed string) {
	m.mu.Lock()
	p, ok := m.folk.find(m.folk.selected)
	same := typed == m.folk.shownFree(p)
	m.mu.Unlock()
	if !ok || same {
		return
	}
	m.update(func() {
		m.folk.typed = set(m.folk.typed, p.PersonID, typed)
		m.folk.faults = unset(m.folk.faults, p.PersonID)
		m.folk.said = nil
	})
}

// SaveFree gives the person the number of free mails that was typed.
func (m *Model) SaveFree() {
	m.mu.Lock()
	p, ok := m.folk.find(m.folk.selected)
	typed := strings.TrimSpace(m.folk.typed[p.PersonID])
	if _, typing := m.folk.typed[p.PersonID]; !typing {
		typed = string(p.Free)
	}
	m.mu.Unlock()
	if !ok {
		return
	}
	plain, fault := m.say.typedAmount(typed, 0, "")
	n, err := strconv.Atoi(plain)
	if fault != nil || err != nil || n > agentclient.MaxFree {
		m.update(func() { m.folk.faults = set(m.folk.faults, p.PersonID, says("people.fault.count")) })
		return
	}
	m.SetFree(agentclient.FreeMails(n))
}

// SetFree says how many mails the person may write free from now on.
func (m *Model) SetFree(free agentclient.Free) {
	m.mu.Lock()
	p, ok := m.folk.find(m.folk.selected)
	busy := m.folk.busy[p.PersonID]
	m.mu.Unlock()
	if !ok || busy {
		return
	}
	m.personTask(p.PersonID, func(ctx context.Context) (said, error) {
		changed, err := m.agent.SetPerson(ctx, agentclient.SetPerson{PersonID: p.PersonID, Free: free})
		if err != nil {
			return nil, err
		}
		m.update(func() {
			f := &m.folk
			f.typed = unset(f.typed, p.PersonID)
			if i := slices.IndexFunc(f.list, func(q agentclient.Person) bool { return q.PersonID == p.PersonID }); i >= 0 {
				f.list = slices.Clone(f.list)
				f.list[i] = changed
				f.narrowed = nil
			}
		})
		return says("people.saved"), nil
	})
}

// AskRemove asks beside the button whether to remove the person.
func (m *Model) AskRemove() {
	m.update(func() { m.folk.asking = m.folk.selected.Address != "" })
}

// KeepPerson answers no.
func (m *Model) KeepPerson() {
	m.update(func() { m.folk.asking = false })
}

// RemovePerson ends the connection, once it was asked for and confirmed.
func (m *Model) RemovePerson() {
	m.mu.Lock()
	p, ok := m.folk.find(m.folk.selected)
	ok = ok && m.folk.asking && !m.folk.busy[p.PersonID]
	m.mu.Unlock()
	if !ok {
		return
	}
	m.personTask(p.PersonID, func(ctx context.Context) (said, error) {
		if err := m.agent.RemovePerson(ctx, p.PersonID); err != nil {
			return nil, err
		}
		m.update(func() {
			m.folk.put(slices.DeleteFunc(slices.Clone(m.folk.list), func(q agentclient.Person) bool { return q.PersonID == p.PersonID }))
		})
		return says("people.removed", "Address", line(p.Address)), nil
	})
}

// personTask asks the agent to change a person, one change at a time.
func (m *Model) personTask(id agentclient.PersonID, task func(context.Context) (said, error)) {
	m.update(func() {
		f := &m.folk
		f.busy, f.faults, f.said = set(f.busy, id, true), unset(f.faults, id), nil
	})
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		said, err := task(ctx)
		m.update(func() {
			f := &m.folk
			f.busy = unset(f.busy, id)
			if err != nil {
				f.faults = set(f.faults, id, fails(err))
				return
			}
			f.said = said
		})
	})
}
