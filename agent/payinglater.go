package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// How often the escrow is asked about what is paid outside, and for how long what
// came of it is kept here.
const (
	payingSoon  = 5 * time.Second  // while somebody is likely at the page
	payingLater = time.Minute      // for two hours
	payingSlow  = 10 * time.Minute // and while a payout waits for the operator
	payingNone  = time.Hour
	cardLife    = 3 * 24 * time.Hour // a page that is open for longer is none
	cardKept    = 24 * time.Hour
	payoutKept  = 7 * 24 * time.Hour
)

// payings are those of the account, the oldest first.
func (a *account) payings(ctx context.Context) (list []store.Paying, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		list, err = a.payingsIn(tx)
		return err
	})
	return list, err
}

func (a *account) keptPaying(ctx context.Context, id string) (p store.Paying, kept bool, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		p, kept, err = store.Get[store.Paying](tx, id)
		return err
	})
	return p, kept, err
}

func (a *account) payingsIn(tx *store.Tx) (list []store.Paying, err error) {
	all, err := store.List[store.Paying](tx)
	for _, p := range all {
		if p.Account == a.id {
			list = append(list, p)
		}
	}
	return list, err
}

// payOutside stores what is asked for, then asks for it. Who asks for the same while
// it is not known what became of the first gets the first.
func (a *account) payOutside(ctx context.Context, p store.Paying) (store.Paying, escrow.Payout, error) {
	named := p.ID != ""
	if !named {
		p.ID = newID()
	}
	// Taken before it is stored: else the loop could ask for it, too, and get another
	// answer than is told here.
	done, err := a.paying.take(ctx, p.ID)
	if err != nil {
		return store.Paying{}, escrow.Payout{}, err
	}
	defer func() { done() }()
	own, asked := p.ID, p
	p.Account, p.Number, p.State = a.id, a.Now().UnixMilli(), agentclient.PayoutUnsure
	fresh := true
	err = a.Store.Update(ctx, "paying.intend", func(tx *store.Tx) error {
		if err := a.stays(tx); err != nil {
			return err
		}
		all, err := a.payingsIn(tx)
		if err != nil {
			return err
		}
		for _, was := range all {
			same := was.Out == p.Out && was.Currency == p.Currency && was.Amount == p.Amount && was.To == p.To
			switch {
			case p.ID == was.ID && !same:
				return escrow.Errorf(escrow.Conflict, "something else was asked for under that number")
			case p.ID == was.ID, !named && same && was.State == agentclient.PayoutUnsure && !was.Cancelled:
				p, fresh = was, false
				return nil
			}
		}
		return store.Put(tx, p)
	})
	if err != nil || !p.EndedAt.IsZero() {
		return p, escrow.Payout{}, err
	}
	if p.ID != own {
		done()
		if done, err = a.paying.take(ctx, p.ID); err != nil {
			done = func() {}
			return p, escrow.Payout{}, nil // as far as is known
		}
		now, kept, err := a.keptPaying(ctx, p.ID)
		switch {
		case err != nil:
			return p, escrow.Payout{}, err
		case kept && now.Cancelled: // meanwhile: this is another one
			asked.ID = ""
			return a.payOutside(ctx, asked)
		}
	}
	p, payout, err := a.askOutside(ctx, p, fresh)
	wake(a.wakePaying)
	return p, payout, err
}

