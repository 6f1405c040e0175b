package agent

import (
	"context"
	"slices"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// Status is what the agent is doing.
func (a *Agent) Status(ctx context.Context) (agentclient.Status, error) {
	status := agentclient.Status{Version: a.Version, Started: a.started, Keyring: a.Keyring.Kind()}
	for _, acct := range a.each() {
		view, err := acct.status(ctx)
		if err != nil {
			return status, err
		}
		status.Accounts = append(status.Accounts, view)
	}
	return status, a.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		if status.Waiting, err = store.Count[store.Mail](tx, store.MailWaiting); err != nil {
			return err
		}
		if status.Queued, err = store.Count[store.Report](tx); err != nil {
			return err
		}
		outbox, err := store.List[store.Sent](tx, store.SentPaying, store.SentPaid)
		for _, sent := range outbox {
			if !sent.ForTools || sent.State == store.SentPaying {
				status.Outbox++
			}
		}
		return err
	})
}

func (a *account) status(context.Context) (agentclient.Account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.settings
	view := agentclient.Account{
		Address: string(s.Address), Escrow: s.Info.Name, Proven: s.Proven,
		Mailbox: string(a.phase.Phase), EscrowUp: a.escrowErr == nil, EscrowSince: a.escrowSince,
		Identity: string(s.Identity.ID()), Pool: a.pool, Provider: s.Provider,
		Card: cardOf(s), FrozenAt: a.guard.frozen, Changes: a.guard.changes,
	}
	if a.phase.Err != nil {
		view.SayMailbox = saidOf(a.signIn.explain(theMailbox(), a.phase.Err))
		view.MailboxError = view.SayMailbox.String()
	}
	if a.keyGone {
		view.SayKey = sayKeyGone(s)
		view.KeyError = view.SayKey.String()
	}
	if a.escrowErr != nil {
		view.SayEscrow = saidOf(explain(theEscrow(), a.escrowErr))
		view.EscrowError = view.SayEscrow.String()
	}
	return view, nil
}

// Inbox lists the paid mails, newest first.
func (a *Agent) Inbox(ctx context.Context) ([]agentclient.Mail, error) {
	var mails []store.Mail
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		mails, err = a.inbox.List(tx)
		return err
	})
	list := make([]agentclient.Mail, 0, len(mails))
	for _, m := range slices.Backward(mails) {
		if m.State == store.MailExtra || m.Bond == "" && m.Connection == "" {
			continue // not opened before an accept; not known to be ours
		}
		list = append(list, a.viewMail(m))
	}
	return list, err
}

func (a *Agent) mailByID(ctx context.Context, id string) (m store.Mail, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		var ok bool
		m, ok, err = store.Get[store.Mail](tx, id)
		if err != nil {
			return err
		}
		return noMail(!ok)
	})
	return m, err
}

func (a *Agent) viewMail(m store.Mail) agentclient.Mail {
	view := agentclient.Mail{
		ID: m.ID, Bond: string(m.Bond), From: string(m.From), Name: m.Name, Subject: m.Subject,
		At: time.UnixMilli(m.Number).UTC(), State: m.State, DecideBy: m.DecideBy, EffectiveAt: m.EffectiveAt,
		FirstTime: m.FirstTime, MixedScript: m.From.MixedScript(), Unprotected: m.Unprotected,
		Unread: m.Unread, Queued: m.Queued, Error: m.Error.String(), SayError: m.Error, Beneficiary: m.Beneficiary, Reason: m.Reason,
		Attachments: m.Attachments,
	}
	acct := a.byID(m.Account)
	if acct == nil {
		return view
	}
	view.To, view.Late = string(acct.address), m.Late
	if view.Free = m.Connection != ""; !view.Free {
		view.Price = acct.price(m.Option)
	}
	return view
}

// Sent lists the mails that were sent, newest first.
func (a *Agent) Sent(ctx context.Context) ([]agentclient.Sent, error) {
	list := []agentclient.Sent{}
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		all, err := store.List[store.Sent](tx)
		for _, sent := range slices.Backward(all) {
			acct := a.byID(sent.Account)
			if acct == nil {
				continue
			}
			view, err := acct.readSent(tx, sent)
			if err != nil {
				return err
			}
			list = append(list, view)
		}
		return err
	})
	return list, err
}

