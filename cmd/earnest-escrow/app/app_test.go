package app_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/payment"
)

func account(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

// start runs an escrow until the test ends, or stop is called.
func start(t *testing.T, cfg app.Config) (ready app.Ready, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	up := make(chan app.Ready, 1)
	done := make(chan error, 1)
	cfg.Ready = func(r app.Ready) { up <- r }
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	go func() { done <- app.Run(ctx, cfg) }()
	select {
	case ready = <-up:
	case err := <-done:
		t.Fatalf("the escrow did not start: %v", err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return ready, stop
}

func client(t *testing.T, r app.Ready, change func(*escrowclient.Config)) *escrowclient.Client {
	t.Helper()
	cfg := escrowclient.Config{BaseURL: r.URL, Signer: account(1), Fingerprint: r.Fingerprint}
	if change != nil {
		change(&cfg)
	}
	c, err := escrowclient.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func open(t *testing.T, c *escrowclient.Client) escrow.Account {
	t.Helper()
	opened, err := c.OpenAccount(t.Context(), escrow.OpenAccount{Key: escrow.PublicKey(account(1).Public().(ed25519.PublicKey))})
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// TestFirstStartMakesWhatIsMissing, and the second keeps it: name, certificate
// and receipt key are what clients pin.
func TestFirstStartMakesWhatIsMissing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	cfg := app.Config{DataDir: dir}
	first, stop := start(t, cfg)
	info, err := client(t, first, nil).Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.Name != "127.0.0.1" || len(info.Currencies) != 1 || info.Currencies[0] != (payment.Currency{Name: "127.0.0.1", Scale: 2, Unit: "EUR"}) {
		t.Errorf("info: %+v", info)
	}
	for _, file := range []string{"receipt.key", "tls.key", "escrow.db"} {
		if stat, err := os.Stat(filepath.Join(dir, file)); err != nil || stat.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", file, stat, err)
		}
	}
	// The certificate's file works as an authority, by each of its names.
	pem, err := os.ReadFile(first.CertFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	for _, host := range []string{"127.0.0.1", "localhost"} {
		c := client(t, first, func(cfg *escrowclient.Config) {
			cfg.BaseURL, cfg.Fingerprint, cfg.Roots = strings.Replace(cfg.BaseURL, "127.0.0.1", host, 1), "", roots
		})
		open(t, c)
	}
	stop()
	second, _ := start(t, cfg)
	again, err := client(t, second, nil).Info(t.Context())
	if err != nil || second.Fingerprint != first.Fingerprint || again.ReceiptKey.ID() != info.ReceiptKey.ID() {
		t.Errorf("after a restart: %v, fingerprint %s and %s, key %s and %s", err, second.Fingerprint, first.Fingerprint,
			again.ReceiptKey.ID(), info.ReceiptKey.ID())
	}
	if line := second.String(); !strings.Contains(line, second.URL) || !strings.Contains(line, second.Fingerprint) || !strings.Contains(line, dir) {
		t.Errorf("the ready line is %q", line)
	}
}

// TestRequestsForAnotherEscrowAreRefused: what was signed for one name is not
// taken by an escrow of another.
func TestRequestsForAnotherEscrowAreRefused(t *testing.T) {
	ready, _ := start(t, app.Config{DataDir: t.TempDir(), NoTLS: true, Name: "escrow.example"})
	c := client(t, ready, func(cfg *escrowclient.Config) { cfg.Transport = hostChanger("evil.example") })
	if _, err := c.Account(t.Context()); !errors.Is(err, escrow.Unauthorized) {
		t.Errorf("signed for another: %v", err)
	}
	c = client(t, ready, func(cfg *escrowclient.Config) { cfg.Transport = hostChanger("escrow.example") })
	if _, err := c.OpenAccount(t.Context(), escrow.OpenAccount{Key: escrow.PublicKey(account(1).Public().(ed25519.PublicKey))}); err == nil {
		t.Error("the host was changed after signing, and the request is taken")
	}
}

func TestVoucherVerifyInfoBesideARunningEscrow(t *testing.T) {
	cfg := app.Config{DataDir: t.TempDir(), Name: "escrow.example", Operator: "Example Foundation",
		Currencies: []payment.Currency{{Name: "escrow.example", Scale: 2, Unit: "EUR"}, {Name: "a.example", Unit: "PTS"}, {Name: "b.example", Unit: "PTS"}}}
	ready, _ := start(t, cfg)
	c := client(t, ready, nil)
	open(t, c)
	for i, tt := range []struct {
		currency, amount string
		want             error
	}{
		{"escrow.example", "5.00", nil}, {"eur", "0.50", nil}, {"PTS", "1", app.ErrConfig}, {"USD", "1", app.ErrConfig},
		{"EUR", "5.001", app.ErrConfig}, {"EUR", "0", app.ErrConfig}, {"EUR", "-1", app.ErrConfig}, {"b.example", "7", nil},
	} {
		code, currency, err := app.NewVoucher(t.Context(), cfg, tt.currency, tt.amount)
		if tt.want != nil {
			if !errors.Is(err, tt.want) || code != "" {
				t.Errorf("%s %s: %q, %v", tt.currency, tt.amount, code, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s %s: %v", tt.currency, tt.amount, err)
		}
		if _, err := c.TopUp(t.Context(), escrow.TopUp{ID: fmt.Sprintf("topup-of-test-%d", i), Voucher: code}); err != nil {
			t.Errorf("%s: top up: %v", currency.Name, err)
		}
	}
	account, err := c.Account(t.Context())
	if err != nil || account.Balances[0].Available != 550 || account.Balances[2].Available != 7 {
		t.Errorf("balances %+v, %v", account.Balances, err)
	}
	report, err := app.Verify(t.Context(), cfg)
	if err != nil || len(report.Faults) != 0 || len(report.Lines) == 0 {
		t.Errorf("verify: %+v, %v", report, err)
	}
	info, err := app.Info(t.Context(), cfg)
	if err != nil || info.Operator != "Example Foundation" || info.Fingerprint != ready.Fingerprint {
		t.Errorf("info: %+v, %v", info, err)
	}
}

func TestVerifyFindsMoneyFromNowhere(t *testing.T) {
	cfg := app.Config{DataDir: t.TempDir(), Name: "escrow.example"}
	ready, stop := start(t, cfg)
	c := client(t, ready, nil)
	open(t, c)
	code, _, err := app.NewVoucher(t.Context(), cfg, "EUR", "5.00")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.TopUp(t.Context(), escrow.TopUp{ID: "topup-1-of-test", Voucher: code}); err != nil {
		t.Fatal(err)
	}
	stop()
	db, err := sql.Open("sqlite", filepath.Join(cfg.DataDir, "escrow.db"))
	if err != nil {
		t.Fatal(err)
	}
	result, err := db.Exec("UPDATE balance SET available = available + 1 WHERE available > 0")
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := result.RowsAffected(); n == 0 {
		t.Fatal("nothing was forged")
	}
	db.Close()
	report, err := app.Verify(t.Context(), cfg)
	if !errors.Is(err, app.ErrFaults) || len(report.Faults) == 0 {
		t.Errorf("verify after forging: %+v, %v", report, err)
	}
}

func TestWhatStopsAStart(t *testing.T) {
	running := app.Config{DataDir: t.TempDir()}
	ready, _ := start(t, running)
	_, port, _ := strings.Cut(strings.TrimPrefix(ready.URL, "https://"), ":")

	lostKey := app.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0"}
	_, stop := start(t, lostKey)
	stop()
	if err := os.Remove(filepath.Join(lostKey.DataDir, "receipt.key")); err != nil {
		t.Fatal(err)
	}
	openKey := app.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0"}
	_, stop = start(t, openKey)
	stop()
	if err := os.Chmod(filepath.Join(openKey.DataDir, "receipt.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		cfg  app.Config
		want error
	}{
		"in use":               {running, app.ErrData},
		"port taken":           {app.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:" + port}, app.ErrListen},
		"receipt key lost":     {lostKey, app.ErrData},
		"receipt key readable": {openKey, app.ErrData},
		"no TLS for all":       {app.Config{DataDir: t.TempDir(), Listen: "0.0.0.0:0", NoTLS: true}, app.ErrConfig},
		"certificate missing":  {app.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0", CertFile: "/none", KeyFile: "/none"}, app.ErrConfig},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		tt.cfg.Log = slog.New(slog.DiscardHandler)
		if err := app.Run(ctx, tt.cfg); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		cancel()
	}
}

// TestAStartThatFailsFixesNothing: the next one is told everything anew.
func TestAStartThatFailsFixesNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := app.Config{DataDir: t.TempDir(), Name: "escow.example", Listen: taken.Addr().String(),
		Keep: func() error { t.Error("the settings are kept"); return nil }}
	if err := app.Run(t.Context(), cfg); !errors.Is(err, app.ErrListen) {
		t.Fatal(err)
	}
	cfg.Listen, cfg.Metrics = "127.0.0.1:0", taken.Addr().String()
	if err := app.Run(t.Context(), cfg); !errors.Is(err, app.ErrListen) {
		t.Fatal(err)
	}
	for _, name := range files(t, cfg.DataDir) {
		if !strings.HasPrefix(name, "lock") {
			t.Errorf("%s was made", name)
		}
	}
}

// TestStrangersAreRefusedAtTheDoor: before their request costs memory.
func TestStrangersAreRefusedAtTheDoor(t *testing.T) {
	ready, _ := start(t, app.Config{DataDir: t.TempDir()})
	c := client(t, ready, nil)
	if _, err := c.Account(t.Context()); !errors.Is(err, escrow.NotFound) || !strings.Contains(err.Error(), "this key has no account at this escrow") {
		t.Errorf("before opening: %v", err)
	}
	open(t, c)
	if _, err := c.Account(t.Context()); err != nil {
		t.Errorf("after opening: %v", err)
	}
}
