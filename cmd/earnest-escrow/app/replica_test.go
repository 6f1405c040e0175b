package app_test

import (
	"bytes"
	"errors"
	"path"
	"strings"
	"testing"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
	"earnest/internal/pgtest"
)

// A read replica is good for verify, status and the queue while the escrow
// serves from the primary; nobody serves from it, and nothing is written to it.
func TestAReplicaAnswersOperators(t *testing.T) {
	cluster := pgtest.For(t)
	cfg := app.Config{DataDir: t.TempDir(), Name: "escrow.example", Database: database(t, cluster)}
	ready, stop := start(t, cfg)
	defer stop()
	c := client(t, ready, nil)
	paid(t, c, cfg)
	standby := cluster.Standby(t)
	replica := cfg
	replica.Database = standby.URL(path.Base(strings.TrimSuffix(cfg.Database, "?sslmode=disable")))
	// What is done after the copy was made comes as well.
	if _, err := c.AskPayout(t.Context(), escrow.PayoutRequest{ID: "payout-of-test", Currency: "escrow.example", Amount: 100, To: "IBAN"}); err != nil {
		t.Fatal(err)
	}
	if err := cluster.CatchUp(t.Context(), standby); err != nil {
		t.Fatal(err)
	}
	report, err := app.Verify(t.Context(), replica)
	if err != nil {
		t.Errorf("verify: %+v, %v", report, err)
	}
	if here, err := app.Verify(t.Context(), cfg); err != nil || strings.Join(here.Lines, "\n") != strings.Join(report.Lines, "\n") {
		t.Errorf("verify tells %q of the replica and %q of the primary, %v", report.Lines, here.Lines, err)
	}
	if status, err := app.ReadStatus(t.Context(), replica); err != nil || len(status.Figures.Money) == 0 {
		t.Errorf("status: %+v, %v", status, err)
	}
	if q, _, err := app.ReadQueue(t.Context(), replica); err != nil || len(q.Payouts) != 1 {
		t.Errorf("queue: %+v, %v", q, err)
	}
	if _, err := app.Export(t.Context(), replica, nil, new(bytes.Buffer)); !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), "log") {
		t.Errorf("an export that the log could not be told: %v", err)
	}
	if _, _, err := app.NewVoucher(t.Context(), replica, "EUR", "1"); err == nil {
		t.Error("a voucher was made on a replica")
	}
	replica.Listen = "127.0.0.1:0"
	if err := refused(t, replica); !errors.Is(err, app.ErrData) {
		t.Errorf("served from a replica: %v", err)
	}
}
