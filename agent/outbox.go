package agent

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/mail"
	"earnest/smtpsubmit"
)

// giveUpAfter is how long a mail server may refuse a mail for the time being
// before the agent gives up and asks for the money back.
const giveUpAfter = 3 * 24 * time.Hour

// runOutbox carries on what is not done: purchases that a crash interrupted,
// mails that are not submitted, money that is to come back.
func (a *account) runOutbox(ctx context.Context) error {
	failed := 0
	for {
		next, err := a.outboxOnce(ctx)
		if failed++; err == nil {
			failed = 0
		} else {
			next = min(next, soon(failed))
		}
		if !sleep(ctx, a.wakeOutbox, next) {
			return nil
		}
	}
}

// outboxOnce returns how long until there is something to do again, and the last
// thing that failed.
func (a *account) outboxOnce(ctx context.Context) (next time.Duration, failed error) {
	next = time.Minute
	var all []store.Sent
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = store.List[store.Sent](tx, store.SentPaying, store.SentPaid, store.SentWithdrawing)
		return err
	})
	if err != nil && ctx.Err() == nil {
		a.Log.Error("the outbox could not be read", "err", err)
	}
	for _, sent := range all {
		if sent.Account != a.id || ctx.Err() != nil {
			continue
		}
		if due := sent.NextTry.Sub(a.Now()); due > 0 {
			next = min(next, due)
			continue
		}
		if err := a.carryOn(ctx, sent); err != nil && ctx.Err() == nil {
			failed = err
			a.Log.Info("a mail waits in the outbox", "state", sent.State, "code", escrow.CodeOf(err))
		}
	}
	return next, failed
}

func (a *account) carryOn(ctx context.Context, sent store.Sent) error {
	switch sent.State {
	case store.SentPaying:
		if a.buying(sent.ID) {
			return nil // whoever does will wake the outbox
		}
		// It may have been made since the list was read: buying it again would be
		// answered with "delivered".
		sent, err := a.sentByID(ctx, sent.ID)
		if err != nil || sent.State != store.SentPaying {
			return err
		}
		_, err = a.buy(ctx, sent)
		if err == nil {
			wake(a.wakeOutbox)
		}
		return err
	case store.SentPaid:
		if sent.ForTools {
			return nil
		}
		return a.submitMail(ctx, sent)
	case store.SentWithdrawing:
		return a.askWithdraw(ctx, sent)
	}
	return nil
}

// submitMail seals the letter once and hands it over. A mail that may have been
// taken is handed over again as the very same bytes: a second copy is recognised.
func (a *account) submitMail(ctx context.Context, sent store.Sent) error {
	sealed, err := a.sealed(ctx, sent)
	if unsendable(err) {
		return a.giveUp(ctx, sent, agentclient.Say("sent.cannot-be-made", "The mail cannot be made ({Why}).", "Why", err))
	}
	if err != nil {
		return err
	}
	settings := a.get()
	err = a.Outside.Submit(ctx, a.submission(), settings.Typed, sent.ToTyped, sealed)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil && sent.Connection != "" {
		return a.freeSubmitted(ctx, sent)
	}
	if err == nil {
		sent.State, sent.Error, sent.SubmittedAt = store.SentSubmitted, nil, a.Now()
		return a.putSent(ctx, "submitted", store.SentPaid, sent)
	}
	refusal, ok := errors.AsType[*smtpsubmit.Error](err)
	sent.Uncertain = sent.Uncertain || ok && refusal.Uncertain
	permanent := errors.Is(err, smtpsubmit.ErrTooLarge) || ok && refusal.Permanent
	if permanent {
		return a.giveUp(ctx, sent, agentclient.Say("sent.refused", "The mail server refused the mail for good ({Why}).", "Why", err))
	}
	if a.Now().Sub(time.UnixMilli(sent.Number)) > giveUpAfter {
		return a.giveUp(ctx, sent, agentclient.Say("sent.three-days", "The mail server has not taken the mail for three days ({Why}).", "Why", err))
	}
	sent.Tries++
	sent.NextTry = a.Now().Add(backoff(sent.Tries))
	sent.Error = agentclient.Say("sent.not-yet", "The mail server did not take the mail yet ({Why}).", "Why", err)
	if sent.Connection == "" {
		sent.Error = sent.Error.And(agentclient.Say("sent.again-held", "It is tried again by itself; the bond stays held."))
	} else {
		sent.Error = sent.Error.And(agentclient.Say("sent.again", "It is tried again by itself."))
	}
	return errors.Join(err, a.putSent(ctx, "submit.wait", store.SentPaid, sent))
}

