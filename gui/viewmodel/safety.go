package viewmodel

import (
	"context"
	"slices"
	"strings"

	"earnest/agentclient"
)

// safety is an account whose safety at its escrow is looked at.
type safety struct {
	address string // empty: none
	got     agentclient.AccountSafety
	loaded  bool
	busy    string // the order under way: "look", or as the agent knows it
	change  string // that is being cancelled
	err     said
	done    said

	saving bool
	saved  said
	failed bool // to save

	asked    bool // whether to delete
	giveUp   bool // asked a second time, because money would be given up
	errAsked said
}

// ChangeRow is a change that acts later.
type ChangeRow struct {
	ID, Text, When string
	Busy           bool
	Theirs         bool // another wants the address
}

// Safety is the page of an account's safety.
type Safety struct {
	Open    bool
	Address string
	Title   string
	Loaded  bool
	Busy    bool // an order is under way; nothing else can be ordered meanwhile
	Error   string
	Done    string
	Frozen  bool
	State   string // in a sentence
	Means   string // of freezing or unfreezing
	Act     string // the button; empty where it would change nothing
	Guard   string // whether there is a recovery key
	Guarded bool
	Changes []ChangeRow
	Quiet   string // that nothing waits
	Saving  bool
	Saved   string
	Failed  bool
	Delete  Removal // the question
}

// OpenSafety shows how an account stands at its escrow.
func (m *Model) OpenSafety(address string) {
	m.Show(PageSettings)
	m.update(func() { m.safe = safety{address: address} })
	m.orderAccount("look", agentclient.AccountOrder{Address: address})
}

// CloseSafety goes back to the settings.
func (m *Model) CloseSafety() {
	m.update(func() { m.safe = safety{} })
}

// Safety shows the account's safety.
func (m *Model) Safety() Safety {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &m.safe
	v := Safety{Open: s.address != "", Address: line(s.address), Title: m.say.T("safety.title", "Address", line(s.address)), Loaded: s.loaded,
		Busy: s.busy != "", Error: m.say.again(s.err), Done: m.say.again(s.done), Saving: s.saving, Saved: m.say.again(s.saved), Failed: s.failed}
	v.Delete = m.deletion()
	if !s.loaded {
		return v
	}
	escrow := line(s.got.Escrow)
	if v.Frozen = !s.got.FrozenAt.IsZero(); v.Frozen {
		v.State = m.say.T("safety.frozen", "Escrow", escrow, "When", m.say.moment(s.got.FrozenAt))
		v.Means = m.say.T("safety.unfreeze-means")
		waits := slices.ContainsFunc(s.got.Changes, func(c agentclient.AccountChange) bool { return c.Ours && c.Kind == agentclient.OrderUnfreeze })
		if !waits || s.busy == agentclient.OrderUnfreeze { // else it is listed below, with its time
			v.Act = m.say.T("safety.unfreeze")
		}
	} else {
		v.State = m.say.T("safety.free", "Escrow", escrow)
		v.Means, v.Act = m.say.T("safety.freeze-means"), m.say.T("safety.freeze")
	}
	switch s.busy {
	case agentclient.OrderFreeze:
		v.Act = m.say.T("safety.freezing")
	case agentclient.OrderUnfreeze:
		v.Act = m.say.T("safety.unfreezing")
	}
	v.Guarded, v.Guard = s.got.Recovery, m.say.T("safety.recovery")
	if !v.Guarded {
		v.Guard = m.say.T("safety.no-recovery")
	}
	for _, c := range s.got.Changes {
		v.Changes = append(v.Changes, ChangeRow{ID: c.ID, Text: m.changeWords(c, escrow), When: m.say.T("safety.acts", "When", m.say.moment(c.DueAt)),
			Busy: s.change == c.ID, Theirs: !c.Ours})
	}
	if len(v.Changes) == 0 {
		v.Quiet = m.say.T("safety.nothing-waits")
	}
	return v
}

