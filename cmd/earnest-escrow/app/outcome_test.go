package app_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
	"earnest/escrowclient"
)

// rows is the operator's log, the oldest first.
func rows(t *testing.T, cfg app.Config) (all []string) {
	t.Helper()
	status, err := app.ReadStatus(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range status.Log {
		all = append([]string{line.What}, all...)
	}
	return all
}

// TestTheLogTellsHowADeedEnded: what was refused does not read as if it were done.
func TestTheLogTellsHowADeedEnded(t *testing.T) {
	cfg := made(t, nil)
	if _, err := app.EndPayout(t.Context(), cfg, "zzz", true, "ref"); escrow.CodeOf(err) != escrow.NotFound {
		t.Fatal(err)
	}
	code, _, err := app.NewVoucher(t.Context(), cfg, "EUR", "5")
	if err != nil {
		t.Fatal(err)
	}
	log := rows(t, cfg)
	want := []string{"asked for: payout paid zzz", "not done: payout paid zzz: ", "asked for: voucher over 5.00 EUR", "done: voucher over 5.00 EUR, " + app.VoucherID(code)}
	if len(log) != len(want) {
		t.Fatalf("the log is %q", log)
	}
	for i := range want {
		if !strings.HasPrefix(log[i], want[i]) {
			t.Errorf("row %d is %q, want %q", i, log[i], want[i])
		}
	}
}

// TestAVoucherIsRevokedByItsID, and then buys nothing; one that was redeemed stays.
func TestAVoucherIsRevokedByItsID(t *testing.T) {
	cfg := made(t, func(c *escrowclient.Client, cfg app.Config) { paid(t, c, cfg) })
	ready, _ := start(t, cfg)
	c := client(t, ready, nil)
	code, _, err := app.NewVoucher(t.Context(), cfg, "EUR", "500")
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := app.OpenVouchers(t.Context(), cfg)
	if err != nil || len(list) != 1 || list[0].ID() != app.VoucherID(code) || strings.Contains(code, list[0].ID()) || list[0].Amount != 50000 {
		t.Fatalf("open: %+v, %v", list, err)
	}
	if status, err := app.ReadStatus(t.Context(), cfg); err != nil || status.Sums(status.Figures.Vouchers) != "1, 500.00 EUR" {
		t.Errorf("promised: %v, %v", status.Figures.Vouchers, err)
	}
	if _, _, err := app.RevokeVoucher(t.Context(), cfg, code); !errors.Is(err, app.ErrConfig) || strings.Contains(err.Error(), code[10:]) {
		t.Errorf("by its code: %v", err)
	}
	cfg.Why = "a slip"
	if v, _, err := app.RevokeVoucher(t.Context(), cfg, list[0].ID()); err != nil || v.Amount != 50000 {
		t.Errorf("%+v, %v", v, err)
	}
	if _, _, err := app.RevokeVoucher(t.Context(), cfg, list[0].ID()); escrow.CodeOf(err) != escrow.NotFound {
		t.Errorf("again: %v", err)
	}
	if _, err := c.TopUp(t.Context(), escrow.TopUp{ID: "topup-2-of-test", Voucher: code}); escrow.CodeOf(err) != escrow.BadVoucher {
		t.Errorf("a revoked voucher: %v", err)
	}
	if report, err := app.Verify(t.Context(), cfg); err != nil || len(report.Faults) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if log := strings.Join(rows(t, cfg), "\n"); !strings.Contains(log, "done: revoke voucher "+list[0].ID()) {
		t.Errorf("the log is %s", log)
	}
}

// TestACreditSaidTwiceIsGivenOnce without an id, and its amount is checked before the
// log is written.
func TestACreditSaidTwiceIsGivenOnce(t *testing.T) {
	cfg := made(t, nil)
	ready, _ := start(t, cfg)
	c := client(t, ready, nil)
	account := open(t, c)
	grant := app.GrantRequest{Account: string(account.ID), Currency: "EUR", Amount: "5.00", Reason: "sorry"}
	first, _, err := app.Grant(t.Context(), cfg, grant)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := app.Grant(t.Context(), cfg, grant)
	if err != nil || again.ID != first.ID || !again.MadeAt.Equal(first.MadeAt) {
		t.Errorf("again: %+v, %v", again, err)
	}
	// Also where the clock has gone on into the next slot, but not for long.
	for after, id := range map[int]bool{9: true, 25: false} {
		later := cfg
		later.Now = func() time.Time { return first.MadeAt.Add(time.Duration(after) * time.Minute) }
		line, _, err := app.Grant(t.Context(), later, grant)
		if err != nil || (line.ID == first.ID) != id {
			t.Errorf("after %d minutes: %+v, %v", after, line, err)
		}
	}
	grant.Amount = "5.001"
	before := len(rows(t, cfg))
	if _, _, err := app.Grant(t.Context(), cfg, grant); !errors.Is(err, app.ErrCommand) || len(rows(t, cfg)) != before {
		t.Errorf("a wrong amount: %v", err)
	}
	grant.Amount, grant.Account = "1", "none"
	if _, _, err := app.Grant(t.Context(), cfg, grant); escrow.CodeOf(err) != escrow.NotFound || !strings.Contains(err.Error(), "no account none at this escrow") {
		t.Errorf("an unknown account: %v", err)
	}
}

// TestPayoutsThatWaitAreTold in status and metrics, apart from bonds.
func TestPayoutsThatWaitAreTold(t *testing.T) {
	cfg := made(t, func(c *escrowclient.Client, cfg app.Config) { paid(t, c, cfg) })
	cfg.Metrics = "127.0.0.1:0"
	ready, _ := start(t, cfg)
	c := client(t, ready, nil)
	for _, to := range []string{"IBAN \u202dDE1", "IBAN \u2067DE1", "IBAN \u009bDE1", "IBAN \u200bDE1", "IBAN \u2069DE1"} {
		if _, err := c.AskPayout(t.Context(), escrow.PayoutRequest{ID: "payout-of-test", Currency: "escrow.example", Amount: 200, To: to}); escrow.CodeOf(err) != escrow.Invalid {
			t.Errorf("%q is taken: %v", to, err)
		}
	}
	if _, err := c.AskPayout(t.Context(), escrow.PayoutRequest{ID: "payout-of-test", Currency: "escrow.example", Amount: 200, To: "IBAN DE1, Jörg Ünal"}); err != nil {
		t.Fatal(err)
	}
	status, err := app.ReadStatus(t.Context(), cfg)
	if err != nil || status.Sums(status.Figures.Payouts) != "1, 2.00 EUR" || !strings.Contains(strings.Join(status.Warnings, "\n"), "payouts wait") {
		t.Errorf("%+v, %v", status, err)
	}
	for _, m := range status.Figures.Money {
		if m.Holder == "people" && status.Held(m) != "2.00 EUR (for bonds 0.00 EUR, for payouts 2.00 EUR)" {
			t.Errorf("held: %s", status.Held(m))
		}
	}
	text := fetch(t, ready.Metrics)
	for _, want := range []string{`earnest_payouts_waiting{currency="escrow.example"} 1`, `earnest_payouts_waiting_amount{currency="escrow.example"} 200`, `earnest_debts_open{currency="escrow.example"} 0`,
		`earnest_payouts_paying{currency="escrow.example"} 0`} {
		if !strings.Contains(text, want) {
			t.Errorf("not told: %s", want)
		}
	}
	if !strings.Contains(ready.String(), ready.Metrics) {
		t.Errorf("the ready line is %q", ready)
	}
	later := cfg
	later.Now = func() time.Time { return time.Now().Add(escrow.PayoutWait + time.Minute) }
	queue, _, err := app.ReadQueue(t.Context(), later)
	if err != nil || len(queue.Payouts) != 1 {
		t.Fatalf("%+v, %v", queue, err)
	}
	begun, _, err := app.BeginPayout(t.Context(), later, queue.Payouts[0].ID, false)
	if err != nil || begun.BegunBy == "" || begun.To != "IBAN DE1, Jörg Ünal" {
		t.Fatalf("%+v, %v", begun, err)
	}
	if _, _, err := app.BeginPayout(t.Context(), later, begun.ID, false); !errors.Is(err, escrow.Conflict) || !strings.Contains(err.Error(), begun.BegunBy) {
		t.Errorf("begun again: %v", err)
	}
	status, err = app.ReadStatus(t.Context(), later)
	if err != nil || status.Sums(status.Figures.Payouts) != "1, 2.00 EUR" || status.Sums(status.Figures.Paying) != "1, 2.00 EUR" ||
		!strings.Contains(strings.Join(status.Warnings, "\n"), "begun and not ended: 1, 2.00 EUR") {
		t.Errorf("begun: %+v, %v", status, err)
	}
	if list, err := c.Payouts(t.Context()); err != nil || len(list) != 1 || list[0].State != escrow.PayoutPaying {
		t.Errorf("its owner sees %+v, %v", list, err)
	}
	if _, err := c.CancelPayout(t.Context(), "payout-of-test"); !errors.Is(err, escrow.TooLate) {
		t.Errorf("cancelled: %v", err)
	}
	if text := app.Printable("a\u202db\u009bc\nd"); text != "a<U+202D>b<U+009B>c d" {
		t.Errorf("shown as %q", text)
	}
}

// TestAnExportOverwritesNothing, as a backup does not.
func TestAnExportOverwritesNothing(t *testing.T) {
	cfg := made(t, nil)
	file := filepath.Join(t.TempDir(), "export")
	if _, err := app.ExportFile(t.Context(), cfg, nil, file); err != nil {
		t.Fatal(err)
	}
	if _, err := app.ExportFile(t.Context(), cfg, nil, file); !errors.Is(err, app.ErrCommand) {
		t.Errorf("again: %v", err)
	}
}