// unsendable reports a letter that can never be sealed.
func unsendable(err error) bool {
	return errors.Is(err, mail.ErrTooLarge) || errors.Is(err, mail.ErrField) || errors.Is(err, mail.ErrAddress) || errors.Is(err, openpgp.ErrCertificate)
}

// mayHaveGone is said of a mail that is given up after its server had it whole.
func mayHaveGone() agentclient.Said {
	return agentclient.Say("sent.may-have-gone", "An earlier try broke off when the server had the whole mail, so it may have been sent all the same.")
}

// giveUp asks the money of a mail back that cannot be sent.
func (a *account) giveUp(ctx context.Context, sent store.Sent, reason agentclient.Said) error {
	if sent.Connection != "" {
		return a.freeFailed(ctx, sent, reason)
	}
	sent.State = store.SentWithdrawing
	sent.Error = reason.And(agentclient.Say("sent.not-sent-asked-back", "It was not sent; the bond is asked back."))
	if sent.Uncertain {
		sent.Error = reason.And(mayHaveGone()).And(agentclient.Say("sent.asked-back-or-arrived", "The bond is asked back; if the mail arrived, its recipient decides."))
	}
	wake(a.wakeOutbox)
	return a.putSent(ctx, "withdraw", store.SentPaid, sent)
}

func backoff(tries int) time.Duration {
	return min(2*time.Second<<min(tries-1, 10), 15*time.Minute)
}

// sealed returns the mail as it is submitted, made at the first try and kept.
func (a *account) sealed(ctx context.Context, sent store.Sent) ([]byte, error) {
	var body store.Letter
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		body, _, err = store.Get[store.Letter](tx, sent.ID)
		return err
	})
	if err != nil || body.Sealed != nil {
		return body.Sealed, err
	}
	var l mail.Letter
	if err := json.Unmarshal(body.Letter, &l); err != nil {
		return nil, err
	}
	key, err := openpgp.ParseCertificate(sent.Certificate)
	if err != nil {
		return nil, err
	}
	reply, err := openpgp.ParseCertificate(sent.Buy.Reply)
	if err != nil {
		return nil, err
	}
	body.Sealed, err = a.OpenPGP.Seal(ctx, openpgp.SealRequest{
		Letter: l, To: key, SignWith: verifyName(sent),
		Stamp: openpgp.Stamp{Bond: string(sent.Bond), Key: key.Fingerprint, Reply: reply.Fingerprint},
	})
	if err != nil {
		return nil, err
	}
	return body.Sealed, a.Store.Update(ctx, "sealed", func(tx *store.Tx) error { return store.Put(tx, body) })
}

// Withdraw asks for the bond of a sent mail back.
func (a *Agent) Withdraw(ctx context.Context, id string) (agentclient.Sent, error) {
	sent, err := a.sentByID(ctx, id)
	if err != nil {
		return agentclient.Sent{}, err
	}
	acct := a.byID(sent.Account)
	if acct == nil {
		return agentclient.Sent{}, noAccount()
	}
	free := sent.Connection != ""
	if free || sent.State != store.SentPaid && sent.State != store.SentSubmitted && sent.State != store.SentWithdrawing {
		return agentclient.Sent{}, wrongState(agentclient.Say("sent.no-bond", "There is no bond to ask back."), agentclient.Say("sent.see", "See where it is with: earnest sent {ID}", "ID", id))
	}
	if sent.State != store.SentWithdrawing {
		before := sent.State
		sent.State = store.SentWithdrawing
		sent.Error = agentclient.Say("sent.asked-back", "You asked for the bond back. The recipient's agent must first destroy the key unopened; else it comes back at the delivery deadline.")
		if before == store.SentSubmitted {
			sent.Error = sent.Error.And(agentclient.Say("sent.if-arrives", "If the mail arrives first, the recipient decides."))
		}
		if err := acct.putSent(ctx, "withdraw", before, sent); err != nil {
			return agentclient.Sent{}, err
		}
	}
	if err := acct.askWithdraw(ctx, sent); err != nil && !retryLater(err) {
		return agentclient.Sent{}, err
	}
	return acct.viewSent(ctx, sent), nil
}

