package servicetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"time"

	"earnest/escrow"
	"earnest/payment"
)

func safetyTests() []test {
	return []test{
		{"FreezeStopsMoneyAndPrices", freezes},
		{"FrozenIsEndedByRecoveryAtOnceElseAfter48Hours", unfreezes},
		{"OrdersOfNobodyAreRefused", ordersOfNobody},
		{"AddressIsReleased", releases},
		{"AddressChangesHandsAfter14Days", rebinds},
		{"EitherStopsARebinding", rebindingStopped},
		{"ABlockHoldsForAYear", blocks},
		{"AnUndoneRejectBlocksNobody", undoneBlocksNobody},
		{"RecoveryRotatesTheAccount", rotates},
		{"TheOwnKeyRotatesAfter48Hours", rotatesLater},
		{"ARotationCancelsWhatAThiefAskedFor", thiefsChanges},
		{"KeysAreReplacedAfter180Days", agedKeys},
		{"AnAccountIsExportedWhole", exports},
		{"AnAccountIsDeleted", deletes},
	}
}

// protected is a stranger with a recovery key.
func (w *world) protected() (*person, *person) {
	w.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	w.ok(err)
	_, recovery, err := ed25519.GenerateKey(rand.Reader)
	w.ok(err)
	p, backup := &person{Service: w.As(key), w: w, key: key}, &person{w: w, key: recovery}
	account, err := p.OpenAccount(context.Background(), escrow.OpenAccount{Key: p.public(), Recovery: backup.public()})
	w.ok(err)
	if !account.Recovery {
		w.Fatal("the account does not show that it has a recovery key")
	}
	return p, backup
}

// order gives an order about the account, signed by the person.
func (p *person) order(account escrow.KeyID, o escrow.Order) (escrow.Account, error) {
	p.w.Helper()
	o.ID, o.Account, o.Time = p.w.id(), account, p.w.Clock.Now()
	return p.w.As(nil).Order(context.Background(), p.sign(escrow.KindOrder, o))
}

func (p *person) id() escrow.KeyID { return p.public().ID() }

// renewed has the person's next requests begin anew, as over HTTP each does.
func (p *person) renewed() { p.Service = p.w.As(p.key) }

func freezes(w *world) {
	ctx := context.Background()
	anna, backup := w.protected()
	anna.topUp(500)
	anna.prove("anna@sender.example")
	anna.offer(30)
	bob := w.recipient("bob@recipient.example", 25, 3)
	before, err := anna.addKeys(2)
	w.ok(err)
	sent := anna.buy(bob, 25)
	received := bobBuys(w, bob, anna)
	req, _ := anna.requestTo(w.recipient("carol@recipient.example", 20, 1), 20)
	account, err := backup.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	if !account.FrozenAt.Equal(w.Clock.Now()) {
		w.Fatalf("frozen at %s", account.FrozenAt)
	}
	_, err = anna.Buy(ctx, req)
	w.fails(err, escrow.Forbidden)
	w.Clock.Move(time.Second)
	w.fails(anna.PublishOffer(ctx, anna.sign(escrow.KindOffer, anna.draft(40))), escrow.Forbidden)
	_, err = anna.addKeys(1)
	w.fails(err, escrow.Forbidden)
	_, err = anna.order(anna.id(), escrow.Order{Action: escrow.ActionRelease, Address: anna.address})
	w.fails(err, escrow.Forbidden)
	_, err = anna.order(anna.id(), escrow.Order{Action: escrow.ActionDelete})
	w.fails(err, escrow.Forbidden)
	// Decisions go on, and so does the money of what was bought.
	received.arrive()
	received.decide(escrow.Reject)
	sent.arrive()
	sent.decide(escrow.Accept)
	anna.has(500, 0)
	pool, err := anna.Pool(ctx, anna.address)
	w.ok(err)
	if pool.Free != before.Free-1 {
		w.Fatalf("%d keys are left", pool.Free)
	}
}

