package viewmodel

import (
	"context"
	"math/big"
	"slices"
	"time"

	"earnest/agentclient"
)

// limitDay is over how long a limit per day counts.
const limitDay = 24 * time.Hour

// limits are what mails may cost, and the changes being typed.
type limits struct {
	list    []agentclient.Limit
	loaded  bool
	stale   bool
	loadErr said
	forms   map[string]*limitForm // by currency
}

type limitForm struct {
	mail, day       string
	touched, busy   bool
	errMail, errDay said
	err, done       said
}

// LimitView is the limits of one currency.
type LimitView struct {
	Currency string // as the agent knows it
	Name     string // as a person does
	Mail     string
	Day      string
	ErrMail  string
	ErrDay   string
	Left     string // what may still be spent
	Reached  bool   // nothing: a clear stop
	HereOnly bool   // only this machine holds to it; to save it tells the escrow
	Changed  bool
	Busy     bool
	Error    string
	Done     string
}

// LimitsView is the part of the page of money about limits.
type LimitsView struct {
	Loaded  bool
	LoadErr string
	Escrow  bool // it holds to all of them, or there is none yet
	List    []LimitView
}

// Limits shows what mails may cost.
func (m *Model) Limits() LimitsView {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := LimitsView{Loaded: m.limits.loaded, LoadErr: m.say.again(m.limits.loadErr),
		Escrow: !slices.ContainsFunc(m.limits.list, agentclient.Limit.HereOnly)}
	for _, l := range m.limits.list {
		f := m.limits.form(l.Currency)
		one := LimitView{Currency: l.Currency, Name: m.say.currencyWords(l.Currency, l.Unit), Mail: f.mail, Day: f.day,
			ErrMail: m.say.again(f.errMail), ErrDay: m.say.again(f.errDay), Busy: f.busy, Error: m.say.again(f.err), Done: m.say.again(f.done), HereOnly: l.HereOnly(),
			Changed: f.mail != m.say.decimal(l.PerMail) || f.day != m.say.decimal(l.PerDay)}
		one.Left, one.Reached = m.limitLeft(l)
		v.List = append(v.List, one)
	}
	return v
}

// limitLeft says what a day still has room for, and when there is room again.
func (m *Model) limitLeft(l agentclient.Limit) (string, bool) {
	money := func(amount string) string {
		return m.say.money(agentclient.Money{Amount: amount, Currency: l.Currency, Unit: l.Unit})
	}
	spent, okSpent := amount(l.Spent)
	day, okDay := amount(l.PerDay)
	switch {
	case !okSpent:
		return "", false
	case !okDay:
		if spent.Sign() == 0 {
			return "", false
		}
		return m.say.T("limits.spent", "Amount", money(l.Spent)), false
	}
	left := new(big.Rat).Sub(day, spent)
	if left.Sign() > 0 {
		return m.say.T("limits.left", "Left", money(left.FloatString(scale(l.Spent))), "Limit", money(l.PerDay)), false
	}
	if frees := m.frees(l.Currency); !frees.IsZero() {
		return m.say.T("limits.reached-until", "Limit", money(l.PerDay), "When", m.say.moment(frees)), true
	}
	return m.say.T("limits.reached", "Limit", money(l.PerDay)), true
}

// frees is when the oldest purchase of the last day that has not come back stops
// counting; zero where the statement does not know it.
func (m *Model) frees(currency string) time.Time {
	since := m.now().Add(-limitDay)
	back := map[string]bool{}
	var oldest time.Time
	for _, move := range m.statement.moves { // newest first
		if move.Amount.Currency != currency || move.Time.Before(since) {
			continue
		}
		switch {
		case move.Kind == agentclient.MoveRefund:
			back[move.Bond] = move.Bond != ""
		case move.Kind == agentclient.MoveHold && !back[move.Bond]:
			oldest = move.Time
		}
	}
	if oldest.IsZero() {
		return oldest
	}
	return oldest.Add(limitDay)
}

