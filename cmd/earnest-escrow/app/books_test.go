package app_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/payment"
)

// made is the folder of an escrow that was started once; change is done to it
// while it is stopped.
func made(t *testing.T, while func(*escrowclient.Client, app.Config)) app.Config {
	t.Helper()
	cfg := app.Config{DataDir: t.TempDir(), Name: "escrow.example"}
	ready, stop := start(t, cfg)
	if while != nil {
		c := client(t, ready, nil)
		while(c, cfg)
		c.Close()
	}
	stop()
	closed(t, cfg.DataDir)
	cfg.Listen = "127.0.0.1:0"
	return cfg
}

// closed waits until the last connection has put the write-ahead log away: one
// that was asked something when the escrow stopped does it a little later.
func closed(t *testing.T, dir string) {
	t.Helper()
	open := func(name string) bool { return strings.HasPrefix(name, "escrow.db-") }
	for end := time.Now().Add(10 * time.Second); slices.ContainsFunc(files(t, dir), open); {
		if time.Now().After(end) {
			t.Fatalf("the books are not closed: %v", files(t, dir))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// copyOf is the same folder once more.
func copyOf(t *testing.T, cfg app.Config) app.Config {
	t.Helper()
	dir := t.TempDir()
	for _, name := range files(t, cfg.DataDir) {
		text, err := os.ReadFile(filepath.Join(cfg.DataDir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cfg.DataDir = dir
	return cfg
}

// refused starts the escrow, which must not come up, and returns why.
func refused(t *testing.T, cfg app.Config) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	cfg.Ready = func(app.Ready) {
		t.Error("the escrow comes up")
		cancel()
	}
	return app.Run(ctx, cfg)
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func remove(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLostBooksAreNotReplacedByEmptyOnes, which would look sound.
func TestLostBooksAreNotReplacedByEmptyOnes(t *testing.T) {
	whole := made(t, nil)
	for name, lose := range map[string]func(dir string){
		"books": func(dir string) { remove(t, dir, "escrow.db", "escrow.db-wal", "escrow.db-shm") },
		"all but a key": func(dir string) {
			remove(t, dir, "escrow.db", "escrow.db-wal", "escrow.db-shm", "books.toml", "tls.crt", "tls.key")
		},
		"what is in them": func(dir string) {
			remove(t, dir, "escrow.db-wal", "escrow.db-shm")
			if err := os.Truncate(filepath.Join(dir, "escrow.db"), 0); err != nil {
				t.Fatal(err)
			}
		},
	} {
		cfg := copyOf(t, whole)
		lose(cfg.DataDir)
		err := refused(t, cfg)
		if !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), "escrow.db") || !strings.Contains(err.Error(), "backup") {
			t.Errorf("%s lost: %v", name, err)
		}
		if _, err := app.Verify(t.Context(), cfg); !errors.Is(err, app.ErrData) {
			t.Errorf("%s lost: verify: %v", name, err)
		}
		if info, err := os.Stat(filepath.Join(cfg.DataDir, "escrow.db")); err == nil && info.Size() > 0 {
			t.Errorf("%s lost: empty books were made", name)
		}
	}
}

// TestACutOffFirstStartIsFinished by the next one, wherever it was cut.
func TestACutOffFirstStartIsFinished(t *testing.T) {
	whole := made(t, nil)
	for _, left := range [][]string{
		{}, {"tls.key"}, {"tls.key", "tls.crt"}, {"tls.key", "tls.crt", "escrow.db"}, {"tls.key", "tls.crt", "escrow.db", "receipt.key"},
	} {
		cfg := copyOf(t, whole)
		for _, name := range files(t, cfg.DataDir) {
			base, _, _ := strings.Cut(name, "-") // SQLite keeps a journal beside
			if !slices.Contains(left, base) {
				remove(t, cfg.DataDir, name)
			}
		}
		if slices.Contains(left, "escrow.db") {
			unsigned(t, cfg.DataDir) // the key comes before anything that it signs
		}
		ready, stop := start(t, cfg)
		c := client(t, ready, nil)
		open(t, c)
		c.Close() // else the server's end waits for it
		stop()
		if report, err := app.Verify(t.Context(), cfg); err != nil {
			t.Errorf("%v left: %+v, %v", left, report, err)
		}
		for _, name := range files(t, cfg.DataDir) {
			if strings.HasPrefix(name, ".") {
				t.Errorf("%v left: %s is left over", left, name)
			}
		}
	}
}

// unsigned takes out of empty books what a start that was completed has signed there.
func unsigned(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "escrow.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "DELETE FROM note WHERE name = 'sealed'; DELETE FROM sealing; DELETE FROM inventory_anchor")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestAmountsKeepTheirMeaning: what the books count in is held against them.
func TestAmountsKeepTheirMeaning(t *testing.T) {
	pay := func(c *escrowclient.Client, cfg app.Config) {
		open(t, c)
		code, _, err := app.NewVoucher(t.Context(), cfg, "EUR", "5.00")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.TopUp(t.Context(), escrow.TopUp{ID: "topup-1-of-test", Voucher: code}); err != nil {
			t.Fatal(err)
		}
	}
	paid, unpaid := made(t, pay), made(t, nil)
	old := copyOf(t, paid) // made before the folder said what it counts in
	remove(t, old.DataDir, "books.toml")
	euro := payment.Currency{Name: "escrow.example", Scale: 2, Unit: "EUR"}
	points := payment.Currency{Name: "points.example", Unit: "PTS"}
	for name, tt := range map[string]struct {
		cfg        app.Config
		currencies []payment.Currency
		words      string
	}{
		"another scale":              {paid, []payment.Currency{{Name: "escrow.example", Scale: 3, Unit: "EUR"}}, "set its scale to 2 again"},
		"another scale, no money":    {unpaid, []payment.Currency{{Name: "escrow.example", Scale: 0, Unit: "EUR"}}, "set its scale to 2 again"},
		"another name":               {paid, []payment.Currency{points}, "money in escrow.example"},
		"another name, older folder": {old, []payment.Currency{points}, "money in escrow.example"},
	} {
		cfg := tt.cfg
		cfg.Currencies = tt.currencies
		before := files(t, cfg.DataDir)
		if err := refused(t, cfg); !errors.Is(err, app.ErrConfig) || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := app.NewVoucher(t.Context(), cfg, cfg.Currencies[0].Name, "1"); !errors.Is(err, app.ErrConfig) {
			t.Errorf("%s: voucher: %v", name, err)
		}
		if after := files(t, cfg.DataDir); !slices.Equal(before, after) {
			t.Errorf("%s: files %v became %v", name, before, after)
		}
	}
	// The default currency has the escrow's name.
	renamed := paid
	renamed.Name = "new.example"
	if err := refused(t, renamed); !errors.Is(err, app.ErrConfig) {
		t.Errorf("renamed escrow: %v", err)
	}
	for _, cfg := range []app.Config{paid, old} {
		cfg.Currencies = []payment.Currency{euro, points}
		_, stop := start(t, cfg)
		stop()
		cfg.Currencies = []payment.Currency{euro, {Name: "points.example", Scale: 1}}
		if err := refused(t, cfg); !errors.Is(err, app.ErrConfig) {
			t.Errorf("the added currency is not remembered: %v", err)
		}
	}
	unpaid.Currencies = []payment.Currency{points}
	start(t, unpaid)
}

// TestTornFilesAreNamed, with what to do about them, and stay as they are.
func TestTornFilesAreNamed(t *testing.T) {
	made := made(t, nil)
	for _, name := range []string{"tls.crt", "tls.key", "receipt.key", "books.toml"} {
		cfg := copyOf(t, made)
		file := filepath.Join(cfg.DataDir, name)
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range [][]byte{{}, whole[:len(whole)/3]} {
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			err := refused(t, cfg)
			if !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "backup") {
				t.Errorf("%s, %d bytes: %v", name, len(text), err)
			}
			if now, err := os.ReadFile(file); err != nil || string(now) != string(text) {
				t.Errorf("%s was changed: %v", name, err)
			}
		}
	}
}

// TestOperatorCommandsMakeAndDeleteNothing: what is lost is for the operator.
func TestOperatorCommandsMakeAndDeleteNothing(t *testing.T) {
	whole := made(t, nil)
	for _, lost := range []string{"tls.crt", "tls.key", "receipt.key"} {
		cfg := copyOf(t, whole)
		remove(t, cfg.DataDir, lost)
		before := files(t, cfg.DataDir)
		if _, err := app.Info(t.Context(), cfg); !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), lost) {
			t.Errorf("info without %s: %v", lost, err)
		}
		_, _ = app.Verify(t.Context(), cfg)
		_, _, _ = app.NewVoucher(t.Context(), cfg, "EUR", "1")
		if lost != "receipt.key" {
			// A certificate that agents pin is not made anew by itself either.
			if err := refused(t, cfg); !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), lost) {
				t.Errorf("serve without %s: %v", lost, err)
			}
		}
		for _, name := range before {
			if _, err := os.Stat(filepath.Join(cfg.DataDir, name)); err != nil && !strings.HasPrefix(name, "escrow.db-") {
				t.Errorf("without %s: %v", lost, err)
			}
		}
		if _, err := os.Stat(filepath.Join(cfg.DataDir, lost)); err == nil {
			t.Errorf("%s was made", lost)
		}
	}
}
