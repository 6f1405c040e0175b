package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/mail"
	"earnest/payment"
)

// sendPatience is how long a call waits for the mail to be handed over.
const sendPatience = 10 * time.Second

// Send buys a bond for each recipient and puts the mails into the outbox. Before
// the first is bought, every recipient has answered with a price: a mail to
// three is not paid for twice and refused once.
func (a *Agent) Send(ctx context.Context, compose agentclient.Compose) ([]agentclient.Sent, error) {
	acct, letters, err := a.lettersOf(ctx, compose)
	if err != nil {
		return nil, err
	}
	var quotes []escrow.Signed
	for i := range letters {
		if err := acct.franked(ctx, &letters[i], compose); err != nil {
			return nil, err
		}
		if letters[i].quote != "" {
			quotes = append(quotes, letters[i].quote)
		}
	}
	if err := acct.withinLimitsNow(ctx, quotes...); err != nil {
		return nil, err
	}
	var sent []agentclient.Sent
	for _, letter := range letters {
		one, err := acct.send(ctx, letter)
		if err != nil && len(sent) == 0 {
			return nil, err
		}
		if err != nil {
			// The mails before this one are paid and on their way: say both.
			if one.ID == "" { // not even stored
				one = agentclient.Sent{To: string(letter.to), Subject: letter.Subject, State: store.SentFailed, Money: "none", At: a.Now()}
			}
			one.SayError = agentclient.Say("send.unpaid", "Nothing was paid and nothing was sent: {Why}.", "Why", plain(err))
			one.Error = one.SayError.String()
		}
		sent = append(sent, one)
	}
	return sent, nil
}

type letter struct {
	to escrow.Address
	mail.Letter
	quote escrow.Signed
	// bought, if paid, is a bond that was bought for a letter to be written later.
	bought store.Sent
	paid   bool
	// free, if goesFree, is the connection over which it goes.
	free     store.Connection
	goesFree bool
	draft    draftOf
	// agreed, if told, is the instruction that a person agreed to, empty for free.
	agreed string
	told   bool
}

// lettersOf makes the letters of a mail whose files may still be in its draft, for
// the account that sends them.
func (a *Agent) lettersOf(ctx context.Context, compose agentclient.Compose) (*account, []letter, error) {
	acct, err := a.byAddress(compose.From)
	if err != nil {
		return nil, nil, err
	}
	if compose, err = a.withFiles(ctx, compose); err != nil {
		return nil, nil, err
	}
	letters, err := acct.letters(compose)
	return acct, letters, err
}

// letters makes one letter for each recipient: nobody sees who else got it.
func (a *account) letters(compose agentclient.Compose) ([]letter, error) {
	size := len(compose.Body)
	var attachments []mail.Attachment
	for _, at := range compose.Attachments {
		size += len(at.Data)
		attachments = append(attachments, mail.Attachment{Name: at.Name, Type: at.Type, Data: at.Data})
	}
	if size > mail.MaxData { // refused before anything is paid
		return nil, tooLarge(size)
	}
	if len(compose.To) == 0 {
		return nil, agentclient.Refuse(agentclient.CodeUsage, agentclient.Say("send.no-recipient", "The mail has no recipient."),
			agentclient.Say("nothing.paid", "Nothing was paid or sent."), agentclient.Say("send.name-recipient", "Name one with --to."))
	}
	if n := len(compose.Agreed); n > 0 && n != len(compose.To) {
		return nil, agentclient.Refuse(agentclient.CodeUsage, agentclient.Say("send.agreed", "What was agreed to is not said for each recipient."),
			agentclient.Say("nothing.paid", "Nothing was paid or sent."), agentclient.Say("send.agreed-each", "Say it for each, or for none.")).At("agreed")
	}
	seen := map[escrow.Address]bool{}
	var all []letter
	for i, typed := range compose.To {
		to, err := typedAddress(typed)
		if err != nil {
			return nil, err
		}
		if seen[to] {
			continue
		}
		seen[to] = true
		all = append(all, letter{to: to, Letter: mail.Letter{
			From: a.get().Typed, To: typed, Subject: compose.Subject, Text: compose.Body, Attachments: attachments,
			Date: a.Now(), MessageID: mail.NewMessageID(a.get().Typed), InReplyTo: compose.InReplyTo,
		}})
		if len(compose.Agreed) > 0 {
			all[len(all)-1].agreed, all[len(all)-1].told = compose.Agreed[i], true
		}
	}
	for i := range all {
		all[i].draft = draftOf{id: compose.Draft, first: i == 0, others: others(all)}
	}
	return all, nil
}

