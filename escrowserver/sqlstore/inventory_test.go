package sqlstore

import (
	"context"
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/payment"
)

// inventoryDamages are rows of value that are missing, and those of the inventory itself.
func inventoryDamages() map[string]string {
	return map[string]string{
		"a limit deleted":                `DELETE FROM spending_limit`,
		"an address deleted":             `DELETE FROM address WHERE address = (SELECT MIN(address) FROM address WHERE NOT EXISTS (SELECT 1 FROM offer WHERE offer.address = address.address))`,
		"an inventory deleted":           `DELETE FROM inventory WHERE account = (SELECT MIN(account) FROM inventory)`,
		"an inventory of another":        `UPDATE inventory SET signed = (SELECT MAX(b.signed) FROM inventory b WHERE b.account <> inventory.account)`,
		"an inventory changed":           `UPDATE inventory SET signed = replace(signed, 'a', 'b')`,
		"an inventory's log cut off":     `DELETE FROM inventory_log WHERE n = (SELECT MAX(n) FROM inventory_log)`,
		"an inventory's log deleted":     `DELETE FROM inventory_log`,
		"an inventory not in the log":    `DELETE FROM inventory_log WHERE n = 1`,
		"an inventory logged otherwise":  `UPDATE inventory_log SET number = number + 1 WHERE n = (SELECT MAX(n) FROM inventory_log)`,
		"an inventory of another log":    `UPDATE inventory SET cites = cites + 1`,
		"the word on inventories lost":   `DELETE FROM inventory_anchor`,
		"the word on inventories forged": `UPDATE inventory_anchor SET signed = replace(signed, 'a', 'b')`,
	}
}

// logOf has the inventories logged that came since.
func logOf(h servicetest.Harness) escrowserver.LogInventories {
	return escrowserver.LogInventories{Now: h.Clock.Now(), Seal: escrowserver.SealOf(h.ReceiptSigner), Most: 1000}
}

// before keeps what a table has now, as somebody does who means to put it back.
func before(t *testing.T, s *Store, table string) {
	t.Helper()
	exec(t, s, `CREATE TABLE before_`+table+` AS SELECT * FROM `+table)
}

// TestVerifyFindsAnOldRowThatWasPutBack, though the escrow had signed it once, and goes on
// to tell when more was written since.
func TestVerifyFindsAnOldRowThatWasPutBack(t *testing.T) {
	for name, putBack := range map[string][]string{
		"a higher limit": {`UPDATE spending_limit SET per_mail = b.per_mail, signed = b.signed FROM before_spending_limit b
			WHERE b.account = spending_limit.account AND b.currency = spending_limit.currency`},
		"no limit": {`DELETE FROM spending_limit WHERE currency = 'points.example'`},
		"a recovery key": {`UPDATE account SET recovery = b.recovery, recovery_signed = b.recovery_signed FROM before_account b WHERE b.id = account.id`,
			`DELETE FROM account_order WHERE action = 'recovery'`},
		"an address": {`INSERT INTO address SELECT * FROM before_address WHERE address = 'spare@safety.example'`},
		"a payout": {`UPDATE payout SET state = 'asked', ended_at = 0, note = '', by_whom = ''`,
			`DELETE FROM entry WHERE state = 'voided'`,
			`UPDATE balance SET available = available - 30, held = held + 30 WHERE holder = (SELECT payer FROM transfer WHERE id IN (SELECT id FROM payout))`},
		"no payout": {`DELETE FROM entry WHERE transfer IN (SELECT id FROM payout)`, `DELETE FROM payout`},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *Store) {
				h := servicetest.NewHarness(t, s)
				again := servicetest.ValueStory(t, h, func() {
					for _, table := range []string{"spending_limit", "account", "address"} {
						before(t, s, table)
					}
				})
				if found := faults(t, s, h.Server.ReceiptKey()); len(found) != 0 {
					t.Fatalf("sound books: %q", found)
				}
				for _, text := range putBack {
					exec(t, s, text)
				}
				told := func(found []string) bool {
					return len(found) == 1 && strings.Contains(found[0], "an old one put back")
				}
				if found := faults(t, s, h.Server.ReceiptKey()); !told(found) {
					t.Errorf("put back: %q", found)
				}
				again()
				if found := faults(t, s, h.Server.ReceiptKey()); !told(found) {
					t.Errorf("after the next limit: %q", found)
				}
			})
		})
	}
}