// askOutside asks the escrow once, and stores what it answers. Fresh tells that it
// was never asked before, so that a refusal is the end of it.
func (a *account) askOutside(ctx context.Context, p store.Paying, fresh bool) (store.Paying, escrow.Payout, error) {
	if p.Cancelled {
		return a.takeBack(ctx, p)
	}
	now, payout, err := a.outside(ctx, p)
	ctx = context.WithoutCancel(ctx) // who asked may be gone; the answer is here
	lost := errors.Is(err, escrow.Unavailable) || escrow.CodeOf(err) == escrow.Internal
	switch unsure := p.State == agentclient.PayoutUnsure; {
	case err == nil && p.Out:
		return p, payout, a.answered(ctx, payout)
	case err == nil:
	case !unsure && retryLater(err):
		return p, payout, nil // it is as it was, as far as is known
	case !unsure && errors.Is(err, escrow.NotFound): // the escrow was restored from a backup of before
		now.State, now.URL, now.EndedAt = agentclient.CardOver, "", a.Now()
	case !unsure:
		return p, payout, err
	case fresh && !lost:
		gone := a.Store.Update(ctx, "paying.refused", func(tx *store.Tx) error { return store.Delete[store.Paying](tx, p.ID) })
		return store.Paying{}, payout, errors.Join(err, gone)
	case !retryLater(err):
		if p.Out {
			err = a.notPaidOut(ctx, p.Currency, p.Amount, err)
		}
		now.State, now.EndedAt = agentclient.PayoutFailed, a.Now()
		now.Error = agentclient.Say("paying.refused", "The escrow did not take it: {Why}. No money moved.", "Why", plain(err))
	case p.Out:
		now.Error = agentclient.Say("paying.payout-unsure", "It is not known whether the escrow has this payout: {Why}. It is asked again by itself, under the same number, so the money goes on hold once at most.", "Why", plain(err))
	default:
		now.Error = agentclient.Say("paying.no-page", "There is no page to pay at yet: {Why}. It is asked for again by itself, under the same number. Nothing is paid before you pay there.", "Why", plain(err))
	}
	return now, payout, a.keepOutside(ctx, p, now)
}

// answered forgets a payout that the escrow has: from here on its list tells.
func (a *account) answered(ctx context.Context, payout escrow.Payout) error {
	err := a.Store.Update(ctx, "paying.asked", func(tx *store.Tx) error { return store.Delete[store.Paying](tx, payout.ID) })
	a.payoutAsked.Delete(payout.ID)
	a.tell(agentclient.EventBalance, payout.ID, a.viewPayout(payout).State)
	return err
}

// outside asks the escrow for what is not answered, or how far it is.
func (a *account) outside(ctx context.Context, p store.Paying) (now store.Paying, payout escrow.Payout, err error) {
	var checkout escrow.Checkout
	switch {
	case p.Out:
		payout, err = a.service.AskPayout(ctx, escrow.PayoutRequest{ID: p.ID, Currency: p.Currency.Name, Amount: p.Amount, To: p.To})
		a.payoutAsked.Store(p.ID, a.Now())
		return p, payout, err
	case p.State == agentclient.PayoutUnsure:
		checkout, err = a.service.StartCheckout(ctx, escrow.CheckoutRequest{ID: p.ID, Currency: p.Currency.Name, Amount: p.Amount})
	default:
		checkout, err = a.service.Checkout(ctx, p.ID)
	}
	if err != nil {
		return p, payout, err
	}
	return a.after(p, checkout), payout, nil
}

// after is a card payment as the escrow tells of it.
func (a *account) after(p store.Paying, c escrow.Checkout) store.Paying {
	if c.State == escrow.CheckoutOpen && a.Now().Sub(c.MadeAt) > cardLife {
		c.State, c.URL = escrow.CheckoutOver, ""
	}
	p.State, p.URL, p.Currency, p.Amount, p.Error = string(c.State), c.URL, c.Currency, c.Amount, nil
	switch c.State {
	case escrow.CheckoutAsked:
		p.State = agentclient.PayoutUnsure
	case escrow.CheckoutPaid, escrow.CheckoutOver, escrow.CheckoutWrong:
		if p.EndedAt.IsZero() {
			p.EndedAt = a.Now()
		}
	}
	return p
}

