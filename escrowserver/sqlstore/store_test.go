package sqlstore

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

var now0 = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// topUp redeems a voucher that nobody has to sign.
func topUp(account escrow.KeyID, id, hash string) escrowserver.TopUp {
	return escrowserver.TopUp{Now: now0, Account: account, ID: id, Hash: hash, Genuine: func(escrowserver.VoucherLine) bool { return true }}
}

func newAccount(b byte) escrowserver.OpenAccount {
	key := make(escrow.PublicKey, 32)
	key[0] = b
	return escrowserver.OpenAccount{Now: now0, Key: key}
}

func TestReadersCannotWrite(t *testing.T) {
	if _, err := openTest(t).engine.reading().ExecContext(t.Context(), `DELETE FROM account`); err == nil {
		t.Error("a reading connection can write")
	}
}

// Both pools of connections must sync every commit: read back, not believed.
func TestEveryConnectionIsSafe(t *testing.T) {
	s := openTest(t)
	engine := s.engine.(*sqliteEngine)
	for name, db := range map[string]*sql.DB{"write": engine.write, "read": engine.read} {
		for range db.Stats().MaxOpenConnections {
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close() // all stay open, so that each is another one
			for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "10000"} {
				var got string
				if err := conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
					t.Errorf("%s: %s is %q, %v; want %q", name, pragma, got, err, want)
				}
			}
		}
	}
}

func TestUnsafeConnectionIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	for _, unsafe := range []string{"?_pragma=synchronous(NORMAL)&_pragma=foreign_keys(ON)", "?_pragma=synchronous(FULL)"} {
		db := sql.OpenDB(connector{"file:" + path + unsafe})
		if err := db.PingContext(t.Context()); err == nil || !strings.Contains(err.Error(), "must be") {
			t.Errorf("%s: %v", unsafe, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestNewerBooksAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := testDB(t, s).ExecContext(t.Context(), `INSERT INTO schema_step (version_id, is_applied) VALUES (1000, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("books of a newer program: %v, %v", s, err)
	}
}

func TestBatchFailsAlone(t *testing.T) {
	s := openTest(t)
	a, b := newAccount(1), newAccount(2)
	results := s.Apply(t.Context(), []escrowserver.Op{
		a,
		escrowserver.TopUp{Now: now0, Account: a.Key.ID(), ID: "op", Hash: "no such voucher"},
		b,
		escrowserver.TopUp{Now: now0, Account: "nobody", ID: "op", Hash: "no such voucher"},
	})
	for i, want := range []escrow.Code{"", escrow.BadVoucher, "", escrow.NotFound} {
		if got := escrow.CodeOf(results[i].Err); got != want {
			t.Errorf("operation %d: %v, want %q", i, results[i].Err, want)
		}
	}
	for _, op := range []escrowserver.OpenAccount{a, b} {
		if _, err := s.Account(t.Context(), op.Key.ID()); err != nil {
			t.Error(err)
		}
	}
}

// A write that breaks rolls the batch back and has it done again one by one: what
// can be done is done once, and what broke wrote nothing.
func TestBatchSurvivesASurprise(t *testing.T) {
	s := openTest(t)
	if _, err := testDB(t, s).ExecContext(t.Context(), `CREATE TRIGGER broken BEFORE INSERT ON entry WHEN NEW.amount = 13
		BEGIN SELECT RAISE(ABORT, 'the disk is strange'); END`); err != nil {
		t.Fatal(err)
	}
	a := newAccount(1)
	ops := []escrowserver.Op{a}
	for hash, amount := range map[string]int{"good": 5, "bad": 13} {
		ops = append(ops, escrowserver.NewVoucher{Now: now0, Hash: hash, Currency: "c", Amount: payment.Amount(amount)})
	}
	ops = append(ops,
		topUp(a.Key.ID(), "good", "good"),
		topUp(a.Key.ID(), "bad", "bad"),
		topUp(a.Key.ID(), "good", "good"))
	results := s.Apply(t.Context(), ops)
	for i, bad := range []bool{false, false, false, false, true, false} {
		if (results[i].Err != nil) != bad {
			t.Errorf("operation %d: %v", i, results[i].Err)
		}
	}
	if results[0].Surprise == nil {
		t.Error("nobody learns why the batch was done one by one")
	}
	if results[3].Value != results[5].Value {
		t.Errorf("the same top-up: %+v and %+v", results[3].Value, results[5].Value)
	}
	var left, rows int
	if err := s.engine.reading().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM voucher WHERE redeemed_at = 0`).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d vouchers are left, want the one that broke: %v", left, err)
	}
	if err := s.engine.reading().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM entry`).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d entries, want 1: %v", rows, err)
	}
}

// Nothing that makes or loses money is committed, whatever the cause.
func TestDriftIsNotCommitted(t *testing.T) {
	s := openTest(t)
	a := newAccount(1)
	redeem := func(id string) error {
		results := s.Apply(t.Context(), []escrowserver.Op{a, escrowserver.NewVoucher{Now: now0, Hash: id, Currency: "c", Amount: 5},
			topUp(a.Key.ID(), id, id)})
		return results[2].Err
	}
	if err := redeem("first"); err != nil {
		t.Fatal(err)
	}
	if _, err := testDB(t, s).ExecContext(t.Context(), `CREATE TRIGGER thief AFTER UPDATE ON balance WHEN NEW.holder = 'issuance' AND OLD.available <> NEW.available
		BEGIN UPDATE balance SET available = available + 1 WHERE holder <> 'issuance' AND currency = NEW.currency; END`); err != nil {
		t.Fatal(err)
	}
	if err := redeem("second"); err == nil {
		t.Error("a batch that made money was committed")
	}
	var sum int64
	if err := s.engine.reading().QueryRowContext(t.Context(), `SELECT SUM(available + held) FROM balance`).Scan(&sum); err != nil || sum != 0 {
		t.Errorf("the balances add up to %d, %v", sum, err)
	}
}

// Every write goes through exec.go, where tests put their fault points.
func TestOneDoorForWrites(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	outside := map[string]bool{"migrate.go": true, "sqlite.go": true, "postgres.go": true, // the migrations, and behind exec.go
		"backup.go": true, "to_postgres.go": true, "nonces.go": true, "peers.go": true} // whole books, and what is no part of them
	write := regexp.MustCompile(`\.ExecContext\(|\.Exec\(|\.Commit\(\)|conn\.(exec|writeSets|commit)\(`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if file == "exec.go" {
			if !write.Match(text) {
				t.Error("this test finds no write where there are some")
			}
			continue
		}
		if found := write.Find(text); found != nil && !outside[file] && !strings.HasSuffix(file, "_test.go") {
			t.Errorf("%s writes past exec.go: %s", file, found)
		}
	}
}

// Two processes on one file: the operator's command while the server runs.
func TestTwoStoresOnOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	var stores []*Store
	for range 2 {
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		stores = append(stores, s)
	}
	var wg sync.WaitGroup
	for i, s := range stores {
		wg.Go(func() {
			for n := range 20 {
				if r := s.Apply(context.Background(), []escrowserver.Op{newAccount(byte(1 + i*20 + n))}); r[0].Err != nil {
					t.Error(r[0].Err)
				}
			}
		})
	}
	wg.Wait()
	var n int
	if err := stores[0].engine.reading().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM account`).Scan(&n); err != nil || n != 40 {
		t.Errorf("%d accounts, want 40: %v", n, err)
	}
}
