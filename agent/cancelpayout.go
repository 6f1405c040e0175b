package agent

import (
	"context"
	"errors"
	"slices"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// CancelPayout takes back what the operator has not begun to pay.
func (a *Agent) CancelPayout(ctx context.Context, account, id string) (agentclient.Payout, error) {
	acct, err := a.byAddress(account)
	if err != nil {
		return agentclient.Payout{}, err
	}
	done, err := acct.paying.take(ctx, id)
	if err != nil {
		return agentclient.Payout{}, err
	}
	defer done()
	p, kept, err := acct.intendCancel(ctx, id)
	if err != nil || kept && !p.EndedAt.IsZero() { // the escrow never took it
		return acct.viewAsked(p), err
	}
	var payout escrow.Payout
	if kept {
		p, payout, err = acct.askOutside(ctx, p, false)
		wake(acct.wakePaying)
		switch {
		case err != nil:
			return agentclient.Payout{}, err
		case payout.ID == "":
			return acct.viewAsked(p), nil
		case payout.State == escrow.PayoutRefused:
			return acct.viewPayout(payout), nil
		}
	}
	if payout, err = acct.service.CancelPayout(ctx, id); err != nil {
		return agentclient.Payout{}, acct.notCancelled(err)
	}
	view := acct.viewPayout(payout)
	a.tell(agentclient.EventBalance, id, view.State)
	return view, nil
}

// intendCancel notes of a payout that the escrow may not know that it is taken back:
// from here on it is not asked for any more.
func (a *account) intendCancel(ctx context.Context, id string) (p store.Paying, kept bool, err error) {
	err = a.Store.Update(ctx, "paying.cancel", func(tx *store.Tx) (err error) {
		p, kept, err = store.Get[store.Paying](tx, id)
		if kept = kept && p.Out && p.Account == a.id; err != nil || !kept || !p.EndedAt.IsZero() {
			return err
		}
		p.Cancelled = true
		return store.Put(tx, p)
	})
	return p, kept, err
}

// askCounts is for how long a request for a payout that had no answer can still be
// taken: its time is within 5 minutes of the escrow's clock, this machine's may be as
// far ahead of that, and the escrow may read on it for two more.
const askCounts = 2*escrow.OrderSkew + 2*time.Minute

// takeBack cancels a payout of which it is not known whether the escrow has it. To ask
// for it anew could be what makes it. So what is there is cancelled; what is not there
// may still be on its way, and is waited for until nobody takes that request any more.
func (a *account) takeBack(ctx context.Context, p store.Paying) (store.Paying, escrow.Payout, error) {
	until := a.lastAsked(p.ID).Add(askCounts)
	never := a.Now().After(until) // looked at before the escrow is asked
	payout, err := a.cancelIfThere(ctx, p.ID)
	ctx = context.WithoutCancel(ctx) // who asked may be gone; the answer is here
	now := p
	switch {
	case err != nil:
		now.Error = agentclient.Say("paying.payout-cancelling", "You took this payout back, and it is not known whether the escrow has it: {Why}. It is asked again by itself, and cancels what it has; until then the money may be on hold.", "Why", plain(err))
	case payout.ID != "":
		return p, payout, a.answered(ctx, payout)
	case never:
		now.State, now.EndedAt, now.Error = agentclient.PayoutCancelled, a.Now(), nil
		a.payoutAsked.Delete(p.ID)
	default:
		now.Error = agentclient.Say("paying.payout-on-its-way", "You took this payout back, and the escrow does not have it. The request could still reach it until {When}; it is cancelled if it does. Nothing is on hold for it now.", "When", until.Local())
	}
	return now, payout, a.keepOutside(ctx, p, now)
}

// lastAsked is by when the last request for the payout was signed. It is kept in memory,
// where a change of this machine's clock does not reach it: what another process asked
// for was signed before this one began.
func (a *account) lastAsked(id string) time.Time {
	if at, ok := a.payoutAsked.Load(id); ok {
		return at.(time.Time)
	}
	return a.started
}

// cancelIfThere cancels what the escrow has under that number; without one it has none
// in its list either: an older escrow answers a cancel as if there were none. What it
// refuses to cancel for good stays as it is: the list tells, and who takes it back once
// more is told why.
func (a *account) cancelIfThere(ctx context.Context, id string) (escrow.Payout, error) {
	now, err := a.service.CancelPayout(ctx, id)
	if err == nil || retryLater(err) {
		return now, err
	}
	list, unseen := a.service.Payouts(ctx)
	if unseen != nil {
		return escrow.Payout{}, unseen
	}
	i := slices.IndexFunc(list, func(p escrow.Payout) bool { return p.ID == id })
	switch {
	case i < 0 && escrow.CodeOf(err) == escrow.NotFound:
		return escrow.Payout{}, nil
	case i < 0 || list[i].State == escrow.PayoutAsked: // it can be cancelled, and was not
		return escrow.Payout{}, err
	}
	a.Log.Warn("a payout that was taken back could not be cancelled", "code", escrow.CodeOf(err))
	return list[i], nil
}

// cameAfterAll has a payout cancelled that was taken for one that never comes.
func (a *account) cameAfterAll(ctx context.Context, id string) error {
	return a.Store.Update(ctx, "paying.came", func(tx *store.Tx) error {
		p, kept, err := store.Get[store.Paying](tx, id)
		if err != nil || !kept || !p.Cancelled || p.EndedAt.IsZero() {
			return err
		}
		p.State, p.EndedAt = agentclient.PayoutUnsure, time.Time{}
		a.Log.Warn("a payout that was taken back has come to the escrow late; it is cancelled")
		wake(a.wakePaying)
		return store.Put(tx, p)
	})
}

// notCancelled says what stands after a cancel that the escrow did not confirm.
func (a *account) notCancelled(err error) error {
	switch code := escrow.CodeOf(err); {
	case code == escrow.NotFound:
		return agentclient.Refuse(agentclient.CodeNotFound,
			agentclient.Say("payout.none", "The account of {Address} has no such payout.", "Address", a.address),
			agentclient.Say("payout.none-means", "Nothing was changed and no money moved."),
			agentclient.Say("payout.see", "See what you asked for: earnest payouts"))
	case code == escrow.Ended:
		return agentclient.Refuse(string(code),
			agentclient.Say("payout.paid", "The escrow's operator has paid this payout already."),
			agentclient.Say("payout.paid-means", "It cannot be taken back: the money has left the escrow for where you asked it to go."),
			agentclient.Say("payout.paid-do", "Its reference is in the list: earnest payouts. If the money does not come, write to the operator with it."))
	case code == escrow.TooLate:
		return agentclient.Refuse(string(code),
			agentclient.Say("payout.paying", "The escrow's operator is paying this payout already."),
			agentclient.Say("payout.paying-means", "It cannot be taken back any more: the money may have left the escrow for where you asked it to go."),
			agentclient.Say("payout.paying-do", "If it should not be paid, write to the operator now. If the payment fails, the operator makes the money available again."))
	case errors.Is(err, escrow.Unavailable) || code == escrow.Internal:
		return agentclient.Refuse(string(code),
			agentclient.Say("payout.cancel-unsure", "It is not known whether the escrow has cancelled the payout: {Why}.", "Why", plain(err)),
			agentclient.Say("payout.cancel-unsure-means", "If it has not, the money stays on hold, and the operator can still pay it out."),
			agentclient.Say("payout.cancel-unsure-do", "Take it back once more: what is cancelled already stays so."))
	}
	return err
}
