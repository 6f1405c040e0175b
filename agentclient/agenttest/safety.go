package agenttest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"earnest/agentclient"
)

// OrderAccount implements [agentclient.Agent]: a frozen account stays so until it is
// unfrozen, which acts at once where it has a recovery key.
func (a *Agent) OrderAccount(ctx context.Context, req agentclient.AccountOrder) (agentclient.AccountSafety, error) {
	if req.Order == agentclient.OrderDelete {
		return agentclient.AccountSafety{Address: req.Address}, a.RemoveAccount(ctx, agentclient.RemoveAccount{Address: req.Address, Force: req.GiveUp})
	}
	if err := a.begin(ctx, "OrderAccount"); err != nil {
		return agentclient.AccountSafety{}, err
	}
	defer a.mu.Unlock()
	for i := range a.status.Accounts {
		account := &a.status.Accounts[i]
		if !strings.EqualFold(account.Address, req.Address) {
			continue
		}
		s, ok := a.safety[account.Address]
		if !ok {
			s = agentclient.AccountSafety{Address: account.Address, Escrow: account.Escrow, Recovery: true, Changes: []agentclient.AccountChange{}}
		}
		if err := a.orderKeys(account, &s, req); err != nil {
			return agentclient.AccountSafety{}, err
		}
		switch req.Order {
		case agentclient.OrderFreeze:
			s.FrozenAt = a.now()
		case agentclient.OrderUnfreeze:
			if !s.Recovery {
				s.Changes = append(slices.Clone(s.Changes), agentclient.AccountChange{ID: a.id("change"), Kind: req.Order, Ours: true,
					AskedAt: a.now(), DueAt: a.now().Add(48 * time.Hour)})
				break
			}
			s.FrozenAt = agentclient.AccountSafety{}.FrozenAt
		case agentclient.OrderCancel:
			s.Changes = slices.DeleteFunc(slices.Clone(s.Changes), func(c agentclient.AccountChange) bool { return c.ID == req.Change })
		}
		a.setSafety(s)
		return s, nil
	}
	return agentclient.AccountSafety{}, failure(agentclient.CodeNoAccount, "There is no such account.")
}

// ExportAccount implements [agentclient.Agent].
func (a *Agent) ExportAccount(ctx context.Context, address string) (json.RawMessage, error) {
	if err := a.begin(ctx, "ExportAccount"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	for _, account := range a.status.Accounts {
		if strings.EqualFold(account.Address, address) {
			return json.Marshal(map[string]any{"tables": map[string]any{"addresses": []map[string]string{{"address": account.Address}}}})
		}
	}
	return nil, failure(agentclient.CodeNoAccount, "There is no such account.")
}

// SetSafety sets how an account stands at its escrow, and tells it.
func (a *Agent) SetSafety(s agentclient.AccountSafety) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.setSafety(s)
}

// setSafety has the status say it, too. The caller holds the lock.
func (a *Agent) setSafety(s agentclient.AccountSafety) {
	if a.safety == nil {
		a.safety = map[string]agentclient.AccountSafety{}
	}
	a.safety[s.Address] = s
	a.status.Accounts = slices.Clone(a.status.Accounts)
	for i := range a.status.Accounts {
		if one := &a.status.Accounts[i]; one.Address == s.Address && (!one.FrozenAt.Equal(s.FrozenAt) || len(one.Changes) != len(s.Changes)) {
			one.FrozenAt, one.Changes = s.FrozenAt, s.Changes
			a.emit(agentclient.EventStatus, "", "")
		}
	}
}
