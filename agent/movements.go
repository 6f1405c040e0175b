package agent

import (
	"context"
	"slices"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// Movements is what the books of the escrows say happened to the money of the own
// addresses, the newest first. Nothing of it is kept here: with the escrow away
// there is no statement.
func (a *Agent) Movements(ctx context.Context, address string) ([]agentclient.Movement, error) {
	accounts, err := a.named(address)
	if err != nil {
		return nil, err
	}
	list := []agentclient.Movement{}
	for _, acct := range accounts {
		movements, err := acct.movements(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, movements...)
	}
	// Within an account the books' own order stays.
	slices.SortStableFunc(list, func(x, y agentclient.Movement) int { return y.Time.Compare(x.Time) })
	return list, nil
}

// movements are those of one account, the newest first.
func (a *account) movements(ctx context.Context) ([]agentclient.Movement, error) {
	var all []escrow.Movement
	for cursor, more := int64(0), true; more; {
		page, err := a.service.Movements(ctx, cursor, escrow.MaxMovements)
		if err != nil {
			return nil, err
		}
		if page.More && page.Cursor <= cursor {
			return nil, escrow.Errorf(escrow.Unavailable, "the escrow's list of movements does not end")
		}
		all = append(all, page.Movements...)
		cursor, more = page.Cursor, page.More
	}
	slices.Reverse(all)
	list := make([]agentclient.Movement, 0, len(all))
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		name := a.get().Info.Name
		for _, m := range all {
			view := agentclient.Movement{Account: string(a.address), Escrow: name, N: m.N, Time: m.Time, Kind: string(m.Kind),
				Amount: money(m.Currency, m.Amount), Available: money(m.Currency, m.Available), Held: money(m.Currency, m.Held), Bond: string(m.Bond),
				Ground: string(m.Ground), Reason: m.Reason}
			switch {
			case m.Kind == escrow.MovePayoutRefused && m.Reason == escrow.CancelledByOwner:
				view.Kind, view.Reason = agentclient.MovePayoutCancelled, ""
			case m.Kind == escrow.MovePayoutRefused && m.Reason == escrow.EndedByRecovery:
				view.SayReason = endedByRecovery()
				view.Reason = view.SayReason.String()
			}
			if m.Bond != "" {
				sent, _, err := store.Get[store.Sent](tx, string(m.Bond))
				if err != nil {
					return err
				}
				view.With, view.Subject = string(sent.To), sent.Subject
			}
			list = append(list, view)
		}
		return nil
	})
	return list, err
}
