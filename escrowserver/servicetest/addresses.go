package servicetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"earnest/escrow"
)

func addressTests() []test {
	return []test{
		{"AccountIsOpenedOnce", accountOpenedOnce},
		{"AddressIsProvenByToken", addressProven},
		{"TokenMailsAreLimited", tokenMailsLimited},
		{"MailBomb", mailBomb},
		{"StrangersStopNoRenewal", strangersStopNoRenewal},
		{"AddressesADay", addressesADay},
		{"ProvenAddressIsNotTaken", addressNotTaken},
		{"ProofLapses", proofLapses},
	}
}

func accountOpenedOnce(w *world) {
	ctx := context.Background()
	anna := w.owner("anna@sender.example", 500)
	account, err := anna.OpenAccount(ctx, escrow.OpenAccount{Key: anna.public()})
	w.ok(err)
	if account.ID != anna.public().ID() || len(account.Addresses) != 1 || len(account.Balances) != 2 || account.Balances[0].Available != 500 {
		w.Fatalf("opened again: %+v", account)
	}
	_, err = anna.OpenAccount(ctx, escrow.OpenAccount{Key: w.stranger().public()})
	w.fails(err, escrow.Forbidden)
	_, err = w.As(nil).OpenAccount(ctx, escrow.OpenAccount{Key: anna.public()})
	w.fails(err, escrow.Unauthorized)
}

func addressProven(w *world) {
	ctx := context.Background()
	anna, eve := w.stranger(), w.stranger()
	nonce := w.id()
	w.ok(anna.ClaimAddress(ctx, escrow.AddressClaim{Address: "Anna@Sender.EXAMPLE", Nonce: nonce}))
	mail, to := w.Mails.Last()
	if to != "Anna@Sender.EXAMPLE" || mail.Address != "anna@sender.example" || mail.Nonce != nonce || mail.Account != anna.public().ID() {
		w.Fatalf("the mail to %s says %+v", to, mail)
	}
	// Asked again under the same nonce, no second mail is sent.
	w.ok(anna.ClaimAddress(ctx, escrow.AddressClaim{Address: "Anna@Sender.EXAMPLE", Nonce: nonce}))
	if w.Mails.Count() != 1 {
		w.Fatalf("%d mails, want 1", w.Mails.Count())
	}
	proof := escrow.AddressProof{Address: mail.Address, Nonce: nonce, Token: mail.Token}
	_, err := eve.ProveAddress(ctx, proof)
	w.fails(err, escrow.Unproven)
	for _, wrong := range []escrow.AddressProof{
		{Address: "eve@sender.example", Nonce: nonce, Token: mail.Token},
		{Address: mail.Address, Nonce: "another-nonce", Token: mail.Token},
		{Address: mail.Address, Nonce: nonce, Token: "another-token"},
	} {
		_, err := anna.ProveAddress(ctx, wrong)
		w.fails(err, escrow.Unproven)
	}
	account, err := anna.ProveAddress(ctx, proof)
	w.ok(err)
	if len(account.Addresses) != 1 || account.Addresses[0].RenewBy.Sub(account.Addresses[0].ProvenAt) != 180*day {
		w.Fatalf("proven: %+v", account.Addresses)
	}
	w.Clock.Move(time.Hour)
	again, err := anna.ProveAddress(ctx, proof)
	w.ok(err)
	if !again.Addresses[0].RenewBy.Equal(account.Addresses[0].RenewBy) {
		w.Fatal("an old token renewed the proof")
	}
	// A token is good for a day.
	w.Clock.Move(2 * day)
	nonce = w.id()
	w.ok(eve.ClaimAddress(ctx, escrow.AddressClaim{Address: "eve@sender.example", Nonce: nonce}))
	mail, _ = w.Mails.Last()
	w.Clock.Move(day)
	_, err = eve.ProveAddress(ctx, escrow.AddressProof{Address: mail.Address, Nonce: nonce, Token: mail.Token})
	w.fails(err, escrow.Unproven)
}

func tokenMailsLimited(w *world) {
	ctx := context.Background()
	anna, eve := w.stranger(), w.stranger()
	claim := func(p *person, address string) error {
		return p.ClaimAddress(ctx, escrow.AddressClaim{Address: address, Nonce: w.id()})
	}
	w.Mails.Fail(true)
	w.fails(claim(anna, "anna@sender.example"), escrow.Unavailable)
	w.Mails.Fail(false)
	w.ok(claim(anna, "anna@sender.example")) // a mail that was not sent does not count
	w.fails(claim(anna, "anna@sender.example"), escrow.Limited)
	w.fails(claim(eve, "an.na+tag@sender.example"), escrow.Limited)
	w.ok(claim(eve, "eve@sender.example"))
	// Strangers share five a day, and none may take more than two.
	w.Clock.Move(time.Hour)
	w.ok(claim(anna, "anna@sender.example"))
	w.Clock.Move(time.Hour)
	w.limited(claim(anna, "anna@sender.example"), 22*time.Hour)
	for _, p := range []*person{eve, eve, w.stranger()} {
		w.ok(claim(p, "anna@sender.example"))
		w.Clock.Move(time.Hour)
	}
	w.limited(claim(w.stranger(), "anna@sender.example"), 19*time.Hour)
	w.later(19 * time.Hour)
	w.ok(claim(anna, "anna@sender.example"))
	w.fails(claim(anna, "not an address"), escrow.Invalid)
}

// limited demands a limit that says when it ends.
func (w *world) limited(err error, retry time.Duration) {
	w.Helper()
	w.fails(err, escrow.Limited)
	if e, ok := errors.AsType[*escrow.Error](err); !ok || e.RetryAfter != retry {
		w.Fatalf("the limit does not say when it ends: %+v", err)
	}
}

