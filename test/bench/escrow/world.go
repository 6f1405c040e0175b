package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
	"earnest/ledger"
	"earnest/payment"
)

const (
	currency = "escrow.example"
	price    = 25
	// A v4 certificate of Curve25519 has about this many bytes.
	certificateSize = 430
)

// world is an escrow's books with people in them who can buy.
type world struct {
	store  *sqlstore.Store
	signer ed25519.PrivateKey
	start  time.Time

	senders    []person
	recipients []person
	next       int // of the pairs that have not bought yet
}

type person struct {
	account escrow.KeyID
	key     ed25519.PrivateKey
	address escrow.Address
	offer   escrow.Signed
	payee   ledger.Holder // of a recipient's offer
}

// plan is how many people there are and what they have.
type plan struct {
	senders, recipients int
	keys                int // of each recipient
	payees              int // beneficiaries that the offers are spread over
}

// settle makes books for the plan. What is not measured is written past the store.
func settle(ctx context.Context, database string, p plan) (*world, error) {
	store, err := sqlstore.Open(ctx, database)
	if err != nil {
		return nil, err
	}
	_, signer, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	w := &world{store: store, signer: signer, start: time.Now().UTC().Truncate(time.Microsecond)}
	for i := range p.senders {
		w.senders = append(w.senders, newPerson(fmt.Sprintf("anna@s%d.example", i)))
	}
	for i := range p.recipients {
		r := newPerson(fmt.Sprintf("bob%d@recipient.example", i))
		r.payee = ledger.Company
		if p.payees > 1 {
			r.payee = ledger.Holder(fmt.Sprintf("charity-%d", i%p.payees))
		}
		w.recipients = append(w.recipients, r)
	}
	if err := w.enroll(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return w, w.stock(ctx, database, p.keys)
}

func newPerson(address string) person {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // never (crypto/rand)
	}
	return person{account: escrow.PublicKey(public).ID(), key: private, address: escrow.Address(address)}
}

// enroll opens the accounts, gives them money and proves their addresses.
func (w *world) enroll(ctx context.Context) error {
	all := append(append([]person{}, w.senders...), w.recipients...)
	var ops []escrowserver.Op
	for i, p := range all {
		public := escrow.PublicKey(p.key.Public().(ed25519.PublicKey))
		hash := fmt.Sprintf("voucher-%d", i)
		nonce := fmt.Sprintf("nonce-%d", i)
		ops = append(ops, escrowserver.OpenAccount{Now: w.start, Key: public},
			escrowserver.NewVoucher{Now: w.start, Hash: hash, Currency: currency, Amount: 1e9},
			escrowserver.TopUp{Now: w.start, Account: p.account, ID: hash, Hash: hash, Genuine: func(escrowserver.VoucherLine) bool { return true }},
			escrowserver.StartClaim{Now: w.start, Account: p.account, Address: p.address, Typed: string(p.address), Nonce: nonce, TokenHash: nonce},
			escrowserver.ProveAddress{Now: w.start, Account: p.account, Address: p.address, Nonce: nonce, TokenHash: nonce, RenewBy: w.start.AddDate(1, 0, 0)})
	}
	for i := range w.recipients {
		r := &w.recipients[i]
		offer := escrow.Offer{Address: r.address, Identity: escrow.PublicKey(r.key.Public().(ed25519.PublicKey)),
			Options: []payment.Option{option()}, Beneficiary: r.payee, TellRead: true, Made: w.start}
		signed, err := escrow.Sign(r.key, escrow.KindOffer, offer)
		if err != nil {
			return err
		}
		r.offer = signed
		ops = append(ops, escrowserver.PublishOffer{Now: w.start, Account: r.account, Offer: offer, Signed: signed})
	}
	for batch := range slices.Chunk(ops, 60) {
		for _, result := range w.store.Apply(ctx, batch) {
			if result.Err != nil {
				return fmt.Errorf("settle: %w", result.Err)
			}
		}
	}
	return nil
}

func option() payment.Option {
	return payment.Option{System: payment.SystemEscrow, Currency: currency, Amount: price, Scale: 2}
}

