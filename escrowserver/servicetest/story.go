package servicetest

import (
	"context"
	"errors"
	"slices"
	"time"

	"earnest/escrow"
	"earnest/ledger"
	"earnest/payment"
)

func storyTests() []test {
	return []test{
		{"TestK1_VouchersBecomeMoney", vouchersBecomeMoney},
		{"TestK2_PriceIsVisible", priceIsVisible},
		{"TestK3_PricePaysOneKey", pricePaysOneKey},
		{"TestK4_ReplyReleasedOnAcceptDeletedOnReject", replyCertificate},
		{"TestK5_KeysAhead", keysAhead},
		{"TestK10_SilenceRefunds", silenceRefunds},
		{"TestK10_NeverArrivedRefunds", neverArrivedRefunds},
		{"TestK13_RejectForfeits", rejectForfeits},
		{"TestK16_SoldKeyIsGone", soldKeyIsGone},
		{"TestK19_SignedReceipts", signedReceipts},
		{"TestK21_CompanyAndRecipientAccount", companyAndRecipient},
	}
}

func vouchersBecomeMoney(w *world) {
	ctx := context.Background()
	anna, bob := w.stranger(), w.stranger()
	anna.has(0, 0)
	code, err := w.Server.NewVoucher(ctx, Currency, 250)
	w.ok(err)
	req := escrow.TopUp{ID: w.id(), Voucher: code}
	first, err := anna.TopUp(ctx, req)
	w.ok(err)
	if first.Available != 250 || first.Currency.Scale != 2 {
		w.Fatalf("topped up: %+v", first)
	}
	again, err := anna.TopUp(ctx, req)
	w.ok(err)
	if again != first {
		w.Fatalf("the same top-up again answers %+v, before %+v", again, first)
	}
	other, err := w.Server.NewVoucher(ctx, Currency, 100)
	w.ok(err)
	_, err = anna.TopUp(ctx, escrow.TopUp{ID: req.ID, Voucher: other})
	w.fails(err, escrow.Conflict)
	_, err = bob.TopUp(ctx, escrow.TopUp{ID: w.id(), Voucher: code})
	w.fails(err, escrow.BadVoucher)
	_, err = bob.TopUp(ctx, escrow.TopUp{ID: w.id(), Voucher: "EARN-0000-0000-0000-0000-0000-0000-0000"})
	w.fails(err, escrow.BadVoucher)
	// People type small letters, spaces, and O for 0.
	_, err = bob.TopUp(ctx, escrow.TopUp{ID: w.id(), Voucher: mistyped(other)})
	w.ok(err)
	anna.has(250, 0)
	bob.has(100, 0)
	if got := w.holder(string(ledger.Issuance)); got != -350 {
		w.Fatalf("in circulation: %d, want 350", -got)
	}
	_, err = w.Server.NewVoucher(ctx, "unknown.example", 1)
	w.fails(err, escrow.Invalid)
	points, err := w.Server.NewVoucher(ctx, OtherCurrency, 7)
	w.ok(err)
	b, err := bob.TopUp(ctx, escrow.TopUp{ID: w.id(), Voucher: points})
	w.ok(err)
	if b.Available != 7 || b.Currency.Name != OtherCurrency {
		w.Fatalf("points: %+v", b)
	}
	bob.has(100, 0)
}

