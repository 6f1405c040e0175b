package app_test

import (
	"crypto/ed25519"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
	"earnest/escrowserver"
)

func fetch(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, response.Status, err)
	}
	return string(text)
}

// The metrics tell what happened, and of nobody.
func TestMetricsTellWhatHappensAndNameNobody(t *testing.T) {
	cfg := app.Config{DataDir: t.TempDir(), Name: "escrow.example", Metrics: "127.0.0.1:0"}
	ready, _ := start(t, cfg)
	c := client(t, ready, nil)
	paid(t, c, cfg)
	if _, err := c.TopUp(t.Context(), escrow.TopUp{ID: "topup-2-of-test", Voucher: "EARN-AAAA-BBBB-CCCC-DDDD"}); err == nil {
		t.Fatal("a voucher that is none was taken")
	}
	text := fetch(t, ready.Metrics)
	for _, want := range []string{
		`earnest_operations_total{code="ok",operation="open"} 1`, `earnest_operations_total{code="ok",operation="topup"} 1`,
		`earnest_operations_total{code="` + string(escrow.BadVoucher) + `",operation="topup"} 1`,
		`earnest_money_available{currency="escrow.example",holder="people"} 500`,
		`earnest_money_available{currency="escrow.example",holder="issuance"} -500`,
		`earnest_topups{currency="escrow.example",kind="voucher"} 1`, `earnest_topups_amount{currency="escrow.example",kind="voucher"} 500`,
		`earnest_topups{currency="escrow.example",kind="payment"} 0`, `earnest_topups_amount{currency="escrow.example",kind="welcome"} 0`,
		"earnest_queue_operations 0", "earnest_sweeper_lag_seconds 0", "earnest_batch_seconds_count", "earnest_accounts 1",
		`earnest_http_seconds_count{operation="POST /v1/account`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("not told: %s", want)
		}
	}
	me := escrow.PublicKey(account(1).Public().(ed25519.PublicKey))
	if strings.Contains(text, string(me.ID())) {
		t.Error("an account is named")
	}
	// Off unless asked for, and for this machine only.
	cfg.Metrics = "0.0.0.0:9100"
	if err := app.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "metrics") {
		t.Errorf("for everybody: %v", err)
	}
}

// What the escrow did is published, signed with the key that people pin.
func TestSignedTotalsArePublished(t *testing.T) {
	cfg := app.Config{DataDir: t.TempDir(), Name: "escrow.example"}
	ready, _ := start(t, cfg)
	c := client(t, ready, nil)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		info, err := c.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, signed := range info.Totals {
			var totals escrowserver.Totals
			if err := escrow.Verify(signed, escrow.KindTotals, ed25519.PublicKey(info.ReceiptKey), &totals); err != nil || totals.Escrow != "escrow.example" {
				t.Errorf("%+v, %v", totals, err)
			}
		}
		if len(info.Totals) == 3 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d totals are published", len(info.Totals))
		}
	}
}
