package app_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/internal/pgtest"
	"earnest/payment"
)

func database(t *testing.T, cluster *pgtest.Cluster) string {
	t.Helper()
	url, err := cluster.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// paid opens an account and tops it up by 5.00.
func paid(t *testing.T, c *escrowclient.Client, cfg app.Config) {
	t.Helper()
	open(t, c)
	code, _, err := app.NewVoucher(t.Context(), cfg, "EUR", "5.00")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.TopUp(t.Context(), escrow.TopUp{ID: "topup-1-of-test", Voucher: code}); err != nil {
		t.Fatal(err)
	}
}

// Two processes serve the same books; the second has the folder's keys, and no other.
func TestBooksOnPostgresAreServedBySeveral(t *testing.T) {
	cluster := pgtest.For(t)
	cfg := app.Config{DataDir: t.TempDir(), Name: "escrow.example", Database: database(t, cluster)}
	ready, stop := start(t, cfg)
	c := client(t, ready, nil)
	paid(t, c, cfg)

	empty := cfg
	empty.DataDir, empty.Listen = t.TempDir(), "127.0.0.1:0"
	if err := refused(t, empty); !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), "receipt") {
		t.Errorf("a folder without the receipt key: %v", err)
	}
	second := cfg
	second.DataDir = t.TempDir()
	for _, name := range []string{"receipt.key", "tls.crt", "tls.key"} {
		text, err := os.ReadFile(filepath.Join(cfg.DataDir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(second.DataDir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	also, stopSecond := start(t, second)
	account, err := client(t, also, nil).Account(t.Context())
	if err != nil || len(account.Balances) != 1 || account.Balances[0].Available != 500 {
		t.Errorf("the second process: %+v, %v", account, err)
	}
	for _, try := range []app.Config{cfg, second} {
		if report, err := app.Verify(t.Context(), try); err != nil {
			t.Errorf("verify: %+v, %v", report, err)
		}
		if _, err := app.Export(t.Context(), try, nil, new(bytes.Buffer)); err != nil {
			t.Error(err)
		}
		if about, err := app.Info(t.Context(), try); err != nil || about.Name != "escrow.example" {
			t.Errorf("info: %+v, %v", about, err)
		}
	}
	stop()
	stopSecond()
	for _, name := range files(t, cfg.DataDir) {
		if strings.HasPrefix(name, "escrow.db") || name == "books.toml" {
			t.Errorf("%s was made beside a database", name)
		}
	}
}

// What the books count in, and whose they are, is kept in the database.
func TestBooksOnPostgresAreNotTakenForOthers(t *testing.T) {
	cluster := pgtest.For(t)
	cfg := app.Config{DataDir: t.TempDir(), Name: "escrow.example", Database: database(t, cluster)}
	ready, stop := start(t, cfg)
	c := client(t, ready, nil)
	paid(t, c, cfg)
	c.Close()
	stop()
	cfg.Listen = "127.0.0.1:0"

	scale := cfg
	scale.Currencies = []payment.Currency{{Name: "escrow.example", Scale: 3, Unit: "EUR"}}
	if err := refused(t, scale); !errors.Is(err, app.ErrConfig) || !strings.Contains(err.Error(), "set its scale to 2 again") {
		t.Errorf("another scale: %v", err)
	}
	lost := cfg
	lost.Database = database(t, cluster)
	if err := refused(t, lost); !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), "backup") {
		t.Errorf("an empty database for a folder with a key: %v", err)
	}
	foreign := app.Config{DataDir: t.TempDir(), Name: "escrow.example", Database: database(t, cluster)}
	_, stop = start(t, foreign)
	stop()
	foreign.Database, foreign.Listen = cfg.Database, cfg.Listen
	if err := refused(t, foreign); !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), "receipt.key") {
		t.Errorf("the key of another escrow: %v", err)
	}
	if _, _, err := app.NewVoucher(t.Context(), foreign, "EUR", "1"); !errors.Is(err, app.ErrData) {
		t.Errorf("a voucher signed by the key of another escrow: %v", err)
	}
	file := made(t, nil)
	file.Database = cfg.Database
	if err := refused(t, file); !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), "move") {
		t.Errorf("a folder with books of its own: %v", err)
	}
	_, stop = start(t, cfg)
	stop()
}

// No message shows a password, and none is taken where others could read it.
func TestADatabasesPasswordIsNeverShown(t *testing.T) {
	for _, url := range []string{"postgres://ann:hunter2@127.0.0.1/books", "postgres://ann@127.0.0.1/books?password=hunter2",
		"mysql://ann:hunter2@127.0.0.1/books", "postgres://ann:hunter2@%zz/books"} {
		err := app.Run(t.Context(), app.Config{DataDir: t.TempDir(), Name: "escrow.example", Listen: "127.0.0.1:0", Database: url})
		if !errors.Is(err, app.ErrConfig) || !strings.Contains(err.Error(), "database") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
	t.Setenv("PGPASSWORD", "hunter2")
	cfg := app.Config{DataDir: t.TempDir(), Name: "escrow.example", Listen: "127.0.0.1:0", Database: "postgres://ann@127.0.0.1:1/books?connect_timeout=1"}
	if err := app.Run(t.Context(), cfg); !errors.Is(err, app.ErrData) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("no server there: %v", err)
	}
}
