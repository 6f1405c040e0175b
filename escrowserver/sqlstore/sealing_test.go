package sqlstore

import (
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
)

// sealingDamages are in the escrow's words on orders, and on older rows.
func sealingDamages() map[string]string {
	return map[string]string{
		"an order that nobody took":         `UPDATE account_order SET signed = '' WHERE action = 'freeze'`,
		"an order taken as another was":     `UPDATE account_order SET signed = (SELECT MAX(b.signed) FROM account_order b WHERE b.hash <> account_order.hash) WHERE action = 'freeze'`,
		"an order taken a moment later":     `UPDATE account_order SET made_at = made_at + 1 WHERE action = 'rotate'`,
		"an order's word made up":           `UPDATE account_order SET signed = replace(signed, 'a', 'b')`,
		"the word on older orders lost":     `DELETE FROM sealing WHERE kind = 'orders'`,
		"the word on older orders made up":  `UPDATE sealing SET signed = replace(signed, 'a', 'b') WHERE kind = 'orders'`,
		"the word on older orders is other": `UPDATE sealing SET signed = (SELECT text FROM note WHERE name = 'sealed') WHERE kind = 'orders'`,
		"the word on older lists lost":      `DELETE FROM sealing WHERE kind = 'inventories'`,
		"the word on older lists is other":  `UPDATE sealing SET signed = (SELECT signed FROM sealing WHERE kind = 'orders') WHERE kind = 'inventories'`,
	}
}

// TestVerifyFindsAnOrderThatSomebodyMadeUp, with a signing key of his own, and with all that
// such an order does: it takes an account over, or ends a freeze.
func TestVerifyFindsAnOrderThatSomebodyMadeUp(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		h := servicetest.NewHarness(t, s)
		key, thief, next := newKey(t), newKey(t), newKey(t)
		id := publicOf(key).ID()
		if _, err := h.As(key).OpenAccount(t.Context(), escrow.OpenAccount{Key: publicOf(key)}); err != nil {
			t.Fatal(err)
		}
		signed := func(by ed25519.PrivateKey, kind escrow.Kind, what any) escrow.Signed {
			t.Helper()
			signed, err := escrow.Sign(by, kind, what)
			if err != nil {
				t.Fatal(err)
			}
			return signed
		}
		freeze := signed(key, escrow.KindOrder, escrow.Order{ID: "freeze", Account: id, Action: escrow.ActionFreeze, Time: h.Clock.Now()})
		if _, err := h.As(nil).Order(t.Context(), freeze); err != nil {
			t.Fatal(err)
		}
		if found := faults(t, s, h.Server.ReceiptKey()); len(found) != 0 {
			t.Fatalf("sound books: %q", found)
		}
		at := h.Clock.Now().Add(1000 * 1000)
		made := func(order escrow.Order) escrow.Signed {
			t.Helper()
			order.ID, order.Account, order.Time = string(order.Action), id, at
			text := signed(thief, escrow.KindOrder, order)
			exec(t, s, `INSERT INTO account_order (hash, account, action, signer, jws, made_at, signed) SELECT ?, ?, ?, ?, ?, ?, signed FROM account_order WHERE action = 'freeze'`,
				text.Hash(), id, order.Action, []byte(publicOf(thief)), text, micros(at))
			return text
		}
		told := func(what string) {
			t.Helper()
			if found := faults(t, s, h.Server.ReceiptKey()); !slices.ContainsFunc(found, func(text string) bool { return strings.Contains(text, "none that the escrow took") }) {
				t.Errorf("%s: %q", what, found)
			}
		}
		made(escrow.Order{Action: escrow.ActionUnfreeze})
		exec(t, s, `UPDATE account SET frozen_at = 0`)
		told("a freeze that was ended")
		exec(t, s, `DELETE FROM account_order WHERE action = 'unfreeze'`)
		accepted := signed(next, escrow.KindNewKey, escrow.NewKey{Account: id, Key: publicOf(next)})
		text := made(escrow.Order{Action: escrow.ActionRotate, Key: publicOf(next), Accepted: accepted})
		exec(t, s, `INSERT INTO replaced_key (key_id, account, public_key, next_key, ordered, replaced_at) VALUES (?, ?, ?, ?, ?, ?)`,
			id, id, []byte(publicOf(key)), publicOf(next).ID(), text, micros(at))
		exec(t, s, `UPDATE account SET public_key = ?, key_id = ?`, []byte(publicOf(next)), publicOf(next).ID())
		told("an account that was taken over")
	})
}

// TestOrdersOfAnOlderProgramAreSignedOnce, and none is ever after, whatever somebody takes
// away.
func TestOrdersOfAnOlderProgramAreSignedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		h := servicetest.NewHarness(t, s)
		servicetest.SafetyStory(t, h)
		restart := func() []string {
			t.Helper()
			if _, err := escrowserver.New(servicetest.Config(s, h.Clock, h.Mails, h.ReceiptSigner)); err != nil {
				t.Fatal(err)
			}
			return faults(t, s, h.Server.ReceiptKey())
		}
		exec(t, s, `UPDATE account_order SET signed = ''`)
		exec(t, s, `DELETE FROM sealing`)
		if found := restart(); len(found) < 4 {
			t.Errorf("orders made to look older, beside inventories of today: %q", found)
		}
		unlisted := func() {
			for _, table := range []string{"inventory", "inventory_log", "inventory_anchor"} {
				exec(t, s, `DELETE FROM `+table)
			}
		}
		unlisted()
		if found := faults(t, s, h.Server.ReceiptKey()); len(found) < 4 {
			t.Errorf("older books: %q", found)
		}
		if found := restart(); len(found) != 0 {
			t.Fatalf("signed: %q", found)
		}
		exec(t, s, `UPDATE account_order SET signed = '' WHERE action = 'release' OR action = 'unfreeze'`)
		if found := restart(); len(found) == 0 || !strings.Contains(strings.Join(found, "\n"), "none that the escrow took") {
			t.Errorf("an order made to look older: %q", found)
		}
		before := len(faults(t, s, h.Server.ReceiptKey()))
		exec(t, s, `DELETE FROM sealing`)
		if found := restart(); len(found) <= before {
			t.Errorf("and without the word: %q", found)
		}
		unlisted()
		if found := restart(); !strings.Contains(strings.Join(found, "\n"), "none that the escrow took") {
			t.Errorf("and without inventories: %q", found)
		}
	})
}
