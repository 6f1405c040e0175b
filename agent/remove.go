package agent

import (
	"context"
	"errors"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// RemoveAccount implements [agentclient.Agent]. Nothing is removed while a bond hangs
// on the account, or a mail is on its way; money that is available is left behind
// only where the request says so.
func (a *Agent) RemoveAccount(ctx context.Context, req agentclient.RemoveAccount) error {
	a.adding.Lock()
	defer a.adding.Unlock()
	if _, err := typedAddress(req.Address); err != nil {
		return atField("address", notRemoved(err))
	}
	acct, err := a.byAddress(req.Address)
	if err != nil {
		return atField("address", notRemoved(err))
	}
	if err := acct.mayLeave(ctx, req.Force); err != nil {
		return notRemoved(err)
	}
	again := a.halt(acct)
	if err := acct.released(ctx, req.Force); err != nil {
		again()
		return notRemoved(err)
	}
	// Whoever asked may be gone before it is done; it is then done all the same.
	return a.forgotten(context.WithoutCancel(ctx), acct, again)
}

// forgotten removes what is here of a halted account, or has it go on.
func (a *Agent) forgotten(ctx context.Context, acct *account, again func()) error {
	if err := acct.forget(ctx); err != nil {
		again()
		return notRemoved(err)
	}
	a.Log.Info("an account was removed")
	for _, kind := range []string{agentclient.EventStatus, agentclient.EventMail, agentclient.EventSent, agentclient.EventPeople,
		agentclient.EventBalance, agentclient.EventPrice} {
		a.tell(kind, "", "")
	}
	return nil
}

func notRemoved(err error) error {
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Code == agentclient.CodeState {
		return err
	}
	return meaning(err, agentclient.Say("remove.not", "The account was not removed, and no money moved."))
}

// mayLeave tells what still hangs on the account: bonds and mails on their way, and
// money at the escrow.
func (a *account) mayLeave(ctx context.Context, force bool) error {
	known, err := a.atEscrow(ctx)
	gone := a.keyIsGone()
	away := errors.Is(err, escrow.Unavailable) || gone
	if err != nil && !away {
		return err
	}
	if err := a.Store.View(ctx, a.nothingOpen); err != nil {
		return err
	}
	var available, held []agentclient.Money
	for _, b := range known.Balances {
		if b.Held > 0 {
			held = append(held, money(b.Currency, b.Held))
		}
		if b.Available > 0 {
			available = append(available, money(b.Currency, b.Available))
		}
	}
	name := a.get().Info.Name
	switch {
	case len(held) > 0:
		return agentclient.Refuse(agentclient.CodeState,
			agentclient.Say("remove.held", "{Money} of this account is held for mails that you sent.", "Money", amounts(held)),
			agentclient.Say("remove.held-means", "The account was not removed: without its keys nobody could tell you what became of that money."),
			agentclient.Say("remove.wait", "Wait until they are decided, or take them back where they have not arrived: earnest withdraw ID"))
	case force:
		return nil
	case gone:
		return agentclient.Refuse(agentclient.CodeState, sayKeyGone(a.get()), agentclient.Say("remove.gone", "The account was not removed here."),
			agentclient.Say("remove.gone-do", "Remove it all the same: earnest account remove ADDRESS --force")).At("force")
	case away:
		return agentclient.Refuse(agentclient.CodeState,
			agentclient.Say("remove.away", "{Escrow} does not answer, so it cannot be seen whether you have money there.", "Escrow", name),
			agentclient.Say("remove.away-means", "The account was not removed. If you remove it all the same, what is there stays there, and without the account's keys nobody can use it again."),
			agentclient.Say("remove.away-do", "Try again when the escrow answers, or remove the account and what is there: earnest account remove ADDRESS --force")).At("force")
	case len(available) > 0:
		return agentclient.Refuse(agentclient.CodeState,
			agentclient.Say("remove.money", "{Money} of this account is available at {Escrow}.", "Money", amounts(available), "Escrow", name),
			agentclient.Say("remove.money-means", "The account was not removed. If you remove it all the same, that money stays there, and without the account's keys nobody can use it again."),
			agentclient.Say("remove.money-do", "Use the money up first, or remove the account and leave it: earnest account remove ADDRESS --force")).At("force")
	}
	return nil
}

// atEscrow is the account as the escrow has it, with all of its bonds known here.
func (a *account) atEscrow(ctx context.Context) (known escrow.Account, err error) {
	for more := true; more; {
		if more, err = a.syncBonds(ctx, 0); err != nil {
			return known, err
		}
	}
	return a.service.Account(ctx)
}

// nothingOpen refuses while a bond is open, or a mail is not handed over yet.
func (a *account) nothingOpen(tx *store.Tx) error {
	if a.keyIsGone() {
		return nil // another key has the account, and what is open
	}
	bonds, err := store.List[store.Bond](tx, "recipient.open", "sender.open")
	if err != nil {
		return err
	}
	mails, err := store.List[store.Sent](tx, store.SentPaying, store.SentPaid, store.SentWithdrawing)
	if err != nil {
		return err
	}
	in, out, open := 0, 0, map[escrow.BondID]bool{}
	for _, bond := range bonds {
		switch {
		case bond.Account != a.id:
		case bond.Role == escrow.RoleRecipient:
			in++
		default:
			out++
			open[bond.ID] = true
		}
	}
	for _, sent := range mails {
		if sent.Account == a.id && !open[sent.Bond] && (!sent.ForTools || sent.State == store.SentPaying) {
			out++
		}
	}
	switch {
	case in > 0:
		return agentclient.Refuse(agentclient.CodeState,
			agentclient.Say("remove.open-in", "Bonds of people who wrote to this address are still open: {N}.", "N", in),
			agentclient.Say("remove.open-in-means", "The account was not removed: their mails could then not be opened or decided any more, and their money would be held until the deadline."),
			agentclient.Say("remove.open-in-do", "Accept or reject what waits (earnest inbox). What has not arrived yet ends by its deadline."))
	case out > 0:
		return agentclient.Refuse(agentclient.CodeState,
			agentclient.Say("remove.open-out", "Mails that you sent from this address are on their way or not decided: {N}.", "N", out),
			agentclient.Say("remove.open-out-means", "The account was not removed: without its keys nobody could tell you what became of them and of their money."),
			agentclient.Say("remove.wait", "Wait until they are decided, or take them back where they have not arrived: earnest withdraw ID"))
	}
	return nil
}

// halt stops the account's loops and waits until they have ended; again starts them.
func (a *Agent) halt(acct *account) (again func()) {
	a.mu.Lock()
	stop := acct.stop
	a.mu.Unlock()
	if stop == nil { // the agent does not run
		return func() {}
	}
	stop()
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.launch(acct)
	}
}

// launch runs the account's loops until the agent ends, or the account is halted.
// Callers hold mu.
func (a *Agent) launch(acct *account) {
	ctx, stop := context.WithCancel(a.running)
	done := make(chan struct{})
	acct.stop = func() { stop(); <-done }
	a.group.Go(func() error {
		defer close(done)
		defer stop()
		err := acct.run(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
}