// SentByID is one mail that was sent.
func (a *Agent) SentByID(ctx context.Context, id string) (agentclient.Sent, error) {
	sent, err := a.sentByID(ctx, id)
	if err != nil {
		return agentclient.Sent{}, err
	}
	acct := a.byID(sent.Account)
	if acct == nil {
		return agentclient.Sent{}, noAccount()
	}
	return acct.viewSent(ctx, sent), nil
}

func (a *Agent) sentByID(ctx context.Context, id string) (sent store.Sent, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		var ok bool
		sent, ok, err = store.Get[store.Sent](tx, id)
		if err != nil {
			return err
		}
		return noMail(!ok)
	})
	return sent, err
}

// viewSent is where the mail and its money are.
func (a *account) viewSent(ctx context.Context, sent store.Sent) (view agentclient.Sent) {
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		view, err = a.readSent(tx, sent)
		return err
	})
	if err != nil && ctx.Err() == nil {
		a.Log.Error("where a sent mail is could not be read", "err", err)
	}
	return view
}

// readSent says where it is: by the bond as far as the escrow has told, else by
// the outbox.
func (a *account) readSent(tx *store.Tx, sent store.Sent) (agentclient.Sent, error) {
	var quote escrow.Quote
	_ = escrow.Peek(sent.Buy.Quote, &quote) // it was verified before it was stored
	view := agentclient.Sent{
		ID: sent.ID, Bond: string(sent.Bond), To: string(sent.To), Subject: sent.Subject,
		Price: a.price(quote.Option), At: time.UnixMilli(sent.Number).UTC(), State: sent.State,
		Money: "none", Beneficiary: quote.BeneficiaryName, SubmittedAt: sent.SubmittedAt, Error: sent.Error.String(), SayError: sent.Error,
	}
	view.FreeThere = agentclient.Free(sent.FreeThere)
	if view.Free = sent.Connection != ""; view.Free {
		view.Price = agentclient.Money{}
	}
	bond, known, err := store.Get[store.Bond](tx, store.BondID(a.id, sent.Bond))
	if err == nil {
		view.Kept, err = isKept(tx, sent, bond.BondView)
	}
	if err != nil || !known {
		return view, err
	}
	chain, _, err := store.Get[store.Chain](tx, store.BondID(a.id, sent.Bond))
	if err != nil {
		return view, err
	}
	view.ArrivedAt, view.ReadAt, view.EndedAt = bond.ArrivedAt, bond.ReadAt, bond.EndedAt
	view.DecideBy, view.DeliverBy, view.Outages = bond.DecideBy, bond.DeliverBy, awayWith(bond.Outages)
	view.Money = "held"
	switch bond.State {
	case escrow.Held:
		if !bond.WithdrawAskedAt.IsZero() {
			view.State = store.SentWithdrawing
		}
	case escrow.Rejected:
		view.State, view.Money = string(bond.State), string(escrow.MoneyForfeit)
	case escrow.Accepted, escrow.Expired, escrow.Withdrawn:
		view.State, view.Money = string(bond.State), string(escrow.MoneyRefunded)
	default:
		view.State = string(bond.State)
	}
	if chain.Fault != "" {
		view.SayError = agentclient.Say("sent.unproven", "The escrow's receipts do not prove this ending ({Why}).", "Why", saidFault(chain.Fault)).And(agentclient.Say("sent.keep-receipts", "Keep them: earnest receipts {ID}", "ID", sent.ID))
		view.Error = view.SayError.String()
	}
	return view, nil
}

// awayWith is what moved a bond's deadlines. It is told on the escrow's word, as the
// deadlines are; its signatures count where receipts are checked.
func awayWith(signed []escrow.Signed) (list []agentclient.Outage) {
	for _, s := range signed {
		var o escrow.Outage
		if escrow.Peek(s, &o) == nil {
			list = append(list, agentclient.Outage{Escrow: o.Escrow, Began: o.Began, Ended: o.Ended})
		}
	}
	return list
}