// send stores the intent, buys, and waits a little for the mail to be handed over.
func (a *account) send(ctx context.Context, l letter) (agentclient.Sent, error) {
	heard, stop := a.events.listen()
	defer stop()
	sent, err := a.pay(ctx, l)
	a.tellDraft(l.draft.id)
	if err != nil && sent.State != store.SentPaying {
		return a.viewSent(ctx, sent), err
	}
	wake(a.wakeOutbox)
	for deadline := time.After(sendPatience); sent.State == store.SentPaid && len(sent.Error) == 0; {
		select {
		case <-heard:
		case <-deadline:
			return a.viewSent(ctx, sent), nil
		case <-ctx.Done():
			return a.viewSent(ctx, sent), nil
		}
		if sent, err = a.sentByID(ctx, sent.ID); err != nil {
			return agentclient.Sent{}, err
		}
	}
	return a.viewSent(ctx, sent), nil
}

// pay buys the bond of a letter, or takes the one that was bought for it before.
func (a *account) pay(ctx context.Context, l letter) (store.Sent, error) {
	if l.goesFree {
		return a.sendFree(ctx, l)
	}
	if !l.paid {
		sent, err := a.intend(ctx, l.quote, nil, &l)
		if err != nil {
			return sent, err
		}
		return a.buy(ctx, sent)
	}
	sent := l.bought
	sent.ForTools, sent.Subject, sent.ToTyped = false, l.Subject, l.To
	text, err := json.Marshal(l.Letter)
	if err != nil {
		return sent, err
	}
	return sent, a.Store.Update(ctx, "send.bought", func(tx *store.Tx) error {
		now, _, err := store.Get[store.Sent](tx, sent.ID)
		if err != nil {
			return err
		}
		if now.State != store.SentPaid || !now.ForTools {
			return wrongState(agentclient.Say("send.bond-used", "That bond was used in the meantime."), agentclient.Say("send.again", "Send again."))
		}
		return errors.Join(outOfDraft(tx, l), store.Put(tx, store.Letter{ID: sent.ID, Letter: text}), store.Put(tx, sent))
	})
}

// intend makes the keys and stores the purchase before it is tried. With stock
// tools one certificate of theirs serves as both. Until buy ends
// the purchase belongs to the caller, and the outbox leaves it alone.
func (a *account) intend(ctx context.Context, quote escrow.Signed, stock []byte, l *letter) (sent store.Sent, err error) {
	var q escrow.Quote
	if err := escrow.Peek(quote, &q); err != nil {
		return store.Sent{}, err
	}
	if err := a.withinLimitsNow(ctx, quote); err != nil {
		return store.Sent{}, err
	}
	id := newID()
	a.setBuying(id, true)
	defer func() {
		if err != nil {
			a.setBuying(id, false)
		}
	}()
	sent = store.Sent{
		ID: id, Account: a.id, Bond: escrow.BondID(id), Number: a.Now().UnixMilli(), State: store.SentPaying,
		To: q.Recipient, ToTyped: string(q.Recipient), ForTools: l == nil,
		Buy: escrow.BuyRequest{ID: escrow.BondID(id), Quote: quote, Verification: stock, Reply: stock},
	}
	if stock == nil {
		if err := a.makeKeys(ctx, &sent); err != nil {
			return store.Sent{}, err
		}
	}
	var body store.Letter
	if l != nil {
		sent.Subject, sent.ToTyped, sent.Draft = l.Subject, l.To, l.draft.id
		text, err := json.Marshal(l.Letter)
		if err != nil {
			return store.Sent{}, err
		}
		body = store.Letter{ID: id, Letter: text}
	}
	var over error
	err = a.Store.Update(ctx, "buy.intend", func(tx *store.Tx) error {
		if err := a.stays(tx); err != nil {
			return err
		}
		if over = a.withinLimits(tx, quote); over != nil {
			return over
		}
		if err := putReplyKey(tx, sent); err != nil {
			return err
		}
		if l != nil {
			if err := errors.Join(outOfDraft(tx, *l), store.Put(tx, body)); err != nil {
				return err
			}
		}
		return store.Put(tx, sent)
	})
	if over != nil {
		return store.Sent{}, a.notBought(ctx, sent, over)
	}
	if err != nil {
		return store.Sent{}, err
	}
	return sent, nil
}