// changeWords say what a change does.
func (m *Model) changeWords(c agentclient.AccountChange, escrow string) string {
	subject := line(c.Subject)
	switch {
	case !c.Ours:
		return m.say.T("safety.change.theirs", "Address", subject)
	case c.Kind == "unfreeze", c.Kind == "rotate", c.Kind == "recovery":
		return m.say.T("safety.change." + c.Kind)
	case c.Kind == "address":
		return m.say.T("safety.change.address", "Address", subject, "Escrow", escrow)
	case c.Kind == "limit":
		return m.say.T("safety.change.limit", "Currency", subject)
	}
	return strings.TrimSpace(m.say.T("safety.change.other", "Kind", line(c.Kind), "Subject", subject))
}

// Freeze freezes the account that is looked at, or ends that.
func (m *Model) Freeze() {
	m.mu.Lock()
	order := agentclient.OrderFreeze
	if !m.safe.got.FrozenAt.IsZero() {
		order = agentclient.OrderUnfreeze
	}
	address, ok := m.safe.address, m.safe.loaded
	m.mu.Unlock()
	if ok {
		m.orderAccount(order, agentclient.AccountOrder{Address: address, Order: order})
	}
}

// CancelChange stops a change that waits.
func (m *Model) CancelChange(id string) {
	m.mu.Lock()
	address := m.safe.address
	m.mu.Unlock()
	m.orderAccount(agentclient.OrderCancel, agentclient.AccountOrder{Address: address, Order: agentclient.OrderCancel, Change: id})
}

// orderAccount gives an order, one at a time, and keeps how the account then stands.
func (m *Model) orderAccount(busy string, req agentclient.AccountOrder) {
	fine := false
	m.update(func() {
		s := &m.safe
		if s.busy != "" || s.address == "" {
			return
		}
		s.busy, s.change, s.err, s.done, fine = busy, req.Change, nil, nil, true
	})
	if !fine {
		return
	}
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		got, err := m.agent.OrderAccount(ctx, req)
		m.update(func() {
			s := &m.safe
			if s.address != req.Address {
				return // another is looked at
			}
			s.busy, s.change = "", ""
			if err != nil {
				s.err = fails(err)
				return
			}
			s.got, s.loaded = got, true
			s.done = ordered(req.Order, got)
		})
		m.do(m.loadStatus)
	})
}

// ordered says what an order did.
func ordered(order string, got agentclient.AccountSafety) said {
	frozen := !got.FrozenAt.IsZero()
	switch {
	case order == agentclient.OrderFreeze && frozen:
		return says("safety.done.freeze")
	case order == agentclient.OrderUnfreeze && !frozen:
		return says("safety.done.unfreeze")
	case order == agentclient.OrderUnfreeze:
		return says("safety.done.unfreeze-later")
	case order == agentclient.OrderCancel:
		return says("safety.done.cancel")
	}
	return nil
}

// AccountFile is the name that what the escrow stores of the account is offered under.
func (m *Model) AccountFile() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return FileName(m.say.T("safety.file")+"-"+line(m.safe.address)+".json", "account.json")
}

// ExportAccount asks the escrow for all that it stores of the account, and hands it to
// write, apart from the drawing.
func (m *Model) ExportAccount(write func(data []byte) error) {
	address := ""
	m.update(func() {
		s := &m.safe
		if !s.saving && s.address != "" {
			address, s.saving, s.saved, s.failed = s.address, true, nil, false
		}
	})
	if address == "" {
		return
	}
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, sendTimeout)
		defer cancel()
		all, err := m.agent.ExportAccount(ctx, address)
		if err == nil {
			err = write(append(all, '\n'))
		}
		m.update(func() {
			s := &m.safe
			if s.address != address {
				return
			}
			s.saving, s.failed, s.saved = false, err != nil, says("safety.saved")
			if err != nil {
				s.saved = says("safety.not-saved", "Why", fails(err))
			}
		})
	})
}

// AskDelete asks whether to delete the account; KeepDelete is the answer no.
func (m *Model) AskDelete() {
	m.update(func() {
		if m.safe.busy == "" && m.safe.address != "" {
			m.safe.asked, m.safe.giveUp, m.safe.errAsked = true, false, nil
		}
	})
}

