package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/sqlstore"
	"earnest/ledger"
	"earnest/payment"
)

const day = 24 * time.Hour

// atOnce is how many people ask the escrow at the same time: the store then has
// batches to make.
const atOnce = 24

// town is an escrow in process on real books, with people who live a few months
// there on a clock that the test moves. The seed decides everything but ids of
// quotes and salts.
type town struct {
	testing.TB
	server     *escrowserver.Server
	store      *sqlstore.Store
	clock      *servicetest.Clock
	mails      *mailbox
	signer     ed25519.PrivateKey
	random     *rand.Rand
	senders    []*citizen
	recipients []*citizen
	bonds      []*life
	over       time.Duration // how long the escrow is silent before it counts as away; 0: never
	ids        atomic.Int64
}

// citizen is an account with an address.
type citizen struct {
	escrow.Service
	key     ed25519.PrivateKey
	address escrow.Address
	option  payment.Option
	decide  time.Duration // the recipient's deadline
}

// mailbox keeps the newest token of each address.
type mailbox struct {
	mu     sync.Mutex
	tokens map[string]string
}

// SendToken takes a mail.
func (m *mailbox) SendToken(_ context.Context, to string, mail escrowserver.TokenMail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens[to] = mail.Token
	return nil
}

// newTown makes one. Each pair buys once in a round, so that a recipient's pool
// of 100 keys is enough.
func newTown(t testing.TB, seed uint64, senders, recipients int) *town {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 7))
	return townOn(t, random, filepath.Join(t.TempDir(), "books.db"), newKey(random), senders, recipients)
}

// townOn has its books there.
func townOn(t testing.TB, random *rand.Rand, books string, signer ed25519.PrivateKey, senders, recipients int) *town {
	t.Helper()
	w := &town{TB: t, clock: servicetest.NewClock(), mails: &mailbox{tokens: map[string]string{}}, random: random, signer: signer}
	store, err := sqlstore.Open(t.Context(), books)
	w.ok(err)
	w.store = store
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.start()
	w.settle(senders, recipients)
	return w
}

// start starts the escrow, again after an outage.
func (w *town) start() {
	w.Helper()
	cfg := servicetest.Config(w.store, w.clock, nil, w.signer)
	cfg.Mailer = w.mails
	// So long that the final deadline comes before the one of the decision.
	cfg.Terms = escrow.DefaultTerms()
	cfg.Terms.Decide = escrow.Seconds(40 * day / time.Second)
	if w.over > 0 {
		cfg.OutageOver = w.over
	}
	server, err := escrowserver.New(cfg)
	w.ok(err)
	w.server = server
	for _, p := range slices.Concat(w.senders, w.recipients) {
		p.Service = server.As(escrow.PublicKey(p.key.Public().(ed25519.PublicKey)))
	}
}

// settle has people open accounts, with money.
func (w *town) settle(senders, recipients int) {
	w.Helper()
	for i := range senders {
		p := w.move(escrow.Address(fmt.Sprintf("sender@s%d.example", i)))
		for _, currency := range []string{servicetest.Currency, servicetest.OtherCurrency} {
			code, err := w.server.NewVoucher(w.Context(), currency, 10_000_000)
			w.ok(err)
			_, err = p.TopUp(w.Context(), escrow.TopUp{ID: w.id(), Voucher: code})
			w.ok(err)
		}
		w.senders = append(w.senders, p)
	}
	for i := range recipients {
		p := w.move(escrow.Address(fmt.Sprintf("recipient@r%d.example", i)))
		code, err := w.server.NewVoucher(w.Context(), servicetest.Currency, 1)
		w.ok(err)
		_, err = p.TopUp(w.Context(), escrow.TopUp{ID: w.id(), Voucher: code})
		w.ok(err)
		p.option = payment.Option{System: payment.SystemEscrow, Currency: servicetest.Currency, Amount: payment.Amount(1 + w.random.IntN(500)), Scale: 2}
		if i%4 == 3 {
			p.option.Currency, p.option.Scale = servicetest.OtherCurrency, 0
		}
		p.decide = 40 * day
		if i%2 == 0 {
			p.decide = 7 * day
		}
		w.recipients = append(w.recipients, p)
	}
}

func (w *town) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *town) id() string { return fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", w.ids.Add(1)) }

func newKey(random *rand.Rand) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(random.Uint32())
	}
	return ed25519.NewKeyFromSeed(seed)
}

// move lets somebody with that address open an account.
func (w *town) move(address escrow.Address) *citizen {
	w.Helper()
	key := newKey(w.random)
	public := escrow.PublicKey(key.Public().(ed25519.PublicKey))
	p := &citizen{Service: w.server.As(public), key: key, address: address}
	_, err := p.OpenAccount(w.Context(), escrow.OpenAccount{Key: public})
	w.ok(err)
	return p
}

func (p *citizen) sign(kind escrow.Kind, payload any) (escrow.Signed, error) {
	return escrow.Sign(p.key, kind, payload)
}

