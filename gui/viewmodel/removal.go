package viewmodel

import (
	"context"
	"strings"

	"earnest/agentclient"
)

// removal is an account that is about to be removed.
type removal struct {
	address string // empty: none
	force   bool   // asked a second time, because money would be left behind
	busy    bool
	err     said
}

// Removal is the question whether to remove an account.
type Removal struct {
	Asked  bool
	Title  string
	Text   string
	Remove string // the button
	Error  string
	Busy   bool
}

// AskRemoveAccount asks whether to remove an account; KeepAccount is the answer no.
func (m *Model) AskRemoveAccount(address string) {
	m.update(func() {
		if !m.removing.busy {
			m.removing, m.setups.done = removal{address: address}, nil
		}
	})
}

// KeepAccount answers no.
func (m *Model) KeepAccount() {
	m.update(func() {
		if !m.removing.busy {
			m.removing = removal{}
		}
	})
}

// RemoveAccount removes the account that was asked about. Where money would be left
// behind, it asks once more.
func (m *Model) RemoveAccount() {
	m.mu.Lock()
	r, at := m.removing, ""
	for _, a := range m.status.Accounts {
		if strings.EqualFold(a.Address, r.address) {
			at = line(a.Escrow)
		}
	}
	m.mu.Unlock()
	if r.address == "" || r.busy {
		return
	}
	m.update(func() { m.removing.busy, m.removing.err = true, nil })
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		err := m.agent.RemoveAccount(ctx, agentclient.RemoveAccount{Address: r.address, Force: r.force})
		m.update(func() {
			m.removing.busy = false
			switch {
			case err == nil:
				m.removing, m.setups.done = removal{}, removed(r, at)
				m.setups.forget(r.address)
			case fieldOf(err) == "force" && !r.force:
				m.removing.force = true
			default:
				m.removing.err = fails(err)
			}
		})
		if err == nil {
			m.do(m.loadStatus)
		}
	})
}

// removalOf is the question about an account, where it is asked.
func (m *Model) removalOf(a agentclient.Account) Removal {
	r := m.removing
	if !strings.EqualFold(r.address, a.Address) {
		return Removal{}
	}
	v := Removal{Asked: true, Title: m.say.T("settings.remove.title", "Address", line(a.Address)), Busy: r.busy, Error: m.say.again(r.err),
		Remove: m.say.T("settings.remove.yes")}
	address := m.say.T("settings.remove.releases", "Escrow", line(a.Escrow))
	if r.force || !a.EscrowUp { // a forced removal waits for no escrow
		address = m.say.T("settings.remove.may-release", "Escrow", line(a.Escrow))
	}
	if !r.force {
		v.Text = m.say.T("settings.remove.means") + " " + address
		return v
	}
	v.Title, v.Remove = m.say.T("settings.remove.leave.title"), m.say.T("settings.remove.leave.yes")
	v.Text = m.say.T("settings.remove.away", "Escrow", line(a.Escrow))
	var left []string
	for _, b := range m.purse.balances {
		if strings.EqualFold(b.Account, a.Address) && !zero(b.Available.Amount) {
			left = append(left, m.say.money(b.Available))
		}
	}
	if len(left) > 0 && a.EscrowUp {
		v.Text = m.say.T("settings.remove.money", "Money", m.say.and(left), "Escrow", line(a.Escrow))
	}
	v.Text += " " + address
	return v
}

// removed says what was done, and of a forced removal no more than is known.
func removed(r removal, escrow string) said {
	done := says("settings.remove.done", "Address", line(r.address))
	if !r.force {
		return done
	}
	return done.and(says("settings.remove.may-released", "Escrow", escrow))
}