// makeKeys makes the two keys of a purchase.
func (a *account) makeKeys(ctx context.Context, sent *store.Sent) error {
	verification, err := a.OpenPGP.Generate(ctx, verifyName(*sent), "signs one mail")
	if err != nil {
		return err
	}
	reply, err := a.OpenPGP.Generate(ctx, replyName(*sent), "reply key")
	if err != nil {
		return err
	}
	sent.Buy.Verification, sent.Buy.Reply = verification.Raw, reply.Raw
	return nil
}

// notBought deletes the keys of a purchase that was not to be, and passes the reason
// on.
func (a *account) notBought(ctx context.Context, sent store.Sent, reason error) error {
	if !sent.OwnKeys() {
		return reason
	}
	ctx = context.WithoutCancel(ctx)
	for _, name := range []string{verifyName(sent), replyName(sent)} {
		if err := a.Keyring.Delete(ctx, name); err != nil {
			reason = errors.Join(reason, err)
		}
	}
	return reason
}

func verifyName(s store.Sent) string { return s.Account + "/sent/" + s.ID + "/verification" }
func replyName(s store.Sent) string  { return s.Account + "/sent/" + s.ID + "/reply" }

// buying reports whether a purchase is being made right now.
func (a *account) buying(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.purchases[id]
}

func (a *account) setBuying(id string, now bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now {
		a.purchases[id] = true
	} else {
		delete(a.purchases, id)
	}
}

