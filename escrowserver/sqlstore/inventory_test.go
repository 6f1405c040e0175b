package sqlstore

import (
	"strings"
	"testing"

	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
)

// inventoryDamages are rows of value that are missing, and those of the inventory itself.
func inventoryDamages() map[string]string {
	return map[string]string{
		"a limit deleted":                `DELETE FROM spending_limit`,
		"an address deleted":             `DELETE FROM address WHERE address = (SELECT MIN(address) FROM address WHERE NOT EXISTS (SELECT 1 FROM offer WHERE offer.address = address.address))`,
		"an inventory deleted":           `DELETE FROM inventory WHERE account = (SELECT MIN(account) FROM inventory)`,
		"an inventory of another":        `UPDATE inventory SET signed = (SELECT MAX(b.signed) FROM inventory b WHERE b.account <> inventory.account)`,
		"an inventory changed":           `UPDATE inventory SET signed = replace(signed, 'a', 'b')`,
		"the word on inventories lost":   `DELETE FROM note WHERE name = 'inventories'`,
		"the word on inventories forged": `UPDATE note SET text = replace(text, 'a', 'b') WHERE name = 'inventories'`,
	}
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
			`UPDATE transfer SET state = 'pending' WHERE id IN (SELECT id FROM payout)`,
			`DELETE FROM posting WHERE state = 'voided'`,
			`UPDATE balance SET available = available - 30, held = held + 30 WHERE holder = (SELECT payer FROM transfer WHERE id IN (SELECT id FROM payout))`},
		"no payout": {`DELETE FROM posting WHERE transfer IN (SELECT id FROM payout)`, `DELETE FROM transfer WHERE id IN (SELECT id FROM payout)`, `DELETE FROM payout`},
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
		exec(t, s, `DELETE FROM note WHERE name = 'inventories'`)
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
		exec(t, s, `DELETE FROM note WHERE name = 'inventories'`)
		if found := restart(); len(found) != 2 {
			t.Errorf("and the note: %q", found)
		}
		exec(t, s, `DELETE FROM inventory WHERE account = (SELECT MIN(account) FROM inventory)`)
		if found := restart(); len(found) < 2 {
			t.Errorf("and an inventory: %q", found)
		}
	})
}
