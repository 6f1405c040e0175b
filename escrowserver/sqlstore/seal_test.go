package sqlstore

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
)

// sealDamages are in rows that the escrow has signed.
func sealDamages() map[string]string {
	const thief = `x'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'`
	return map[string]string{
		"a thief's recovery key":            `UPDATE account SET recovery = ` + thief + ` WHERE LENGTH(recovery) = 32`,
		"a recovery key where none was":     `UPDATE account SET recovery = ` + thief + ` WHERE recovery IS NULL AND deleted_at = 0`,
		"a recovery key taken away":         `UPDATE account SET recovery = NULL WHERE LENGTH(recovery) = 32`,
		"a recovery key and its word lost":  `UPDATE account SET recovery = NULL, recovery_signed = '' WHERE LENGTH(recovery) = 32`,
		"a recovery key's word of another":  `UPDATE account SET recovery_signed = (SELECT MAX(b.recovery_signed) FROM account b WHERE b.id <> account.id) WHERE LENGTH(recovery) = 32`,
		"a deleted account's recovery key":  `UPDATE account SET recovery = ` + thief + ` WHERE deleted_at > 0`,
		"an address of another account":     `UPDATE address SET account = (SELECT MIN(id) FROM account WHERE id <> address.account AND deleted_at = 0) WHERE address = 'bob@recipient.example'`,
		"an address proven for longer":      `UPDATE address SET renew_by = renew_by + 86400000000`,
		"an address proven at another time": `UPDATE address SET proven_at = proven_at - 1`,
		"an address typed otherwise":        `UPDATE address SET typed = 'x' || typed`,
		"an address folded otherwise":       `UPDATE address SET folded = 'x' || folded`,
		"an address made up":                `INSERT INTO address (address, folded, typed, account, proven_at, renew_by, signed) SELECT 'ceo@bank.example', 'ceo@bank.example', 'ceo@bank.example', account, proven_at, renew_by, signed FROM address WHERE address = 'bob@recipient.example'`,
		"an address unsigned":               `UPDATE address SET signed = ''`,
		"a limit raised":                    `UPDATE spending_limit SET per_day = per_day + 1`,
		"a limit lifted":                    `UPDATE spending_limit SET per_day = -1, per_mail = -1, raise_mail = -1, raise_day = -1, raise_at = 0`,
		"a raise of a limit that is near":   `UPDATE spending_limit SET raise_at = raise_at - 1 WHERE raise_at > 0`,
		"a limit of another account":        `UPDATE spending_limit SET account = (SELECT MIN(id) FROM account WHERE id <> spending_limit.account)`,
		"a limit unsigned":                  `UPDATE spending_limit SET signed = ''`,
		"the word on older rows lost":       `DELETE FROM note WHERE name = 'sealed'`,
		"the word on older rows made up":    `UPDATE note SET text = replace(text, 'a', 'b') WHERE name = 'sealed'`,
	}
}

// TestARecoveryKeyThatSomebodyWroteInActsNot: who can write to the books, and so gives an
// account a recovery key of his own, takes no account over by it.
func TestARecoveryKeyThatSomebodyWroteInActsNot(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		h := servicetest.NewHarness(t, s)
		key, backup, thief, next := newKey(t), newKey(t), newKey(t), newKey(t)
		if _, err := h.As(key).OpenAccount(t.Context(), escrow.OpenAccount{Key: publicOf(key), Recovery: publicOf(backup)}); err != nil {
			t.Fatal(err)
		}
		if n := exec(t, s, `UPDATE account SET recovery = ? WHERE id = ?`, []byte(publicOf(thief)), publicOf(key).ID()); n != 1 {
			t.Fatalf("%d rows", n)
		}
		order := func(by ed25519.PrivateKey) error {
			accepted, err := escrow.Sign(next, escrow.KindNewKey, escrow.NewKey{Account: publicOf(key).ID(), Key: publicOf(next)})
			if err != nil {
				t.Fatal(err)
			}
			signed, err := escrow.Sign(by, escrow.KindOrder, escrow.Order{ID: "order", Account: publicOf(key).ID(), Action: escrow.ActionRotate,
				Key: publicOf(next), Accepted: accepted, Time: h.Clock.Now()})
			if err != nil {
				t.Fatal(err)
			}
			if _, err = h.As(nil).Order(t.Context(), signed); err == nil {
				return nil
			}
			// Nor past the first look, within the transaction.
			result := s.Apply(t.Context(), []escrowserver.Op{escrowserver.TakeOrder{Now: h.Clock.Now(), Signed: signed, Seal: escrowserver.SealOf(h.ReceiptSigner)}})[0]
			if result.Err == nil {
				t.Error("the store took it")
			}
			return err
		}
		if err := order(thief); !errors.Is(err, escrow.Unauthorized) {
			t.Errorf("the thief's order: %v", err)
		}
		if n := exec(t, s, `UPDATE account SET recovery = ? WHERE id = ?`, []byte(publicOf(backup)), publicOf(key).ID()); n != 1 {
			t.Fatalf("%d rows", n)
		}
		if err := order(backup); err != nil {
			t.Errorf("the owner's order: %v", err)
		}
		if found := faults(t, s, h.Server.ReceiptKey()); len(found) != 0 {
			t.Errorf("%q", found)
		}
	})
}