// bobBuys gives bob money and has him write to anna.
func bobBuys(w *world, bob, anna *person) *bought {
	w.Helper()
	bob.topUp(100)
	return bob.buy(anna, 30)
}

func (p *person) requestTo(to *person, price payment.Amount) (escrow.BuyRequest, Certificate) {
	p.w.Helper()
	return p.request(to, price)
}

func unfreezes(w *world) {
	anna, backup := w.protected()
	for _, by := range []*person{anna, backup} {
		_, err := anna.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
		w.ok(err)
		account, err := by.order(anna.id(), escrow.Order{Action: escrow.ActionUnfreeze})
		w.ok(err)
		if by == backup {
			if !account.FrozenAt.IsZero() {
				w.Fatal("the recovery key does not end the freeze at once")
			}
			continue
		}
		if account.FrozenAt.IsZero() || len(account.Changes) != 1 || !account.Changes[0].DueAt.Equal(w.Clock.Now().Add(48*time.Hour)) {
			w.Fatalf("no notice of 48 hours: %+v", account)
		}
		w.later(48*time.Hour - time.Second)
		if account, _ = anna.Account(context.Background()); account.FrozenAt.IsZero() {
			w.Fatal("it acts too early")
		}
		w.later(time.Second)
		if account, _ = anna.Account(context.Background()); !account.FrozenAt.IsZero() || account.Changes[0].Ending != "applied" {
			w.Fatalf("it does not act: %+v", account)
		}
	}
	// Who freezes can cancel what a thief asks for.
	_, err := backup.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	account, err := anna.order(anna.id(), escrow.Order{Action: escrow.ActionUnfreeze})
	w.ok(err)
	asked := account.Changes[len(account.Changes)-1].ID
	for _, c := range account.Changes {
		if c.Ended.IsZero() {
			asked = c.ID
		}
	}
	_, err = w.stranger().order(anna.id(), escrow.Order{Action: escrow.ActionCancel, Change: asked})
	w.fails(err, escrow.Unauthorized)
	_, err = backup.order(anna.id(), escrow.Order{Action: escrow.ActionCancel, Change: asked})
	w.ok(err)
	w.later(72 * time.Hour)
	if account, _ = anna.Account(context.Background()); account.FrozenAt.IsZero() {
		w.Fatal("a cancelled change acted")
	}
}

func ordersOfNobody(w *world) {
	ctx := context.Background()
	anna, backup := w.protected()
	eve := w.stranger()
	_, err := eve.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.fails(err, escrow.Unauthorized)
	_, err = eve.order("nobody", escrow.Order{Action: escrow.ActionFreeze})
	w.fails(err, escrow.NotFound)
	_, err = backup.order(anna.id(), escrow.Order{Action: "burn"})
	w.fails(err, escrow.Invalid)
	old := backup.sign(escrow.KindOrder, escrow.Order{ID: w.id(), Account: anna.id(), Action: escrow.ActionFreeze, Time: w.Clock.Now()})
	_, err = w.As(nil).Order(ctx, old)
	w.ok(err)
	_, err = backup.order(anna.id(), escrow.Order{Action: escrow.ActionUnfreeze})
	w.ok(err)
	// Played again it does nothing; an old one that was never taken is refused.
	account, err := w.As(nil).Order(ctx, old)
	w.ok(err)
	if !account.FrozenAt.IsZero() {
		w.Fatal("an order played again froze the account")
	}
	late := backup.sign(escrow.KindOrder, escrow.Order{ID: w.id(), Account: anna.id(), Action: escrow.ActionFreeze, Time: w.Clock.Now()})
	w.Clock.Move(6 * time.Minute)
	_, err = w.As(nil).Order(ctx, late)
	w.fails(err, escrow.ClockSkew)
}

