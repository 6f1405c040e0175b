package sqlstore

import (
	"crypto/ed25519"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
)

// TestVerifyFindsFaults damages sound books in every way that Verify looks for.
func TestVerifyFindsFaults(t *testing.T) {
	books, key := soundBooks(t)
	damages := moneyDamages()
	maps.Copy(damages, bondDamages())
	maps.Copy(damages, otherDamages())
	maps.Copy(damages, safetyDamages())
	maps.Copy(damages, operatorDamages())
	maps.Copy(damages, limitDamages())
	maps.Copy(damages, sealDamages())
	maps.Copy(damages, inventoryDamages())
	maps.Copy(damages, sealingDamages())
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			mustBeFound(t, books, key, damage)
		})
	}
}

// moneyDamages are in the ledger and the vouchers.
func moneyDamages() map[string]string {
	return map[string]string{
		"a balance that grew":          `UPDATE balance SET available = available + 1 WHERE holder = 'company'`,
		"money moved past the journal": `UPDATE balance SET available = available + CASE holder WHEN 'company' THEN 1 ELSE -1 END WHERE holder IN ('company', 'issuance')`,
		"an entry changed":             `UPDATE entry SET amount = amount + 1 WHERE id = 1`,
		"an entry lost":                `DELETE FROM entry WHERE id = 2`,
		"an entry made up":             `INSERT INTO entry (transfer, step, state, payer, payee, currency, amount, made_at) VALUES ('x', 1, 'posted', 'a', 'b', 'c', 1, 1)`,
		"a transfer's state changed":   `UPDATE entry SET state = 'voided' WHERE step = 2 AND transfer = (SELECT id FROM bond WHERE state = 'rejected')`,
		"a transfer's payee changed":   `UPDATE entry SET payee = 'burned' WHERE state = 'posted' AND payer <> 'issuance'`,
		"a held transfer's payee":      `UPDATE entry SET payee = 'burned' WHERE state = 'pending' AND transfer = (SELECT id FROM bond WHERE state = 'held')`,
		"an end of another amount":     `UPDATE entry SET amount = amount + 1 WHERE step = 2 AND state <> 'posted'`,
		"an end to another payee":      `UPDATE entry SET payee = 'burned' WHERE step = 2 AND state <> 'posted'`,
		"an end without a beginning":   `DELETE FROM entry WHERE step = 1 AND transfer = (SELECT id FROM bond WHERE state = 'accepted')`,
		"an end lost":                  `DELETE FROM entry WHERE step = 2 AND transfer = (SELECT id FROM bond WHERE state = 'accepted')`,
		"a voucher made larger":        `UPDATE voucher SET amount = amount + 1 WHERE redeemed_at = 0`,
		"a voucher in other money":     `UPDATE voucher SET currency = 'points.example' WHERE redeemed_at = 0`,
		"a voucher made up":            `INSERT INTO voucher (hash, currency, amount, made_at) VALUES ('x', 'escrow.example', 1, 1)`,
		"a voucher copied":             `INSERT INTO voucher SELECT 'x', currency, amount, made_at, NULL, 0, signed FROM voucher LIMIT 1`,
		"a redeemed voucher changed":   `UPDATE voucher SET amount = amount + 1 WHERE redeemed_at > 0`,
		"a voucher back from money":    `UPDATE voucher SET redeemed_at = 0 WHERE redeemed_at > 0`,
		"a voucher spent on nobody":    `UPDATE voucher SET redeemed_at = 1 WHERE redeemed_at = 0`,
		"a voucher lost":               `DELETE FROM voucher WHERE redeemed_at > 0`,
		"a voucher of another account": `UPDATE voucher SET account = (SELECT MIN(id) FROM account)`,
		"money from no voucher":        `UPDATE entry SET transfer = 'x' || transfer WHERE payer = 'issuance'`,
	}
}

