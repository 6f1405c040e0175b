package viewmodel

import (
	"context"
	"maps"
	"slices"

	"earnest/agentclient"
)

// Marks is the bar over a list of which some rows are marked.
type Marks struct {
	Show   bool
	N      int
	Text   string // "3 marked", or how far a run is
	Accept bool
	Reject bool
	Busy   bool // a run is under way: it can only be stopped
	Fault  string
}

// run is the decisions on marked mails, which go one by one.
type run struct {
	verb   string
	n, all int
	stop   bool
	faults []said
}

func (m *Model) marksView() Marks {
	b := &m.box
	v := Marks{N: len(b.marks), Busy: b.run.verb != ""}
	v.Show = v.N > 0 || v.Busy || len(b.run.faults) > 0
	for id := range b.marks {
		if mail, ok := b.find(id); ok {
			may := m.may(mail)
			v.Accept, v.Reject = v.Accept || may.Accept, v.Reject || may.Reject
		}
	}
	if v.N > 0 {
		v.Text = m.say.N("marks.count", v.N)
	}
	if v.Busy {
		v.Text = m.say.T("marks.run."+b.run.verb, "N", b.run.n, "All", b.run.all)
	}
	if n := len(b.run.faults); n > 0 {
		v.Fault = m.say.N("marks.faults", n)
		for i, fault := range b.run.faults {
			if i == 5 {
				v.Fault += "\n…"
				break
			}
			v.Fault += "\n" + m.say.again(fault)
		}
	}
	return v
}

// Mark marks a row, or takes its mark away.
func (m *Model) Mark(id string) {
	m.update(func() {
		if _, ok := m.box.find(id); ok {
			m.toggle(id)
			m.box.cursor = id
		}
	})
}

// MarkHere does so for the row where the cursor is: the open mail, or the one
// that was marked last. Where there is none, it is the first.
func (m *Model) MarkHere() {
	m.update(func() {
		list := m.inSight(m.shown())
		if len(list) == 0 {
			return
		}
		if m.cursorIn(list) < 0 {
			m.box.cursor = list[0].mail.ID
		}
		m.toggle(m.box.cursor)
	})
}

func (m *Model) toggle(id string) {
	marks := maps.Clone(m.box.marks)
	if marks == nil {
		marks = map[string]bool{}
	}
	if marks[id] {
		delete(marks, id)
	} else {
		marks[id] = true
	}
	m.box.marks, m.box.run.faults = marks, nil
}

func (m *Model) cursorIn(list []*entry) int {
	return slices.IndexFunc(list, func(e *entry) bool { return e.mail.ID == m.box.cursor })
}

// Extend marks the row of the cursor and the one below (1) or above it (-1). No
// mail is opened by it, so none is reported as read.
func (m *Model) Extend(step int) {
	m.update(func() {
		list := m.inSight(m.shown())
		at := m.cursorIn(list)
		if len(list) == 0 {
			return
		}
		next := min(max(at+step, 0), len(list)-1)
		if at >= 0 && !m.box.marks[list[at].mail.ID] {
			m.toggle(list[at].mail.ID)
		} else if at >= 0 && m.box.marks[list[next].mail.ID] && next != at {
			m.toggle(list[at].mail.ID) // going back over what was marked takes it away
			m.box.cursor = list[next].mail.ID
			return
		}
		if !m.box.marks[list[next].mail.ID] {
			m.toggle(list[next].mail.ID)
		}
		m.box.cursor = list[next].mail.ID
	})
}

// MarkAll marks all rows of the list as it is narrowed.
func (m *Model) MarkAll() {
	m.update(func() {
		if !folder(m.shown()) {
			return
		}
		marks := map[string]bool{}
		for _, e := range m.inSight(m.shown()) {
			marks[e.mail.ID] = true
		}
		m.box.marks, m.box.run.faults = marks, nil
	})
}

// Unmark takes all marks away and stops a run of decisions. It tells whether
// there was anything to do.
func (m *Model) Unmark() (was bool) {
	m.update(func() {
		was = len(m.box.marks) > 0 || m.box.run.verb != "" || len(m.box.run.faults) > 0
		m.box.marks, m.box.run.faults = nil, nil
		m.box.run.stop = true
		m.box.cursor = m.box.selected
	})
	return was
}

// AcceptMarked accepts the marked mails, one by one in the list's order.
func (m *Model) AcceptMarked() {
	m.decideMarked("accept", func(may May) bool { return may.Accept }, func(ctx context.Context, id string) (agentclient.Mail, error) {
		return m.agent.Accept(ctx, id, agentclient.Accept{})
	})
}

// RejectMarked rejects them; one undo takes back all.
func (m *Model) RejectMarked() {
	m.decideMarked("reject", func(may May) bool { return may.Reject }, func(ctx context.Context, id string) (agentclient.Mail, error) {
		return m.agent.Reject(ctx, id, agentclient.Reject{})
	})
}

func (m *Model) decideMarked(verb string, allowed func(May) bool, call decision) {
	m.mu.Lock()
	var ids []string
	var faults []said
	if m.box.run.verb == "" && folder(m.shown()) {
		for _, e := range m.inSight(m.shown()) {
			switch {
			case !m.box.marks[e.mail.ID]:
			case allowed(m.may(e.mail)):
				ids = append(ids, e.mail.ID)
			default:
				faults = append(faults, says("marks.fault", "Subject", worded(func(s speech) string { return subjectOf(s, e.mail) }), "Why", says("marks.skipped")))
			}
		}
	}
	if len(ids) > 0 {
		m.box.marks = nil
	}
	m.mu.Unlock()
	m.runAll(verb, ids, faults, call)
}

// runAll asks for a decision on each of the mails, one after the other, and
// names those that failed.
func (m *Model) runAll(verb string, ids []string, faults []said, call decision) {
	if len(ids) == 0 {
		return
	}
	m.update(func() {
		m.box.batches++
		m.box.run = run{verb: verb, all: len(ids), faults: faults}
		m.box.deciding = setAll(m.box.deciding, ids, verb)
		m.box.batch = setAll(m.box.batch, ids, m.box.batches)
	})
	m.do(func(ctx context.Context) {
		var last agentclient.Mail
		done := 0
		for _, id := range ids {
			if m.stopped(ctx, id) {
				continue
			}
			call, cancel := m.callOnce(ctx, id, call)
			mail, err := call()
			cancel()
			m.update(func() {
				m.box.run.n++
				if err != nil {
					old, _ := m.box.find(id)
					m.box.run.faults = append(m.box.run.faults, says("marks.fault", "Subject", worded(func(s speech) string { return subjectOf(s, old) }), "Why", fails(err)))
				} else {
					last, done = mail, done+1
				}
			})
			m.decided(id, verb, mail, err, true)
		}
		m.update(func() {
			m.box.run.verb = ""
			if done > 0 {
				m.tellRun(verb, done, last)
			}
		})
	})
}

// stopped tells that a run was stopped before the mail's turn.
func (m *Model) stopped(ctx context.Context, id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.box.run.stop && ctx.Err() == nil {
		return false
	}
	m.box.deciding = unset(m.box.deciding, id)
	return true
}

func (m *Model) callOnce(ctx context.Context, id string, call decision) (func() (agentclient.Mail, error), context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	return func() (agentclient.Mail, error) { return call(ctx, id) }, cancel
}
