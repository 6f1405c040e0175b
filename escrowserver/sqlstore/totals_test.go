package sqlstore

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"earnest/escrowserver"
)

// The totals are summed up of the same money as the export shows, though they read
// less of each bond.
func TestTotalsReadTheSameMoney(t *testing.T) {
	books, _ := soundBooks(t)
	path := filepath.Join(t.TempDir(), "books.db")
	if err := os.WriteFile(path, books, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	read := func() (whole, money []escrowserver.BondMoney) {
		t.Helper()
		if err := s.Walk(t.Context(), escrowserver.Visitor{
			Bond: func(b escrowserver.BondLine) error {
				whole = append(whole, escrowserver.BondMoney{ID: b.ID, BoughtAt: b.BoughtAt, Ended: b.EndedAt, Scale: b.Option.Scale, Transfer: b.Transfer})
				return nil
			},
			BondMoney: func(b escrowserver.BondMoney) error {
				money = append(money, b)
				return nil
			},
		}); err != nil {
			t.Fatal(err)
		}
		return whole, money
	}
	whole, money := read()
	if len(whole) == 0 || !reflect.DeepEqual(whole, money) {
		t.Errorf("the money of %d bonds: %+v\nas exported: %+v", len(whole), money, whole)
	}
	// A bond that nobody can read is in neither; its money is what verify tells of.
	if _, err := testDB(t, s).ExecContext(t.Context(), `UPDATE bond SET quote = 'x.y.z' WHERE id = (SELECT MIN(id) FROM bond)`); err != nil {
		t.Fatal(err)
	}
	left, leftMoney := read()
	if len(left) != len(whole)-1 || !reflect.DeepEqual(left, leftMoney) {
		t.Errorf("of %d bonds, one of them damaged, %d and %d are read", len(whole), len(left), len(leftMoney))
	}
}