// TestInventoriesOfOlderBooksAreSignedOnce, and not those of books that have some.
func TestInventoriesOfOlderBooksAreSignedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		h := servicetest.NewHarness(t, s)
		servicetest.MoneyStory(t, h)
		servicetest.SafetyStory(t, h)
		restart := func() []string {
			t.Helper()
			if _, err := escrowserver.New(servicetest.Config(s, h.Clock, h.Mails, h.ReceiptSigner)); err != nil {
				t.Fatal(err)
			}
			return faults(t, s, h.Server.ReceiptKey())
		}
		exec(t, s, `DELETE FROM inventory`)
		exec(t, s, `DELETE FROM inventory_log`)
		exec(t, s, `DELETE FROM inventory_anchor`)
		if found := faults(t, s, h.Server.ReceiptKey()); len(found) < 5 {
			t.Errorf("older books: %q", found)
		}
		if found := restart(); len(found) != 0 {
			t.Fatalf("signed: %q", found)
		}
		exec(t, s, `DELETE FROM spending_limit`)
		if found := restart(); len(found) != 1 {
			t.Errorf("a limit deleted: %q", found)
		}
		exec(t, s, `DELETE FROM inventory_anchor`)
		if found := restart(); len(found) < 2 {
			t.Errorf("and the anchor: %q", found)
		}
		exec(t, s, `DELETE FROM inventory WHERE account = (SELECT MIN(account) FROM inventory)`)
		if found := restart(); len(found) < 2 {
			t.Errorf("and an inventory: %q", found)
		}
	})
}

// TestVerifyFindsAnOldStateOfAnAccountThatWasPutBack: the old rows with the old inventory
// of them, so that each fits the other, from a copy of the books.
func TestVerifyFindsAnOldStateOfAnAccountThatWasPutBack(t *testing.T) {
	state := []string{`DELETE FROM spending_limit WHERE account = ?`, `INSERT INTO spending_limit SELECT * FROM before_spending_limit WHERE account = ?`,
		`DELETE FROM inventory WHERE account = ?`, `INSERT INTO inventory SELECT * FROM before_inventory WHERE account = ?`}
	log := []string{`DELETE FROM inventory_log WHERE n > (SELECT MAX(n) FROM before_inventory_log) AND hash <> ?`,
		`DELETE FROM inventory_anchor WHERE signed <> ?`, `INSERT INTO inventory_anchor SELECT * FROM before_inventory_anchor WHERE signed <> ?`}
	for name, tt := range map[string]struct {
		putBack []string
		told    string
	}{
		"the account's": {state, "an old one put back"},
		"as not logged": {append(slices.Clone(state), `UPDATE inventory SET logged = 0 WHERE account = ?`), "old"},
		"and the log's": {append(slices.Clone(state), log...), "was cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *Store) {
				h := servicetest.NewHarness(t, s)
				anna, bob := newKey(t), newKey(t)
				limit := func(who ed25519.PrivateKey, to payment.Amount) {
					t.Helper()
					if _, err := h.As(who).SetLimit(t.Context(), escrow.SetLimit{Currency: servicetest.Currency, PerMail: &to}); err != nil {
						t.Fatal(err)
					}
					apply(t, s, logOf(h))
				}
				for _, key := range []ed25519.PrivateKey{anna, bob} {
					if _, err := h.As(key).OpenAccount(t.Context(), escrow.OpenAccount{Key: publicOf(key)}); err != nil {
						t.Fatal(err)
					}
				}
				limit(bob, 100)
				limit(anna, 100)
				for _, table := range []string{"spending_limit", "inventory", "inventory_log", "inventory_anchor"} {
					before(t, s, table)
				}
				limit(anna, 50)
				limit(bob, 50)
				if found := faults(t, s, h.Server.ReceiptKey()); len(found) != 0 {
					t.Fatalf("sound books: %q", found)
				}
				for _, text := range tt.putBack {
					exec(t, s, text, publicOf(anna).ID())
				}
				apply(t, s, logOf(h))
				for _, next := range []payment.Amount{40, 30, 20, 10} {
					if found := faults(t, s, h.Server.ReceiptKey()); !slices.ContainsFunc(found, func(text string) bool { return strings.Contains(text, tt.told) }) {
						t.Errorf("before the limit %d: %q", next, found)
					}
					limit(anna, next)
					limit(bob, next)
				}
			})
		})
	}
}