// buy buys the bond under its stored id, and checks that the key sold is one
// that the recipient signed.
func (a *account) buy(ctx context.Context, sent store.Sent) (store.Sent, error) {
	a.setBuying(sent.ID, true)
	defer a.setBuying(sent.ID, false)
	purchase, err := a.service.Buy(ctx, sent.Buy)
	if errors.Is(err, escrow.QuoteExpired) {
		if sent, err = a.quoteAgain(ctx, sent); err == nil {
			purchase, err = a.service.Buy(ctx, sent.Buy)
		}
	}
	if retryLater(err) {
		sent.Error = agentclient.Say("send.not-known", "The escrow does not answer as it should ({Code}), so it is not known whether the bond is paid. It is tried again under the same number: it is paid once at most.", "Code", escrow.CodeOf(err))
		return sent, errors.Join(err, a.putSent(ctx, "buy.wait", store.SentPaying, sent))
	}
	if errors.Is(err, escrow.Delivered) {
		// It was paid at an earlier try whose answer never came, a day or more ago.
		sent.State, sent.Error = store.SentWithdrawing, agentclient.Say("send.key-gone", "The bond is paid, but its key was kept for a day only and is gone. Nothing was sent; the money is asked back.")
		wake(a.wakeOutbox)
		return sent, errors.Join(err, a.putSent(ctx, "buy.late", store.SentPaying, sent))
	}
	if err != nil {
		sent.State, sent.Error = store.SentFailed, agentclient.Say("send.unpaid", "Nothing was paid and nothing was sent: {Why}.", "Why", plain(err))
		return sent, errors.Join(err, a.failSent(ctx, sent))
	}
	sent.State, sent.Error, sent.Receipt = store.SentPaid, nil, purchase.Receipt
	fault := a.checkPurchase(sent, purchase)
	if fault != nil {
		sent.State = store.SentWithdrawing
		sent.Error = agentclient.Say("send.wrong-key", "The escrow sold a key that is not the recipient's: {Why}. Nothing was encrypted to it or sent, and the money is asked back.", "Why", fault)
	} else {
		sent.Certificate = purchase.Certificate
	}
	err = a.Store.Update(ctx, "buy.paid", func(tx *store.Tx) error {
		view, err := a.putBond(tx, purchase.Bond)
		if err != nil {
			return err
		}
		if view.State.Ended() { // the answer is that of an earlier try
			sent.State = store.SentEnded
		}
		return store.Put(tx, sent)
	})
	if err != nil {
		return sent, err
	}
	// The key is safe here: the escrow may forget it. If it does not hear this,
	// it does so after 24 hours.
	if err := a.service.Acknowledge(ctx, sent.Bond); err != nil && ctx.Err() == nil {
		a.Log.Info("a purchase was not acknowledged", "code", escrow.CodeOf(err))
	}
	a.tell(agentclient.EventSent, sent.ID, sent.State)
	a.tell(agentclient.EventBalance, "", "")
	if fault != nil {
		wake(a.wakeOutbox)
		return sent, agentclient.Refuse(agentclient.CodeDamaged, sent.Error,
			agentclient.Say("send.comes-back", "The bond comes back to you at its deadline at the latest."),
			agentclient.Say("send.not-this-escrow", "Do not use this escrow until its operator has explained it."))
	}
	return sent, nil
}

// quoteAgain asks for a new quote where the old one ended before it was bought,
// for example while the escrow was away. Nothing was paid, so the same purchase
// goes on if it costs the same and a forfeit goes to the same beneficiary.
func (a *account) quoteAgain(ctx context.Context, sent store.Sent) (store.Sent, error) {
	var old, renewed escrow.Quote
	if err := escrow.Peek(sent.Buy.Quote, &old); err != nil {
		return sent, err
	}
	signed, err := a.quoteOption(ctx, sent.To, func(offer escrow.Offer) (payment.Option, error) {
		if !slices.Contains(offer.Options, old.Option) {
			return payment.Option{}, escrow.Errorf(escrow.QuoteExpired, "the recipient asks another price now")
		}
		return old.Option, nil
	})
	if err != nil {
		return sent, err
	}
	if err := escrow.Peek(signed, &renewed); err != nil {
		return sent, err
	}
	if renewed.Beneficiary != old.Beneficiary || renewed.Terms != old.Terms {
		return sent, escrow.Errorf(escrow.QuoteExpired, "the terms have changed since")
	}
	sent.Buy.Quote = signed
	return sent, a.putSent(ctx, "buy.quote", store.SentPaying, sent)
}

func (a *account) checkPurchase(sent store.Sent, purchase escrow.Purchase) error {
	_, offer, err := escrow.VerifyQuote(sent.Buy.Quote, a.receiptKey())
	if err != nil {
		return err
	}
	brief, err := escrow.CheckSoldKey(purchase.Batch, offer, purchase.Certificate)
	if err != nil {
		return err
	}
	certificate, err := openpgp.ParseCertificate(purchase.Certificate)
	if err != nil {
		return err
	}
	if certificate.Fingerprint != brief.Fingerprint || purchase.Bond.KeyFingerprint != brief.Fingerprint {
		return escrow.Errorf(escrow.Invalid, "its fingerprint is not the one that was signed")
	}
	var receipt escrow.Receipt
	if err := escrow.Verify(purchase.Receipt, escrow.KindReceipt, a.receiptKey(), &receipt); err != nil {
		return err
	}
	if receipt.Bond != sent.Bond || receipt.Event != escrow.EventPaid || receipt.Prev != sent.Buy.Quote.Hash() {
		return escrow.Errorf(escrow.Invalid, "its receipt is about something else")
	}
	return nil
}

