package agenttest

import (
	"context"
	"encoding/json"
	"strings"

	"earnest/agentclient"
)

// OrderAccount implements [agentclient.Agent]: a frozen account stays so until it is
// unfrozen, which acts at once here.
func (a *Agent) OrderAccount(ctx context.Context, req agentclient.AccountOrder) (agentclient.AccountSafety, error) {
	if req.Order == agentclient.OrderDelete {
		return agentclient.AccountSafety{Address: req.Address}, a.RemoveAccount(ctx, agentclient.RemoveAccount{Address: req.Address, Force: req.GiveUp})
	}
	if err := a.begin(ctx, "OrderAccount"); err != nil {
		return agentclient.AccountSafety{}, err
	}
	defer a.mu.Unlock()
	for _, account := range a.status.Accounts {
		if !strings.EqualFold(account.Address, req.Address) {
			continue
		}
		s, ok := a.safety[account.Address]
		if !ok {
			s = agentclient.AccountSafety{Address: account.Address, Escrow: account.Escrow, Recovery: true, Changes: []agentclient.AccountChange{}}
		}
		switch req.Order {
		case agentclient.OrderFreeze:
			s.FrozenAt = a.now()
		case agentclient.OrderUnfreeze:
			s.FrozenAt = agentclient.AccountSafety{}.FrozenAt
		}
		if a.safety == nil {
			a.safety = map[string]agentclient.AccountSafety{}
		}
		a.safety[account.Address] = s
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
