package sqlstore

import (
	"slices"
	"strings"
	"testing"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
)

// TestVerifyFindsAnEndingThatWasUndone: what became of an account's changes, its key and its
// freeze are listed, so that nothing of them goes back to what it was, with the orders that
// would say otherwise. It goes on to tell when more was written since.
func TestVerifyFindsAnEndingThatWasUndone(t *testing.T) {
	const newest = ` WHERE action = 'freeze' AND made_at = (SELECT MAX(made_at) FROM account_order WHERE action = 'freeze')`
	for name, undo := range map[string][]string{
		"a change was cancelled":                     {`UPDATE account_change SET ended_at = 0, ending = '' WHERE kind = 'unfreeze' AND ending = 'cancelled'`},
		"a change was cancelled by another":          {`UPDATE account_change SET ended_at = 0, ending = '' WHERE kind = 'address' AND ending = 'cancelled'`},
		"a change was cancelled by the recovery key": {`UPDATE account_change SET ended_at = 0, ending = '' WHERE kind = 'recovery' AND ending = 'cancelled'`},
		"a change was replaced":                      {`UPDATE account_change SET ended_at = 0, ending = '' WHERE ending = 'replaced'`},
		"a change was cancelled then":                {`UPDATE account_change SET ended_at = ended_at - 1 WHERE ending = 'cancelled'`},
		"a change waits":                             {`DELETE FROM account_change WHERE ended_at = 0`},
		"a change ended":                             {`DELETE FROM account_change WHERE ending = 'cancelled'`},
		"the account is frozen":                      {`UPDATE account SET frozen_at = 0`, `DELETE FROM account_order` + newest},
		"the account was frozen then":                {`UPDATE account SET frozen_at = frozen_at - 1 WHERE frozen_at > 0`},
		"the account has another key": {`UPDATE account SET public_key = b.public_key, key_id = b.key_id FROM before_account b WHERE b.id = account.id`,
			`DELETE FROM replaced_key`, `DELETE FROM account_order WHERE action = 'rotate'`},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *Store) {
				h := servicetest.NewHarness(t, s)
				again := servicetest.ChangeStory(t, h, func() { before(t, s, "account") })
				if found := faults(t, s, h.Server.ReceiptKey()); len(found) != 0 {
					t.Fatalf("sound books: %q", found)
				}
				for i, text := range undo {
					if exec(t, s, text) == 0 {
						t.Fatalf("nothing was undone by statement %d", i)
					}
				}
				told := func(found []string) bool {
					return slices.ContainsFunc(found, func(text string) bool { return strings.Contains(text, "an old one put back") })
				}
				if found := faults(t, s, h.Server.ReceiptKey()); !told(found) {
					t.Errorf("undone: %q", found)
				}
				if name == "the account has another key" {
					return // which nobody has
				}
				again()
				if found := faults(t, s, h.Server.ReceiptKey()); !told(found) {
					t.Errorf("after the next limit: %q", found)
				}
			})
		})
	}
}

// listingNoKeys are books of the program before inventories listed keys and changes.
func listingNoKeys(t *testing.T, test func(t *testing.T, old *oldBooks, s *Store)) {
	const steps = "1-21"
	t.Run("SQLite", func(t *testing.T) {
		old := readOldBooks(t, "testdata/books-"+steps+".sql.gz")
		test(t, old, openAt(t, old.file))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		old := readOldBooks(t, "testdata/books-"+steps+".sql.gz")
		test(t, old, openAt(t, old.onPostgres(t, pgtest.For(t))))
	})
}

// keysListed are how many inventories list keys and changes, and how many there are.
func keysListed(t *testing.T, s *Store, h servicetest.Harness) (today, all int) {
	t.Helper()
	if err := eachInventory(t.Context(), s.reader(), valueRows+` ORDER BY account`, func(line escrowserver.InventoryLine) error {
		all++
		if escrowserver.SealOf(h.ReceiptSigner).ListsKeys(line.Signed) {
			today++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return today, all
}

// TestInventoriesThatListNoKeysAreSignedAnew once, and their log goes on.
func TestInventoriesThatListNoKeysAreSignedAnew(t *testing.T) {
	listingNoKeys(t, func(t *testing.T, old *oldBooks, s *Store) {
		h := old.reopened(t, s)
		old.sound(t, s, h, "signed anew")
		if today, all := keysListed(t, s, h); today != all || all < 10 {
			t.Errorf("%d of %d list keys", today, all)
		}
		for _, damage := range []string{
			`DELETE FROM account_change WHERE id = (SELECT MIN(id) FROM account_change)`,
			`DELETE FROM sealing`, // and so that none is signed anew once more
		} {
			exec(t, s, damage)
			old.reopened(t, s)
			if found := faults(t, s, h.Server.ReceiptKey()); !slices.ContainsFunc(found, func(text string) bool { return strings.Contains(text, "an old one put back") }) {
				t.Errorf("after %s: %q", damage, found)
			}
		}
	})
}

// TestAWrongInventoryIsNotSignedAnew, though it is of an older program: one whose rows were
// changed before the first start of this one stays, and so does one that was put back after.
func TestAWrongInventoryIsNotSignedAnew(t *testing.T) {
	tables := []string{"inventory", "inventory_log", "inventory_anchor"}
	back := func(t *testing.T, s *Store, table, where string, args ...any) {
		t.Helper()
		exec(t, s, `DELETE FROM `+table+where, args...)
		exec(t, s, `INSERT INTO `+table+` SELECT * FROM before_`+table+where, args...)
	}
	told := func(t *testing.T, s *Store, h servicetest.Harness, account escrow.KeyID) {
		t.Helper()
		if found := faults(t, s, h.Server.ReceiptKey()); !slices.ContainsFunc(found, func(text string) bool {
			return strings.Contains(text, string(account)) && strings.Contains(text, "an old one put back")
		}) {
			t.Errorf("of account %s is told: %q", account, found)
		}
	}
	someone := func(t *testing.T, s *Store) (account escrow.KeyID) {
		t.Helper()
		if err := s.reader().row(t.Context(), `SELECT MIN(account) FROM spending_limit`).Scan(&account); err != nil {
			t.Fatal(err)
		}
		return account
	}
	t.Run("before", func(t *testing.T) {
		listingNoKeys(t, func(t *testing.T, old *oldBooks, s *Store) {
			account := someone(t, s)
			exec(t, s, `DELETE FROM spending_limit WHERE account = ?`, account)
			h := old.reopened(t, s)
			told(t, s, h, account)
			if today, all := keysListed(t, s, h); today != all-1 {
				t.Errorf("%d of %d list keys", today, all)
			}
		})
	})
	t.Run("after", func(t *testing.T) {
		listingNoKeys(t, func(t *testing.T, old *oldBooks, s *Store) {
			for _, table := range tables {
				before(t, s, table)
			}
			account := someone(t, s)
			h := old.reopened(t, s)
			for _, putBack := range []func(){
				func() { back(t, s, "inventory", ` WHERE account = ?`, account) },
				func() { exec(t, s, `DELETE FROM sealing`) },
				func() { // the log as it was then, which the other inventories know to be older
					back(t, s, "inventory_log", "")
					back(t, s, "inventory_anchor", "")
					exec(t, s, `DELETE FROM sealing`)
				},
				func() { exec(t, s, `UPDATE account_order SET signed = ''`) },
			} {
				putBack()
				old.reopened(t, s)
				told(t, s, h, account)
				if today, all := keysListed(t, s, h); today != all-1 {
					t.Errorf("%d of %d list keys", today, all)
				}
			}
		})
	})
}