// TestVerifyFindsAnAccountThatIsGone with all that it had.
func TestVerifyFindsAnAccountThatIsGone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		h := servicetest.NewHarness(t, s)
		key := newKey(t)
		if _, err := h.As(key).OpenAccount(t.Context(), escrow.OpenAccount{Key: publicOf(key)}); err != nil {
			t.Fatal(err)
		}
		apply(t, s, logOf(h))
		exec(t, s, `DELETE FROM inventory`)
		exec(t, s, `DELETE FROM account`)
		if found := faults(t, s, h.Server.ReceiptKey()); len(found) != 1 || !strings.Contains(found[0], "other limits") {
			t.Errorf("%q", found)
		}
	})
}

// TestVerifyTellsOfAnOldStateThatStoodForAWhile: it was logged as if it were new, and what
// is true was put back since.
func TestVerifyTellsOfAnOldStateThatStoodForAWhile(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		h := servicetest.NewHarness(t, s)
		servicetest.ValueStory(t, h, func() {
			apply(t, s, logOf(h))
			before(t, s, "inventory")
		})
		logged := logOf(h)
		apply(t, s, logged)
		exec(t, s, `CREATE TABLE true_inventory AS SELECT * FROM inventory`)
		exec(t, s, `DELETE FROM inventory`)
		exec(t, s, `INSERT INTO inventory SELECT account, signed, cites, 0 FROM before_inventory`)
		apply(t, s, logged)
		exec(t, s, `DELETE FROM inventory`)
		exec(t, s, `INSERT INTO inventory SELECT * FROM true_inventory`)
		if found := faults(t, s, h.Server.ReceiptKey()); len(found) == 0 || !strings.Contains(found[0], "went back") {
			t.Errorf("%q", found)
		}
	})
}

// TestWhatChangedIsLoggedThoughNothingIsDue: a server that only waits logs the inventories
// of accounts, and anchors the operator's log.
func TestWhatChangedIsLoggedThoughNothingIsDue(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		h := servicetest.NewHarness(t, s)
		key := newKey(t)
		if _, err := h.As(key).OpenAccount(t.Context(), escrow.OpenAccount{Key: publicOf(key)}); err != nil {
			t.Fatal(err)
		}
		apply(t, s, escrowserver.Audit{Now: h.Clock.Now(), Who: "root", What: "a deed"})
		if next, err := s.NextDue(t.Context()); err != nil || !next.IsZero() {
			t.Fatalf("due at %v, %v", next, err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- h.Server.Run(ctx) }()
		var inventories int
		var anchor escrowserver.LogAnchor
		for range 1000 {
			text, err := s.reader().anchor(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if anchor, err = escrowserver.SealOf(h.ReceiptSigner).Anchored(escrow.Signed(text)); err != nil {
				t.Fatal(err)
			}
			if err := s.reader().row(t.Context(), `SELECT COUNT(*) FROM inventory_log`).Scan(&inventories); err != nil {
				t.Fatal(err)
			}
			if inventories == 1 && anchor.N == 1 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		if err := <-ran; err != nil || inventories != 1 || anchor.N != 1 {
			t.Errorf("%d inventories are logged, and %d deeds anchored, want one each; %v", inventories, anchor.N, err)
		}
	})
}

// TestVerifyTellsOfALogThatWasAwayForAWhile: whoever takes the log of inventories or its
// anchor away has others write meanwhile, puts it back, and with it the state of one account.
func TestVerifyTellsOfALogThatWasAwayForAWhile(t *testing.T) {
	for name, tt := range map[string]struct {
		away []string
		beat bool // the server notes meanwhile what has changed
	}{
		"the anchor":         {[]string{`DELETE FROM inventory_anchor`}, true},
		"an unknown anchor":  {[]string{`UPDATE inventory_anchor SET signed = replace(signed, 'a', 'b')`}, true},
		"the log":            {[]string{`DELETE FROM inventory_log`}, true},
		"the log, briefly":   {[]string{`DELETE FROM inventory_log`}, false},
		"the log and anchor": {[]string{`DELETE FROM inventory_log`, `DELETE FROM inventory_anchor`}, false},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *Store) {
				h := servicetest.NewHarness(t, s)
				log := func() escrowserver.InventoriesLogged { return apply(t, s, logOf(h)).(escrowserver.InventoriesLogged) }
				anna, bob := newKey(t), newKey(t)
				limit := func(who ed25519.PrivateKey, to payment.Amount) {
					t.Helper()
					if _, err := h.As(who).SetLimit(t.Context(), escrow.SetLimit{Currency: servicetest.Currency, PerMail: &to}); err != nil {
						t.Fatal(err)
					}
				}
				for _, key := range []ed25519.PrivateKey{anna, bob} {
					if _, err := h.As(key).OpenAccount(t.Context(), escrow.OpenAccount{Key: publicOf(key)}); err != nil {
						t.Fatal(err)
					}
					limit(key, 100)
				}
				if logged := log(); !logged.Whole {
					t.Fatalf("the log is not whole: %+v", logged)
				}
				for _, table := range []string{"spending_limit", "inventory", "inventory_log", "inventory_anchor"} {
					before(t, s, table)
				}
				for _, text := range tt.away {
					exec(t, s, text)
				}
				limit(anna, 50)
				limit(bob, 50)
				if tt.beat {
					if logged := log(); logged.Whole {
						t.Errorf("with a part away the log is whole: %+v", logged)
					}
					limit(bob, 40)
				}
				for _, text := range []string{`DELETE FROM inventory_log`, `INSERT INTO inventory_log SELECT * FROM before_inventory_log`,
					`DELETE FROM inventory_anchor`, `INSERT INTO inventory_anchor SELECT * FROM before_inventory_anchor`} {
					exec(t, s, text)
				}
				for _, text := range []string{`DELETE FROM spending_limit WHERE account = ?`, `INSERT INTO spending_limit SELECT * FROM before_spending_limit WHERE account = ?`,
					`DELETE FROM inventory WHERE account = ?`, `INSERT INTO inventory SELECT * FROM before_inventory WHERE account = ?`} {
					exec(t, s, text, publicOf(anna).ID())
				}
				log()
				if found := faults(t, s, h.Server.ReceiptKey()); len(found) == 0 {
					t.Error("nothing is told")
				}
			})
		})
	}
}