// prepare has everybody prove the address, and every recipient set a price and
// upload that many keys.
func (w *town) prepare(keys int) {
	w.Helper()
	w.all(len(w.senders), func(i int) error { return w.prove(w.senders[i]) })
	w.all(len(w.recipients), func(i int) error {
		p := w.recipients[i]
		if err := w.prove(p); err != nil {
			return err
		}
		offer := escrow.Offer{Address: p.address, Identity: escrow.PublicKey(p.key.Public().(ed25519.PublicKey)),
			Options: []payment.Option{p.option}, Beneficiary: ledger.Company, TellRead: true, Made: w.clock.Now()}
		if i%3 == 1 {
			offer.Beneficiary = ledger.Burned
		}
		if p.decide == 7*day {
			offer.DecideWithin = escrow.Seconds(7 * day / time.Second)
		}
		signed, err := p.sign(escrow.KindOffer, offer)
		if err != nil {
			return err
		}
		if err := p.PublishOffer(w.Context(), signed); err != nil {
			return err
		}
		batch := escrow.KeyBatch{ID: w.id(), Address: p.address, Made: w.clock.Now()}
		var certificates [][]byte
		for range keys {
			c := servicetest.NewCertificate(w)
			batch.Keys = append(batch.Keys, escrow.KeyBrief{Fingerprint: c.Fingerprint, Hash: escrow.Hash(c.Binary)})
			certificates = append(certificates, c.Binary)
		}
		signed, err = p.sign(escrow.KindKeys, batch)
		if err != nil {
			return err
		}
		_, err = p.AddKeys(w.Context(), escrow.KeyUpload{Batch: signed, Certificates: certificates})
		return err
	})
}

func (w *town) prove(p *citizen) error {
	nonce := w.id()
	if err := p.ClaimAddress(w.Context(), escrow.AddressClaim{Address: string(p.address), Nonce: nonce}); err != nil {
		return err
	}
	w.mails.mu.Lock()
	token := w.mails.tokens[string(p.address)]
	w.mails.mu.Unlock()
	_, err := p.ProveAddress(w.Context(), escrow.AddressProof{Address: p.address, Nonce: nonce, Token: token})
	return err
}

// all does n things, some at the same time.
func (w *town) all(n int, do func(i int) error) {
	w.Helper()
	var next atomic.Int64
	errs := make([]error, atOnce)
	var group sync.WaitGroup
	for k := range atOnce {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || errs[k] != nil {
					return
				}
				errs[k] = do(i)
			}
		})
	}
	group.Wait()
	w.ok(errors.Join(errs...))
}

// life is one bond and what its people are going to do.
type life struct {
	from, to *citizen
	ctx      context.Context
	now      func() time.Time
	kind     string
	id       escrow.BondID
	quote    escrow.Signed
	verify   servicetest.Certificate
	n        int64
	acts     []act
}

// act is something that somebody does at a moment after the buy.
type act struct {
	at time.Duration
	do func(*life) error
}

// round lets every sender write to every recipient once, up to that many
// mails, and lives on until no bond of it is open.
func (w *town) round(most int) {
	w.Helper()
	began := w.clock.Now()
	w.prepare(min(100, len(w.senders)))
	var lives []*life
	for _, from := range w.senders {
		for _, to := range w.recipients {
			if len(lives) < most {
				lives = append(lives, w.plan(from, to))
			}
		}
	}
	w.buy(lives)
	byMoment := map[time.Duration][]func() error{}
	for _, l := range lives {
		for _, a := range l.acts {
			byMoment[a.at] = append(byMoment[a.at], func() error {
				if err := a.do(l); err != nil {
					return fmt.Errorf("bond %s (%s) after %s: %w", l.id, l.kind, a.at, err)
				}
				return nil
			})
		}
	}
	moments := make([]time.Duration, 0, len(byMoment))
	for at := range byMoment {
		moments = append(moments, at)
	}
	slices.Sort(moments)
	for _, at := range moments {
		w.clock.Move(began.Add(at).Sub(w.clock.Now()))
		acts := byMoment[at]
		w.all(len(acts), func(i int) error { return acts[i]() })
		// Not always: the outcome must not depend on the sweeper.
		if w.random.IntN(8) == 0 {
			w.ok(w.server.SweepNow(w.Context()))
		}
	}
	w.clock.Move(began.Add(63 * day).Sub(w.clock.Now()))
	w.ok(w.server.SweepNow(w.Context()))
	w.bonds = append(w.bonds, lives...)
}

func (w *town) buy(lives []*life) {
	w.Helper()
	for _, l := range lives {
		l.id = escrow.BondID(w.id())
	}
	w.all(len(lives), func(i int) error {
		l := lives[i]
		var err error
		l.quote, err = l.from.Quote(w.Context(), escrow.QuoteRequest{Sender: l.from.address, Recipient: l.to.address, Option: l.to.option})
		if err != nil {
			return err
		}
		l.verify = servicetest.NewCertificate(w)
		_, err = l.from.Buy(w.Context(), escrow.BuyRequest{ID: l.id, Quote: l.quote,
			Verification: l.verify.Binary, Reply: servicetest.NewCertificate(w).Binary})
		return err
	})
}