func releases(w *world) {
	ctx := context.Background()
	bob, anna := w.recipient("bob@recipient.example", 25, 3), w.owner("anna@sender.example", 500)
	bond := anna.buy(bob, 25)
	_, err := anna.order(anna.id(), escrow.Order{Action: escrow.ActionRelease, Address: bob.address})
	w.fails(err, escrow.NotFound)
	account, err := bob.order(bob.id(), escrow.Order{Action: escrow.ActionRelease, Address: bob.address})
	w.ok(err)
	if len(account.Addresses) != 0 {
		w.Fatalf("still held: %+v", account.Addresses)
	}
	_, err = w.owner("eve@other.example", 10).Offer(ctx, bob.address)
	w.fails(err, escrow.NoOffer)
	// What was bought before goes on, and whoever reads the mail has the address.
	bond.arrive()
	bond.decide(escrow.Accept)
	w.Clock.Move(2 * time.Hour)
	heir := w.owner(bob.address, 1)
	pool, err := heir.Pool(ctx, heir.address)
	w.ok(err)
	if pool.Free != 0 {
		w.Fatalf("the heir has %d keys of the old holder", pool.Free)
	}
}

// asksFor has the person prove an address that another holds.
func (p *person) asksFor(address escrow.Address) escrow.AccountChange {
	p.w.Helper()
	ctx := context.Background()
	nonce := p.w.id()
	p.w.ok(p.ClaimAddress(ctx, escrow.AddressClaim{Address: string(address), Nonce: nonce}))
	mail, _ := p.w.Mails.Last()
	_, err := p.ProveAddress(ctx, escrow.AddressProof{Address: address, Nonce: nonce, Token: mail.Token})
	p.w.fails(err, escrow.Forbidden)
	account, err := p.Account(ctx)
	p.w.ok(err)
	for _, c := range account.Changes {
		if c.Ended.IsZero() && c.Subject == string(address) {
			return c
		}
	}
	p.w.Fatalf("no notice of the change: %+v", account.Changes)
	return escrow.AccountChange{}
}

func rebinds(w *world) {
	ctx := context.Background()
	bob := w.recipient("bob@recipient.example", 25, 2)
	w.Clock.Move(time.Hour)
	heir := w.owner("heir@other.example", 1)
	asked := heir.asksFor(bob.address)
	if !asked.DueAt.Equal(w.Clock.Now().Add(14 * day)) {
		w.Fatalf("due at %s", asked.DueAt)
	}
	account, err := bob.Account(ctx)
	w.ok(err)
	if len(account.Changes) != 1 || account.Changes[0].ID != asked.ID {
		w.Fatalf("the holder has no notice: %+v", account.Changes)
	}
	w.later(7 * day)
	if again := heir.asksFor(bob.address); again.ID != asked.ID || !again.DueAt.Equal(asked.DueAt) {
		w.Fatal("asking again moves the day")
	}
	w.later(7*day - time.Second)
	pool, err := bob.Pool(ctx, bob.address)
	w.ok(err)
	if pool.Free != 2 {
		w.Fatal("it acted too early")
	}
	w.later(time.Second)
	_, err = bob.Pool(ctx, bob.address)
	w.fails(err, escrow.Unproven)
	pool, err = heir.Pool(ctx, bob.address)
	w.ok(err)
	if pool.Free != 0 {
		w.Fatalf("the heir has %d keys of the old holder", pool.Free)
	}
}

func rebindingStopped(w *world) {
	bob, backup := w.protected()
	bob.topUp(10)
	bob.prove("bob@recipient.example")
	for i, by := range []*person{bob, backup, nil} {
		w.Clock.Move(25 * time.Hour)
		heir := w.stranger()
		stopper, account := by, bob.id()
		if by == nil { // who asked for it may stop it as well
			stopper, account = heir, heir.id()
		}
		asked := heir.asksFor(bob.address)
		_, err := w.stranger().order(account, escrow.Order{Action: escrow.ActionCancel, Change: asked.ID})
		w.fails(err, escrow.Unauthorized)
		other := w.stranger()
		_, err = other.order(other.id(), escrow.Order{Action: escrow.ActionCancel, Change: asked.ID})
		w.fails(err, escrow.NotFound)
		_, err = stopper.order(account, escrow.Order{Action: escrow.ActionCancel, Change: asked.ID})
		w.ok(err)
		w.later(15 * day)
		if _, err := bob.Pool(context.Background(), bob.address); err != nil {
			w.Fatalf("%d: the address changed hands: %v", i, err)
		}
	}
}

