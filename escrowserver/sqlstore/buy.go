package sqlstore

import (
	"context"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

// buy is Kruithof's purchase in one transaction: the key, the money, the answer.
func (t *tx) buy(ctx context.Context, op escrowserver.Buy) (any, error) {
	if err := t.mayAct(op.Account, op.Key); err != nil {
		return nil, err
	}
	if by := t.known.used[op.Request.ID]; by.account != "" {
		if err := by.sameAs(op); err != nil {
			return nil, err
		}
		return t.boughtBefore(ctx, op)
	}
	if err := t.mayBuy(ctx, op); err != nil {
		return nil, err
	}
	sold := t.known.keys[op.Quote.Recipient][0]
	batch, err := t.batches.get(ctx, t.conn, sold.batch)
	if err != nil {
		return nil, err
	}
	b := escrow.NewBond(op.Request.ID, op.Request.Quote, op.Quote, op.Recipient, sold.fingerprint, op.Request.Verification, op.Request.Reply, op.Now)
	b, _ = b.Extend(op.Outages)
	receipt, head, err := t.receipt(op.Moment, b, op.Quote.Salt, escrow.Step{Event: escrow.EventPaid, Money: escrow.MoneyHeld, At: op.Now})
	if err != nil {
		return nil, err
	}
	// From here on it is written.
	if err := t.hold(op.Name(), b, op.Now); err != nil {
		return nil, err
	}
	t.known.keys[op.Quote.Recipient] = t.known.keys[op.Quote.Recipient][1:]
	t.put(takeKey, op.Name(), sold.id)
	t.soldTo[op.Quote.Recipient] = sold.id
	t.known.bonds[b.ID] = &knownBond{bond: bond{b, op.Quote.Salt}, group: op.Group, hash: op.BodyHash, fresh: true, changed: op.Name()}
	t.known.used[b.ID] = usedID{op.Account, op.BodyHash}
	t.bought(b)
	both := pairOf(b.Sender, b.Recipient)
	t.known.open[both] = append(t.known.open[both], b.ID)
	t.known.groups[groupOf(b.Recipient, op.Group)]++
	t.known.heads[b.ID] = head
	t.put(newReceipt, op.Name(), b.ID, head.n, receipt)
	t.known.paid[b.ID] = receipt
	t.known.sold[b.ID] = sold
	t.put(keepSoldKey, op.Name(), b.ID, sold.certificate, sold.batch, micros(op.KeepUntil))
	if err := t.tell(op.Name(), t.known.bonds[b.ID], true); err != nil {
		return nil, err
	}
	return escrow.Purchase{Bond: b.View(escrow.RoleSender), Certificate: sold.certificate, Batch: batch, Receipt: receipt}, nil
}

// mayBuy refuses a purchase before anything is written.
func (t *tx) mayBuy(ctx context.Context, op escrowserver.Buy) error {
	if !op.Now.Before(op.Quote.Expires) {
		return escrow.Errorf(escrow.QuoteExpired, "the quote ended at %s; nothing was paid; ask for a new one", op.Quote.Expires.UTC().Format("15:04:05 MST"))
	}
	if t.known.accounts[op.Account].frozen {
		return escrowserver.Frozen()
	}
	offer := t.known.offers[op.Quote.Recipient]
	if offer == nil || offer.renewBy <= micros(op.Now) {
		return escrowserver.NoOffer()
	}
	if offer.Account != op.Recipient || !offer.Signed.SignedBySame(op.Quote.Offer) {
		return escrow.Errorf(escrow.NoOffer, "the address belongs to somebody else now; ask for a new quote")
	}
	if err := t.noOpenBond(ctx, op); err != nil {
		return err
	}
	if err := t.standing(op).Check(op.Now); err != nil {
		return err
	}
	if len(t.known.keys[op.Quote.Recipient]) == 0 {
		return soldOut()
	}
	if err := t.canPay(op); err != nil {
		return err
	}
	return t.withinLimits(ctx, op)
}

func soldOut() error {
	return escrow.Errorf(escrow.SoldOut, "no one-time key of the recipient is left; nothing was paid; try again later")
}

// noOpenBond holds one open bond per sender and recipient, with whatever tags and dots
// their addresses are written. One whose deadline has passed is not open any more, though
// no sweep has come by.
func (t *tx) noOpenBond(ctx context.Context, op escrowserver.Buy) error {
	for _, id := range t.known.open[pairOf(op.Quote.Sender, op.Quote.Recipient)] {
		b, err := t.named(ctx, id)
		if err != nil {
			return err
		}
		if err := t.advance("advance", op.Moment, b); err != nil {
			return err
		}
		if !b.State.Ended() {
			return escrow.Errorf(escrow.OpenBond, "one bond of this sender is already open at this recipient; it must end first")
		}
	}
	return nil
}

// standing is what speaks for and against the sender of a purchase.
func (t *tx) standing(op escrowserver.Buy) escrowserver.Standing {
	by := t.known.addresses[op.Quote.Sender]
	return escrowserver.Standing{
		Proven:       by.account == op.Account && by.renewBy > micros(op.Now),
		AccountEnded: t.known.ended[accountEnded(op.Account)],
		AddressEnded: t.known.ended[addressEnded(op.Quote.Sender)],
		GroupHeld:    t.known.groups[groupOf(op.Quote.Recipient, op.Group)],
		Blocked:      t.blocked(op),
	}
}

func (t *tx) canPay(op escrowserver.Buy) error {
	b := t.balance(bucketKey{op.Account.Holder(), op.Quote.Option.Currency})
	return escrowserver.CanPay(payment.Amount(b.now.Available), op.Quote)
}

// sameAs refuses another purchase under the id of this one.
func (u usedID) sameAs(op escrowserver.Buy) error {
	if u.account != op.Account {
		return escrow.Errorf(escrow.Conflict, "that bond id is taken")
	}
	_, _, err := knownOperation{there: true, bodyHash: u.bodyHash}.answer(op.BodyHash)
	return err
}

// boughtBefore answers a purchase that was made before under the same id, as it was
// answered then.
func (t *tx) boughtBefore(ctx context.Context, op escrowserver.Buy) (any, error) {
	sold, ok := t.known.sold[op.Request.ID]
	if !ok {
		if _, err := found(t.conn.row(ctx, `SELECT certificate, batch FROM sold_key WHERE bond = ? AND keep_until > ?`,
			op.Request.ID, micros(op.Now)).Scan(&sold.certificate, &sold.batch)); err != nil {
			return nil, err
		}
	}
	if sold.batch == "" {
		return nil, escrow.Errorf(escrow.Delivered, "the key of this bond was delivered and is gone here")
	}
	purchase, err := t.purchase(ctx, op.Request)
	if err != nil {
		return nil, err
	}
	batch, err := t.batches.get(ctx, t.conn, sold.batch)
	purchase.Certificate, purchase.Batch = sold.certificate, batch
	return purchase, err
}

// purchase is the bond as it was when it was bought, and its first receipt.
func (t *tx) purchase(ctx context.Context, req escrow.BuyRequest) (escrow.Purchase, error) {
	b, err := t.named(ctx, req.ID)
	if err != nil {
		return escrow.Purchase{}, err
	}
	var quote escrow.Quote
	if err := escrow.Peek(b.Quote, &quote); err != nil {
		return escrow.Purchase{}, err
	}
	bought := escrow.NewBond(b.ID, b.Quote, quote, b.RecipientAccount, b.KeyFingerprint, req.Verification, req.Reply, b.BoughtAt)
	purchase := escrow.Purchase{Bond: bought.View(escrow.RoleSender), Receipt: t.known.paid[b.ID]}
	if purchase.Receipt == "" {
		err = t.conn.row(ctx, `SELECT jws FROM receipt WHERE bond = ? AND n = 1`, b.ID).Scan(&purchase.Receipt)
	}
	return purchase, err
}

func (t *tx) acknowledge(ctx context.Context, op escrowserver.Acknowledge) error {
	b, err := t.bond(ctx, op.Bond)
	if err != nil {
		return err
	}
	switch op.Account {
	case b.SenderAccount:
	case b.RecipientAccount:
		return escrow.Errorf(escrow.Forbidden, "only the sender of the bond may do that")
	default:
		return escrow.Errorf(escrow.NotFound, "there is no such bond of yours")
	}
	t.known.sold[op.Bond] = freeKey{}
	t.put(dropSoldKey, op.Name(), op.Bond)
	return nil
}
