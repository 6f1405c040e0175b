package app_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/internal/pgtest"
)

// Books move whole: the escrow goes on in the database with everybody's money.
func TestBooksMoveToPostgres(t *testing.T) {
	cluster := pgtest.For(t)
	cfg := made(t, func(c *escrowclient.Client, cfg app.Config) { paid(t, c, cfg) })
	url := database(t, cluster)

	running := copyOf(t, cfg)
	_, stop := start(t, running)
	if _, err := app.Move(t.Context(), running, url); !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), "stop it first") {
		t.Errorf("a running escrow: %v", err)
	}
	stop()

	moved, err := app.Move(t.Context(), cfg, url)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int64{}
	for _, table := range moved.Tables {
		rows[table.Table] = table.Rows
	}
	if rows["account"] != 1 || rows["balance"] != 2 || rows["voucher"] != 1 || rows["entry"] == 0 {
		t.Errorf("moved %v", rows)
	}
	if err := refused(t, cfg); !errors.Is(err, app.ErrData) {
		t.Errorf("served from the old file: %v", err)
	}
	settings, err := app.ReadSettings(cfg.DataDir, "")
	if err != nil || settings.Database != url {
		t.Errorf("settings %+v, %v", settings, err)
	}
	cfg.Database = url
	ready, stop := start(t, cfg)
	account, err := client(t, ready, nil).Account(t.Context())
	if err != nil || len(account.Balances) != 1 || account.Balances[0].Available != 500 {
		t.Errorf("after the move: %+v, %v", account, err)
	}
	// New rows are numbered after the old ones.
	code, _, err := app.NewVoucher(t.Context(), cfg, "EUR", "1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client(t, ready, nil).TopUp(t.Context(), escrow.TopUp{ID: "topup-2-of-test", Voucher: code}); err != nil {
		t.Error(err)
	}
	stop()
	if report, err := app.Verify(t.Context(), cfg); err != nil {
		t.Errorf("%+v, %v", report, err)
	}

	again := copyOf(t, running)
	again.Database = ""
	if _, err := app.Move(t.Context(), again, url); !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("into books that are there: %v", err)
	}
}

// Damaged books stay where they are, and the database stays empty.
func TestDamagedBooksAreNotMoved(t *testing.T) {
	cluster := pgtest.For(t)
	cfg := made(t, func(c *escrowclient.Client, cfg app.Config) { paid(t, c, cfg) })
	whole := copyOf(t, cfg)
	db, err := sql.Open("sqlite", filepath.Join(cfg.DataDir, "escrow.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE balance SET available = available + 1 WHERE holder <> 'issuance'`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	url := database(t, cluster)
	moved, err := app.Move(t.Context(), cfg, url)
	if !errors.Is(err, app.ErrFaults) || len(moved.Report.Faults) == 0 {
		t.Errorf("%+v, %v", moved.Report, err)
	}
	if _, err := app.Move(t.Context(), whole, url); err != nil {
		t.Errorf("the database is not empty again: %v", err)
	}
	_, stop := start(t, cfg)
	stop()
}