func priceIsVisible(w *world) {
	ctx := context.Background()
	bob, anna := w.recipient("bob@recipient.example", 25, 0), w.stranger()
	signed, err := anna.Offer(ctx, bob.address)
	w.ok(err)
	offer, err := escrow.VerifyOffer(signed)
	w.ok(err)
	if offer.Options[0] != option(25) {
		w.Fatalf("the price is %v", offer.Options)
	}
	nobody := w.As(nil)
	_, err = nobody.Offer(ctx, bob.address)
	w.fails(err, escrow.NoOffer)
	_, err = anna.Offer(ctx, "carol@recipient.example")
	w.fails(err, escrow.NoOffer)
	w.Clock.Move(time.Second)
	draft := bob.draft(30)
	draft.Public = true
	w.ok(bob.PublishOffer(ctx, bob.sign(escrow.KindOffer, draft)))
	_, err = nobody.Offer(ctx, bob.address)
	w.ok(err)
	info, err := nobody.Info(ctx)
	w.ok(err)
	if info.LegalForm == "" || len(info.Currencies) != 2 || info.Terms != escrow.DefaultTerms() {
		w.Fatalf("info: %+v", info)
	}
	_, err = nobody.Account(ctx)
	w.fails(err, escrow.Unauthorized)
}

func pricePaysOneKey(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	if bond.Bond.Role != escrow.RoleSender || bond.Bond.State != escrow.Held || bond.Bond.Sender != anna.address {
		w.Fatalf("bought %+v", bond.Bond)
	}
	quote, offer, err := escrow.VerifyQuote(bond.req.Quote, w.Server.ReceiptKey())
	w.ok(err)
	if quote.BeneficiaryName != "Example Foundation" {
		w.Fatalf("the sender does not see who gets a forfeit: %+v", quote)
	}
	brief, err := escrow.CheckSoldKey(bond.Batch, offer, bond.Certificate)
	w.ok(err)
	if brief.Fingerprint != bond.Bond.KeyFingerprint {
		w.Fatal("the bond names another key than the one sold")
	}
	anna.has(475, 25)
	pool, err := bob.Pool(context.Background(), bob.address)
	w.ok(err)
	if pool.Free != 1 {
		w.Fatalf("%d keys are free, want 1", pool.Free)
	}
	// The money cannot be spent twice.
	carol := w.recipient("carol@recipient.example", 476, 1)
	req, _ := anna.request(carol, 476)
	_, err = anna.Buy(context.Background(), req)
	w.fails(err, escrow.InsufficientFunds)
	e, ok := errors.AsType[*escrow.Error](err)
	if !ok || e.Have == nil || *e.Have != 475 || e.Need == nil || *e.Need != 476 {
		w.Fatalf("what is missing is not told: %+v", err)
	}
	anna.has(475, 25)
	// The buyer's address is bound to the sale: another account cannot use the quote.
	dora := w.owner("dora@sender.example", 500)
	_, err = dora.Buy(context.Background(), req)
	w.fails(err, escrow.Forbidden)
	_, err = dora.Quote(context.Background(), escrow.QuoteRequest{Sender: anna.address, Recipient: bob.address, Option: option(25)})
	w.fails(err, escrow.Unproven)
	_, err = anna.quote(bob, 24)
	w.fails(err, escrow.Invalid)
}

func replyCertificate(w *world) {
	anna, bob, carol := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 1), w.recipient("carol@recipient.example", 25, 1)
	accepted, rejected := anna.buy(bob, 25), anna.buy(carol, 25)
	page, err := bob.Bonds(context.Background(), 0, 0)
	w.ok(err)
	if len(page.Bonds) != 1 || !slices.Equal(page.Bonds[0].Verification, accepted.req.Verification) || page.Bonds[0].Reply != nil {
		w.Fatalf("before the decision the recipient sees %+v", page.Bonds)
	}
	if o := accepted.arrive(); o.Bond.Reply != nil {
		w.Fatal("the reply certificate came before an accept")
	}
	if o := accepted.decide(escrow.Accept); !slices.Equal(o.Bond.Reply, accepted.req.Reply) {
		w.Fatal("the accept did not release the reply certificate")
	}
	anna.has(475, 25)
	if v := accepted.view(anna); v.Reply != nil || v.Verification != nil {
		w.Fatal("the sender is sent certificates")
	}
	rejected.arrive()
	rejected.decide(escrow.Reject)
	w.later(time.Hour)
	stored, err := w.Store.Bond(context.Background(), rejected.id())
	w.ok(err)
	if stored.Verification != nil || stored.Reply != nil {
		w.Fatal("the rejected sender's certificates are still stored")
	}
}

