package sqlstore

import (
	"context"
	"fmt"

	"earnest/internal/trace"
)

// write is a write that operations of a batch make together, each with values of
// its own. Writes are kept until the batch's operations are decided and are made in
// the order below: what names another row comes after it.
type write int

const (
	takeVoucher write = iota
	takeKey
	changeBond // before the new: of two people one bond is open at a time
	newBond
	newEntry
	newBalance
	setBalance
	addToBalance
	newReceipt
	setNewest
	keepSoldKey
	dropSoldKey
	newStatement
	newProof
	newOperation
	setBlock
	dropBlock
	writeCount
)

// changesAll writes must change a row for each of their values, or the books are
// not what the batch took them for.
func (w write) changesAll() bool { return w != newBalance && w != dropSoldKey && w != dropBlock }

// name is the end of the write's label; its operation's name is before it.
func (w write) name() string {
	return [writeCount]string{"voucher", "key", "bond", "bond", "entry", "balance.new", "balance",
		"balance", "receipt", "change", "sold", "sold", "statement", "proof", "operation", "block", "block"}[w]
}

func (w write) text() string {
	return [writeCount]string{
		takeVoucher: `UPDATE voucher SET account = ?, redeemed_at = ? WHERE hash = ? AND redeemed_at = 0`,
		takeKey:     `DELETE FROM one_time_key WHERE id = ?`,
		newBond: `INSERT INTO bond (id, quote, sender, sender_folded, sender_group, sender_account,
				recipient, recipient_folded, recipient_account, key_fingerprint, state, due_at,
				bought_at, deliver_by, decide_by, final_at, arrived_at, read_at, effective_at, ended_at, withdraw_asked_at,
				late_accepted_at, deliver_moved, decide_moved, last_decision, decision_n, extension_signed, verification, reply,
				sender_change, recipient_change, body_hash)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		changeBond: `UPDATE bond SET state = ?, due_at = ?, decide_by = ?, arrived_at = ?, read_at = ?,
				effective_at = ?, ended_at = ?, withdraw_asked_at = ?, late_accepted_at = ?,
				deliver_moved = ?, decide_moved = ?, last_decision = ?, decision_n = ?, extension_signed = ?, verification = ?, reply = ?,
				sender_change = ?, recipient_change = ? WHERE id = ?`,
		newEntry: `INSERT INTO entry (transfer, step, state, payer, payee, currency, amount, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		// The row is made first: a CHECK is held against the inserted values too,
		// and a difference may be negative.
		newBalance: `INSERT INTO balance (holder, currency, available, held) VALUES (?, ?, 0, 0)
			ON CONFLICT (holder, currency) DO NOTHING`,
		setBalance:   `UPDATE balance SET available = ?, held = ? WHERE holder = ? AND currency = ? AND available = ? AND held = ?`,
		addToBalance: `UPDATE balance SET available = available + ?, held = held + ? WHERE holder = ? AND currency = ?`,
		newReceipt:   `INSERT INTO receipt (bond, n, jws) VALUES (?, ?, ?)`,
		setNewest:    `UPDATE account SET change = ?, open_bonds = ? WHERE id = ?`,
		keepSoldKey:  `INSERT INTO sold_key (bond, certificate, batch, keep_until) VALUES (?, ?, ?, ?)`,
		dropSoldKey:  `DELETE FROM sold_key WHERE bond = ?`,
		newStatement: `INSERT INTO statement (hash, bond, verdict, n, jws, outcome, made_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		newProof:     `INSERT INTO proof (hash, bond, outcome) VALUES (?, ?, ?)`,
		newOperation: `INSERT INTO operation (account, id, body_hash, response, made_at) VALUES (?, ?, ?, ?, ?)`,
		setBlock: `INSERT INTO block (recipient, sender, bond, from_at, until_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (recipient, sender, bond) DO UPDATE SET from_at = excluded.from_at, until_at = excluded.until_at`,
		dropBlock: `DELETE FROM block WHERE bond = ?`,
	}[w]
}

// writes are the values of one kind of write, with the names of the operations
// that they are of.
type writes struct {
	write  write
	values [][]any
	ops    []string
}

// put keeps a write until the batch is flushed.
func (t *tx) put(w write, op string, values ...any) {
	kept := &t.writes[w]
	kept.values, kept.ops = append(kept.values, values), append(kept.ops, op)
}

// flush makes the writes that were kept, then looks whether the balances are what
// was computed. What was known of the rows is forgotten.
func (t *tx) flush(ctx context.Context) error {
	defer trace.From(ctx).Child("write").End()
	t.settle()
	var sets []writes
	for w := range t.writes {
		if t.writes[w].write = write(w); len(t.writes[w].values) > 0 {
			sets = append(sets, t.writes[w])
		}
	}
	if len(sets) == 0 {
		t.known = newKnown()
		return nil
	}
	check := t.balancesCheck()
	if err := t.writeAll(ctx, sets, check.question()); err != nil {
		return err
	}
	if err := check.fault(); err != nil {
		return err
	}
	t.known, t.writes = newKnown(), [writeCount]writes{}
	return nil
}

func (t *tx) writeAll(ctx context.Context, sets []writes, questions []question) error {
	if conn, ok := t.conn.(setWriter); ok {
		return t.execSets(ctx, conn, "batch.writes", sets, questions)
	}
	for _, set := range sets {
		text := set.write.text()
		for i, values := range set.values {
			label := set.ops[i] + "." + set.write.name()
			n, err := t.exec(ctx, label, text, values...)
			if err == nil && n != 1 && set.write.changesAll() {
				err = fmt.Errorf("%s: %w", label, errNotAsRead)
			}
			if err != nil {
				return err
			}
		}
	}
	return t.conn.ask(ctx, questions)
}