// form is what is typed for a currency.
func (l *limits) form(currency string) *limitForm {
	f := l.forms[currency]
	if f == nil {
		f = &limitForm{}
		if l.forms == nil {
			l.forms = map[string]*limitForm{}
		}
		l.forms[currency] = f
	}
	return f
}

// put takes over what holds, and leaves alone what is being typed.
func (l *limits) put(list []agentclient.Limit, say speech) {
	l.list, l.loaded, l.stale, l.loadErr = list, true, false, nil
	for _, one := range list {
		if f := l.form(one.Currency); !f.touched {
			f.mail, f.day = say.decimal(one.PerMail), say.decimal(one.PerDay)
		}
	}
}

// SetLimitMail and SetLimitDay keep the limits of a currency as typed.
func (m *Model) SetLimitMail(currency, text string) {
	m.typeLimit(currency, func(f *limitForm) bool { same := f.mail == text; f.mail, f.errMail = text, nil; return same })
}

// SetLimitDay keeps what a day may cost.
func (m *Model) SetLimitDay(currency, text string) {
	m.typeLimit(currency, func(f *limitForm) bool { same := f.day == text; f.day, f.errDay = text, nil; return same })
}

func (m *Model) typeLimit(currency string, change func(*limitForm) bool) {
	m.mu.Lock()
	f := m.limits.form(currency)
	before := *f
	if change(f) {
		*f = before
		m.mu.Unlock()
		return
	}
	f.touched, f.err, f.done = true, nil, nil
	m.mu.Unlock()
	m.changed()
}

// UndoLimit puts back what holds.
func (m *Model) UndoLimit(currency string) {
	m.update(func() {
		delete(m.limits.forms, currency)
		m.limits.put(m.limits.list, m.say)
	})
}

// SaveLimit sets the limits of a currency as typed; an empty field is no limit.
func (m *Model) SaveLimit(currency string) {
	var req agentclient.SetLimit
	fine := false
	m.update(func() {
		i := slices.IndexFunc(m.limits.list, func(l agentclient.Limit) bool { return l.Currency == currency })
		f := m.limits.form(currency)
		if i < 0 || f.busy {
			return
		}
		l := m.limits.list[i]
		read := func(text string) (plain string, fault said) {
			if bare(text, l.Unit) == "" {
				return "", nil
			}
			return m.say.typedAmount(text, m.purse.scaleOf(currency), l.Unit)
		}
		req.Currency = currency
		req.PerMail, f.errMail = read(f.mail)
		req.PerDay, f.errDay = read(f.day)
		if f.errMail == nil && f.errDay == nil && req.PerMail != "" && req.PerDay != "" && less(req.PerDay, req.PerMail) {
			f.errDay = says("limits.day-under-mail")
		}
		if fine = f.errMail == nil && f.errDay == nil; fine {
			f.busy, f.err, f.done = true, nil, nil
		}
	})
	if fine {
		m.do(func(ctx context.Context) { m.saveLimit(ctx, req) })
	}
}

func less(a, b string) bool {
	x, okX := amount(a)
	y, okY := amount(b)
	return okX && okY && x.Cmp(y) < 0
}

func (m *Model) saveLimit(ctx context.Context, req agentclient.SetLimit) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	list, err := m.agent.SetLimit(ctx, req)
	m.update(func() {
		f := m.limits.form(req.Currency)
		f.busy = false
		if err != nil {
			switch words := fails(err); fieldOf(err) {
			case "perMail":
				f.errMail = words
			case "perDay":
				f.errDay = words
			default:
				f.err = words
			}
			return
		}
		f.touched = false
		m.limits.put(list, m.say)
		f.done = says("limits.saved")
	})
}

func (m *Model) loadLimits(ctx context.Context) {
	m.reload(ctx, &m.loads.limits, func(ctx context.Context) error {
		list, err := m.agent.Limits(ctx)
		if err != nil {
			m.update(func() { m.limits.loadErr = fails(err) })
			return m.unlessNoAccount(err)
		}
		m.update(func() { m.limits.put(list, m.say) })
		return nil
	})
}
