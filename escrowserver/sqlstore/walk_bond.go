package sqlstore

import (
	"context"
	"errors"

	"earnest/escrow"
	"earnest/escrowserver"
)

const walkPage = 200

// walkBonds reads in pages, so that a large book needs little memory.
func (r reader) walkBonds(ctx context.Context, v escrowserver.Visitor) error {
	var last escrow.BondID
	for {
		rows, err := r.query(ctx, `SELECT due_at, sender_folded, recipient_folded, sender_group, `+bondColumns+` FROM bond WHERE id > ? ORDER BY id LIMIT ?`, last, walkPage)
		var page []escrowserver.BondLine
		n := 0
		err = each(rows, err, func(scan func(...any) error) error {
			var line escrowserver.BondLine
			var due int64
			b, err := scanBond(scan, &due, &line.SenderFolded, &line.RecipientFolded, &line.SenderGroup)
			n, last = n+1, b.ID
			if errors.Is(err, errDamaged) {
				if v.Fault != nil {
					v.Fault(err.Error())
				}
				return nil
			}
			line.Bond, line.DueAt = b.Bond, fromMicros(due)
			page = append(page, line)
			return err
		})
		if err != nil {
			return err
		}
		for i := range page {
			if err := r.complete(ctx, &page[i]); err != nil {
				return err
			}
			if err := v.Bond(page[i]); err != nil {
				return err
			}
		}
		if n < walkPage {
			return nil
		}
	}
}

// walkBondMoney reads in pages, too. A bond whose quote cannot be read is left out, as
// [reader.walkBonds] leaves it out.
func (r reader) walkBondMoney(ctx context.Context, v escrowserver.Visitor) error {
	var last escrow.BondID
	for n := walkPage; n == walkPage; {
		rows, err := r.query(ctx, `SELECT bond.id, bond.quote, bond.bought_at, bond.ended_at, t.id, t.payer, t.payee, t.currency, t.amount, t.state
			FROM bond LEFT JOIN transfer t ON t.id = bond.id WHERE bond.id > ? ORDER BY bond.id LIMIT ?`, last, walkPage)
		n = 0
		if err := each(rows, err, func(scan func(...any) error) error {
			var b escrowserver.BondMoney
			var signed escrow.Signed
			var bought, ended int64
			var t nullTransfer
			if err := scan(append([]any{&b.ID, &signed, &bought, &ended}, t.dest()...)...); err != nil {
				return err
			}
			n, last = n+1, b.ID
			var quote escrow.Quote
			if err := escrow.Peek(signed, &quote); err != nil {
				return nil // verify tells
			}
			b.BoughtAt, b.Ended, b.Scale, b.Transfer = fromMicros(bought), fromMicros(ended), quote.Option.Scale, t.transfer()
			return v.BondMoney(b)
		}); err != nil {
			return err
		}
	}
	return nil
}

// complete reads what is stored beside a bond.
func (r reader) complete(ctx context.Context, b *escrowserver.BondLine) error {
	var t nullTransfer
	parties := [2]escrowserver.PartyLine{{Role: escrow.RoleSender, Account: b.SenderAccount}, {Role: escrow.RoleRecipient, Account: b.RecipientAccount}}
	if err := r.row(ctx, `SELECT COALESCE((SELECT address FROM key_fingerprint WHERE fingerprint = ?), ''),
			body_hash, sender_change, recipient_change,
			COALESCE((SELECT change FROM account WHERE account.id = sender_account), 0), COALESCE((SELECT change FROM account WHERE account.id = recipient_account), 0),
			t.id, t.payer, t.payee, t.currency, t.amount, t.state
		FROM bond LEFT JOIN transfer t ON t.id = bond.id WHERE bond.id = ?`, b.KeyFingerprint, b.ID).
		Scan(append([]any{&b.KeyAddress, &b.BuyHash, &parties[0].N, &parties[1].N, &parties[0].Newest, &parties[1].Newest}, t.dest()...)...); err != nil {
		return err
	}
	b.Transfer, b.Parties = t.transfer(), parties[:]
	rows, err := r.query(ctx, `SELECT n, jws FROM (
			SELECT n, id, jws FROM receipt WHERE bond = ? AND n = 0 UNION ALL SELECT n, id, jws FROM receipt WHERE bond = ? AND n > 0) AS receipts
		ORDER BY n, id`, b.ID, b.ID)
	if err := each(rows, err, func(scan func(...any) error) error {
		var n int64
		var jws escrow.Signed
		if err := scan(&n, &jws); err != nil {
			return err
		}
		if n == 0 {
			b.Asides = append(b.Asides, jws)
		} else {
			b.Receipts = append(b.Receipts, jws)
		}
		return nil
	}); err != nil {
		return err
	}
	rows, err = r.query(ctx, `SELECT hash, '', 0, '', outcome FROM proof WHERE bond = ?`, b.ID)
	if err := eachStatement(rows, err, &b.Proofs); err != nil {
		return err
	}
	rows, err = r.query(ctx, `SELECT hash, verdict, n, jws, outcome FROM statement WHERE bond = ? ORDER BY made_at`, b.ID)
	return eachStatement(rows, err, &b.Statements)
}

func eachStatement(rows rows, err error, to *[]escrowserver.StatementLine) error {
	return each(rows, err, func(scan func(...any) error) error {
		var s escrowserver.StatementLine
		err := scan(&s.Hash, &s.Verdict, &s.N, &s.Signed, &s.Outcome)
		*to = append(*to, s)
		return err
	})
}
