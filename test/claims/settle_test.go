package main

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/sqlstore"
	"earnest/ledger"
	"earnest/payment"
)

// settle makes the books: accounts with money by the escrow itself, and past it
// what would take long or what a pool's limit does not allow: addresses and keys.
func (r *run) settle(senders int) {
	t := r.t
	t.Helper()
	store, err := sqlstore.Open(t.Context(), r.database)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	server, clock, err := newServer(store, nil)
	if err != nil {
		t.Fatal(err)
	}
	now, seal := clock.Now(), escrowserver.SealOf(key("receipt", 0))
	var addresses [][]any
	bind := func(a escrow.Address, owner escrow.KeyID) {
		till := now.Add(100 * 365 * 24 * time.Hour)
		signed, err := seal.Proven(escrowserver.ProvenLine{Address: a, Typed: string(a), Account: owner,
			ProvenAt: time.UnixMicro(now.UnixMicro()).UTC(), RenewBy: time.UnixMicro(till.UnixMicro()).UTC()})
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, []any{string(a), string(a.Folded()), string(a), string(owner), now.UnixMicro(), till.UnixMicro(), string(signed)})
	}
	work := make(chan func() error)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for do := range work {
				if err := do(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range (senders + perAccount - 1) / perAccount {
		work <- func() error { return open(t.Context(), server, key("account", n), perAccount*pools*price) }
	}
	for n := range pools {
		work <- func() error { return open(t.Context(), server, key("pool", n), price) }
	}
	close(work)
	all.Wait()
	for n := range senders {
		bind(senderAddress(n), public(key("account", n/perAccount)).ID())
	}
	for n := range pools {
		bind(poolAddress(n), public(key("pool", n)).ID())
	}
	r.insert("address", "address, folded, typed, account, proven_at, renew_by, signed", addresses)
	// As in books of an older program: a server takes stock of them.
	for _, table := range []string{"inventory", "inventory_log", "inventory_anchor"} {
		r.exec(t, "DELETE FROM "+table)
	}
	if _, _, err := newServer(store, nil); err != nil {
		t.Fatal(err)
	}
	for n := range pools {
		r.fill(server, n, now)
	}
	if t.Failed() {
		t.FailNow()
	}
}

// open gives an account money.
func open(ctx context.Context, server *escrowserver.Server, k ed25519.PrivateKey, money int) error {
	service := server.As(public(k))
	if _, err := service.OpenAccount(ctx, escrow.OpenAccount{Key: public(k)}); err != nil {
		return err
	}
	voucher, err := server.NewVoucher(ctx, servicetest.Currency, payment.Amount(money))
	if err != nil {
		return err
	}
	_, err = service.TopUp(ctx, escrow.TopUp{ID: "first-money", Voucher: voucher})
	return err
}

// fill publishes a pool's price and puts its keys in, in batches that its owner
// has signed.
func (r *run) fill(server *escrowserver.Server, n int, now time.Time) {
	t := r.t
	t.Helper()
	owner := key("pool", n)
	offer, err := escrow.Sign(owner, escrow.KindOffer, escrow.Offer{Address: poolAddress(n), Identity: public(owner),
		Options: []payment.Option{option()}, Beneficiary: ledger.Company, Made: now})
	if err == nil {
		err = server.As(public(owner)).PublishOffer(t.Context(), offer)
	}
	if err != nil {
		t.Fatal(err)
	}
	var batches, fingerprints, keys [][]any
	const perBatch = 25
	for first := 0; first < r.keys[n]; first += perBatch {
		batch := escrow.KeyBatch{ID: fmt.Sprint("batch-", first), Address: poolAddress(n), Made: now}
		var raw [][]byte
		for i := first; i < min(first+perBatch, r.keys[n]); i++ {
			binary := append([]byte("test certificate "), fmt.Appendf(nil, "pool %2d key %-20d", n, i)...)
			fingerprint, err := servicetest.Certificates{}.Check(binary)
			if err != nil {
				t.Fatal(err)
			}
			batch.Keys, raw = append(batch.Keys, escrow.KeyBrief{Fingerprint: fingerprint, Hash: escrow.Hash(binary)}), append(raw, binary)
		}
		signed, err := escrow.Sign(owner, escrow.KindKeys, batch)
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, []any{signed.Hash(), string(public(owner).ID()), string(batch.Address), string(signed), now.UnixMicro()})
		for i, brief := range batch.Keys {
			fingerprints = append(fingerprints, []any{brief.Fingerprint, string(batch.Address), now.UnixMicro()})
			keys = append(keys, []any{string(batch.Address), brief.Fingerprint, raw[i], signed.Hash()})
		}
	}
	r.insert("key_batch", "hash, account, address, jws, made_at", batches)
	r.insert("key_fingerprint", "fingerprint, address, seen_at", fingerprints)
	r.insert("one_time_key", "address, fingerprint, certificate, batch", keys)
}

// db is a connection past the escrow.
func (r *run) db() *sql.DB {
	r.t.Helper()
	driver, source := "sqlite", "file:"+r.database+"?_pragma=busy_timeout(10000)"
	if sqlstore.IsPostgres(r.database) {
		driver, source = "pgx", r.database
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		r.t.Fatal(err)
	}
	return db
}

func (r *run) exec(t *testing.T, statement string, values ...any) {
	t.Helper()
	db := r.db()
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement, values...); err != nil {
		t.Fatal(err)
	}
}

// insert writes many rows at once.
func (r *run) insert(table, columns string, rows [][]any) {
	r.t.Helper()
	db := r.db()
	defer db.Close()
	for len(rows) > 0 {
		part := rows[:min(1000, len(rows))]
		rows = rows[len(part):]
		var text strings.Builder
		var values []any
		for i, row := range part {
			for j, value := range row {
				values = append(values, value)
				mark := "?"
				if sqlstore.IsPostgres(r.database) {
					mark = fmt.Sprint("$", len(values))
				}
				text.WriteString(map[bool]string{true: map[bool]string{true: "(", false: ", ("}[i == 0], false: ", "}[j == 0] + mark)
			}
			text.WriteString(")")
		}
		if _, err := db.ExecContext(r.t.Context(), "INSERT INTO "+table+" ("+columns+") VALUES "+text.String(), values...); err != nil {
			r.t.Fatal(err)
		}
	}
}

// rows reads two texts of each row.
func (r *run) rows(query string, row func(a, b string)) {
	r.t.Helper()
	db := r.db()
	defer db.Close()
	rows, err := db.QueryContext(r.t.Context(), query)
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			r.t.Fatal(err)
		}
		row(a, b)
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
}

// verify walks the books.
func (r *run) verify(store escrowserver.Store) {
	r.t.Helper()
	report, err := escrowserver.Verify(context.Background(), store, key("receipt", 0).Public().(ed25519.PublicKey))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, fault := range report.Faults {
		r.fault("verify: %s", fault)
	}
}