// KeepDelete answers no.
func (m *Model) KeepDelete() {
	m.update(func() {
		if m.safe.busy != agentclient.OrderDelete {
			m.safe.asked, m.safe.giveUp, m.safe.errAsked = false, false, nil
		}
	})
}

// deletion is the question whether to delete the account, where it is asked.
func (m *Model) deletion() Removal {
	s := &m.safe
	if !s.asked {
		return Removal{}
	}
	escrow := line(s.got.Escrow)
	for _, a := range m.status.Accounts {
		if strings.EqualFold(a.Address, s.address) {
			escrow = line(a.Escrow)
		}
	}
	v := Removal{Asked: true, Title: m.say.T("safety.delete.title", "Address", line(s.address), "Escrow", escrow),
		Text: m.say.T("safety.delete.means", "Escrow", escrow), Remove: m.say.T("safety.delete.yes"),
		Busy: s.busy == agentclient.OrderDelete, Error: m.say.again(s.errAsked)}
	if !s.giveUp {
		return v
	}
	var left []string
	for _, b := range m.purse.balances {
		if strings.EqualFold(b.Account, s.address) && hasMoney(b) {
			left = append(left, m.say.money(b.Available))
		}
	}
	v.Title, v.Remove = m.say.T("safety.delete.money-title"), m.say.T("safety.delete.money-yes")
	v.Text = m.say.T("safety.delete.money", "Money", m.say.and(left), "Escrow", escrow)
	return v
}

// DeleteAccount deletes the account that was asked about, at the escrow and here.
// Where money would be given up, it asks once more.
func (m *Model) DeleteAccount() {
	var req agentclient.AccountOrder
	m.update(func() {
		s := &m.safe
		if s.asked && s.busy == "" {
			s.busy, s.errAsked = agentclient.OrderDelete, nil
			req = agentclient.AccountOrder{Address: s.address, Order: agentclient.OrderDelete, GiveUp: s.giveUp}
		}
	})
	if req.Address == "" {
		return
	}
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		_, err := m.agent.OrderAccount(ctx, req)
		m.update(func() {
			mine := m.safe.address == req.Address
			switch {
			case err == nil:
				m.setups.done = says("safety.deleted", "Address", line(req.Address))
				m.setups.forget(req.Address)
				if mine {
					m.safe = safety{}
				}
			case !mine:
			case fieldOf(err) == "giveUp" && !req.GiveUp:
				m.safe.busy, m.safe.giveUp = "", true
			default:
				m.safe.busy, m.safe.errAsked = "", fails(err)
			}
		})
		m.do(m.loadStatus)
	})
}

// danger is what must be seen on every page: an address that another wants, a change
// that would give the account away, a frozen account.
func (m *Model) danger() Banner {
	if m.safe.address != "" && m.page == PageSettings {
		return Banner{} // it is being looked at
	}
	for _, a := range m.status.Accounts {
		for _, c := range a.Changes {
			b := Banner{Show: true, Look: a.Address}
			switch when := m.say.moment(c.DueAt); {
			case !c.Ours:
				b.Text = m.say.T("safety.banner.theirs", "Address", line(c.Subject), "When", when)
				return b
			case c.Kind == "rotate" || c.Kind == "recovery":
				b.Text = m.say.T("safety.banner.ours", "Address", line(a.Address), "What", m.say.T("safety.change."+c.Kind), "When", when)
				return b
			}
		}
	}
	for _, a := range m.status.Accounts {
		if !a.FrozenAt.IsZero() {
			return Banner{Show: true, Look: a.Address, Text: m.say.T("safety.banner.frozen", "Address", line(a.Address), "Escrow", line(a.Escrow))}
		}
	}
	return Banner{}
}

// LookAtBanner opens the safety of the account that the banner is about.
func (m *Model) LookAtBanner() {
	if look := m.Banner().Look; look != "" {
		m.OpenSafety(look)
	}
}
