package viewmodel

import (
	"context"
	"slices"

	"earnest/agentclient"
)

// takeBack is the payout that the person may want back, and how far that is.
type takeBack struct {
	row          string
	asking, busy bool
	fault        said
}

// payoutRowID names a payout among those of all accounts.
func payoutRowID(p agentclient.Payout) string { return p.Account + " " + p.ID }

// mayCancel tells of a payout that nobody has paid yet.
func mayCancel(p agentclient.Payout) bool {
	return p.State == agentclient.PayoutAsked || p.State == agentclient.PayoutUnsure
}

// cancelRow is what a row shows of taking its payout back.
func (m *Model) cancelRow(p agentclient.Payout, row *PayoutRow) {
	row.ID, row.MayCancel = payoutRowID(p), mayCancel(p)
	back := &m.payout.back
	if back.row != row.ID {
		return
	}
	row.Fault, row.Busy = m.say.again(back.fault), back.busy
	if row.Asking = back.asking && row.MayCancel; row.Asking {
		row.Means = m.say.T("payout.cancel.means", "Amount", m.say.money(p.Amount))
	}
}

// AskCancelPayOut asks whether the payout of a row shall be taken back.
func (m *Model) AskCancelPayOut(row string) {
	m.update(func() {
		if p, there := m.payout.find(row); there && mayCancel(p) && !m.payout.back.busy {
			m.payout.back = takeBack{row: row, asking: true}
		}
	})
}

func (p *payOut) find(row string) (agentclient.Payout, bool) {
	i := slices.IndexFunc(p.list, func(one agentclient.Payout) bool { return payoutRowID(one) == row })
	if i < 0 {
		return agentclient.Payout{}, false
	}
	return p.list[i], true
}

// KeepPayOut answers no.
func (m *Model) KeepPayOut() {
	m.update(func() {
		if !m.payout.back.busy {
			m.payout.back = takeBack{}
		}
	})
}

// CancelPayOut takes it back, once it was asked for and confirmed.
func (m *Model) CancelPayOut() {
	var of agentclient.Payout
	fine := false
	m.update(func() {
		back := &m.payout.back
		if of, fine = m.payout.find(back.row); !fine || !back.asking || back.busy {
			fine = false
			return
		}
		back.busy, back.fault = true, nil
	})
	if !fine {
		return
	}
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		now, err := m.agent.CancelPayout(ctx, of.Account, of.ID)
		m.update(func() {
			p := &m.payout
			p.back.busy, p.back.asking, p.back.fault = false, false, fails(err)
			for i := range p.list {
				if err == nil && payoutRowID(p.list[i]) == payoutRowID(of) {
					p.list[i] = now
				}
			}
		})
		m.do(m.loadPayouts)
		m.do(m.loadBalances)
	})
}
