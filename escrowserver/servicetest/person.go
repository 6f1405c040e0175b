package servicetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/ledger"
	"earnest/payment"
)

// world is an escrow under test and the people at it.
type world struct {
	testing.TB
	Harness
	ids int
}

// person is an account with an address.
type person struct {
	escrow.Service
	w       *world
	key     ed25519.PrivateKey
	address escrow.Address
	made    time.Time // of the newest offer
	network string    // it asks from there; empty: nobody can tell
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// fails demands an error of the code.
func (w *world) fails(err error, code escrow.Code) {
	w.Helper()
	if !errors.Is(err, code) {
		w.Fatalf("got %v, want %s", err, code)
	}
}

// id makes an operation id.
func (w *world) id() string {
	w.ids++
	return fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", w.ids)
}

func (w *world) sweep() {
	w.Helper()
	w.ok(w.Server.SweepNow(context.Background()))
}

// later moves the clock and lets the sweeper do its work.
func (w *world) later(d time.Duration) {
	w.Helper()
	w.Clock.Move(d)
	w.sweep()
}

// stranger has an account and nothing else.
func (w *world) stranger() *person {
	w.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	w.ok(err)
	p := &person{Service: w.As(key), w: w, key: key}
	_, err = p.OpenAccount(context.Background(), escrow.OpenAccount{Key: p.public()})
	w.ok(err)
	return p
}

// owner has proven the address and has that much money.
func (w *world) owner(address escrow.Address, money payment.Amount) *person {
	w.Helper()
	p := w.stranger()
	if money > 0 {
		p.topUp(money)
	}
	p.prove(address)
	return p
}

// recipient has an offer and as many keys in the pool.
func (w *world) recipient(address escrow.Address, price payment.Amount, keys int) *person {
	w.Helper()
	p := w.owner(address, 1)
	p.offer(price)
	if keys > 0 {
		_, err := p.addKeys(keys)
		w.ok(err)
	}
	return p
}

func (p *person) public() escrow.PublicKey {
	return escrow.PublicKey(p.key.Public().(ed25519.PublicKey))
}

func (p *person) topUp(money payment.Amount) {
	p.w.Helper()
	code, err := p.w.Server.NewVoucher(context.Background(), Currency, money)
	p.w.ok(err)
	_, err = p.TopUp(context.Background(), escrow.TopUp{ID: p.w.id(), Voucher: code})
	p.w.ok(err)
}

func (p *person) prove(address escrow.Address) {
	p.w.Helper()
	nonce := p.w.id()
	p.w.ok(p.ClaimAddress(context.Background(), escrow.AddressClaim{Address: string(address), Nonce: nonce}))
	mail, _ := p.w.Mails.Last()
	_, err := p.ProveAddress(context.Background(), escrow.AddressProof{Address: address, Nonce: nonce, Token: mail.Token})
	p.w.ok(err)
	p.address = address
}

func option(price payment.Amount) payment.Option {
	return payment.Option{System: payment.SystemEscrow, Currency: Currency, Amount: price, Scale: 2}
}

// draft is an offer that the escrow takes.
func (p *person) draft(price payment.Amount) escrow.Offer {
	p.made = p.w.Clock.Now()
	return escrow.Offer{Address: p.address, Identity: p.public(), Options: []payment.Option{option(price)},
		Beneficiary: ledger.Company, TellRead: true, Made: p.made}
}

func (p *person) sign(kind escrow.Kind, payload any) escrow.Signed {
	p.w.Helper()
	signed, err := escrow.Sign(p.key, kind, payload)
	p.w.ok(err)
	return signed
}

func (p *person) offer(price payment.Amount) {
	p.w.Helper()
	p.w.ok(p.PublishOffer(context.Background(), p.sign(escrow.KindOffer, p.draft(price))))
}

// upload makes a batch of new keys.
func (p *person) upload(n int) escrow.KeyUpload { return p.uploadFor(n, 0) }

// uploadFor makes a batch for a pool of that epoch.
func (p *person) uploadFor(n int, epoch int64) escrow.KeyUpload {
	p.w.Helper()
	batch := escrow.KeyBatch{ID: p.w.id(), Address: p.address, Made: p.w.Clock.Now(), Epoch: epoch}
	var certificates [][]byte
	for range n {
		c := NewCertificate(p.w)
		batch.Keys = append(batch.Keys, escrow.KeyBrief{Fingerprint: c.Fingerprint, Hash: escrow.Hash(c.Binary)})
		certificates = append(certificates, c.Binary)
	}
	return escrow.KeyUpload{Batch: p.sign(escrow.KindKeys, batch), Certificates: certificates}
}

func (p *person) addKeys(n int) (escrow.Pool, error) {
	p.w.Helper()
	return p.AddKeys(context.Background(), p.upload(n))
}

func (p *person) money() escrow.Balance {
	p.w.Helper()
	account, err := p.Account(context.Background())
	p.w.ok(err)
	for _, b := range account.Balances {
		if b.Currency.Name == Currency {
			return b
		}
	}
	p.w.Fatal("the account shows no balance")
	return escrow.Balance{}
}

// has demands a balance.
func (p *person) has(available, held payment.Amount) {
	p.w.Helper()
	if b := p.money(); b.Available != available || b.Held != held {
		p.w.Fatalf("balance is %d and %d held, want %d and %d", b.Available, b.Held, available, held)
	}
}

// bought is a purchase and the keys behind it.
type bought struct {
	escrow.Purchase
	req          escrow.BuyRequest
	verification Certificate
	from, to     *person
	n            int64 // of the newest decision
}

func (p *person) quote(to *person, price payment.Amount) (escrow.Signed, error) {
	return p.Quote(context.Background(), escrow.QuoteRequest{Sender: p.address, Recipient: to.address, Option: option(price)})
}

// request is a buy request on a new quote.
func (p *person) request(to *person, price payment.Amount) (escrow.BuyRequest, Certificate) {
	p.w.Helper()
	quote, err := p.quote(to, price)
	p.w.ok(err)
	verification, reply := NewCertificate(p.w), NewCertificate(p.w)
	return escrow.BuyRequest{ID: escrow.BondID(p.w.id()), Quote: quote, Verification: verification.Binary, Reply: reply.Binary}, verification
}

func (p *person) buy(to *person, price payment.Amount) *bought {
	p.w.Helper()
	req, verification := p.request(to, price)
	purchase, err := p.Buy(context.Background(), req)
	p.w.ok(err)
	return &bought{Purchase: purchase, req: req, verification: verification, from: p, to: to}
}

func (b *bought) id() escrow.BondID { return b.req.ID }

func (b *bought) statement(event escrow.Event, proof string) escrow.Signed {
	b.to.w.Helper()
	return b.to.sign(escrow.KindStatement, escrow.Statement{Bond: b.id(), Quote: b.req.Quote.Hash(), Event: event, Proof: proof,
		Time: b.to.w.Clock.Now().Truncate(time.Hour)})
}

func (b *bought) arrival(text string) escrow.Arrival {
	proof := b.verification.Proof(text, "")
	return escrow.Arrival{Proof: proof, Statement: b.statement(escrow.EventArrived, proof.Hash())}
}

func (b *bought) arrive() escrow.Outcome {
	b.to.w.Helper()
	o, err := b.to.Arrive(context.Background(), b.id(), b.arrival("mail of bond "+string(b.id())))
	b.to.w.ok(err)
	return o
}

// decision signs the next decision on the bond.
func (b *bought) decision(verdict escrow.Verdict) escrow.Signed {
	b.to.w.Helper()
	b.n++
	return b.to.sign(escrow.KindDecision, escrow.Decision{Bond: b.id(), Quote: b.req.Quote.Hash(), Verdict: verdict, N: b.n, Time: b.to.w.Clock.Now()})
}

func (b *bought) decide(verdict escrow.Verdict) escrow.Outcome {
	b.to.w.Helper()
	o, err := b.to.Decide(context.Background(), b.id(), verdict, b.decision(verdict))
	b.to.w.ok(err)
	return o
}

// view is the bond as that party sees it now.
func (b *bought) view(p *person) escrow.BondView {
	p.w.Helper()
	v, err := p.Bond(context.Background(), b.id())
	p.w.ok(err)
	return v
}

// events verifies the chain and tells its events.
func (b *bought) events(p *person) []escrow.Event {
	p.w.Helper()
	receipts, err := p.Receipts(context.Background(), b.id())
	p.w.ok(err)
	chain, err := escrow.VerifyChain(b.req.Quote, receipts, p.w.Server.ReceiptKey())
	p.w.ok(err)
	var events []escrow.Event
	for _, r := range chain.Receipts {
		events = append(events, r.Event)
	}
	return events
}
