package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
)

// TestOperatorsMoneyBesideARunningEscrow: a credit, then its payout refused, and each
// in the log.
func TestOperatorsMoneyBesideARunningEscrow(t *testing.T) {
	cfg := app.Config{DataDir: t.TempDir(), Name: "escrow.example"}
	ready, _ := start(t, cfg)
	c := client(t, ready, nil)
	account := open(t, c)
	grant := app.GrantRequest{ID: "grant-of-test", Account: string(account.ID), Currency: "EUR", Amount: "5.00", Reason: "sorry"}
	for range 2 {
		if _, _, err := app.Grant(t.Context(), cfg, grant); err != nil {
			t.Fatal(err)
		}
	}
	page, err := c.Movements(t.Context(), 0, 0)
	if err != nil || len(page.Movements) != 1 || page.Movements[0].Amount != 500 || page.Movements[0].Reason != "sorry" {
		t.Fatalf("movements %+v, %v", page.Movements, err)
	}
	if _, err := c.AskPayout(t.Context(), escrow.PayoutRequest{ID: "payout-of-test", Currency: "escrow.example", Amount: 200, To: "IBAN"}); err != nil {
		t.Fatal(err)
	}
	queue, _, err := app.ReadQueue(t.Context(), cfg)
	if err != nil || len(queue.Payouts) != 1 {
		t.Fatalf("queue %+v, %v", queue, err)
	}
	if _, _, err := app.BeginPayout(t.Context(), cfg, queue.Payouts[0].ID, false); !errors.Is(err, escrow.Forbidden) {
		t.Fatalf("begun before 48 hours: %v", err)
	}
	if _, _, err := app.BeginPayout(t.Context(), cfg, queue.Payouts[0].ID, true); !errors.Is(err, app.ErrCommand) {
		t.Fatalf("paid before a restore that never was: %v", err)
	}
	if _, err := app.EndPayout(t.Context(), cfg, queue.Payouts[0].ID, true, "ref"); !errors.Is(err, escrow.Forbidden) {
		t.Fatalf("paid before it was begun: %v", err)
	}
	if _, err := app.EndPayout(t.Context(), cfg, queue.Payouts[0].ID, false, "no such bank"); err != nil {
		t.Fatal(err)
	}
	list, err := c.Payouts(t.Context())
	if err != nil || len(list) != 1 || list[0].State != escrow.PayoutRefused || list[0].Note != "no such bank" {
		t.Fatalf("payouts %+v, %v", list, err)
	}
	if report, err := app.Verify(t.Context(), cfg); err != nil || len(report.Faults) > 0 {
		t.Fatalf("verify: %+v, %v", report, err)
	}
}

// TestCardSecretsAreTheOwnersOnly: a file that others may read is refused, and no
// refusal shows a secret.
func TestCardSecretsAreTheOwnersOnly(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, webhook := file("key", "sk_test_0123456789\n", 0o600), file("webhook", "whsec_0123456789\n", 0o600)
	for name, card := range map[string]app.CardSettings{
		"readable": {Provider: "stripe", KeyFile: file("open", "sk_test_0123456789", 0o644), WebhookSecretFile: webhook},
		"missing":  {Provider: "stripe", KeyFile: key},
		"unknown":  {Provider: "paypal", KeyFile: key, WebhookSecretFile: webhook},
		"no TLS":   {Provider: "stripe", KeyFile: key, WebhookSecretFile: webhook, URL: "http://api.example"},
		"for ever": {Provider: "stripe", KeyFile: key, WebhookSecretFile: webhook, Hold: "366d"},
		"no hold":  {Hold: "two weeks"},
	} {
		err := app.Run(t.Context(), app.Config{DataDir: filepath.Join(dir, name), Listen: "127.0.0.1:0", Card: card})
		if !errors.Is(err, app.ErrConfig) || strings.Contains(err.Error(), "0123456789") {
			t.Errorf("%s: %v", name, err)
		}
	}
	ready, _ := start(t, app.Config{DataDir: filepath.Join(dir, "right"), Card: app.CardSettings{Provider: "stripe", KeyFile: key, WebhookSecretFile: webhook}})
	info, err := client(t, ready, nil).Info(t.Context())
	if err != nil || len(info.Checkouts) != 1 || info.CheckoutHold != 14*24*60*60 {
		t.Errorf("info %+v, %d, %v", info.Checkouts, info.CheckoutHold, err)
	}
	ready, _ = start(t, app.Config{DataDir: filepath.Join(dir, "at once"), Card: app.CardSettings{Provider: "stripe", KeyFile: key, WebhookSecretFile: webhook, Hold: "0s"}})
	if info, err = client(t, ready, nil).Info(t.Context()); err != nil || info.CheckoutHold != 0 {
		t.Errorf("paid out at once: %d, %v", info.CheckoutHold, err)
	}
}

// TestLeastPayoutSettings: in the file's words, by currency, and told to whoever asks.
func TestLeastPayoutSettings(t *testing.T) {
	settings := func(payouts string) app.Config {
		t.Helper()
		dir := t.TempDir()
		s, err := app.ReadSettings(dir, write(t, "version = 1\nname = 'escrow.example'\nlisten = '127.0.0.1:0'\n"+payouts+
			"[[currency]]\nname = 'escrow.example'\nscale = 2\nunit = 'EUR'\n"))
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := s.Config(dir)
		if err != nil && !errors.Is(err, app.ErrConfig) {
			t.Errorf("%s: %v", payouts, err)
		}
		if err != nil {
			cfg.DataDir = ""
		}
		return cfg
	}
	for name, payouts := range map[string]string{
		"no currency": "[[payout]]\ncurrency = 'USD'\nleast = '5.00'\n", "no amount": "[[payout]]\ncurrency = 'EUR'\nleast = 'x'\n",
		"more digits": "[[payout]]\ncurrency = 'EUR'\nleast = '5.000'\n", "nothing": "[[payout]]\ncurrency = 'EUR'\nleast = '0'\n",
		"twice": "[[payout]]\ncurrency = 'EUR'\nleast = '5'\n[[payout]]\ncurrency = 'escrow.example'\nleast = '6'\n",
	} {
		if settings(payouts).DataDir != "" {
			t.Errorf("%s: taken", name)
		}
	}
	ready, _ := start(t, settings("[[payout]]\ncurrency = 'EUR'\nleast = '5.00'\n"))
	info, err := client(t, ready, nil).Info(t.Context())
	if want := (escrow.LeastPayout{Currency: "escrow.example", Amount: 500}); err != nil || !slices.Equal(info.LeastPayouts, []escrow.LeastPayout{want}) {
		t.Errorf("info %+v, %v", info.LeastPayouts, err)
	}
}

func TestWelcomeSettings(t *testing.T) {
	for name, welcome := range map[string]app.WelcomeSettings{
		"no limits": {Amount: "0.50", Currency: "EUR"}, "no currency": {Amount: "0.50", Currency: "USD", PerDomain: 1, PerDay: 1},
		"no amount": {Amount: "x", Currency: "EUR", PerDomain: 1, PerDay: 1},
	} {
		if err := app.Run(t.Context(), app.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0", Welcome: welcome}); !errors.Is(err, app.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	start(t, app.Config{DataDir: t.TempDir(), Welcome: app.WelcomeSettings{Amount: "0.50", Currency: "EUR", PerDomain: 5, PerDay: 50}})
}