// TestInventoriesThatNobodySignedHoldUpNoOther, however many there are, and have the
// anchor of their log not signed anew.
func TestInventoriesThatNobodySignedHoldUpNoOther(t *testing.T) {
	s := openTest(t)
	h := servicetest.NewHarness(t, s)
	for range 3 {
		key := newKey(t)
		if _, err := h.As(key).OpenAccount(t.Context(), escrow.OpenAccount{Key: publicOf(key)}); err != nil {
			t.Fatal(err)
		}
	}
	exec(t, s, `UPDATE inventory SET signed = 'forged' WHERE account < (SELECT MAX(account) FROM inventory)`)
	logged := func() (anchor string, rows int) {
		t.Helper()
		op := logOf(h)
		op.Most = 1
		for more := true; more; more = op.After != "" {
			h.Clock.Move(time.Second)
			op.Now = h.Clock.Now()
			op.After = apply(t, s, op).(escrowserver.InventoriesLogged).Last
		}
		anchor, err := s.InventoryAnchor(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.reader().row(t.Context(), `SELECT COUNT(*) FROM inventory_log`).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return anchor, rows
	}
	first, rows := logged()
	if rows != 1 {
		t.Fatalf("%d inventories are logged, want the one that is signed", rows)
	}
	if again, rows := logged(); again != first || rows != 1 {
		t.Errorf("%d are logged after another look, and the anchor is the same: %v", rows, again == first)
	}
}

// TestAServerLogsWhatComesAfterManyForgedInventories, which stay for good.
func TestAServerLogsWhatComesAfterManyForgedInventories(t *testing.T) {
	s := openTest(t)
	h := servicetest.NewHarness(t, s)
	key := newKey(t)
	if _, err := h.As(key).OpenAccount(t.Context(), escrow.OpenAccount{Key: publicOf(key)}); err != nil {
		t.Fatal(err)
	}
	exec(t, s, `WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 1001)
		INSERT INTO account (id, public_key, key_id, opened_at) SELECT '!' || n, CAST(n AS BLOB), '!' || n, 1 FROM many`)
	exec(t, s, `INSERT INTO inventory (account, signed, cites) SELECT id, 'forged', 0 FROM account WHERE id LIKE '!%'`)
	if _, err := escrowserver.New(servicetest.Config(s, h.Clock, h.Mails, h.ReceiptSigner)); err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := s.reader().row(t.Context(), `SELECT COUNT(*) FROM inventory_log`).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d are logged, want the one that is signed; %v", rows, err)
	}
}