// rotation is the order that gives the account to a new key.
func (w *world) rotation(account escrow.KeyID) (escrow.Order, *person) {
	w.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	w.ok(err)
	p := &person{Service: w.As(key), w: w, key: key}
	return escrow.Order{Action: escrow.ActionRotate, Key: p.public(),
		Accepted: p.sign(escrow.KindNewKey, escrow.NewKey{Account: account, Key: p.public()})}, p
}

func rotates(w *world) {
	ctx := context.Background()
	anna, backup := w.protected()
	id := anna.id()
	anna.topUp(500)
	anna.prove("anna@sender.example")
	anna.offer(30)
	_, err := anna.addKeys(3)
	w.ok(err)
	bob := w.recipient("bob@recipient.example", 25, 3)
	sent, received := anna.buy(bob, 25), bobBuys(w, bob, anna)
	quote, _ := bob.request(w.recipient("dora@recipient.example", 20, 1), 20)
	_ = quote
	order, heir := w.rotation(id)
	unaccepted := order
	unaccepted.Accepted = ""
	_, err = backup.order(id, unaccepted)
	w.fails(err, escrow.Invalid)
	_, err = backup.order(id, order)
	w.ok(err)
	anna.renewed()
	heir.renewed()
	// The old key is out, in every way.
	_, err = anna.Account(ctx)
	w.fails(err, escrow.Unauthorized)
	_, err = anna.Bonds(ctx, 0, 0)
	w.fails(err, escrow.Unauthorized)
	_, err = anna.order(id, escrow.Order{Action: escrow.ActionFreeze})
	w.fails(err, escrow.Unauthorized)
	_, err = anna.OpenAccount(ctx, escrow.OpenAccount{Key: anna.public()})
	w.fails(err, escrow.Unauthorized)
	// The new one has balances, addresses and bonds; the price is signed anew.
	heir.has(475, 25)
	account, err := heir.OpenAccount(ctx, escrow.OpenAccount{Key: heir.public()})
	w.ok(err)
	if account.ID != id || len(account.Addresses) != 1 || !account.Recovery {
		w.Fatalf("taken over: %+v", account)
	}
	_, err = bob.Offer(ctx, "anna@sender.example")
	w.fails(err, escrow.NoOffer)
	page, err := heir.Bonds(ctx, 0, 0)
	w.ok(err)
	if len(page.Bonds) != 2 {
		w.Fatalf("%d bonds, want 2", len(page.Bonds))
	}
	// What was signed about the old bond is signed by the identity that its quote names.
	received.to = &person{Service: heir.Service, w: w, key: anna.key, address: "anna@sender.example"}
	received.arrive()
	received.decide(escrow.Accept)
	sent.arrive()
	sent.decide(escrow.Accept)
	heir.has(500, 0)
	heir.address = "anna@sender.example"
	heir.offer(30)
	_, err = heir.addKeys(2)
	w.ok(err)
	w.Clock.Move(time.Hour)
	again := bob.buy(heir, 30)
	again.arrive()
	again.decide(escrow.Reject)
	w.later(time.Hour)
	if got := again.events(bob); len(got) != 3 || got[2] != escrow.EventRejected {
		w.Fatalf("events %v", got)
	}
}

func rotatesLater(w *world) {
	ctx := context.Background()
	anna, _ := w.protected()
	anna.topUp(500)
	order, heir := w.rotation(anna.id())
	account, err := anna.order(anna.id(), order)
	w.ok(err)
	if len(account.Changes) != 1 || account.Changes[0].Kind != "rotate" {
		w.Fatalf("no notice: %+v", account.Changes)
	}
	_, err = heir.Account(ctx)
	w.fails(err, escrow.NotFound)
	w.later(48 * time.Hour)
	anna.renewed()
	heir.renewed()
	heir.has(500, 0)
	_, err = anna.Account(ctx)
	w.fails(err, escrow.Unauthorized)
}

