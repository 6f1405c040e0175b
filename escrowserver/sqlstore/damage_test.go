package sqlstore

import (
	"testing"

	"earnest/escrow"
	"earnest/escrowserver/servicetest"
)

// One damaged bond stops neither the refunds of the others nor their parties.
func TestOneDamagedBondStopsNoOther(t *testing.T) {
	for name, damage := range map[string]string{
		"its transfer ended": `INSERT INTO entry (transfer, step, state, payer, payee, currency, amount, made_at)
			SELECT transfer, 2, 'voided', payer, payee, currency, amount, made_at FROM entry WHERE transfer = ?`,
		"its quote unreadable":   `UPDATE bond SET quote = 'x.y.z' WHERE id = ?`,
		"held less than it took": `UPDATE balance SET held = held - 1 WHERE holder = (SELECT sender_account FROM bond WHERE id = ?)`,
	} {
		t.Run(name, func(t *testing.T) {
			s := openTest(t)
			servicetest.DamagedBond(t, servicetest.NewHarness(t, s), func(id escrow.BondID) {
				result, err := testDB(t, s).ExecContext(t.Context(), damage, id)
				if err != nil {
					t.Fatal(err)
				}
				if n, err := result.RowsAffected(); err != nil || n != 1 {
					t.Fatalf("%d rows damaged, %v", n, err)
				}
			})
		})
	}
}

// Damaged bonds take up their own room only.
func TestDamagedBondsMakeTheOthersNoLessDue(t *testing.T) {
	s := openTest(t)
	servicetest.DamagedOpenBonds(t, servicetest.NewHarness(t, s), func(id escrow.BondID) {
		if _, err := testDB(t, s).ExecContext(t.Context(), `UPDATE bond SET quote = 'x.y.z' WHERE id = ?`, id); err != nil {
			t.Fatal(err)
		}
	})
}

// One damaged change of an account stops neither the others nor the cleaning.
func TestOneDamagedChangeStopsNoOther(t *testing.T) {
	s := openTest(t)
	servicetest.DamagedChange(t, servicetest.NewHarness(t, s), func(id string) {
		if _, err := testDB(t, s).ExecContext(t.Context(), `UPDATE account_change SET value = value || ' ' WHERE id = ?`, id); err != nil {
			t.Fatal(err)
		}
	})
}
