package agenttest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"earnest/agentclient"
)

// notice is how long a rotation without the recovery key waits.
const notice = 48 * time.Hour

// NewRecoveryKey implements [agentclient.Agent]. Its codes have the groups of real
// ones, and no checksums: one that was never made is refused as mistyped in group 1.
func (a *Agent) NewRecoveryKey(ctx context.Context, account agentclient.AccountAddress) (agentclient.RecoveryKey, error) {
	if err := a.begin(ctx, "NewRecoveryKey"); err != nil {
		return agentclient.RecoveryKey{}, err
	}
	defer a.mu.Unlock()
	if a.accountAt(account.Address) == nil {
		return agentclient.RecoveryKey{}, failure(agentclient.CodeNoAccount, "There is no such account.")
	}
	groups := make([]string, 17)
	for i := range groups {
		groups[i] = fmt.Sprintf("K%02dA%02d", (len(a.papers)+1)%100, i+1)
	}
	code := strings.Join(groups, " ")
	if a.papers == nil {
		a.papers = map[string]string{}
	}
	a.papers[typedCode(code)] = account.Address
	_, replaces := a.onPaper[account.Address]
	return agentclient.RecoveryKey{Address: account.Address, Escrow: "https://escrow.example", Code: code, Replaces: replaces, AtOnce: !replaces}, nil
}

func typedCode(typed string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\n", "").Replace(typed))
}

func (a *Agent) accountAt(address string) *agentclient.Account {
	for i := range a.status.Accounts {
		if strings.EqualFold(a.status.Accounts[i].Address, address) {
			return &a.status.Accounts[i]
		}
	}
	return nil
}

// orderKeys does what an order says of the account's keys.
func (a *Agent) orderKeys(account *agentclient.Account, s *agentclient.AccountSafety, req agentclient.AccountOrder) error {
	if req.Recovery != "" && a.onPaper[account.Address] != typedCode(req.Recovery) {
		return mistyped("recovery")
	}
	s.Identity = account.Identity
	switch req.Order {
	case agentclient.OrderRecovery:
		if a.papers[typedCode(req.NewRecovery)] != account.Address {
			return mistyped("newRecovery")
		}
		if a.onPaper == nil {
			a.onPaper = map[string]string{}
		}
		if _, replaces := a.onPaper[account.Address]; replaces && req.Recovery == "" {
			s.Changes = append(s.Changes, agentclient.AccountChange{ID: a.id("change"), Kind: "recovery", Ours: true, AskedAt: a.now(), DueAt: a.now().Add(notice)})
			return nil
		}
		a.onPaper[account.Address], s.Recovery, s.RecoveryHere = typedCode(req.NewRecovery), true, false
	case agentclient.OrderRotate:
		next := "k1-" + a.id("identity")
		if req.Recovery == "" {
			s.NextIdentity = &agentclient.KeyChange{Identity: next, DueAt: a.now().Add(notice)}
			s.Changes = append(s.Changes, agentclient.AccountChange{ID: a.id("change"), Kind: "rotate", Ours: true, AskedAt: a.now(), DueAt: s.NextIdentity.DueAt})
			return nil
		}
		account.Card = strings.Replace(account.Card, account.Identity, next, 1)
		account.Identity, s.Identity, s.NextIdentity = next, next, nil
		s.Changes, s.FrozenAt = []agentclient.AccountChange{}, time.Time{}
	}
	return nil
}

func mistyped(field string) error {
	return agentclient.Refuse(agentclient.CodeUsage, agentclient.Say("recovery.mistyped", "Group {N} of the recovery key is mistyped.", "N", 1),
		agentclient.Say("nothing.changed", "Nothing was changed."),
		agentclient.Say("recovery.type-again", "Compare it with the paper and type it again: {Groups} groups of six letters and digits.", "Groups", 17)).At(field)
}

// RecoverAccount implements [agentclient.Agent]: any recovery key that was made takes
// an account over; one mail was lost with the other machine.
func (a *Agent) RecoverAccount(ctx context.Context, req agentclient.RecoverAccount) (agentclient.Recovered, error) {
	if err := a.begin(ctx, "RecoverAccount"); err != nil {
		return agentclient.Recovered{}, err
	}
	known := a.papers[typedCode(req.Recovery)] != ""
	a.mu.Unlock()
	if !known {
		return agentclient.Recovered{}, mistyped("recovery")
	}
	account, err := a.AddAccount(ctx, req.AddAccount)
	if err != nil {
		return agentclient.Recovered{}, err
	}
	lost := agentclient.Say("recover.lost-mails", "Mails to you that were paid for and not decided: {N}. Their one-time keys are lost with the other machine: nobody can open or decide them, and their money goes back at the deadlines.", "N", 1)
	return agentclient.Recovered{Account: account, Open: 1, Lost: []string{lost.String()}, SayLost: []agentclient.Said{lost}}, nil
}