// Buy buys a one-time key to use with other OpenPGP tools. Without a certificate
// of theirs the agent's own pair signs: the next letter to that address uses it.
func (a *Agent) Buy(ctx context.Context, req agentclient.BuyKey) (agentclient.Bought, error) {
	acct, err := a.byAddress(req.From)
	if err != nil {
		return agentclient.Bought{}, err
	}
	to, err := typedAddress(req.To)
	if err != nil {
		return agentclient.Bought{}, err
	}
	var stock openpgp.Certificate
	if len(req.Certificate) > 0 {
		stock, err = openpgp.ParseCertificate(req.Certificate)
	}
	if err != nil {
		return agentclient.Bought{}, agentclient.Refuse(agentclient.CodeUsage,
			agentclient.Say("buy.certificate", "The certificate that the mail will be signed with cannot be used: {Why}.", "Why", err),
			agentclient.Say("buy.nothing-paid", "Nothing was paid."),
			agentclient.Say("buy.export", "Export the public key that will sign, safest one made for this purchase alone, for example: gpg --export YOU@EXAMPLE.ORG, and give it with --sender-cert. To send without other tools use: earnest send"))
	}
	sent, bought, err := acct.boughtBefore(ctx, to, stock.Raw)
	if err != nil {
		return agentclient.Bought{}, err
	}
	if !bought {
		quote, err := acct.quote(ctx, to, req.Option)
		if err != nil {
			return agentclient.Bought{}, err
		}
		if sent, err = acct.intend(ctx, quote, stock.Raw, nil); err != nil {
			return agentclient.Bought{}, err
		}
		if sent, err = acct.buy(ctx, sent); err != nil {
			return agentclient.Bought{}, err
		}
	}
	key, err := openpgp.ParseCertificate(sent.Certificate)
	if err != nil {
		return agentclient.Bought{}, err
	}
	view := acct.viewSent(ctx, sent)
	return agentclient.Bought{Bond: string(sent.Bond), To: string(to), Price: view.Price,
		Key: key.Armor(), Fingerprint: key.Fingerprint, DeliverBy: view.DeliverBy}, nil
}

// plain says for a person why something was refused, without the names of codes.
func plain(err error) agentclient.Said {
	if failure, ok := errors.AsType[*agentclient.Failure](err); ok && failure.Say != nil {
		return failure.Say.Happened
	}
	if refusal, ok := errors.AsType[*escrow.Error](err); ok && refusal.Detail != "" {
		return agentclient.Verbatim(refusal.Detail)
	}
	if code, ok := errors.AsType[escrow.Code](err); ok {
		return agentclient.Verbatim(strings.ReplaceAll(string(code), "_", " "))
	}
	return agentclient.Verbatim(err.Error())
}

// boughtBefore finds the key of a bond that is still held: one that was paid while
// nobody could be told is handed over, not bought again.
func (a *account) boughtBefore(ctx context.Context, to escrow.Address, stock []byte) (found store.Sent, ok bool, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		paid, err := store.List[store.Sent](tx, store.SentPaid)
		for _, sent := range paid {
			same := bytes.Equal(sent.Buy.Verification, stock) || stock == nil && sent.OwnKeys()
			if sent.Account == a.id && sent.ForTools && sent.To == to && same {
				found, ok = sent, true
			}
		}
		return err
	})
	if err != nil || !ok {
		return found, false, err
	}
	// The list of bonds may not know yet that its mail came. A key that was used is
	// not handed over: nothing more to it would ever be opened.
	view, err := a.service.Bond(ctx, found.Bond)
	return found, view.State == escrow.Held && view.WithdrawAskedAt.IsZero(), err
}