func thiefsChanges(w *world) {
	ctx := context.Background()
	anna, backup := w.protected()
	anna.topUp(500)
	theirs, thief := w.rotation(anna.id())
	_, err := anna.order(anna.id(), theirs)
	w.ok(err)
	_, err = w.Server.Propose(ctx, anna.id(), "unfreeze", "", "")
	w.ok(err)
	ours, heir := w.rotation(anna.id())
	_, err = backup.order(anna.id(), ours)
	w.ok(err)
	w.later(72 * time.Hour)
	heir.renewed()
	heir.has(500, 0)
	_, err = thief.Account(ctx)
	w.fails(err, escrow.NotFound)
}

func agedKeys(w *world) {
	ctx := context.Background()
	bob := w.recipient("bob@recipient.example", 25, 80)
	w.later(100 * day)
	renew(w, bob)
	_, err := bob.addKeys(10)
	w.ok(err)
	w.later(80*day - time.Second)
	pool, err := bob.Pool(ctx, bob.address)
	w.ok(err)
	if pool.Free != 90 || pool.Aged != 0 {
		w.Fatalf("%+v", pool)
	}
	w.later(time.Second)
	pool, err = bob.Pool(ctx, bob.address)
	w.ok(err)
	if pool.Free != 90 || pool.Aged != 80 {
		w.Fatalf("%+v", pool)
	}
	pool, err = bob.addKeys(50)
	w.ok(err)
	if pool.Free != 60 || pool.Aged != 0 {
		w.Fatalf("replaced: %+v", pool)
	}
	_, err = bob.addKeys(41)
	w.fails(err, escrow.Limited)
}

func exports(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	bond.arrive()
	bond.decide(escrow.Reject)
	all, err := anna.Export(ctx)
	w.ok(err)
	var read struct {
		Tables map[string][]map[string]any
		Bonds  []escrow.BondView
	}
	w.ok(json.Unmarshal(all, &read))
	if len(read.Bonds) != 1 || read.Bonds[0].State != escrow.Arrived || read.Tables["addresses"][0]["address"] != "anna@sender.example" ||
		len(read.Tables["postings"]) == 0 || len(read.Tables["receipts"]) != 2 || len(read.Tables["statements"]) != 0 {
		w.Fatalf("exported: %s", all)
	}
	_, err = w.As(nil).Export(ctx)
	w.fails(err, escrow.Unauthorized)
}

func deletes(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	anna.offer(10)
	_, err := anna.addKeys(2)
	w.ok(err)
	bond := anna.buy(bob, 25)
	give := func(amount payment.Amount) escrow.Order {
		return escrow.Order{Action: escrow.ActionDelete, GiveUp: []escrow.GivenUp{{Currency: Currency, Amount: amount}}}
	}
	_, err = anna.order(anna.id(), give(475))
	w.fails(err, escrow.Conflict)
	bond.arrive()
	bond.decide(escrow.Accept)
	_, err = anna.order(anna.id(), escrow.Order{Action: escrow.ActionDelete})
	w.fails(err, escrow.Conflict)
	_, err = anna.order(anna.id(), give(475))
	w.fails(err, escrow.Conflict)
	before := w.holder("company")
	_, err = anna.order(anna.id(), give(500))
	w.ok(err)
	if got := w.holder("company") - before; got != 500 {
		w.Fatalf("%d were given up", got)
	}
	anna.renewed()
	_, err = anna.Account(ctx)
	w.fails(err, escrow.Unauthorized)
	_, err = bob.Offer(ctx, "anna@sender.example")
	w.fails(err, escrow.NoOffer)
	// The other side keeps its receipts.
	if got := bond.events(bob); len(got) != 3 {
		w.Fatalf("events %v", got)
	}
	w.Clock.Move(2 * time.Hour)
	w.owner("anna@sender.example", 0)
}
