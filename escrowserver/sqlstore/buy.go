package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

// buy is Kruithof's purchase in one transaction: the key, the money, the answer.
func (t *tx) buy(ctx context.Context, op escrowserver.Buy) (any, error) {
	if err := t.accountExists(ctx, op.Account); err != nil {
		return nil, err
	}
	if text, ok, err := t.reader().operation(ctx, op.Account, string(op.Request.ID), op.BodyHash); ok || err != nil {
		if err != nil {
			return nil, err
		}
		return t.boughtBefore(ctx, op, text)
	}
	if err := t.mayBuy(ctx, op); err != nil {
		return nil, err
	}
	var fingerprint, batch string
	var certificate []byte
	err := t.execReturning(ctx, "buy.claim", []any{&fingerprint, &certificate, &batch}, t.dialect.claim, op.Quote.Recipient)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, soldOut()
	}
	if err != nil {
		return nil, err
	}
	b := escrow.NewBond(op.Request.ID, op.Request.Quote, op.Quote, op.Recipient, fingerprint, op.Request.Verification, op.Request.Reply, op.Now)
	if err := t.insertBond(ctx, "buy", b, op.Group); err != nil {
		return nil, err
	}
	if err := t.hold(ctx, "buy", b, op.Now); err != nil {
		return nil, err
	}
	step := escrow.Step{Event: escrow.EventPaid, Money: escrow.MoneyHeld, At: op.Now}
	receipt, err := t.receipt(ctx, "buy", op.Moment, bond{b, op.Quote.Salt}, step)
	if err != nil {
		return nil, err
	}
	if err := t.tell(ctx, "buy", b, true); err != nil {
		return nil, err
	}
	if _, err := t.exec(ctx, "buy.sold", `INSERT INTO sold_key (bond, certificate, batch, keep_until) VALUES (?, ?, ?, ?)`,
		b.ID, certificate, batch, micros(op.KeepUntil)); err != nil {
		return nil, err
	}
	purchase := escrow.Purchase{Bond: b.View(escrow.RoleSender), Receipt: receipt}
	text, err := json.Marshal(purchase)
	if err != nil {
		return nil, err
	}
	if err := t.remember(ctx, "buy", op.Account, string(b.ID), op.BodyHash, string(text), op.Now); err != nil {
		return nil, err
	}
	purchase.Certificate = certificate
	purchase.Batch, err = t.batch(ctx, batch)
	return purchase, err
}

// mayBuy refuses a purchase before anything is written.
func (t *tx) mayBuy(ctx context.Context, op escrowserver.Buy) error {
	r := t.reader()
	if _, err := r.bond(ctx, op.Request.ID); escrow.CodeOf(err) != escrow.NotFound {
		if err != nil {
			return err
		}
		return escrow.Errorf(escrow.Conflict, "that bond id is taken")
	}
	if !op.Now.Before(op.Quote.Expires) {
		return escrow.Errorf(escrow.QuoteExpired, "the quote ended at %s; nothing was paid; ask for a new one", op.Quote.Expires.UTC().Format("15:04:05 MST"))
	}
	offer, err := r.offer(ctx, op.Quote.Recipient, op.Now)
	if err != nil {
		return err
	}
	if offer.Account != op.Recipient {
		return escrow.Errorf(escrow.NoOffer, "the address belongs to somebody else now; ask for a new quote")
	}
	if err := t.noOpenBond(ctx, op); err != nil {
		return err
	}
	standing, err := r.standing(ctx, escrowserver.StandingQuery{
		Account: op.Account, Sender: op.Quote.Sender, Recipient: op.Quote.Recipient, Group: op.Group, Now: op.Now})
	if err != nil {
		return err
	}
	if err := standing.Check(op.Now); err != nil {
		return err
	}
	free, err := r.pool(ctx, op.Quote.Recipient)
	if err != nil {
		return err
	}
	if free == 0 {
		return soldOut()
	}
	return t.canPay(ctx, op)
}

func soldOut() error {
	return escrow.Errorf(escrow.SoldOut, "no one-time key of the recipient is left; nothing was paid; try again later")
}

// noOpenBond holds one open bond per sender and recipient. One whose deadline
// has passed is not open any more, though no sweep has come by.
func (t *tx) noOpenBond(ctx context.Context, op escrowserver.Buy) error {
	b, err := scanBond(t.sql.QueryRowContext(ctx, `SELECT `+bondColumns+` FROM bond
		WHERE sender = ? AND recipient = ? AND state IN ('held', 'arrived', 'rejecting')`, op.Quote.Sender, op.Quote.Recipient).Scan)
	if ok, err := found(err); err != nil || !ok {
		return err
	}
	if b, err = t.advance(ctx, "advance", op.Moment, b); err != nil {
		return err
	}
	if !b.State.Ended() {
		return escrow.Errorf(escrow.OpenBond, "one bond of this sender is already open at this recipient; it must end first")
	}
	return nil
}

func (t *tx) canPay(ctx context.Context, op escrowserver.Buy) error {
	b, err := t.balance(ctx, bucketKey{op.Account.Holder(), op.Quote.Option.Currency})
	if err != nil {
		return err
	}
	return escrowserver.CanPay(payment.Amount(b.Available), op.Quote)
}

// boughtBefore answers a purchase that was made before under the same id.
func (t *tx) boughtBefore(ctx context.Context, op escrowserver.Buy, text string) (any, error) {
	var purchase escrow.Purchase
	if err := json.Unmarshal([]byte(text), &purchase); err != nil {
		return nil, fmt.Errorf("the stored purchase: %w", err)
	}
	var batch string
	ok, err := found(t.sql.QueryRowContext(ctx, `SELECT certificate, batch FROM sold_key WHERE bond = ? AND keep_until > ?`,
		op.Request.ID, micros(op.Now)).Scan(&purchase.Certificate, &batch))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, escrow.Errorf(escrow.Delivered, "the key of this bond was delivered and is gone here")
	}
	purchase.Batch, err = t.batch(ctx, batch)
	return purchase, err
}

func (t *tx) batch(ctx context.Context, hash string) (escrow.Signed, error) {
	var jws escrow.Signed
	err := t.sql.QueryRowContext(ctx, `SELECT jws FROM key_batch WHERE hash = ?`, hash).Scan(&jws)
	return jws, err
}

func (t *tx) acknowledge(ctx context.Context, op escrowserver.Acknowledge) error {
	b, err := t.reader().bond(ctx, op.Bond)
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
	_, err = t.exec(ctx, "acknowledge.sold", `DELETE FROM sold_key WHERE bond = ?`, op.Bond)
	return err
}