// Whoever hangs up, and whatever the relay leaves open, gets no further mail.
func mailBomb(w *world) {
	anna := w.stranger()
	claim := func(ctx context.Context, address string) error {
		return anna.ClaimAddress(ctx, escrow.AddressClaim{Address: address, Nonce: w.id()})
	}
	w.Mails.Lose(true)
	w.fails(claim(context.Background(), "victim@sender.example"), escrow.Unavailable)
	w.Mails.Lose(false)
	w.fails(claim(context.Background(), "victim@sender.example"), escrow.Limited)
	if n := w.Mails.Count(); n != 1 {
		w.Fatalf("%d mails, want 1", n)
	}
	ctx, hangUp := context.WithCancel(context.Background())
	release := w.Mails.Hold()
	done := make(chan error, 1)
	go func() { done <- claim(ctx, "other@sender.example") }()
	time.Sleep(50 * time.Millisecond) // the mail is under way
	hangUp()
	release()
	<-done // the caller is gone: what it would be told does not matter
	for range 100 {
		if w.Mails.Count() == 2 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.fails(claim(context.Background(), "other@sender.example"), escrow.Limited)
	if n := w.Mails.Count(); n != 2 {
		w.Fatalf("%d mails, want 2", n)
	}
}

// No stranger's claims stop who holds an address from renewing the proof.
func strangersStopNoRenewal(w *world) {
	ctx := context.Background()
	bob := w.owner("bob@recipient.example", 1)
	for range 5 {
		w.Clock.Move(time.Hour)
		w.ok(w.stranger().ClaimAddress(ctx, escrow.AddressClaim{Address: "b.ob+x@recipient.example", Nonce: w.id()}))
	}
	bob.prove(bob.address)
	// Nor do the holder's renewals use up what others have.
	w.Clock.Move(20 * time.Hour)
	w.ok(w.stranger().ClaimAddress(ctx, escrow.AddressClaim{Address: string(bob.address), Nonce: w.id()}))
	// The holder has a limit too.
	bob.prove(bob.address)
	w.limited(bob.ClaimAddress(ctx, escrow.AddressClaim{Address: string(bob.address), Nonce: w.id()}), time.Hour)
}

// One account does not write to a list of addresses.
func addressesADay(w *world) {
	ctx := context.Background()
	eve := w.stranger()
	claim := func(address string) error {
		return eve.ClaimAddress(ctx, escrow.AddressClaim{Address: address, Nonce: w.id()})
	}
	for i := range 5 {
		w.ok(claim(fmt.Sprintf("victim%d@sender.example", i)))
	}
	w.limited(claim("victim5@sender.example"), 24*time.Hour)
	w.Clock.Move(time.Hour)
	w.ok(claim("victim0@sender.example")) // one of the five
	w.limited(claim("victim5@sender.example"), 23*time.Hour)
	w.Clock.Move(23 * time.Hour)
	w.ok(claim("victim5@sender.example"))
	// What was proven does not count.
	anna := w.stranger()
	for i := range 7 {
		anna.prove(escrow.Address(fmt.Sprintf("a%d@anna.example", i)))
	}
}

func addressNotTaken(w *world) {
	ctx := context.Background()
	bob := w.recipient("bob@recipient.example", 25, 1)
	w.Clock.Move(time.Hour)
	eve := w.stranger()
	nonce := w.id()
	// Whoever asks learns nothing: the refusal comes only to who reads the mail.
	w.ok(eve.ClaimAddress(ctx, escrow.AddressClaim{Address: string(bob.address), Nonce: nonce}))
	mail, _ := w.Mails.Last()
	_, err := eve.ProveAddress(ctx, escrow.AddressProof{Address: bob.address, Nonce: nonce, Token: mail.Token})
	w.fails(err, escrow.Forbidden)
	_, err = bob.ProveAddress(ctx, escrow.AddressProof{Address: bob.address, Nonce: nonce, Token: mail.Token})
	w.fails(err, escrow.Unproven)
	pool, err := bob.Pool(ctx, bob.address)
	w.ok(err)
	if pool.Free != 1 {
		w.Fatal("the owner's keys are gone")
	}
}

func proofLapses(w *world) {
	ctx := context.Background()
	bob, anna := w.recipient("bob@recipient.example", 25, 2), w.owner("anna@sender.example", 500)
	w.later(180*day - time.Hour)
	_, err := anna.Offer(ctx, bob.address)
	w.ok(err)
	req, _ := anna.request(bob, 25)
	w.Clock.Move(time.Hour)
	_, err = anna.Offer(ctx, bob.address)
	w.fails(err, escrow.NoOffer)
	_, err = anna.Buy(ctx, req)
	w.fails(err, escrow.QuoteExpired)
	_, err = bob.addKeys(1)
	w.fails(err, escrow.Unproven)
	w.fails(bob.PublishOffer(ctx, bob.sign(escrow.KindOffer, bob.draft(25))), escrow.Unproven)
	// Renewed, all is as before.
	bob.prove(bob.address)
	anna.prove(anna.address)
	_, err = anna.quote(bob, 25)
	w.ok(err)
	// Lapsed again, the mailbox has a new owner, who gets none of the old keys.
	w.later(180 * day)
	heir := w.owner(bob.address, 1)
	_, err = anna.Offer(ctx, bob.address)
	w.fails(err, escrow.NoOffer)
	pool, err := heir.Pool(ctx, heir.address)
	w.ok(err)
	if pool.Free != 0 {
		w.Fatalf("the heir has %d keys of the old owner", pool.Free)
	}
}
