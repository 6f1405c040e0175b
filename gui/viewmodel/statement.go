package viewmodel

import (
	"context"
	"slices"
	"time"

	"earnest/agentclient"
)

// statement is what happened to the money, and what of it is shown.
type statement struct {
	moves   []agentclient.Movement // newest first
	loaded  bool
	stale   bool
	loadErr said

	kind     string // all where empty
	currency string
	period   Period

	version int            // counts what changes the lines
	made    statementKey   // what lines was made for
	lines   []statementRef // replaced, never changed: a page holds it while it draws

	saving bool
	saved  said
	failed bool
}

type statementKey struct {
	version int
	day     time.Time
}

// statementRef is a line: the day over movements, or the movement at N.
type statementRef struct {
	Day bool
	N   int
}

// Period is a stretch of time that a statement shows.
type Period int

// The periods.
const (
	PeriodAll Period = iota
	PeriodMonth
	PeriodLastMonth
	PeriodYear
	PeriodLastYear
	periods
)

// StatementLine is a line of the statement: a day, or one movement under it.
type StatementLine struct {
	Day     string // a day's line has nothing else
	Title   string // with whom, or what
	Address bool   // Title is an address: its end is never cut
	What    string // clock, kind, subject
	Amount  string // with its sign
	Balance string // after it
	Tone    Tone
}

// StatementView is the part of the page of money about what happened to it.
type StatementView struct {
	Loaded     bool
	LoadErr    string
	Kinds      []string
	Kind       int
	Currencies []string // empty where there is one
	Currency   int
	Periods    []string
	Period     int
	Lines      []bool // one a line; true is a day
	Version    int    // changes with the lines
	Count      string
	Empty      Empty
	Saving     bool
	Saved      string
	Failed     bool // Saved is a fault
}

// Statement shows what happened to the money.
func (m *Model) Statement() StatementView {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &m.statement
	lines := m.statementLines()
	v := StatementView{Loaded: s.loaded, LoadErr: m.say.again(s.loadErr), Period: int(s.period), Version: s.version, Saving: s.saving, Saved: m.say.again(s.saved), Failed: s.failed}
	for i, kind := range kinds() {
		if kind == "" {
			v.Kinds = append(v.Kinds, m.say.T("statement.all-kinds"))
			continue
		}
		v.Kinds = append(v.Kinds, m.say.kindWords(kind))
		if kind == s.kind {
			v.Kind = i
		}
	}
	if all := m.movedCurrencies(); len(all) > 1 {
		v.Currencies = []string{m.say.T("statement.all-currencies")}
		for i, c := range all {
			v.Currencies = append(v.Currencies, m.say.currencyWords(c.Currency, c.Unit))
			if c.Currency == s.currency {
				v.Currency = i + 1
			}
		}
	}
	for _, id := range []string{"all", "month", "last-month", "year", "last-year"} {
		v.Periods = append(v.Periods, m.say.T("statement.period."+id))
	}
	v.Lines = make([]bool, len(lines))
	n := 0
	for i, l := range lines {
		if v.Lines[i] = l.Day; !l.Day {
			n++
		}
	}
	if n > 0 {
		v.Count = m.say.N("statement.count", n)
		return v
	}
	switch {
	case !s.loaded && s.loadErr != nil:
		v.Empty = Empty{Title: m.say.T("statement.fault"), Text: m.say.again(s.loadErr)}
	case !s.loaded:
		v.Empty = m.notYet()
	case len(s.moves) == 0:
		v.Empty = Empty{Title: m.say.T("statement.empty.title"), Text: m.say.T("statement.empty.text")}
	default:
		v.Empty = Empty{Title: m.say.T("statement.none.title"), Text: m.say.T("statement.none.text")}
	}
	return v
}

// movedCurrencies are those that ever moved, the newest first.
func (m *Model) movedCurrencies() []agentclient.Money {
	all := m.purse.currencies()
	for _, move := range m.statement.moves {
		if !slices.ContainsFunc(all, func(c agentclient.Money) bool { return c.Currency == move.Amount.Currency }) {
			all = append(all, move.Amount)
		}
	}
	return all
}