func keysAhead(w *world) {
	ctx := context.Background()
	bob := w.owner("bob@recipient.example", 0)
	_, err := bob.addKeys(1)
	w.fails(err, escrow.InsufficientFunds)
	bob.topUp(1)
	upload := bob.upload(60)
	pool, err := bob.AddKeys(ctx, upload)
	w.ok(err)
	if pool.Free != 60 {
		w.Fatalf("%d keys are free, want 60", pool.Free)
	}
	again, err := bob.AddKeys(ctx, upload)
	w.ok(err)
	if again != pool {
		w.Fatalf("the same batch again: %+v", again)
	}
	_, err = bob.addKeys(escrow.PoolSize - 59)
	w.fails(err, escrow.Limited)
	// The same keys in another batch.
	var batch escrow.KeyBatch
	w.ok(escrow.Peek(upload.Batch, &batch))
	batch.ID, batch.Keys = w.id(), batch.Keys[:1]
	_, err = bob.AddKeys(ctx, escrow.KeyUpload{Batch: bob.sign(escrow.KindKeys, batch), Certificates: upload.Certificates[:1]})
	w.fails(err, escrow.Invalid)
	// One key twice in a batch, a certificate that is not the one listed, and a
	// batch that somebody else signed.
	twice := bob.upload(1)
	w.ok(escrow.Peek(twice.Batch, &batch))
	batch.Keys = append(batch.Keys, batch.Keys[0])
	_, err = bob.AddKeys(ctx, escrow.KeyUpload{Batch: bob.sign(escrow.KindKeys, batch), Certificates: [][]byte{twice.Certificates[0], twice.Certificates[0]}})
	w.fails(err, escrow.Invalid)
	_, err = bob.AddKeys(ctx, escrow.KeyUpload{Batch: twice.Batch, Certificates: upload.Certificates[:1]})
	w.fails(err, escrow.Invalid)
	eve := w.owner("eve@recipient.example", 1)
	_, err = eve.AddKeys(ctx, twice)
	w.fails(err, escrow.Invalid)
	foreign := eve.upload(1)
	w.ok(escrow.Peek(foreign.Batch, &batch))
	batch.Address = bob.address
	_, err = eve.AddKeys(ctx, escrow.KeyUpload{Batch: eve.sign(escrow.KindKeys, batch), Certificates: foreign.Certificates})
	w.fails(err, escrow.Unproven)
	_, err = eve.Pool(ctx, bob.address)
	w.fails(err, escrow.Unproven)
	pool, err = bob.Pool(ctx, bob.address)
	w.ok(err)
	if pool.Free != 60 {
		w.Fatalf("%d keys are free, want 60", pool.Free)
	}
}

func silenceRefunds(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	w.later(29 * day)
	bond.arrive()
	w.later(14*day - time.Microsecond)
	anna.has(475, 25)
	w.later(time.Microsecond)
	anna.has(500, 0)
	if v := bond.view(anna); v.State != escrow.Expired || v.EndedAt.IsZero() {
		w.Fatalf("after silence: %+v", v)
	}
	_, err := bob.Decide(context.Background(), bond.id(), escrow.Reject, bond.decision(escrow.Reject))
	w.fails(err, escrow.TooLate)
	anna.has(500, 0)
}

func neverArrivedRefunds(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	w.later(30*day - time.Microsecond)
	anna.has(475, 25)
	w.Clock.Move(time.Microsecond)
	// The deadline ends the bond whether or not a sweeper came by.
	if v := bond.view(anna); v.State != escrow.Expired {
		w.Fatalf("at the deadline the bond is %s", v.State)
	}
	anna.has(500, 0)
	if got := bond.events(anna); !slices.Equal(got, []escrow.Event{escrow.EventPaid, escrow.EventExpired}) {
		w.Fatalf("receipts say %v", got)
	}
}

