package powerloss

import (
	"context"
	"crypto/ed25519"
	"time"

	"earnest/escrow"
	"earnest/escrowserver/servicetest"
	"earnest/ledger"
	"earnest/payment"
)

const (
	booksFile  = "books.db"
	recipients = 4 // of the people: they have an offer, and get mail
	price      = payment.Amount(25)
)

// pauses make quotes lapse, rejects take effect and deadlines pass.
var pauses = [...]time.Duration{time.Second, 11 * time.Minute, time.Hour, 8 * 24 * time.Hour}

// person is an account with an address.
type person struct {
	l       *life
	key     ed25519.PrivateKey
	address escrow.Address
}

// bond is a purchase and the keys behind it.
type bond struct {
	req          escrow.BuyRequest
	verification servicetest.Certificate
	from, to     *person
	n            int64 // of the newest decision
	bought       bool
	arrived      bool
}

func (p *person) public() escrow.PublicKey {
	return escrow.PublicKey(p.key.Public().(ed25519.PublicKey))
}

// as is the service of the escrow that runs now.
func (p *person) as() escrow.Service { return p.l.server.As(p.public()) }

func (p *person) sign(kind escrow.Kind, payload any) escrow.Signed {
	signed, err := escrow.Sign(p.key, kind, payload)
	p.l.ok(err)
	return signed
}

// something is what the person does next. What it needs is made at once, so that
// the call itself is one operation of the store.
func (p *person) something() func() error {
	var mine *bond // one of the newest, as sender or recipient
	for i := len(p.l.bonds) - 1; i >= 0 && i > len(p.l.bonds)-24; i-- {
		if b := p.l.bonds[i]; b.bought && (b.to == p || b.from == p) && (mine == nil || p.l.rng.IntN(2) == 0) {
			mine = b
		}
	}
	n := p.l.rng.IntN(10)
	switch {
	case n == 0:
		return p.topUp()
	case n == 1 && p.l.people[0] != p && p.isRecipient():
		return p.offer()
	case n == 2 && p.isRecipient():
		return p.addKeys(3 + p.l.rng.IntN(4))
	case n < 6 && !p.isRecipient():
		return p.buy(p.l.people[p.l.rng.IntN(recipients)])
	case mine == nil:
		return func() error { return p.as().Heartbeat(context.Background()) }
	case mine.from == p:
		return mine.bySender()
	}
	return mine.byRecipient()
}

func (p *person) isRecipient() bool {
	for _, r := range p.l.people[:min(recipients, len(p.l.people))] {
		if r == p {
			return true
		}
	}
	return false
}

func (p *person) topUp() func() error {
	if len(p.l.vouchers) == 0 {
		return nil
	}
	req := escrow.TopUp{ID: p.l.id(), Voucher: p.l.vouchers[0]}
	p.l.vouchers = p.l.vouchers[1:]
	return func() error { _, err := p.as().TopUp(context.Background(), req); return err }
}

func option() payment.Option {
	return payment.Option{System: payment.SystemEscrow, Currency: servicetest.Currency, Amount: price, Scale: 2}
}

func (p *person) offer() func() error {
	signed := p.sign(escrow.KindOffer, escrow.Offer{Address: p.address, Identity: p.public(), Options: []payment.Option{option()},
		Beneficiary: ledger.Company, TellRead: true, Made: p.l.clock.Now()})
	return func() error { return p.as().PublishOffer(context.Background(), signed) }
}

func (p *person) addKeys(n int) func() error {
	batch := escrow.KeyBatch{ID: p.l.id(), Address: p.address, Made: p.l.clock.Now()}
	var certificates [][]byte
	for range n {
		c := servicetest.NewCertificate(p.l)
		batch.Keys = append(batch.Keys, escrow.KeyBrief{Fingerprint: c.Fingerprint, Hash: escrow.Hash(c.Binary)})
		certificates = append(certificates, c.Binary)
	}
	upload := escrow.KeyUpload{Batch: p.sign(escrow.KindKeys, batch), Certificates: certificates}
	return func() error { _, err := p.as().AddKeys(context.Background(), upload); return err }
}

func (p *person) buy(to *person) func() error {
	quote, err := p.as().Quote(context.Background(), escrow.QuoteRequest{Sender: p.address, Recipient: to.address, Option: option()})
	if err != nil {
		return nil // refused: an open bond there, or no money
	}
	verification, reply := servicetest.NewCertificate(p.l), servicetest.NewCertificate(p.l)
	b := &bond{verification: verification, from: p, to: to,
		req: escrow.BuyRequest{ID: escrow.BondID(p.l.id()), Quote: quote, Verification: verification.Binary, Reply: reply.Binary}}
	p.l.bonds = append(p.l.bonds, b)
	return func() error {
		_, err := p.as().Buy(context.Background(), b.req)
		b.bought = err == nil
		return err
	}
}

func (b *bond) statement(event escrow.Event, proof string) escrow.Signed {
	return b.to.sign(escrow.KindStatement, escrow.Statement{Bond: b.req.ID, Quote: b.req.Quote.Hash(), Event: event, Proof: proof,
		Time: b.to.l.clock.Now().Truncate(time.Hour)})
}

func (b *bond) bySender() func() error {
	if b.to.l.rng.IntN(4) > 0 {
		return func() error { return b.from.as().Acknowledge(context.Background(), b.req.ID) }
	}
	return func() error { _, err := b.from.as().AskWithdraw(context.Background(), b.req.ID); return err }
}

func (b *bond) byRecipient() func() error {
	if !b.arrived {
		b.arrived = true
		proof := b.verification.Proof("mail of bond "+string(b.req.ID), "")
		arrival := escrow.Arrival{Proof: proof, Statement: b.statement(escrow.EventArrived, proof.Hash())}
		return func() error { _, err := b.to.as().Arrive(context.Background(), b.req.ID, arrival); return err }
	}
	switch n := b.to.l.rng.IntN(8); n {
	case 0:
		s := b.statement(escrow.EventRead, "")
		return func() error { _, err := b.to.as().Read(context.Background(), b.req.ID, s); return err }
	case 1:
		s := b.statement(escrow.EventWithdrawn, "")
		return func() error { _, err := b.to.as().Destroyed(context.Background(), b.req.ID, s); return err }
	default:
		verdict := []escrow.Verdict{escrow.Accept, escrow.Reject, escrow.Reject, escrow.Undo}[n%4]
		b.n++
		signed := b.to.sign(escrow.KindDecision, escrow.Decision{Bond: b.req.ID, Quote: b.req.Quote.Hash(), Verdict: verdict, N: b.n,
			Time: b.to.l.clock.Now()})
		return func() error { _, err := b.to.as().Decide(context.Background(), b.req.ID, verdict, signed); return err }
	}
}
