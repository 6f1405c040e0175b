package faults

import (
	"bytes"
	"context"
	"errors"
	"net/mail"
	"time"

	"earnest/escrow"
	"earnest/internal/sandbox"
)

// gives orders something about the person's own account until it is done. The order is
// signed once: the same bytes do nothing the second time.
func (p *person) gives(order escrow.Order, done func() bool) func(context.Context) error {
	return func(ctx context.Context) error {
		order.ID, order.Account, order.Time = p.id(), p.public().ID(), time.Now()
		signed, err := p.sign(escrow.KindOrder, order)
		if err != nil {
			return err
		}
		return p.r.until(ctx, "the order "+string(order.Action)+" is done", func() (bool, error) {
			_, err := p.Order(ctx, signed)
			return done(), err
		})
	}
}

// wants proves the address of another, whose mailbox the person can read now, and waits
// until it has changed hands.
func (p *person) wants(of *person) func(context.Context) error {
	return func(ctx context.Context) error {
		nonce, token, address := p.id(), "", string(of.address)
		err := p.r.until(ctx, "the address changes hands", func() (bool, error) {
			if p.r.holder(address) == p.public().ID() {
				return true, nil
			}
			if err := p.ClaimAddress(ctx, escrow.AddressClaim{Address: address, Nonce: nonce}); err != nil {
				return false, err
			}
			var err error
			if token == "" {
				token, err = p.r.tokenOf(ctx, of.box, nonce)
			}
			if err == nil {
				_, err = p.ProveAddress(ctx, escrow.AddressProof{Address: escrow.Address(address), Nonce: nonce, Token: token})
			}
			return false, err
		})
		return err
	}
}

// tokenOf reads the escrow's mail that answers the nonce.
func (r *rig) tokenOf(ctx context.Context, box sandbox.Mailbox, nonce string) (string, error) {
	mails, err := r.Provider.Inbox(ctx, box)
	for _, raw := range mails {
		read, err := mail.ReadMessage(bytes.NewReader(raw))
		if err == nil && read.Header.Get("Earnest-Claim") == nonce {
			return read.Header.Get("Earnest-Token"), nil
		}
	}
	return "", errors.Join(err, errors.New("the token mail has not come"))
}

func (r *rig) holder(address string) (account escrow.KeyID) {
	_ = r.books.QueryRow(`SELECT account FROM address WHERE address = ?`, address).Scan(&account)
	return account
}

// leavings are what becomes of addresses and accounts: one changes hands, is given up,
// and its last account is deleted with its money.
func leavings(r *rig, anna, bob *person) []deed {
	on := func(writes string) map[string]string { return map[string]string{escrowProcess: writes} }
	released := func() bool { return r.holder(string(bob.address)) == "" }
	deleted := func() bool {
		var n int
		err := r.books.QueryRow(`SELECT COUNT(*) FROM account WHERE id = ? AND deleted_at > 0 AND key_id = ''`, anna.public().ID()).Scan(&n)
		return err == nil && n == 1
	}
	const (
		money = "order.entry order.balance.new order.balance order.balance#2 "
		rows  = "order.blocks order.claims order.heartbeat order.changes order.orders order.certificates order.payouts order.limits order.checkouts order.operations order.sold order.batches "
	)
	return []deed{
		{"take an address over", "1s", anna.wants(bob), on("prove.change prove.inventory prove.commit apply.address apply.inventory apply.changed apply.commit prove.offer prove.keys")},
		{"give an address up", "", anna.gives(escrow.Order{Action: escrow.ActionRelease, Address: bob.address}, released),
			on("order.order prove.offer prove.keys order.address order.inventory order.commit")},
		{"delete the account", "", anna.gives(escrow.Order{Action: escrow.ActionDelete, GiveUp: []escrow.GivenUp{{Currency: sandbox.EscrowName, Amount: 100}}}, deleted),
			on(money + rows + "order.order order.address order.replaced order.account order.commit")},
	}
}

// strangersStory plays the leavings.
func strangersStory(ctx context.Context, r *rig) (kills int, err error) {
	anna, err := r.join(ctx, "anna")
	if err != nil {
		return 0, err
	}
	bob, err := r.join(ctx, "bob")
	if err != nil {
		return 0, err
	}
	if err := bob.sell(ctx, 2); err != nil {
		return 0, err
	}
	r.issued = 200
	for _, d := range leavings(r, anna, bob) {
		n, err := r.once(ctx, d)
		if kills += n; err != nil {
			return kills, err
		}
	}
	if err := r.until(ctx, "the escrow answers", func() (bool, error) { _, err := bob.Account(ctx); return err == nil, err }); err != nil {
		return kills, err
	}
	var company int64
	if err := r.books.QueryRow(`SELECT available FROM balance WHERE holder = 'company'`).Scan(&company); err != nil || company != 100 {
		return kills, found("the company has %d of a deleted account, not 100 (%v)", company, err)
	}
	return kills, errors.Join(r.money(), r.VerifyBooks(ctx))
}
