package agent

import (
	"context"
	"errors"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// CancelPayout takes back what is not paid yet.
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

// intendCancel notes of a payout that the escrow may not know that it is taken back.
// Such a one is asked for once more before it is cancelled: what the escrow has under
// its number cannot come late any more, from a request that was long on its way.
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

// cancelFound cancels what the escrow turned out to have. What it refuses to cancel
// stays as it is: the list tells, and who takes it back once more is told why.
func (a *account) cancelFound(ctx context.Context, found escrow.Payout) (escrow.Payout, error) {
	now, err := a.service.CancelPayout(ctx, found.ID)
	switch {
	case err == nil:
		return now, nil
	case retryLater(err):
		return escrow.Payout{}, err
	}
	a.Log.Warn("a payout that was taken back could not be cancelled", "code", escrow.CodeOf(err))
	return found, nil
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
	case errors.Is(err, escrow.Unavailable) || code == escrow.Internal:
		return agentclient.Refuse(string(code),
			agentclient.Say("payout.cancel-unsure", "It is not known whether the escrow has cancelled the payout: {Why}.", "Why", plain(err)),
			agentclient.Say("payout.cancel-unsure-means", "If it has not, the money stays on hold, and the operator can still pay it out."),
			agentclient.Say("payout.cancel-unsure-do", "Take it back once more: what is cancelled already stays so."))
	}
	return err
}