// keepOutside stores what is known now of what was asked for, and tells it.
func (a *account) keepOutside(ctx context.Context, was, now store.Paying) error {
	err := a.Store.Update(ctx, "paying.answer", func(tx *store.Tx) error {
		kept, ok, err := store.Get[store.Paying](tx, now.ID)
		if err != nil || !ok { // its account was removed
			return err
		}
		now.Left = kept.Left
		return store.Put(tx, now)
	})
	if err != nil || was.State == now.State && was.URL == now.URL && was.Error.String() == now.Error.String() {
		return err
	}
	if now.State == agentclient.CardPaid {
		wake(a.wakePool)
	}
	a.tell(agentclient.EventBalance, now.ID, now.State)
	return nil
}

// keepPaying asks again for what had no answer, now and then whether an open page was
// paid, and what the operator did with payouts: also where nobody waits for it.
func (a *account) keepPaying(ctx context.Context) error {
	var asked time.Time
	told, waits := "?", false
	for {
		pause, err := a.payingRound(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, escrow.Unavailable) {
			a.Log.Warn("what is paid outside could not be followed", "err", err)
		}
		if a.get().Proven && a.Now().Sub(asked) >= payingSlow {
			var states string
			if states, waits, err = a.payoutStates(ctx); err == nil {
				if told != "?" && told != states {
					a.tell(agentclient.EventBalance, "", "")
				}
				told, asked = states, a.Now()
			}
		}
		if waits || err != nil {
			pause = min(pause, payingSlow)
		}
		if !sleep(ctx, a.wakePaying, pause) {
			return nil
		}
	}
}

// payoutStates is how far the payouts are, and whether one waits for the operator.
func (a *account) payoutStates(ctx context.Context) (states string, waits bool, err error) {
	payouts, err := a.service.Payouts(ctx)
	for _, p := range payouts {
		if p.State == escrow.PayoutAsked {
			err = errors.Join(err, a.cameAfterAll(ctx, p.ID))
		}
		states += fmt.Sprintln(p.ID, p.State)
		waits = waits || p.State == escrow.PayoutAsked || p.State == escrow.PayoutPaying
	}
	return states, waits, err
}

// payingRound asks once for each that has not ended, forgets what ended long ago, and
// tells when to ask again.
func (a *account) payingRound(ctx context.Context) (pause time.Duration, err error) {
	list, err := a.payings(ctx)
	if err != nil {
		return payingLater, err
	}
	pause = payingNone
	for _, p := range list {
		if p.EndedAt.IsZero() {
			failed := a.askAgain(ctx, p.ID)
			err = errors.Join(err, failed)
			pause = min(pause, payingPause(a.Now().Sub(time.UnixMilli(p.Number))))
			continue
		}
		keep := cardKept
		if p.Out {
			keep = payoutKept
		}
		if p.Left || a.Now().Sub(p.EndedAt) > keep {
			err = errors.Join(err, a.Store.Update(ctx, "paying.forget", func(tx *store.Tx) error { return store.Delete[store.Paying](tx, p.ID) }))
		}
	}
	return pause, err
}

func payingPause(age time.Duration) time.Duration {
	switch {
	case age < 15*time.Minute:
		return payingSoon
	case age < 2*time.Hour:
		return payingLater
	}
	return payingSlow
}

// askAgain asks for one as it is stored now.
func (a *account) askAgain(ctx context.Context, id string) error {
	done, err := a.paying.take(ctx, id)
	if err != nil {
		return err
	}
	defer done()
	list, err := a.payings(ctx)
	for _, p := range list {
		if p.ID == id && p.EndedAt.IsZero() {
			_, _, err = a.askOutside(ctx, p, false)
		}
	}
	return err
}

// turns lets one at a time do something about the same id, and others meanwhile about
// others: one that has no answer holds up none but itself.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{}
}

// take waits for the turn, and returns what ends it.
func (t *turns) take(ctx context.Context, id string) (done func(), err error) {
	for {
		t.mu.Lock()
		other, busy := t.taken[id]
		if !busy {
			mine := make(chan struct{})
			if t.taken == nil {
				t.taken = map[string]chan struct{}{}
			}
			t.taken[id] = mine
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				defer t.mu.Unlock()
				delete(t.taken, id)
				close(mine)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
