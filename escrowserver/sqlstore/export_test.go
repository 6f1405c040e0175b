package sqlstore

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"earnest/escrow"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
)

// notExported is what an account's export leaves out, a column or a whole table, and
// why.
func notExported() map[string]string {
	return map[string]string{
		"account.deleted_at":     "a deleted account has no key to ask with",
		"balance.holder":         "it is the account",
		"claim.token_hash":       "a secret's, and the secret is in the mail",
		"payout.account":         "it is the account",
		"bond.sender_account":    "it is the account, or the sender's id, which is in the quote",
		"bond.recipient_account": "it is the account, or the recipient's, whose key is in the offer",
		"bond.due_at":            "the next of the deadlines in the bond's view; it would tell a sender of a reject",
		"bond.last_decision":     "the recipient's, among the statements",
		"bond.beside":            "a number for bonds that an older program let be open together",
		"entry":                  "its postings are in the export, each with its side of the step",
		"key_fingerprint":        "of keys that stand in the key batches",
		"provider_event":         "what the card provider told: it names a page or a payment, which are in the checkouts, and no account",
		"nonce":                  "hashes of requests, for five minutes",
		"nonce_opening":          "a hash of a key, for five minutes",
		"nonce_since":            "the escrow's own",
		"nonce_horizon":          "the escrow's own",
		"nonce_ahead":            "hashes of requests",
		"note":                   "the escrow's own",
		"audit":                  "the operator's log, chained by hashes: what was done about an account is in its credits, payouts and debts",
		"log_anchor":             "the escrow's own",
		"sealing":                "the escrow's own",
		"outage":                 "the escrow's own, and public",
		versions:                 "the escrow's own",
		"address.account":        "it is the account",
		"account_order.account":  "it is the account",
		"checkout.account":       "it is the account",
		"claim.account":          "it is the account",
		"credit.account":         "it is the account",
		"inventory.account":      "it is the account",
		"inventory_log.account":  "it is the account",
		"inventory_anchor":       "the escrow's own",
		"heartbeat.account":      "it is the account",
		"key_batch.account":      "it is the account",
		"offer.account":          "it is the account",
		"operation.account":      "it is the account",
		"replaced_key.account":   "it is the account",
		"spending_limit.account": "it is the account",
		"voucher.account":        "it is the account",
		"welcome.account":        "it is the account",
	}
}

// inTheView are the columns of a bond that its view has, as the account may see it in
// its role: they are beside the tables.
func inTheView() string {
	return `quote sender recipient key_fingerprint state bought_at deliver_by decide_by final_at arrived_at read_at effective_at
		ended_at withdraw_asked_at late_accepted_at deliver_moved decide_moved decision_n extension_signed`
}