// twoPayouts are one that the operator has begun to pay, and one that is asked for.
func twoPayouts(t *testing.T, s *Store) (h servicetest.Harness, begun, asked escrowserver.PayoutRecord) {
	t.Helper()
	h = servicetest.NewHarness(t, s)
	servicetest.MoneyStory(t, h)
	list, err := s.PayoutQueue(t.Context(), h.Clock.Now(), 10)
	if err != nil || len(list) != 2 || list[0].BegunAt.IsZero() || !list[1].BegunAt.IsZero() {
		t.Fatalf("%+v, %v", list, err)
	}
	return h, list[0], list[1]
}

// TestABegunPayoutThatSomebodyChangedIsNotGivenBack: its money may be at the bank. One
// that nobody has begun can be refused, whatever was made of it.
func TestABegunPayoutThatSomebodyChangedIsNotGivenBack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		h, begun, asked := twoPayouts(t, s)
		refuse := func(id string) error {
			_, err := h.Server.EndPayout(t.Context(), id, false, "no such bank", "root")
			return err
		}
		for _, damage := range []string{
			`UPDATE payout SET destination = 'a thief''s bank' WHERE id = ?`,
			`UPDATE payout SET begun_at = 0, begun_by = '' WHERE id = ?`,
			`UPDATE payout SET begun_at = 0, begun_by = '', signed = '' WHERE id = ?`,
			`UPDATE payout SET begun_at = 0, begun_by = '', signed = (SELECT o.signed FROM payout o WHERE o.state = 'asked' AND o.begun_at = 0) WHERE id = ?`,
		} {
			exec(t, s, damage, begun.ID)
			if err := refuse(begun.ID); !errors.Is(err, escrow.Forbidden) || !strings.Contains(err.Error(), "do not pay it again; it cannot be refused") {
				t.Errorf("refused: %s: %v", damage, err)
			}
			cancel := escrowserver.CancelPayout{Now: h.Clock.Now(), Account: begun.Account, Key: begun.Account, ID: begun.ID, Seal: escrowserver.SealOf(h.ReceiptSigner)}
			if err := s.Apply(t.Context(), []escrowserver.Op{cancel})[0].Err; !errors.Is(err, escrow.TooLate) {
				t.Errorf("taken back: %s: %v", damage, err)
			}
			exec(t, s, `UPDATE payout SET destination = ?, begun_at = ?, begun_by = ?, signed = ? WHERE id = ?`, begun.To, micros(begun.BegunAt), begun.BegunBy, begun.Signed, begun.ID)
		}
		exec(t, s, `UPDATE payout SET destination = 'a thief''s bank' WHERE id = ?`, asked.ID)
		if err := errors.Join(refuse(asked.ID), refuse(begun.ID)); err != nil {
			t.Error(err)
		}
	})
}

// TestAPayoutThatSomebodyChangedIsNotPaid: where it goes and when was signed, and that it
// was begun.
func TestAPayoutThatSomebodyChangedIsNotPaid(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		h, begun, asked := twoPayouts(t, s)
		begin := func() error {
			_, err := h.Server.BeginPayout(t.Context(), asked.ID, "root", time.Time{})
			return err
		}
		pay := func(id string) error {
			_, err := h.Server.EndPayout(t.Context(), id, true, "ref", "root")
			return err
		}
		restore := func() {
			for _, p := range []escrowserver.PayoutRecord{begun, asked} {
				exec(t, s, `UPDATE payout SET destination = ?, not_before = ?, begun_at = ?, begun_by = ?, signed = ? WHERE id = ?`,
					p.To, micros(p.NotBefore), micros(p.BegunAt), p.BegunBy, p.Signed, p.ID)
			}
		}
		for _, damage := range []string{
			`UPDATE payout SET destination = 'a thief''s bank' WHERE state = 'asked'`,
			`UPDATE payout SET not_before = not_before - 86400000000 WHERE state = 'asked'`,
			`UPDATE payout SET signed = '' WHERE state = 'asked'`,
		} {
			exec(t, s, damage)
			if err := begin(); !errors.Is(err, escrow.Forbidden) {
				t.Errorf("begun: %s: %v", damage, err)
			}
			if err := pay(begun.ID); !errors.Is(err, escrow.Forbidden) {
				t.Errorf("paid: %s: %v", damage, err)
			}
			restore()
		}
		exec(t, s, `UPDATE payout SET begun_at = not_before, begun_by = 'root' WHERE state = 'asked' AND begun_at = 0`)
		if err := pay(asked.ID); !errors.Is(err, escrow.Forbidden) {
			t.Errorf("begun by a thief in the books: %v", err)
		}
		restore()
		if err := errors.Join(begin(), pay(begun.ID), pay(asked.ID)); err != nil {
			t.Error(err)
		}
	})
}

