package linear

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/sqlstore"
	"earnest/internal/pgtest"
	"earnest/ledger"
	"earnest/payment"
)

// price is what every bond of these tests costs.
const price = 25

// opener opens the books of a new escrow, once for each of its servers. Each test
// takes one, so that it can run on every database.
type opener func(t testing.TB) []escrowserver.Store

func onSQLite(t testing.TB) []escrowserver.Store {
	t.Helper()
	return []escrowserver.Store{openBooks(t, filepath.Join(t.TempDir(), "books.db"))}
}

// onPostgres has so many servers on the same books, as so many processes are.
func onPostgres(cluster *pgtest.Cluster, servers int) opener {
	return func(t testing.TB) (stores []escrowserver.Store) {
		t.Helper()
		url, err := cluster.NewDatabase(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range servers {
			stores = append(stores, openBooks(t, url))
		}
		return stores
	}
}

func openBooks(t testing.TB, database string) escrowserver.Store {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// town is an escrow and those who were born there. Names are made of numbers, so
// that many histories share one escrow and touch each other nowhere.
type town struct {
	testing.TB
	servicetest.Harness
	// servers are the escrow's; the first is the harness's.
	servers []*escrowserver.Server
	born    *atomic.Int64
	now     func() time.Time
}

// at is the person before another of the escrow's servers, if there are others.
func (w *town) at(p *person, n int) *person {
	if len(w.servers) < 2 {
		return p
	}
	other := *p
	other.Service = w.servers[n%len(w.servers)].As(p.public())
	return &other
}

// newTown has an escrow with these terms, on a clock that stands still.
func newTown(t testing.TB, open opener, terms escrow.Terms) *town {
	t.Helper()
	stores := open(t)
	h := servicetest.Harness{Store: stores[0], Clock: servicetest.NewClock(), Mails: &servicetest.Mails{}}
	h.ReceiptSigner = ed25519.NewKeyFromSeed(fmt.Appendf(nil, "%-32s", "the escrow's receipt key"))
	w := &town{TB: t, born: &atomic.Int64{}, now: h.Clock.Now}
	for _, store := range stores {
		cfg := servicetest.Config(store, h.Clock, h.Mails, h.ReceiptSigner)
		cfg.Terms, cfg.Log = terms, slog.New(slog.NewTextHandler(t.Output(), nil))
		server, err := escrowserver.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.servers = append(w.servers, server)
	}
	h.Server = w.servers[0]
	w.Harness = h
	return w
}

func (w *town) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// id makes an id that nobody has used.
func (w *town) id() string { return fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", w.born.Add(1)) }

// person is an account with a proven address.
type person struct {
	escrow.Service
	key     ed25519.PrivateKey
	address escrow.Address
}

func (p *person) public() escrow.PublicKey {
	return escrow.PublicKey(p.key.Public().(ed25519.PublicKey))
}

func (p *person) sign(kind escrow.Kind, payload any) escrow.Signed {
	signed, err := escrow.Sign(p.key, kind, payload)
	if err != nil {
		panic(err) // what these tests sign can be written as JSON
	}
	return signed
}

// newPerson has a key and an address in an organisation of its own.
func newPerson(n int64) *person {
	key := ed25519.NewKeyFromSeed(fmt.Appendf(nil, "person %-25d", n))
	return &person{key: key, address: escrow.Address(fmt.Sprintf("p%d@organisation%d.example", n, n))}
}

// settle gives a new person an account, a proven address and the money.
func (w *town) settle(money payment.Amount) *person {
	w.Helper()
	ctx := w.Context()
	p := newPerson(w.born.Add(1))
	p.Service = w.Server.As(p.public())
	_, err := p.OpenAccount(ctx, escrow.OpenAccount{Key: p.public()})
	w.ok(err)
	w.ok(prove(ctx, w.Store, escrowserver.SealOf(w.ReceiptSigner), p, w.now()))
	if money > 0 {
		_, err = p.TopUp(ctx, escrow.TopUp{ID: w.id(), Voucher: w.voucher(money)})
		w.ok(err)
	}
	return p
}

// prove binds the address at the store's door, where the server comes with a
// token that it has mailed.
func prove(ctx context.Context, store escrowserver.Store, seal escrowserver.Seal, p *person, now time.Time) error {
	account, token := p.public().ID(), escrow.Hash([]byte("token"))
	results := store.Apply(ctx, []escrowserver.Op{
		escrowserver.StartClaim{Now: now, Account: account, Address: p.address, Typed: string(p.address), Nonce: "nonce", TokenHash: token},
		escrowserver.ProveAddress{Now: now, Account: account, Address: p.address, Nonce: "nonce", TokenHash: token, RenewBy: now.Add(100 * 365 * 24 * time.Hour), Seal: seal},
	})
	return errors.Join(results[0].Err, results[1].Err)
}

func (w *town) voucher(money payment.Amount) string {
	w.Helper()
	code, err := w.Server.NewVoucher(w.Context(), servicetest.Currency, money)
	w.ok(err)
	return code
}

func option() payment.Option {
	return payment.Option{System: payment.SystemEscrow, Currency: servicetest.Currency, Amount: price, Scale: 2}
}

// sell publishes the price.
func (p *person) sell(ctx context.Context, now time.Time) error {
	return p.PublishOffer(ctx, p.sign(escrow.KindOffer, escrow.Offer{Address: p.address, Identity: p.public(),
		Options: []payment.Option{option()}, Beneficiary: ledger.Company, Made: now}))
}

// upload is a batch of those certificates.
func (p *person) upload(id string, now time.Time, certificates ...servicetest.Certificate) escrow.KeyUpload {
	batch := escrow.KeyBatch{ID: id, Address: p.address, Made: now}
	var raw [][]byte
	for _, c := range certificates {
		batch.Keys = append(batch.Keys, escrow.KeyBrief{Fingerprint: c.Fingerprint, Hash: escrow.Hash(c.Binary)})
		raw = append(raw, c.Binary)
	}
	return escrow.KeyUpload{Batch: p.sign(escrow.KindKeys, batch), Certificates: raw}
}

// shop settles somebody who sells, with as many keys.
func (w *town) shop(keys int) *person {
	w.Helper()
	p := w.settle(1)
	w.ok(p.sell(w.Context(), w.now()))
	for left := keys; left > 0; left -= escrow.PoolSize {
		var certificates []servicetest.Certificate
		for range min(left, escrow.PoolSize) {
			certificates = append(certificates, servicetest.NewCertificate(w))
		}
		_, err := p.AddKeys(w.Context(), p.upload(w.id(), w.now(), certificates...))
		w.ok(err)
	}
	return p
}

func (p *person) quote(ctx context.Context, to *person) (escrow.Signed, error) {
	return p.Quote(ctx, escrow.QuoteRequest{Sender: p.address, Recipient: to.address, Option: option()})
}

// statement is what a recipient says of a bond.
func (p *person) statement(bond escrow.BondID, quote escrow.Signed, event escrow.Event, proof string, now time.Time) escrow.Signed {
	return p.sign(escrow.KindStatement, escrow.Statement{Bond: bond, Quote: quote.Hash(), Event: event, Proof: proof, Time: now.Truncate(time.Hour)})
}

func (p *person) decision(bond escrow.BondID, quote escrow.Signed, verdict escrow.Verdict, n int64, now time.Time) escrow.Signed {
	return p.sign(escrow.KindDecision, escrow.Decision{Bond: bond, Quote: quote.Hash(), Verdict: verdict, N: n, Time: now})
}

// verified demands sound books.
func (w *town) verified() {
	w.Helper()
	report, err := escrowserver.Verify(context.Background(), w.Store, w.Server.ReceiptKey())
	w.ok(err)
	if len(report.Faults) > 0 {
		w.Fatalf("the books have faults: %v", report.Faults)
	}
}