// bondDamages are in the columns of a bond.
func bondDamages() map[string]string {
	return map[string]string{
		"a bond's state changed":        `UPDATE bond SET state = 'rejected' WHERE state = 'accepted'`,
		"a bond reopened":               `UPDATE bond SET state = 'arrived' WHERE state = 'accepted'`,
		"an arrival forgotten":          `UPDATE bond SET arrived_at = 0`,
		"a due moment moved":            `UPDATE bond SET due_at = due_at + 1 WHERE due_at > 0`,
		"a due moment forgotten":        `UPDATE bond SET due_at = 0 WHERE due_at > 0`,
		"a delivery deadline moved":     `UPDATE bond SET deliver_by = deliver_by + 1000000, due_at = due_at + 1000000 WHERE state = 'held'`,
		"a decision deadline moved":     `UPDATE bond SET decide_by = decide_by + 1 WHERE decide_by > 0`,
		"a final deadline moved":        `UPDATE bond SET final_at = final_at + 1`,
		"a purchase moved in time":      `UPDATE bond SET bought_at = bought_at + 1000000, deliver_by = deliver_by + 1000000, final_at = final_at + 1000000, due_at = due_at + 1000000 WHERE state = 'held'`,
		"an end moved":                  `UPDATE bond SET ended_at = ended_at + 1000000 WHERE ended_at > 0`,
		"an effect moved":               `UPDATE bond SET effective_at = effective_at + 1 WHERE effective_at > 0`,
		"a deadline lengthened":         `UPDATE bond SET deliver_moved = deliver_moved + 60000000, due_at = due_at + 60000000 WHERE state = 'held'`,
		"a deadline lengthened by none": `UPDATE bond SET extension_signed = '' WHERE state = 'held'`,
		"a deadline not moved":          `UPDATE bond SET deliver_moved = 0, extension_signed = '', due_at = deliver_by WHERE state = 'held'`,
		"a decision deadline shortened": `UPDATE bond SET decide_moved = decide_by + 1 WHERE decide_by > 0`,
		"an outage lost":                `DELETE FROM outage`,
		"an outage made longer":         `UPDATE outage SET ended_at = ended_at + 1`,
		"an outage begun earlier":       `UPDATE outage SET began_at = began_at - 1`,
		"an outage's word changed":      `UPDATE outage SET signed = replace(signed, 'a', 'b')`,
		"an outage's word lost":         `UPDATE outage SET signed = ''`,
		"an outage made up":             `INSERT INTO outage (ended_at, began_at, signed) VALUES (2, 1, 'x')`,
		"a withdrawal made up":          `UPDATE bond SET withdraw_asked_at = bought_at WHERE state = 'accepted'`,
		"a read made up":                `UPDATE bond SET read_at = arrived_at WHERE arrived_at > 0`,
		"a late accept made up":         `UPDATE bond SET late_accepted_at = ended_at WHERE state = 'rejected'`,
		"a sender renamed":              `UPDATE bond SET sender = 'eve@sender.example' WHERE state = 'held'`,
		"a sender folded as another":    `UPDATE bond SET sender_folded = 'eve@sender.example' WHERE state = 'held'`,
		"a recipient folded as another": `UPDATE bond SET recipient_folded = 'eve@recipient.example' WHERE state = 'held'`,
		"an open recipient not folded":  `UPDATE bond SET recipient_folded = '' WHERE state = 'held'`,
		"a sender of another group":     `UPDATE bond SET sender_group = 'other.example' WHERE state = 'held'`,
		"a sender's account swapped":    `UPDATE bond SET sender_account = recipient_account WHERE state = 'held'`,
		"a recipient renamed":           `UPDATE bond SET recipient = 'eve@recipient.example' WHERE state = 'held'`,
		"a recipient's account swapped": `UPDATE bond SET recipient_account = sender_account WHERE state = 'held'`,
		"a quote unreadable":            `UPDATE bond SET quote = 'x' WHERE state = 'held'`,
		"a quote of another bond":       `UPDATE bond SET quote = (SELECT quote FROM bond WHERE state = 'held') WHERE state = 'accepted'`,
		"a certificate unreadable":      `UPDATE bond SET verification = x'00' WHERE state = 'held'`,
		"a reply certificate swapped":   `UPDATE bond SET reply = verification WHERE state = 'accepted'`,
		"certificates lost":             `UPDATE bond SET verification = NULL, reply = NULL WHERE state = 'held'`,
		"a decision unreadable":         `UPDATE bond SET last_decision = 'x' WHERE state = 'accepted'`,
		"a decision lost":               `UPDATE bond SET last_decision = '' WHERE state = 'accepted'`,
		"a decision's number changed":   `UPDATE bond SET decision_n = decision_n + 1 WHERE state = 'accepted'`,
	}
}