// statementLines are the lines by the filter; they are made anew only when
// something changed, for there may be thousands.
func (m *Model) statementLines() []statementRef {
	s := &m.statement
	want := statementKey{s.version, midnight(m.now().In(m.say.loc))}
	if s.made == want && s.lines != nil {
		return s.lines
	}
	from, to := s.period.span(m.now().In(m.say.loc))
	lines := make([]statementRef, 0, len(s.moves)+8)
	var day time.Time
	for i, move := range s.moves {
		if s.kind != "" && move.Kind != s.kind || s.currency != "" && move.Amount.Currency != s.currency ||
			!from.IsZero() && move.Time.Before(from) || !to.IsZero() && !move.Time.Before(to) {
			continue
		}
		if d := midnight(move.Time.In(m.say.loc)); !d.Equal(day) {
			day = d
			lines = append(lines, statementRef{Day: true, N: i})
		}
		lines = append(lines, statementRef{N: i})
	}
	s.lines, s.made = lines, want
	return lines
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// span is from when until before when; zero where it has no such end.
func (p Period) span(now time.Time) (from, to time.Time) {
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
	year := time.Date(now.Year(), 1, 1, 0, 0, 0, 0, now.Location())
	switch p {
	case PeriodMonth:
		return month, time.Time{}
	case PeriodLastMonth:
		return month.AddDate(0, -1, 0), month
	case PeriodYear:
		return year, time.Time{}
	case PeriodLastYear:
		return year.AddDate(-1, 0, 0), year
	}
	return time.Time{}, time.Time{}
}

// StatementLine is the i-th line of the view of that version. Only lines in sight
// are asked for.
func (m *Model) StatementLine(i int) StatementLine {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines := m.statementLines()
	if i < 0 || i >= len(lines) {
		return StatementLine{}
	}
	move := m.statement.moves[lines[i].N]
	if lines[i].Day {
		return StatementLine{Day: m.say.day(move.Time)}
	}
	l := StatementLine{Title: line(move.With), Address: true, What: m.say.clock(move.Time) + "  ·  " + m.say.kindWords(move.Kind),
		Amount: m.say.signed(move), Balance: m.say.T("status.money", "Available", m.say.money(move.Available), "Held", m.say.money(move.Held))}
	if l.Title == "" {
		l.Title, l.Address = m.say.moveTitle(move), false
	}
	for _, s := range []string{line(move.Subject), m.say.quotedReason(move)} {
		if s != "" {
			l.What += "  ·  " + s
		}
	}
	if len(m.status.Accounts) > 1 {
		l.What += "  ·  " + line(move.Account)
	}
	l.Tone = moveTone(move.Kind)
	return l
}

// SetStatementKind, SetStatementCurrency and SetStatementPeriod choose what is
// shown, by the index in the view's lists.
func (m *Model) SetStatementKind(i int) {
	if all := kinds(); i >= 0 && i < len(all) {
		m.sift(func(s *statement) { s.kind = all[i] })
	}
}

// SetStatementCurrency chooses one currency; 0 is all of them.
func (m *Model) SetStatementCurrency(i int) {
	m.sift(func(s *statement) {
		s.currency = ""
		if all := m.movedCurrencies(); i > 0 && i <= len(all) {
			s.currency = all[i-1].Currency
		}
	})
}

// SetStatementPeriod chooses a stretch of time.
func (m *Model) SetStatementPeriod(i int) {
	if i >= 0 && i < int(periods) {
		m.sift(func(s *statement) { s.period = Period(i) })
	}
}

func (m *Model) sift(change func(*statement)) {
	m.mu.Lock()
	s := &m.statement
	kind, currency, period := s.kind, s.currency, s.period
	change(s)
	same := kind == s.kind && currency == s.currency && period == s.period
	if !same {
		s.version++
		s.saved = nil
	}
	m.mu.Unlock()
	if !same {
		m.changed()
	}
}

func (m *Model) loadMovements(ctx context.Context) {
	m.mu.Lock()
	m.statement.stale = false // an event from now on asks again
	m.mu.Unlock()
	m.reload(ctx, &m.loads.movements, func(ctx context.Context) error {
		moves, err := m.agent.Movements(ctx, "")
		if err != nil {
			m.update(func() { m.statement.loadErr = fails(err) })
			return m.unlessNoAccount(err)
		}
		m.update(func() {
			s := &m.statement
			s.moves, s.loaded, s.loadErr = moves, true, nil
			s.version++
		})
		return nil
	})
}
