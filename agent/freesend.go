package agent

import (
	"context"
	"encoding/json"
	"errors"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
)

// connectedTo finds the connection with an address.
func (a *account) connectedTo(ctx context.Context, to escrow.Address) (conn store.Connection, ok bool, err error) {
	id, err := a.blind(to)
	if err != nil {
		return conn, false, err
	}
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		conn, ok, err = store.Get[store.Connection](tx, id)
		return err
	})
	return conn, ok, err
}

// freeTo finds the connection with an address, and whether a mail can go free over
// it. With a certificate that mail cannot be encrypted to it cannot.
func (a *account) freeTo(ctx context.Context, to escrow.Address) (conn store.Connection, free bool, err error) {
	conn, ok, err := a.connectedTo(ctx, to)
	if err != nil || !ok || !left(conn.FreeThere) {
		return conn, false, err
	}
	their, err := openpgp.ParseCertificate(conn.Pairs[len(conn.Pairs)-1].Their)
	return conn, err == nil && their.CanEncrypt && their.Usable(a.Now()) == nil, nil
}

// franked finds out how the letter goes: free, with a bond that was bought ahead,
// or with one that is bought for it. Free asks nothing of the escrow.
func (a *account) franked(ctx context.Context, l *letter, compose agentclient.Compose) (err error) {
	if l.free, l.goesFree, err = a.freeTo(ctx, l.to); err != nil {
		return err
	}
	if l.goesFree = l.goesFree && !compose.Paid; l.goesFree {
		return nil
	}
	if l.bought, l.paid, err = a.boughtBefore(ctx, l.to, nil); err == nil && !l.paid {
		l.quote, err = a.quote(ctx, l.to, compose.Option)
	}
	if err != nil || l.paid {
		return err
	}
	return a.asAgreed(*l)
}

// asAgreed refuses a price that is not the one that a person has agreed to. The
// quote is signed, and no other is bought.
func (a *account) asAgreed(l letter) error {
	var quote escrow.Quote
	if err := escrow.Peek(l.quote, &quote); err != nil || !l.told || quote.Option.String() == l.agreed {
		return err
	}
	cost := a.amount(quote.Option, quote.Option.Amount)
	nothing := agentclient.Say("nothing.paid-or-sent", "Nothing was paid and nothing was sent.")
	if l.agreed == "" {
		return agentclient.Refuse(string(escrow.QuoteExpired),
			agentclient.Say("send.not-free", "No mail goes free from {From} to {To} now: it costs {Cost}.", "From", a.address, "To", l.to, "Cost", cost), nothing,
			agentclient.Say("send.with-bond", "If you want to pay that, send it with a bond: earnest send --paid"))
	}
	return agentclient.Refuse(string(escrow.QuoteExpired),
		agentclient.Say("send.other-price", "Writing to {To} costs {Cost} now, which is not what you agreed to.", "To", l.to, "Cost", cost), nothing,
		agentclient.Say("send.look-at-price", "Look at the price, then send again."))
}

// left reports whether a mail can still go or come free.
func left(free string) bool {
	n, always, _ := agentclient.Free(free).Count()
	return always || n > 0
}

// sendFree seals the letter to the connection's key and puts it into the outbox
// as it will be submitted. Nothing is asked of an escrow.
func (a *account) sendFree(ctx context.Context, l letter) (store.Sent, error) {
	conn := l.free
	pair := conn.Pairs[len(conn.Pairs)-1]
	their, err := openpgp.ParseCertificate(pair.Their)
	if err != nil {
		return store.Sent{}, err
	}
	sealed, err := a.OpenPGP.Seal(ctx, openpgp.SealRequest{Letter: l.Letter, To: their, SignWith: pair.Name,
		Stamp: openpgp.Stamp{Key: their.Fingerprint, Reply: pair.Fingerprint, Free: tellFree(conn, pair)}})
	if err != nil {
		return store.Sent{}, notSealed(err)
	}
	text, err := json.Marshal(l.Letter)
	if err != nil {
		return store.Sent{}, err
	}
	sent := store.Sent{ID: newID(), Account: a.id, Number: a.Now().UnixMilli(), State: store.SentPaid,
		To: l.to, ToTyped: l.To, Subject: l.Subject, Draft: l.draft.id, Connection: conn.ID, Pair: pair.Bond}
	err = a.Store.Update(ctx, "free.send", func(tx *store.Tx) error {
		now, ok, err := store.Get[store.Connection](tx, conn.ID)
		if err != nil {
			return err
		}
		used := now.Pair(pair.Bond)
		if !ok || used == nil || !left(now.FreeThere) {
			return wrongState(agentclient.Say("send.free-used-up", "The free mails to {To} were used up in the meantime.", "To", l.to),
				agentclient.Say("send.needs-bond", "Send again: it needs a bond now."))
		}
		countSent(&now, used, 1)
		now.Last = a.Now().UTC()
		return errors.Join(outOfDraft(tx, l), store.Put(tx, now), store.Put(tx, store.Letter{ID: sent.ID, Letter: text, Sealed: sealed}), store.Put(tx, sent))
	})
	if err != nil {
		return store.Sent{}, err
	}
	a.tell(agentclient.EventSent, sent.ID, sent.State)
	a.tell(agentclient.EventPeople, string(l.to), "")
	return sent, nil
}

