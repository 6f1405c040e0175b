package agenttest

import (
	"context"
	"slices"
	"strings"

	"earnest/agentclient"
)

// RemoveAccount implements [agentclient.Agent]: what the account has available is left
// behind by force alone.
func (a *Agent) RemoveAccount(ctx context.Context, req agentclient.RemoveAccount) error {
	if err := a.begin(ctx, "RemoveAccount"); err != nil {
		return err
	}
	defer a.mu.Unlock()
	at := slices.IndexFunc(a.status.Accounts, func(acct agentclient.Account) bool { return strings.EqualFold(acct.Address, req.Address) })
	if at < 0 {
		return failure(agentclient.CodeNoAccount, "There is no such account.")
	}
	address := a.status.Accounts[at].Address
	for _, m := range a.mails {
		if m.To == address && (m.State == "waiting" || m.State == "held" || m.State == "rejecting") {
			return failure(agentclient.CodeState, "Bonds of people who wrote to this address are still open.")
		}
	}
	for _, p := range a.purses {
		ours := p.account == address || p.account == "" && at == 0
		switch {
		case ours && p.held > 0:
			return failure(agentclient.CodeState, p.money(p.held).String()+" of this account is held for mails that you sent.")
		case ours && p.available > 0 && !req.Force:
			return &agentclient.Failure{Code: agentclient.CodeState, Field: "force",
				Happened: p.money(p.available).String() + " of this account is available at " + p.escrow + ".",
				Means:    "The account was not removed."}
		}
	}
	a.status.Accounts = slices.Delete(slices.Clone(a.status.Accounts), at, at+1)
	a.mails = slices.DeleteFunc(a.mails, func(m agentclient.Message) bool { return m.To == address })
	delete(a.passwords, address)
	delete(a.offers, address)
	for _, kind := range []string{agentclient.EventStatus, agentclient.EventMail, agentclient.EventBalance, agentclient.EventPrice} {
		a.emit(kind, "", "")
	}
	return nil
}
