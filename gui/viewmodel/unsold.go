package viewmodel

import (
	"strings"

	"earnest/agentclient"
)

// unsold tells that nobody can write to an account although it has a price: the
// escrow takes one-time keys only from accounts that have money, and this one
// has none.
func (m *Model) unsold(a agentclient.Account) bool {
	if a.Pool > 0 || !a.Proven || !m.purse.loaded {
		return false
	}
	for _, p := range m.own.prices {
		if strings.EqualFold(p.Address, a.Address) && len(p.Options) > 0 {
			return m.penniless(a)
		}
	}
	return false
}

func (m *Model) penniless(a agentclient.Account) bool {
	seen := false
	for _, b := range m.purse.balances {
		if b.Account != "" && !strings.EqualFold(b.Account, a.Address) {
			continue
		}
		seen = true
		for _, money := range []agentclient.Money{b.Available, b.Held} {
			if value, ok := amount(money.Amount); ok && value.Sign() > 0 {
				return false
			}
		}
	}
	return seen
}