// catalogue is every column of every table, as TABLE.COLUMN.
func catalogue(t *testing.T, s *Store) (columns []string) {
	t.Helper()
	rows, err := testDB(t, s).QueryContext(t.Context(), `SELECT m.name || '.' || p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			t.Fatal(err)
		}
		columns = append(columns, column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return columns
}

// Every column of every table is in an account's export, or has a reason for not being
// there: a new one is not forgotten.
func TestTheExportIsAllThatIsStored(t *testing.T) {
	exported := map[string]bool{}
	for _, part := range ofAccount() {
		columns, _ := part.fields()
		for _, column := range columns {
			exported[part.table+"."+column] = true
		}
	}
	for column := range strings.FieldsSeq(inTheView()) {
		exported["bond."+column] = true
	}
	out := notExported()
	columns := catalogue(t, openTest(t))
	for _, column := range columns {
		table, _, _ := strings.Cut(column, ".")
		_, whole := out[table]
		if _, one := out[column]; exported[column] == (whole || one) {
			t.Errorf("%s: exported %v, and left out for a reason %v; want one of both", column, exported[column], whole || one)
		}
	}
	for name := range exported {
		if table, _, _ := strings.Cut(name, "."); table != "posting" && !slices.Contains(columns, name) {
			t.Errorf("%s is exported, and is not there", name)
		}
	}
	for name := range out {
		if !slices.ContainsFunc(columns, func(column string) bool { return column == name || strings.HasPrefix(column, name+".") }) {
			t.Errorf("%s is left out, and is not there", name)
		}
	}
}

// Of one account of which something stands everywhere, each part of the export has it.
func TestTheExportHasSomethingOfEachTable(t *testing.T) {
	for _, s := range bothEngines(t) {
		life := servicetest.LiveALife(t, servicetest.NewHarness(t, s))
		var read struct {
			Tables map[string][]map[string]any
			Bonds  []escrow.BondView
		}
		if err := json.Unmarshal(life.Export, &read); err != nil {
			t.Fatal(err)
		}
		for _, part := range ofAccount() {
			_, names := part.fields()
			if lines := read.Tables[part.name]; len(lines) == 0 || len(lines[0]) != len(names) {
				t.Errorf("%s: %v", part.name, lines)
			}
		}
		if len(read.Bonds) != 5 {
			t.Errorf("%d bonds, want 5", len(read.Bonds))
		}
		// What is of one role alone is not told of the other.
		of := map[string]escrow.Role{"keysBought": escrow.RoleSender, "purchases": escrow.RoleSender, "sales": escrow.RoleRecipient,
			"asides": escrow.RoleRecipient, "statements": escrow.RoleRecipient, "proofs": escrow.RoleRecipient}
		roles := map[any]escrow.Role{}
		for _, b := range read.Bonds {
			roles[string(b.ID)] = b.Role
		}
		for name, role := range of {
			for _, line := range read.Tables[name] {
				if roles[line["bond"]] != role {
					t.Errorf("%s are told of bond %s", name, line["bond"])
				}
			}
		}
	}
}

// bothEngines are empty books on each.
func bothEngines(t *testing.T) []*Store {
	return []*Store{openTest(t), openPostgresTest(t, pgtest.For(t))}
}

// mayStay is where a deleted account, its keys, its addresses or where its money went
// can still be found, and why. docs/protocol/accounts.md says the same to people.
func mayStay() map[string]string {
	const (
		row      = "the account's row, without its keys: its id is not given again"
		books    = "the books: money does not go without a trace"
		theirs   = "the bond is the other party's as well"
		orders   = "what made another key, or none, the account's: verify needs it"
		neverNew = "a key that was here is never accepted again"
		provider = "what the card provider told, of its own pages and payments"
		listed   = "the escrow's word on what the account has: nothing is said, too"
		another  = "another account asked for the address: it is that one's"
	)
	return map[string]string{
		"inventory.account: id": listed, "inventory.signed: id": listed, "inventory_log.account: id": listed,
		"account.id: id":                            row,
		"balance.holder: id":                        books,
		"checkout.account: id":                      books,
		"provider_event.event: page":                provider,
		"credit.account: id":                        books,
		"credit.signed: id":                         books,
		"entry.payee: id":                           books,
		"entry.payer: id":                           books,
		"payout.account: id":                        books,
		"voucher.account: id":                       books,
		"welcome.account: id":                       books,
		"block.sender: address":                     theirs,
		"bond.quote: address":                       theirs,
		"bond.quote: id":                            theirs,
		"bond.quote: key's text":                    theirs,
		"bond.recipient: address":                   theirs,
		"bond.recipient_account: id":                theirs,
		"bond.recipient_folded: address":            theirs,
		"bond.sender: address":                      theirs,
		"bond.sender_account: id":                   theirs,
		"bond.sender_folded: address":               theirs,
		"bond.sender_group: address":                theirs,
		"proof.outcome: address":                    theirs,
		"proof.outcome: id":                         theirs,
		"proof.outcome: key's text":                 theirs,
		"statement.outcome: address":                theirs,
		"statement.outcome: id":                     theirs,
		"statement.outcome: key's text":             theirs,
		"account_order.account: id":                 orders,
		"account_order.jws: id":                     orders,
		"account_order.jws: key's text":             orders,
		"account_order.signed: id":                  orders,
		"account_order.signed: key's text":          orders,
		"account_order.signer: key":                 orders,
		"account_order.signer: recovery key":        orders,
		"account_order.signed: recovery key's text": orders,
		"replaced_key.account: id":                  orders,
		"replaced_key.key_id: id":                   orders,
		"replaced_key.key_id: key id":               orders,
		"replaced_key.next_key: key id":             orders,
		"replaced_key.ordered: id":                  orders,
		"replaced_key.ordered: key's text":          orders,
		"replaced_key.public_key: first key":        orders,
		"replaced_key.public_key: key":              orders,
		"key_fingerprint.address: address":          neverNew,
		"account_change.holder: id":                 another,
		"account_change.signed: address":            another,
		"account_change.signed: id":                 another,
		"account_change.subject: address":           another,
		"account_change.value: address":             another,
	}
}

// A deleted account leaves only what it is said to leave.
func TestADeletedAccountLeavesWhatItIsSaidTo(t *testing.T) {
	s := openTest(t)
	life := servicetest.LiveALife(t, servicetest.NewHarness(t, s))
	life.Delete()
	found := map[string]bool{}
	for _, column := range catalogue(t, s) {
		table, name, _ := strings.Cut(column, ".")
		rows, err := testDB(t, s).QueryContext(t.Context(), `SELECT `+name+` FROM `+table+` WHERE typeof(`+name+`) IN ('text', 'blob')`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var value []byte
			if err := rows.Scan(&value); err != nil {
				t.Fatal(err)
			}
			said := told(value)
			for what, trace := range life.Traces {
				if bytes.Contains(said, trace) {
					found[column+": "+what] = true
				}
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	stays := mayStay()
	for _, one := range slices.Sorted(maps.Keys(found)) {
		if stays[one] == "" {
			t.Errorf("left behind: %s", one)
		}
	}
	for one := range stays {
		if !found[one] {
			t.Errorf("said to stay, and gone: %s", one)
		}
	}
}

// told is a value with what the signed texts in it say.
func told(value []byte) []byte {
	said := slices.Clone(value)
	for _, signed := range jws.FindAllSubmatch(value, -1) {
		if payload, err := base64.RawURLEncoding.DecodeString(string(signed[1])); err == nil {
			said = append(said, told(payload)...)
		}
	}
	return said
}

var jws = regexp.MustCompile(`[A-Za-z0-9_-]{10,}\.([A-Za-z0-9_-]{10,})\.[A-Za-z0-9_-]{10,}`)