// TestRowsOfAnOlderProgramAreSignedOnce, and no row is ever after, whatever somebody
// takes away.
func TestRowsOfAnOlderProgramAreSignedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		h := servicetest.NewHarness(t, s)
		servicetest.MoneyStory(t, h)
		servicetest.SafetyStory(t, h)
		restart := func() []string {
			t.Helper()
			if _, err := escrowserver.New(servicetest.Config(s, h.Clock, h.Mails, h.ReceiptSigner)); err != nil {
				t.Fatal(err)
			}
			return faults(t, s, h.Server.ReceiptKey())
		}
		for _, table := range []string{`UPDATE account SET recovery_signed = ''`, `UPDATE payout SET signed = ''`, `UPDATE address SET signed = ''`,
			`UPDATE spending_limit SET signed = ''`, `DELETE FROM note WHERE name = 'sealed'`} {
			if exec(t, s, table) == 0 {
				t.Fatalf("nothing was taken away: %s", table)
			}
		}
		if found := faults(t, s, h.Server.ReceiptKey()); len(found) < 5 {
			t.Errorf("older books: %q", found)
		}
		if found := restart(); len(found) != 0 {
			t.Fatalf("signed: %q", found)
		}
		exec(t, s, `UPDATE payout SET signed = '', destination = 'a thief''s bank' WHERE state = 'asked' AND begun_at = 0`)
		if found := restart(); len(found) != 2 || !strings.Contains(found[1], "payout") {
			t.Errorf("a payout made to look older: %q", found)
		}
		exec(t, s, `DELETE FROM note WHERE name = 'sealed'`)
		if found := restart(); len(found) != 3 {
			t.Errorf("and without the note: %q", found)
		}
	})
}

// onBoth runs a test on either database.
func onBoth(t *testing.T, test func(*testing.T, *Store)) {
	t.Run("SQLite", func(t *testing.T) { test(t, openAt(t, filepath.Join(t.TempDir(), "books.db"))) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, openPostgresTest(t, pgtest.For(t))) })
}

// exec writes past the store.
func exec(t *testing.T, s *Store, text string, values ...any) int64 {
	t.Helper()
	var n int64
	err := inTx(t.Context(), s, func(tx *tx) (err error) {
		n, err = tx.exec(t.Context(), "test", text, values...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

func inTx(ctx context.Context, s *Store, do func(*tx) error) error {
	conn, err := s.engine.begin(ctx)
	if err != nil {
		return err
	}
	defer conn.rollback()
	if err := do(&tx{conn: conn, pools: &s.pools, known: newKnown()}); err != nil {
		return err
	}
	return conn.commit(ctx)
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func publicOf(key ed25519.PrivateKey) escrow.PublicKey {
	return escrow.PublicKey(key.Public().(ed25519.PublicKey))
}

// TestADeletedLogIsNotAnchoredAnew: a restart after the operator's log was cut off does
// not make the shorter one good.
func TestADeletedLogIsNotAnchoredAnew(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		h := servicetest.NewHarness(t, s)
		logTwice(t, s)
		restart := func() []string {
			t.Helper()
			if _, err := escrowserver.New(servicetest.Config(s, h.Clock, h.Mails, h.ReceiptSigner)); err != nil {
				t.Fatal(err)
			}
			return faults(t, s, h.Server.ReceiptKey())
		}
		if found := restart(); len(found) != 0 {
			t.Fatalf("%q", found)
		}
		exec(t, s, `DELETE FROM audit`)
		for range 2 {
			if found := restart(); len(found) != 1 || !strings.Contains(found[0], "cut off") {
				t.Errorf("the log deleted: %q", found)
			}
			logTwice(t, s)
			exec(t, s, `DELETE FROM audit`)
		}
	})
}