// stock fills the pools far beyond what their owners may upload.
func (w *world) stock(ctx context.Context, database string, keys int) error {
	db, err := openRaw(database)
	if err != nil {
		return err
	}
	defer db.Close()
	certificate := strings.Repeat("c", certificateSize)
	for i, r := range w.recipients {
		for _, statement := range []string{
			fmt.Sprintf(`INSERT INTO key_batch (hash, account, address, jws, made_at) VALUES ('batch-%d', '%s', '%s', '%s', 0)`,
				i, r.account, r.address, strings.Repeat("j", 12_000)),
			series(keys, `INSERT INTO key_fingerprint (fingerprint, address, seen_at)`, fmt.Sprintf(`'f%d-' || n, '%s', 0`, i, r.address)),
			series(keys, `INSERT INTO one_time_key (address, fingerprint, certificate, batch)`,
				fmt.Sprintf(`'%s', 'f%d-' || n, %s, 'batch-%d'`, r.address, i, bytesOf(database, certificate), i)),
		} {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("stock: %w", err)
			}
		}
	}
	if sqlstore.IsPostgres(database) {
		_, err = db.ExecContext(ctx, `ANALYZE account, balance, address, offer, one_time_key, key_fingerprint`)
	}
	return err
}

// series is an INSERT of n rows that names the row's number n.
func series(rows int, insert, values string) string {
	return fmt.Sprintf(`%s WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < %d) SELECT %s FROM s`, insert, rows, values)
}

func bytesOf(database, text string) string {
	if sqlstore.IsPostgres(database) {
		return "convert_to('" + text + "', 'UTF8')"
	}
	return "CAST('" + text + "' AS BLOB)"
}

func openRaw(database string) (*sql.DB, error) {
	if sqlstore.IsPostgres(database) {
		return sql.Open("pgx", database)
	}
	return sql.Open("sqlite", "file:"+database+"?_pragma=busy_timeout(10000)")
}

// buys are purchases of pairs that have no bond yet, ready to be applied.
func (w *world) buys(n int) ([]escrowserver.Op, error) {
	ops := make([]escrowserver.Op, n)
	for i := range ops {
		pair := w.next
		w.next++
		// Neighbours in the list are of different senders and recipients.
		sender := w.senders[pair%len(w.senders)]
		recipient := w.recipients[(pair/len(w.senders)+pair%len(w.senders))%len(w.recipients)]
		if pair >= len(w.senders)*len(w.recipients) {
			return nil, errors.New("all pairs have bought")
		}
		buy, err := w.buy(sender, recipient)
		if err != nil {
			return nil, err
		}
		ops[i] = buy
	}
	return ops, nil
}

func (w *world) buy(sender, recipient person) (escrowserver.Buy, error) {
	quote := escrow.Quote{ID: random(), Offer: recipient.offer, Sender: sender.address, Account: sender.account, Recipient: recipient.address,
		Option: option(), Beneficiary: recipient.payee, BeneficiaryName: "Example Foundation", Terms: escrow.DefaultTerms(), Salt: random(),
		Made: w.start, Expires: w.start.Add(time.Hour)}
	signed, err := escrow.Sign(w.signer, escrow.KindQuote, quote)
	if err != nil {
		return escrowserver.Buy{}, err
	}
	certificate := []byte(strings.Repeat("v", certificateSize))
	return escrowserver.Buy{
		Moment: w.moment(), Account: sender.account, Key: sender.account,
		Request:  escrow.BuyRequest{ID: escrow.BondID(uuid.Must(uuid.NewV7()).String()), Quote: signed, Verification: certificate, Reply: certificate},
		BodyHash: random(), Quote: quote, Recipient: recipient.account, Group: escrowserver.SenderGroup(sender.address),
		KeepUntil: w.start.Add(24 * time.Hour),
	}, nil
}

func (w *world) moment() escrowserver.Moment {
	return escrowserver.Moment{Now: w.start.Add(time.Second), Sign: func(r escrow.Receipt) (escrow.Signed, error) {
		return escrow.Sign(w.signer, escrow.KindReceipt, r)
	}}
}

func random() string {
	b := make([]byte, 20)
	rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// run has the clients do the operations through a queue, and returns how many a
// second were done.
func run(ctx context.Context, store escrowserver.Store, clients int, ops []escrowserver.Op) (float64, error) {
	queue := escrowserver.NewQueue(store)
	work := make(chan escrowserver.Op)
	failed := make(chan error, clients)
	began := time.Now()
	for range clients {
		go func() {
			var first error
			for op := range work {
				if r := queue.Do(ctx, op); r.Err != nil && first == nil {
					first = fmt.Errorf("%s: %w", op.Name(), r.Err)
				}
			}
			failed <- first
		}()
	}
	for _, op := range ops {
		work <- op
	}
	close(work)
	var errs []error
	for range clients {
		errs = append(errs, <-failed)
	}
	return float64(len(ops)) / time.Since(began).Seconds(), errors.Join(errs...)
}
