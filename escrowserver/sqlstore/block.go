package sqlstore

import (
	"context"
	"maps"
	"slices"

	"earnest/escrow"
	"earnest/escrowserver"
)

// span is a time in which a block counts.
type span struct{ from, until int64 }

// newBlockRow is a block that a decision of the batch has made.
type newBlockRow struct {
	op                string
	recipient, sender escrow.Address
	span
}

// blockedQuestion asks for the blocks of senders, whose addresses are folded.
func (t *tx) blockedQuestion(who []pair) question {
	return askFor(`SELECT from_at, until_at FROM block WHERE recipient = ? AND sender = ?`, unknown(who, t.known.blocked),
		func(p pair) []any { return []any{p.recipient, p.sender} },
		func(p pair, scan func(...any) error) error {
			var s span
			err := scan(&s.from, &s.until)
			t.known.blocked[p] = append(t.known.blocked[p], s)
			return err
		})
}

func (t *tx) blocked(op escrowserver.Buy) bool {
	now := micros(op.Now)
	return slices.ContainsFunc(t.known.blocked[pair{op.Quote.Sender.Folded(), op.Quote.Recipient}],
		func(s span) bool { return s.from <= now && now < s.until })
}

func (r reader) blocked(ctx context.Context, q escrowserver.StandingQuery) (bool, error) {
	var one int
	return found(r.row(ctx, `SELECT 1 FROM block WHERE recipient = ? AND sender = ? AND from_at <= ? AND until_at > ? LIMIT 1`,
		q.Recipient, q.Sender.Folded(), micros(q.Now), micros(q.Now)).Scan(&one))
}

// decidesBlock keeps a block with the reject that says so, from the moment at which
// it takes effect: before, the sender is told nothing. An undo takes it back.
func (t *tx) decidesBlock(op escrowserver.Decide, b escrow.Bond) {
	switch d := op.Decision; {
	case d.Verdict == escrow.Reject && d.Block:
		from := b.EffectiveAt
		t.known.blocks[b.ID] = &newBlockRow{op.Name(), b.Recipient, b.Sender.Folded(), span{micros(from), micros(from.Add(escrow.BlockLife))}}
	case d.Verdict == escrow.Undo:
		t.known.blocks[b.ID] = nil
	}
}

func (t *tx) settleBlocks() {
	for _, id := range slices.Sorted(maps.Keys(t.known.blocks)) {
		if b := t.known.blocks[id]; b != nil {
			t.put(setBlock, b.op, b.recipient, b.sender, id, b.from, b.until)
		} else {
			t.put(dropBlock, escrowserver.Decide{}.Name(), id)
		}
	}
}