// askWithdraw asks the escrow once; then the list of bonds tells how it ends.
func (a *account) askWithdraw(ctx context.Context, sent store.Sent) error {
	var bond store.Bond
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		bond, _, err = store.Get[store.Bond](tx, store.BondID(a.id, sent.Bond))
		return err
	})
	if err != nil || !bond.WithdrawAskedAt.IsZero() {
		return err
	}
	view, err := a.service.AskWithdraw(ctx, sent.Bond)
	if errors.Is(err, escrow.TooLate) || errors.Is(err, escrow.Ended) {
		sent.State, sent.Error = store.SentSubmitted, agentclient.Say("sent.too-late", "It cannot be withdrawn any more: {Why}.", "Why", plain(err))
		return errors.Join(err, a.putSent(ctx, "withdraw.late", store.SentWithdrawing, sent))
	}
	if err != nil {
		return err
	}
	return a.Store.Update(ctx, "withdraw.asked", func(tx *store.Tx) error {
		return store.Put(tx, store.Bond{BondView: view, Account: a.id})
	})
}

// failSent ends a purchase that was not made: its keys go, its letter stays.
func (a *account) failSent(ctx context.Context, sent store.Sent) error {
	err := a.Store.Update(ctx, "buy.failed", func(tx *store.Tx) error {
		if err := errors.Join(dropLetter(tx, sent, false), a.backToDraft(tx, sent)); err != nil {
			return err
		}
		return store.Put(tx, sent)
	})
	if err == nil {
		a.tell(agentclient.EventSent, sent.ID, sent.State)
		a.tellDraft(sent.Draft)
	}
	return err
}

// endSent lets go of what a mail whose bond has ended needs no more. After an
// accept the reply key stays: it is this side's end of the connection. After an
// expiry it stays as long as a late accept can still connect.
func endSent(tx *store.Tx, sent store.Sent, view escrow.BondView) error {
	return dropLetter(tx, sent, view.State == escrow.Accepted || view.State == escrow.Expired)
}

func dropLetter(tx *store.Tx, sent store.Sent, keepReply bool) error {
	if !sent.OwnKeys() {
		return nil
	}
	if err := store.Put(tx, store.Trash{Name: verifyName(sent)}); err != nil {
		return err
	}
	if !keepReply {
		if err := dropReply(tx, sent); err != nil {
			return err
		}
	}
	if sent.SubmittedAt.IsZero() {
		return nil // nobody has this text but us
	}
	return store.Delete[store.Letter](tx, sent.ID)
}

// putSent stores what came of a try that began in a state. Where that state has
// changed meanwhile (the person withdrew, the bond ended) the newer one stays.
func (a *account) putSent(ctx context.Context, label, began string, sent store.Sent) error {
	err := a.Store.Update(ctx, label, func(tx *store.Tx) error {
		now, ok, err := store.Get[store.Sent](tx, sent.ID)
		if err != nil {
			return err
		}
		if ok && now.State != began {
			submitted := sent.SubmittedAt
			if sent = now; sent.SubmittedAt.IsZero() {
				sent.SubmittedAt = submitted
			}
		}
		return store.Put(tx, sent)
	})
	if err == nil {
		a.tell(agentclient.EventSent, sent.ID, sent.State)
	}
	return err
}