func rejectForfeits(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	bond.arrive()
	before, err := anna.Bonds(context.Background(), 0, 0)
	w.ok(err)
	if o := bond.decide(escrow.Reject); o.Bond.State != escrow.Rejecting || o.Bond.EffectiveAt.IsZero() || o.Receipt == "" {
		w.Fatalf("rejecting: %+v", o.Bond)
	}
	if v := bond.view(anna); v.State != escrow.Arrived || !v.EffectiveAt.IsZero() || v.DecisionN != 0 {
		w.Fatalf("the sender sees a reject that can be undone: %+v", v)
	}
	if news, err := anna.Bonds(context.Background(), before.Cursor, 0); err != nil || len(news.Bonds) != 0 {
		w.Fatalf("the sender is told of a reject that can be undone: %+v, %v", news, err)
	}
	anna.has(475, 25)
	w.later(10*time.Minute - time.Microsecond)
	anna.has(475, 25)
	w.later(time.Microsecond)
	anna.has(475, 0)
	bob.has(1, 0)
	if got := w.holder(string(ledger.Company)); got != 25 {
		w.Fatalf("the company has %d, want 25", got)
	}
	if v := bond.view(bob); v.State != escrow.Rejected {
		w.Fatalf("rejected: %+v", v)
	}
	for _, verdict := range []escrow.Verdict{escrow.Accept, escrow.Undo, escrow.Reject} {
		if _, err := bob.Decide(context.Background(), bond.id(), verdict, bond.decision(verdict)); err == nil {
			w.Fatalf("%s changed an ending", verdict)
		}
	}
	anna.has(475, 0)
}

func soldKeyIsGone(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 0)
	upload := bob.upload(1)
	_, err := bob.AddKeys(ctx, upload)
	w.ok(err)
	bond := anna.buy(bob, 25)
	again, err := anna.Buy(ctx, bond.req)
	w.ok(err)
	if again.Receipt != bond.Receipt || !slices.Equal(again.Certificate, bond.Certificate) || again.Bond.ID != bond.Bond.ID || again.Batch != bond.Batch {
		w.Fatal("the same buy again has another answer")
	}
	anna.has(475, 25)
	w.ok(anna.Acknowledge(ctx, bond.id()))
	w.ok(anna.Acknowledge(ctx, bond.id()))
	_, err = anna.Buy(ctx, bond.req)
	w.fails(err, escrow.Delivered)
	other := bond.req
	other.Reply = NewCertificate(w).Binary
	_, err = anna.Buy(ctx, other)
	w.fails(err, escrow.Conflict)
	anna.has(475, 25)
	// A fingerprint that was here is never taken again.
	var batch escrow.KeyBatch
	w.ok(escrow.Peek(upload.Batch, &batch))
	batch.ID = w.id()
	_, err = bob.AddKeys(ctx, escrow.KeyUpload{Batch: bob.sign(escrow.KindKeys, batch), Certificates: upload.Certificates})
	w.fails(err, escrow.Invalid)
	// An empty pool says so at the quote.
	carol := w.owner("carol@other.example", 100)
	_, err = carol.quote(bob, 25)
	w.fails(err, escrow.SoldOut)
	// What nobody acknowledges is forgotten after a day.
	_, err = bob.addKeys(1)
	w.ok(err)
	second := carol.buy(bob, 25)
	w.later(day - time.Microsecond)
	_, err = carol.Buy(ctx, second.req)
	w.ok(err)
	w.later(time.Microsecond)
	_, err = carol.Buy(ctx, second.req)
	w.fails(err, escrow.Delivered)
	w.fails(bob.Acknowledge(ctx, second.id()), escrow.Forbidden)
	w.fails(anna.Acknowledge(ctx, second.id()), escrow.NotFound)
}

