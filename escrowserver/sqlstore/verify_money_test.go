package sqlstore

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"testing"

	"earnest/escrowserver/servicetest"
)

// TestVerifyFindsMoneyThatWasMadeUp damages credits, checkouts, welcomes and payouts
// in every way that Verify looks for.
func TestVerifyFindsMoneyThatWasMadeUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	h := servicetest.NewHarness(t, s)
	servicetest.MoneyStory(t, h)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	books, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]string{
		"a credit made larger":             `UPDATE credit SET amount = amount + 1 WHERE kind = 'operator'`,
		"a credit in other money":          `UPDATE credit SET currency = 'points.example' WHERE kind = 'operator'`,
		"a credit of another account":      `UPDATE credit SET account = (SELECT account FROM welcome) WHERE kind = 'operator'`,
		"a credit for another reason":      `UPDATE credit SET reason = 'another' WHERE kind = 'operator'`,
		"a credit by another":              `UPDATE credit SET by_whom = 'eve' WHERE kind = 'operator'`,
		"a credit of another time":         `UPDATE credit SET made_at = made_at + 1 WHERE kind = 'operator'`,
		"a credit unsigned":                `UPDATE credit SET signed = ''`,
		"a credit lost":                    `DELETE FROM credit WHERE kind = 'operator'`,
		"a credit of another kind":         `UPDATE credit SET kind = 'payment' WHERE kind = 'operator'`,
		"a credit that moved nothing":      `INSERT INTO credit SELECT 'x', kind, account, currency, amount, reason, by_whom, signed, made_at FROM credit WHERE kind = 'operator'`,
		"a payment's credit lost":          `DELETE FROM credit WHERE kind = 'payment'`,
		"a checkout not paid":              `UPDATE checkout SET state = 'open' WHERE state = 'paid'`,
		"a checkout paid by nobody":        `UPDATE checkout SET state = 'paid' WHERE state = 'open'`,
		"a checkout made larger":           `UPDATE checkout SET amount = amount + 1 WHERE state = 'paid'`,
		"a checkout of another account":    `UPDATE checkout SET account = (SELECT account FROM welcome) WHERE state = 'paid'`,
		"a checkout of another provider":   `UPDATE checkout SET provider = 'x' WHERE state = 'paid'`,
		"a checkout lost":                  `DELETE FROM checkout WHERE state = 'paid'`,
		"a debt of what was not credited":  `UPDATE debt SET checkout = (SELECT id FROM checkout WHERE state = 'open')`,
		"a welcome lost":                   `DELETE FROM welcome`,
		"a welcome of another account":     `UPDATE welcome SET account = (SELECT account FROM credit WHERE kind = 'operator')`,
		"a welcome made larger":            `UPDATE welcome SET amount = amount + 1`,
		"a welcome of another mailbox":     `UPDATE welcome SET mailbox = 'x'`,
		"a payout made larger":             `UPDATE payout SET amount = amount + 1 WHERE state = 'asked'`,
		"a payout of another account":      `UPDATE payout SET account = (SELECT account FROM welcome) WHERE state = 'asked'`,
		"a payout in other money":          `UPDATE payout SET currency = 'points.example' WHERE state = 'asked'`,
		"a payout paid by nobody":          `UPDATE payout SET state = 'paid', ended_at = not_before, note = 'x' WHERE state = 'asked'`,
		"a payout refused, and paid":       `UPDATE payout SET state = 'refused' WHERE state = 'paid'`,
		"a payout asked for again":         `UPDATE payout SET state = 'asked', ended_at = 0 WHERE state = 'refused'`,
		"a payout paid early":              `UPDATE payout SET not_before = ended_at + 1 WHERE state = 'paid'`,
		"a payout to a thief":              `UPDATE payout SET destination = 'a thief''s bank' WHERE state = 'asked'`,
		"a payout that is due earlier":     `UPDATE payout SET not_before = not_before - 1 WHERE state = 'asked'`,
		"a payout asked for earlier":       `UPDATE payout SET asked_at = asked_at - 1 WHERE state = 'asked'`,
		"a payout unsigned":                `UPDATE payout SET signed = '' WHERE state = 'asked'`,
		"a payout made forgotten":          `UPDATE payout SET signed = '', destination = '' WHERE state = 'paid'`,
		"a payout without its word":        `UPDATE payout SET note = '' WHERE state = 'paid'`,
		"a payout that ended while asked":  `UPDATE payout SET ended_at = asked_at WHERE state = 'asked'`,
		"a payout begun by nobody":         `UPDATE payout SET begun_at = not_before WHERE state = 'asked' AND begun_at = 0`,
		"a payout begun by a thief":        `UPDATE payout SET begun_at = not_before, begun_by = 'root' WHERE state = 'asked' AND begun_at = 0`,
		"a payout begun by another":        `UPDATE payout SET begun_by = 'eve' WHERE state = 'asked' AND begun_at > 0`,
		"a payout not begun any more":      `UPDATE payout SET begun_at = 0, begun_by = '' WHERE state = 'asked' AND begun_at > 0`,
		"a payout begun after its end":     `UPDATE payout SET ended_at = begun_at - 1 WHERE state = 'paid'`,
		"a payout lost":                    `DELETE FROM payout WHERE state = 'paid'`,
		"money to the payouts' own holder": `UPDATE entry SET payee = 'payouts' WHERE payer = 'issuance' AND transfer LIKE 'credit:%'`,
	} {
		t.Run(name, func(t *testing.T) {
			mustBeFound(t, books, h.Server.ReceiptKey(), damage)
		})
	}
}

// mustBeFound harms a copy of sound books.
func mustBeFound(t *testing.T, books []byte, key ed25519.PublicKey, damage string) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "books.db")
	if err := os.WriteFile(copied, books, 0o600); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, copied)
	if faults := faults(t, s, key); len(faults) > 0 {
		t.Fatalf("sound books have faults: %q", faults)
	}
	harm(t, s, damage)
	if faults := faults(t, s, key); len(faults) == 0 {
		t.Error("the damage was not found")
	}
}
