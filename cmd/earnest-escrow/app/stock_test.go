package app_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/escrowserver"
)

// TestABackupIsGoodAgainWhenStockWasTaken: with an inventory that is not right none is
// restored; an operator lists what the account has, signs that, and it stands in the log.
func TestABackupIsGoodAgainWhenStockWasTaken(t *testing.T) {
	var account string
	cfg := made(t, func(c *escrowclient.Client, _ app.Config) { account = string(open(t, c).ID) })
	db, err := sql.Open("sqlite", filepath.Join(cfg.DataDir, "escrow.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `UPDATE inventory SET signed = 'forged'`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	restore := func() error {
		t.Helper()
		file := filepath.Join(t.TempDir(), "backup")
		if err := app.Backup(t.Context(), cfg, file); err != nil {
			t.Fatal(err)
		}
		_, err := app.Restore(t.Context(), app.Config{DataDir: filepath.Join(t.TempDir(), "new")}, file)
		return err
	}
	if err := restore(); !errors.Is(err, app.ErrFaults) {
		t.Fatalf("a wrong inventory was restored: %v", err)
	}
	stock, err := app.Stock(t.Context(), cfg, account)
	if err != nil || stock.Right || len(stock.Rows) != 2 || !slices.ContainsFunc(stock.Rows, func(row escrowserver.ValueRow) bool {
		return strings.Contains(app.SignedText(row), account)
	}) || !slices.ContainsFunc(stock.Rows, func(row escrowserver.ValueRow) bool { return app.StateText(row) == "not frozen" }) {
		t.Errorf("%+v, %v", stock, err)
	}
	if _, err := app.TakeStock(t.Context(), cfg, account, "asked the owner"); err != nil {
		t.Fatal(err)
	}
	if stock, err := app.Stock(t.Context(), cfg, account); err != nil || !stock.Right {
		t.Errorf("after stock was taken: %+v, %v", stock, err)
	}
	if err := restore(); err != nil {
		t.Errorf("after stock was taken: %v", err)
	}
	status, err := app.ReadStatus(t.Context(), cfg)
	if err != nil || !strings.Contains(status.Log[0].What+status.Log[1].What+status.Log[2].What, "done: take stock of account "+account) {
		t.Errorf("%+v, %v", status.Log, err)
	}
	if _, err := app.Stock(t.Context(), cfg, "nobody"); !errors.Is(err, escrow.NotFound) {
		t.Errorf("of nobody: %v", err)
	}
}