func signedReceipts(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	w.later(90 * time.Minute)
	bond.arrive()
	w.later(2 * time.Hour)
	o, err := bob.Read(context.Background(), bond.id(), bond.statement(escrow.EventRead, ""))
	w.ok(err)
	if o.Bond.ReadAt.IsZero() {
		w.Fatal("read was not recorded")
	}
	if v := bond.view(anna); v.ArrivedAt.Minute() != 0 || v.ReadAt.Minute() != 0 || v.ReadAt.Sub(v.ArrivedAt) != 2*time.Hour {
		w.Fatalf("the sender is told arrived %s and read %s: not by the hour", v.ArrivedAt, v.ReadAt)
	}
	bond.decide(escrow.Reject)
	bond.decide(escrow.Undo)
	bond.decide(escrow.Accept)
	want := []escrow.Event{escrow.EventPaid, escrow.EventArrived, escrow.EventRead, escrow.EventAccepted}
	for _, p := range []*person{anna, bob} {
		if got := bond.events(p); !slices.Equal(got, want) {
			w.Fatalf("receipts say %v, want %v", got, want)
		}
	}
	_, err = w.stranger().Receipts(context.Background(), bond.id())
	w.fails(err, escrow.NotFound)
	// Receipts name no address.
	receipts, err := anna.Receipts(context.Background(), bond.id())
	w.ok(err)
	for _, signed := range receipts {
		var r escrow.Receipt
		w.ok(escrow.Peek(signed, &r))
		if r.From == string(anna.address) || len(r.From) != 43 || len(r.To) != 43 {
			w.Fatalf("a receipt names its parties: %+v", r)
		}
	}
}

func companyAndRecipient(w *world) {
	ctx := context.Background()
	bob := w.recipient("bob@recipient.example", 25, 1)
	bob.has(1, 0)
	// A forfeit goes to one of the published list, never to the recipient.
	w.Clock.Move(time.Second)
	draft := bob.draft(25)
	draft.Beneficiary = bob.public().ID().Holder()
	w.fails(bob.PublishOffer(ctx, bob.sign(escrow.KindOffer, draft)), escrow.Invalid)
	draft.Beneficiary = "somebody"
	w.fails(bob.PublishOffer(ctx, bob.sign(escrow.KindOffer, draft)), escrow.Invalid)
	draft.Beneficiary = ledger.Burned
	w.ok(bob.PublishOffer(ctx, bob.sign(escrow.KindOffer, draft)))
	anna := w.owner("anna@sender.example", 500)
	bond := anna.buy(bob, 25)
	bond.arrive()
	bond.decide(escrow.Reject)
	w.later(time.Hour)
	if burned, company := w.holder(string(ledger.Burned)), w.holder(string(ledger.Company)); burned != 25 || company != 0 {
		w.Fatalf("burned %d, company %d", burned, company)
	}
	for _, wrong := range []payment.Option{
		{System: payment.SystemEscrow, Currency: Currency, Amount: 1, Scale: 3},
		{System: payment.SystemEscrow, Currency: "unknown.example", Amount: 1, Scale: 2},
		{System: "OTHER/1", Currency: Currency, Amount: 1, Scale: 2},
	} {
		draft.Made, draft.Options = draft.Made.Add(time.Second), []payment.Option{wrong}
		w.fails(bob.PublishOffer(ctx, bob.sign(escrow.KindOffer, draft)), escrow.Invalid)
	}
}

func mistyped(code string) string {
	text := []byte(code)
	for i, c := range text {
		switch {
		case c == '-':
			text[i] = ' '
		case c == '0' && i > 4:
			text[i] = 'o'
		case c == '1':
			text[i] = 'l'
		case 'A' <= c && c <= 'Z':
			text[i] = c + 'a' - 'A'
		}
	}
	return string(text)
}
