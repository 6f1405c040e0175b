package sqlstore

import (
	"errors"
	"testing"

	"earnest/escrow"
	"earnest/escrowserver/servicetest"
)

// TestStockIsTakenOfAnAccountThatVerifyTellsOf, and its inventories go on from there. Of
// one that is right, and of one that is not there, nothing is written.
func TestStockIsTakenOfAnAccountThatVerifyTellsOf(t *testing.T) {
	const whose = ` WHERE account = (SELECT MIN(account) FROM spending_limit)`
	for name, damage := range map[string]string{
		"a limit deleted":      `DELETE FROM spending_limit` + whose + ` AND currency = 'points.example'`,
		"a limit unlisted":     `UPDATE inventory SET signed = (SELECT signed FROM before_inventory b WHERE b.account = inventory.account)` + whose,
		"an inventory deleted": `DELETE FROM inventory` + whose,
		"an inventory forged":  `UPDATE inventory SET signed = 'forged'` + whose,
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *Store) {
				h := servicetest.NewHarness(t, s)
				lower := servicetest.ValueStory(t, h, func() { before(t, s, "inventory") })
				apply(t, s, logOf(h))
				var account escrow.KeyID
				if err := s.reader().row(t.Context(), `SELECT MIN(account) FROM spending_limit`).Scan(&account); err != nil {
					t.Fatal(err)
				}
				take := func() bool {
					t.Helper()
					stock, err := h.Server.TakeStock(t.Context(), account)
					if err != nil || len(stock.Rows) < 3 {
						t.Fatalf("%+v, %v", stock, err)
					}
					return stock.Right
				}
				sound := func(when string) {
					t.Helper()
					if found := faults(t, s, h.Server.ReceiptKey()); len(found) != 0 {
						t.Errorf("%s: %q", when, found)
					}
				}
				line, err := s.Inventory(t.Context(), account)
				if err != nil || !take() {
					t.Errorf("sound books: %v", err)
				}
				if same, err := s.Inventory(t.Context(), account); err != nil || same.Signed != line.Signed {
					t.Errorf("a right inventory was signed anew; %v", err)
				}
				exec(t, s, damage)
				if found := faults(t, s, h.Server.ReceiptKey()); len(found) == 0 {
					t.Fatal("the damage is not found")
				}
				if take() {
					t.Error("a wrong inventory is taken for right")
				}
				sound("after the stock was taken")
				lower()
				sound("after the next limit")
				if _, err := h.Server.TakeStock(t.Context(), "nobody"); !errors.Is(err, escrow.NotFound) {
					t.Errorf("of nobody: %v", err)
				}
			})
		})
	}
}
