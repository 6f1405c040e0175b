package sqlstore

import (
	"testing"

	"earnest/escrow"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
)

// onEach runs a test that opens many books on SQLite and on PostgreSQL.
func onEach(t *testing.T, test func(t *testing.T, open func(*testing.T) *Store)) {
	t.Run("SQLite", func(t *testing.T) { test(t, func(t *testing.T) *Store { return openTest(t) }) })
	t.Run("PostgreSQL", func(t *testing.T) {
		cluster := pgtest.For(t)
		test(t, func(t *testing.T) *Store { return openPostgresTest(t, cluster) })
	})
}

// damaged changes one row past the store and past what rows must name.
func damaged(t *testing.T, s *Store, statement string) func(escrow.BondID) {
	return func(id escrow.BondID) {
		t.Helper()
		conn, err := testDB(t, s).Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		unbound, bound := `SET session_replication_role = replica`, `RESET session_replication_role`
		if _, ok := s.engine.(*sqliteEngine); ok {
			unbound, bound = `PRAGMA foreign_keys = OFF`, `PRAGMA foreign_keys = ON`
		}
		if _, err := conn.ExecContext(t.Context(), unbound); err != nil {
			t.Fatal(err)
		}
		result, err := conn.ExecContext(t.Context(), s.engine.text(statement), id)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			t.Fatalf("%d rows damaged, %v", n, err)
		}
		if _, err := conn.ExecContext(t.Context(), bound); err != nil {
			t.Fatal(err)
		}
	}
}

// transferDamages are what can be wrong with a bond's transfer.
var transferDamages = map[string]string{
	"its transfer ended": `INSERT INTO entry (transfer, step, state, payer, payee, currency, amount, made_at)
		SELECT transfer, 2, 'voided', payer, payee, currency, amount, made_at FROM entry WHERE transfer = ?`,
	"its transfer gone":           `DELETE FROM entry WHERE transfer = ?`,
	"its transfer of other money": `UPDATE entry SET amount = amount + 1 WHERE transfer = ?`,
	"its transfer to another":     `UPDATE entry SET payee = 'burned' WHERE transfer = ?`,
}

// One damaged bond stops neither the refunds of the others nor their parties.
func TestOneDamagedBondStopsNoOther(t *testing.T) {
	damages := map[string]string{
		"its quote unreadable":      `UPDATE bond SET quote = 'x.y.z' WHERE id = ?`,
		"held less than it took":    `UPDATE balance SET held = held - 1 WHERE holder = (SELECT sender_account FROM bond WHERE id = ?)`,
		"its sender has no balance": `DELETE FROM balance WHERE holder = (SELECT sender_account FROM bond WHERE id = ?)`,
		"its sender has no account": `DELETE FROM account WHERE id = (SELECT sender_account FROM bond WHERE id = ?)`,
	}
	for name, damage := range transferDamages {
		damages[name] = damage
	}
	onEach(t, func(t *testing.T, open func(*testing.T) *Store) {
		for name, damage := range damages {
			t.Run(name, func(t *testing.T) {
				s := open(t)
				servicetest.DamagedBond(t, servicetest.NewHarness(t, s), damaged(t, s, damage))
			})
		}
	})
}

// Damaged bonds take up their own room only.
func TestDamagedBondsMakeTheOthersNoLessDue(t *testing.T) {
	damages := map[string]string{"its quote unreadable": `UPDATE bond SET quote = 'x.y.z' WHERE id = ?`}
	for name, damage := range transferDamages {
		damages[name] = damage
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			s := openTest(t)
			servicetest.DamagedOpenBonds(t, servicetest.NewHarness(t, s), damaged(t, s, damage))
		})
	}
}

// A bond that the books list as due, and that is not, has the sweeper neither spin nor
// end it.
func TestBondListedTooEarlyWaits(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *Store) {
		s := open(t)
		servicetest.EarlyBond(t, servicetest.NewHarness(t, s), damaged(t, s, `UPDATE bond SET due_at = bought_at + 1 WHERE id = ?`))
	})
}

// A count that is wrong holds no money back.
func TestDamagedCountHoldsNoMoneyBack(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *Store) {
		s := open(t)
		servicetest.DamagedCount(t, servicetest.NewHarness(t, s),
			damaged(t, s, `UPDATE account SET open_bonds = 0 WHERE id = (SELECT sender_account FROM bond WHERE id = ?)`))
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
