package agent

import (
	"context"
	"errors"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// followBonds keeps the copy of the account's bonds in step with the escrow,
// ahead of the mails: a mail is matched against this copy, so that the escrow
// never learns who else writes here.
func (a *account) followBonds(ctx context.Context) error {
	pause := time.Second
	for ctx.Err() == nil {
		more, err := a.syncBonds(ctx, 30*time.Second)
		a.setListed(err == nil && !more)
		if err == nil {
			pause = time.Second
			if more {
				continue
			}
			// An escrow that answers at once must not be asked in a tight loop.
			if !wait(ctx, 20*time.Millisecond) {
				return nil
			}
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, escrow.Unavailable) {
			a.Log.Warn("the list of bonds could not be brought up to date", "err", err)
		}
		if !wait(ctx, pause) {
			return nil
		}
		pause = min(2*pause, time.Minute)
	}
	return nil
}

func (a *account) setListed(now bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.listed = now
}

// listIsCurrent reports whether every sale that the escrow knew of when it was
// last asked is known here.
func (a *account) listIsCurrent() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.listed
}

// syncBonds takes over what changed since the last time.
func (a *account) syncBonds(ctx context.Context, patience time.Duration) (more bool, err error) {
	page, err := a.service.Bonds(ctx, a.get().Cursor, patience)
	if err != nil {
		return false, err
	}
	if len(page.Bonds) == 0 {
		return false, nil
	}
	err = a.change(ctx, "bonds", func(tx *store.Tx, settings *store.Account) error {
		if page.Cursor <= settings.Cursor {
			return nil // another request was faster: this page is older than what is known
		}
		settings.Cursor = page.Cursor
		for _, view := range page.Bonds {
			if err := a.takeOver(tx, view); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	for _, view := range page.Bonds {
		a.tellBond(view)
	}
	wake(a.wakeHeld)
	wake(a.wakePool)
	wake(a.wakeReports)
	wake(a.wakeChains)
	return page.More, nil
}

// takeOver stores one bond as the escrow has it, and what follows from it for
// its key, its mail or its letter.
func (a *account) takeOver(tx *store.Tx, view escrow.BondView) error {
	view, err := a.putBond(tx, view)
	if err != nil {
		return err
	}
	if view.Role == escrow.RoleSender {
		return a.takeOverSent(tx, view)
	}
	if err := errors.Join(a.takeOverKey(tx, view), a.takeOverOpener(tx, view)); err != nil {
		return err
	}
	return a.takeOverMail(tx, view)
}

// takeOverOpener keeps the list of senders whose mail is still to come: for the
// alarm at a mail of theirs to a key that is not ours.
func (a *account) takeOverOpener(tx *store.Tx, view escrow.BondView) error {
	id, err := a.blind(view.Sender)
	if err != nil {
		return err
	}
	opener, ok, err := store.Get[store.Opener](tx, id)
	if err == nil && view.State == escrow.Held && a.lostBefore(view) {
		return nil // its key is foreign here by a recovery
	}
	if err == nil && view.State == escrow.Held && (!ok || opener.Bond != view.ID) {
		return store.Put(tx, store.Opener{ID: id, Bond: view.ID})
	}
	if view.State == escrow.Held {
		return err
	}
	if err != nil || !ok || opener.Bond != view.ID {
		return err
	}
	return store.Delete[store.Opener](tx, id)
}

// putBond stores a bond as the escrow has told it, and returns the bond that is
// stored then: the answer to a request that was made again may be older than what
// is known here, and an ending never changes back.
func (a *account) putBond(tx *store.Tx, view escrow.BondView) (escrow.BondView, error) {
	old, known, err := store.Get[store.Bond](tx, store.BondID(a.id, view.ID))
	if err != nil {
		return view, err
	}
	older := old.State.Ended() && !view.State.Ended() || old.DecisionN > view.DecisionN ||
		!old.ArrivedAt.IsZero() && view.ArrivedAt.IsZero()
	if known && older {
		return old.BondView, nil
	}
	if view.Reply != nil {
		if err := a.checkReply(tx, &view); err != nil {
			return view, err
		}
	}
	if err := store.Put(tx, store.Bond{BondView: view, Account: a.id}); err != nil {
		return view, err
	}
	if !view.State.Ended() {
		return view, nil
	}
	return view, a.wantChain(tx, view)
}

// takeOverMail brings the state of a bond's mail in step. A decision that still
// waits here to be sent is newer than what the escrow knows.
func (a *account) takeOverMail(tx *store.Tx, view escrow.BondView) error {
	m, ok, err := a.mailOf(tx, view.ID)
	if err != nil || !ok {
		return err
	}
	if m.DecisionN < view.DecisionN {
		m.DecisionN = view.DecisionN
	}
	m.DecideBy = view.DecideBy
	if m.Queued && !view.State.Ended() {
		return store.Put(tx, m)
	}
	m.State, m.EffectiveAt = mailState(m, view), view.EffectiveAt
	return store.Put(tx, m)
}

// mailState is what a bond's state means for its mail. A mail that is not opened
// yet stays held until it is, unless it must never be.
func mailState(m store.Mail, view escrow.BondView) string {
	switch {
	case m.State == store.MailDamaged || m.State == store.MailExtra:
		return m.State
	case view.State == escrow.Rejected || view.State == escrow.Withdrawn:
		return string(view.State)
	case m.State == store.MailHeld:
		return store.MailHeld
	case view.State == escrow.Arrived || view.State == escrow.Held:
		return store.MailWaiting
	case !view.LateAcceptedAt.IsZero():
		return store.MailAccepted
	}
	return string(view.State)
}

// mailOf finds the mail that took the bond.
func (a *account) mailOf(tx *store.Tx, bond escrow.BondID) (store.Mail, bool, error) {
	taken, ok, err := store.Get[store.Taken](tx, string(bond))
	if err != nil || !ok {
		return store.Mail{}, false, err
	}
	return store.Get[store.Mail](tx, taken.Mail)
}

func (a *account) takeOverSent(tx *store.Tx, view escrow.BondView) error {
	sent, ok, err := store.Get[store.Sent](tx, string(view.ID))
	if err != nil || !ok {
		return err
	}
	if view.State.Ended() && sent.State != store.SentEnded {
		sent.State = store.SentEnded
		if err := endSent(tx, sent, view); err != nil {
			return err
		}
	}
	if view.State == escrow.Arrived && sent.State == store.SentWithdrawing {
		sent.State = store.SentSubmitted
		sent.Error = agentclient.Say("sent.arrived-first", "The mail arrived before it could be withdrawn; now the recipient decides.")
	}
	if err := store.Put(tx, sent); err != nil {
		return err
	}
	return a.connectPaid(tx, sent, view)
}

func (a *account) tellBond(view escrow.BondView) {
	if view.Role == escrow.RoleSender {
		a.tell(agentclient.EventSent, string(view.ID), string(view.State))
	} else {
		var m store.Mail
		_ = a.Store.View(context.Background(), func(tx *store.Tx) (err error) {
			m, _, err = a.mailOf(tx, view.ID)
			return err
		})
		if m.ID != "" {
			a.tell(agentclient.EventMail, m.ID, m.State)
		}
	}
	if view.State == escrow.Accepted || !view.LateAcceptedAt.IsZero() {
		a.tell(agentclient.EventPeople, "", "")
	}
	a.tell(agentclient.EventBalance, "", "")
}

// statement signs what the agent says about a bond. The sender will read its
// time, so it tells the hour only.
func (a *account) statement(view escrow.BondView, event escrow.Event, proof string) (escrow.Signed, error) {
	return a.signOf(view.Quote, escrow.KindStatement, escrow.Statement{
		Bond: view.ID, Quote: view.Quote.Hash(), Event: event, Proof: proof,
		Time: a.Now().UTC().Truncate(time.Hour),
	})
}