// otherDamages are beside the bonds: receipts, statements, keys, offers.
func otherDamages() map[string]string {
	return map[string]string{
		"an open bond not counted":     `UPDATE account SET open_bonds = open_bonds + 1`,
		"a receipt lost in the middle": `DELETE FROM receipt WHERE n = 2`,
		"the last receipt lost":        `DELETE FROM receipt WHERE n = 3 AND bond IN (SELECT id FROM bond WHERE state = 'rejected')`,
		"all receipts lost":            `DELETE FROM receipt`,
		"a receipt changed":            `UPDATE receipt SET jws = replace(jws, 'a', 'b') WHERE n = 1`,
		"a key of another":             `UPDATE key_fingerprint SET address = 'eve@recipient.example' WHERE fingerprint IN (SELECT key_fingerprint FROM bond)`,
		"a place in a list lost":       `UPDATE bond SET recipient_change = 0 WHERE id = (SELECT id FROM bond WHERE state = 'held')`,
		"a place in a list made up":    `UPDATE bond SET sender_change = 9999 WHERE id = (SELECT id FROM bond WHERE state = 'held')`,
		"another purchase":             `UPDATE bond SET body_hash = 'x' WHERE state = 'held'`,
		"a proof lost":                 `DELETE FROM proof`,
		"a proof changed":              `UPDATE proof SET hash = 'x' || hash`,
		"a proof's answer unreadable":  `UPDATE proof SET outcome = '{'`,
		"a statement lost":             `DELETE FROM statement WHERE verdict = 'accept'`,
		"a statement changed":          `UPDATE statement SET jws = 'x' WHERE verdict = 'accept'`,
		"a statement's answer lost":    `UPDATE statement SET outcome = '{}'`,
		"a receipt for one lost":       `DELETE FROM receipt WHERE n = 0`,
		"a receipt for one changed":    `UPDATE receipt SET jws = 'x' WHERE n = 0`,
		"an unsold key swapped":        `UPDATE one_time_key SET certificate = x'00' WHERE id = (SELECT MIN(id) FROM one_time_key)`,
		"an unsold key moved":          `UPDATE one_time_key SET address = 'eve@recipient.example'`,
		"a sold key swapped":           `UPDATE sold_key SET certificate = x'00'`,
		"a batch changed":              `UPDATE key_batch SET jws = replace(jws, 'a', 'b') WHERE hash IN (SELECT batch FROM one_time_key)`,
		"an unknown key":               `DELETE FROM key_fingerprint WHERE fingerprint IN (SELECT fingerprint FROM one_time_key)`,
		"an offer changed":             `UPDATE offer SET jws = replace(jws, 'a', 'b')`,
		"an offer made public":         `UPDATE offer SET public = 1`,
		"an offer of another":          `UPDATE offer SET jws = (SELECT MIN(jws) FROM offer)`,
		"an offer's age changed":       `UPDATE offer SET made = made - 1`,
		"a row that names nothing":     `UPDATE claim SET account = 'nobody'`,
		"an index of another column":   "index",
		"a sold key back in the pool":  `UPDATE one_time_key SET fingerprint = (SELECT key_fingerprint FROM bond LIMIT 1) WHERE id = (SELECT MIN(id) FROM one_time_key)`,
	}
}

// soundBooks are books with a bit of everything, and their receipt key.
func soundBooks(t *testing.T) ([]byte, ed25519.PublicKey) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "books.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	h := servicetest.NewHarness(t, s)
	servicetest.Story(t, h)
	servicetest.SafetyStory(t, h)
	servicetest.AfterOutage(t, h)
	if _, err := h.Server.NewVoucher(t.Context(), servicetest.Currency, 700); err != nil {
		t.Fatal(err)
	}
	logTwice(t, s)
	if result := s.Apply(t.Context(), []escrowserver.Op{escrowserver.AnchorLog{Seal: escrowserver.SealOf(h.ReceiptSigner)}}); result[0].Value != true {
		t.Fatalf("the log was not anchored: %+v", result)
	}
	if err := s.Close(); err != nil { // the last one to close moves all into the one file
		t.Fatal(err)
	}
	books, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return books, h.Server.ReceiptKey()
}

func faults(t *testing.T, s *Store, key ed25519.PublicKey) []string {
	t.Helper()
	report, err := escrowserver.Verify(t.Context(), s, key)
	if err != nil {
		t.Fatal(err)
	}
	return report.Faults
}

// harm damages the books past what SQLite would hold back.
func harm(t *testing.T, s *Store, damage string) {
	t.Helper()
	db := testDB(t, s)
	db.SetMaxOpenConns(1) // one connection has the pragmas
	if damage == "index" {
		damage = `UPDATE sqlite_schema SET sql = replace(sql, '(made_at)', '(typed)') WHERE name = 'claim_made'`
	}
	for _, pragma := range []string{`PRAGMA foreign_keys = OFF`, `PRAGMA writable_schema = ON`} {
		if _, err := db.ExecContext(t.Context(), pragma); err != nil {
			t.Fatal(err)
		}
	}
	result, err := db.ExecContext(t.Context(), damage)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("nothing was damaged: %v", err)
	}
	// Every connection is to read the schema anew.
	if _, err := db.ExecContext(t.Context(), `PRAGMA schema_version = 9999`); err != nil {
		t.Fatal(err)
	}
}