// countSent counts a mail that goes, or one back that did not.
func countSent(conn *store.Connection, pair *store.Pair, by int) {
	conn.Sent, pair.Sent = conn.Sent+by, pair.Sent+by
	if n, always, ok := agentclient.Free(conn.FreeThere).Count(); ok && !always {
		conn.FreeThere = string(agentclient.FreeMails(max(n-by, 0)))
	}
}

// notSealed says for a person why a mail cannot be made.
func notSealed(err error) error {
	if !unsendable(err) {
		return err
	}
	return agentclient.Refuse(agentclient.CodeUsage, agentclient.Say("send.cannot-be-made", "The mail cannot be made: {Why}.", "Why", err),
		agentclient.Say("nothing.sent", "Nothing was sent."), agentclient.Say("send.change", "Change it, then send again."))
}

// freeSubmitted notes that the mail server has the mail, and lets the text go.
func (a *account) freeSubmitted(ctx context.Context, sent store.Sent) error {
	sent.State, sent.Error, sent.SubmittedAt = store.SentSubmitted, nil, a.Now()
	return a.endFree(ctx, "free.submitted", sent, func(tx *store.Tx) error {
		return store.Delete[store.Letter](tx, sent.ID)
	})
}

// freeFailed gives up a mail that cannot be submitted. It counts as not written,
// and its text stays: in its draft, if it was one and has not gone out perhaps.
func (a *account) freeFailed(ctx context.Context, sent store.Sent, reason agentclient.Said) error {
	sent.State, sent.Error = store.SentFailed, reason.And(agentclient.Say("sent.not-sent", "It was not sent.")).And(noMoney())
	if sent.Uncertain {
		sent.Error = reason.And(mayHaveGone()).And(noMoney()).And(agentclient.Say("sent.ask-recipient", "Ask its recipient before you send it again."))
	}
	defer a.tellDraft(sent.Draft)
	return a.endFree(ctx, "free.failed", sent, func(tx *store.Tx) error {
		if !sent.Uncertain { // else nobody sends it twice without having read why
			if err := a.backToDraft(tx, sent); err != nil {
				return err
			}
		}
		conn, ok, err := store.Get[store.Connection](tx, sent.Connection)
		if err != nil || !ok || conn.Pair(sent.Pair) == nil {
			return err
		}
		countSent(&conn, conn.Pair(sent.Pair), -1)
		return store.Put(tx, conn)
	})
}

func noMoney() agentclient.Said { return agentclient.Say("mail.no-money", "No money is in it.") }

// endFree takes a free mail out of the outbox, once.
func (a *account) endFree(ctx context.Context, label string, sent store.Sent, fn func(*store.Tx) error) error {
	err := a.Store.Update(ctx, label, func(tx *store.Tx) error {
		now, _, err := store.Get[store.Sent](tx, sent.ID)
		if err != nil || now.State != store.SentPaid {
			return err
		}
		return errors.Join(fn(tx), store.Put(tx, sent))
	})
	if err == nil {
		a.tell(agentclient.EventSent, sent.ID, sent.State)
		a.tell(agentclient.EventPeople, string(sent.To), "")
	}
	return err
}

// knownPrice adds to a price that the address is connected. As long as a mail can
// go free, it goes without the escrow, and that it does not answer is no failure:
// only the options are missing.
func (a *Agent) knownPrice(ctx context.Context, address escrow.Address, price agentclient.Price, lookup error) (agentclient.Price, error) {
	for _, acct := range a.each() {
		conn, free, err := acct.freeTo(ctx, address)
		if err != nil {
			return price, err
		}
		if conn.ID == "" || !free && price.Connected {
			continue
		}
		price.Address, price.Connected, price.From, price.Free = string(address), true, string(acct.address), freeOf(conn.FreeThere)
		if !free {
			price.Free = agentclient.FreeNone // unless another account has some left
			continue
		}
		if lookup != nil && !errors.Is(lookup, context.Canceled) {
			a.Log.Info("the price of a connected address could not be asked for", "code", escrow.CodeOf(lookup))
		}
		return price, nil
	}
	return price, lookup
}

// freeOf is a stored Free; nothing told is none.
func freeOf(stored string) agentclient.Free {
	if stored == "" {
		return agentclient.FreeNone
	}
	return agentclient.Free(stored)
}
