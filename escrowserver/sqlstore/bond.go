package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/ledger"
)

// bond is a bond as loaded, with the salt of its quote.
type bond struct {
	escrow.Bond
	salt string
}

// errDamaged: a bond, or what belongs to it, is not stored as it can have been
// written. It is one bond: the others go on.
var errDamaged = errors.New("the books are damaged")

const bondColumns = `id, quote, sender, sender_account, recipient, recipient_account, key_fingerprint, state,
	bought_at, deliver_by, decide_by, final_at, arrived_at, read_at, effective_at, ended_at, withdraw_asked_at,
	late_accepted_at, deliver_moved, decide_moved, last_decision, decision_n, extension_signed, verification, reply`

// scanBond reads bondColumns, after what comes before them. What the quote says
// stands in the quote alone.
func scanBond(scan func(...any) error, first ...any) (bond, error) {
	var b bond
	times := make([]int64, 12)
	dest := append(first, &b.ID, &b.Quote, &b.Sender, &b.SenderAccount, &b.Recipient, &b.RecipientAccount, &b.KeyFingerprint, &b.State)
	for i := range times {
		dest = append(dest, &times[i])
	}
	var outages string
	dest = append(dest, &b.LastDecision, &b.DecisionN, &outages, &b.Verification, &b.Reply)
	if err := scan(dest...); err != nil {
		return bond{}, err
	}
	for i, field := range []*time.Time{&b.BoughtAt, &b.DeliverBy, &b.DecideBy, &b.FinalAt, &b.ArrivedAt, &b.ReadAt,
		&b.EffectiveAt, &b.EndedAt, &b.WithdrawAskedAt, &b.LateAcceptedAt, &b.DeliverMoved, &b.DecideMoved} {
		*field = fromMicros(times[i])
	}
	b.Outages = fromLines(outages)
	var quote escrow.Quote
	if err := escrow.Peek(b.Quote, &quote); err != nil {
		return bond{Bond: escrow.Bond{ID: b.ID}}, fmt.Errorf("%w: the quote of bond %s: %v", errDamaged, b.ID, err)
	}
	b.Terms, b.Option, b.Beneficiary, b.salt = quote.Terms, quote.Option, quote.Beneficiary, quote.Salt
	return b, nil
}

func (r reader) bond(ctx context.Context, id escrow.BondID) (bond, error) {
	b, err := scanBond(r.row(ctx, `SELECT `+bondColumns+` FROM bond WHERE id = ?`, id).Scan)
	ok, err := found(err)
	if err == nil && !ok {
		err = escrow.Errorf(escrow.NotFound, "there is no such bond of yours")
	}
	return b, err
}

// bond is a bond as the batch knows it, read if it does not yet.
func (t *tx) bond(ctx context.Context, id escrow.BondID) (*knownBond, error) {
	if err := t.load(ctx, wants{bonds: []escrow.BondID{id}}); err != nil {
		return nil, err
	}
	known := t.known.bonds[id]
	if known == nil {
		return nil, escrow.Errorf(escrow.NotFound, "there is no such bond of yours")
	}
	return known, known.err
}

// named is a bond that a row names, so there is one: the batch may have looked for it
// before another process committed it, and waited for that one's accounts since.
func (t *tx) named(ctx context.Context, id escrow.BondID) (*knownBond, error) {
	if t.known.bonds[id] == nil {
		delete(t.known.bonds, id)
	}
	b, err := t.bond(ctx, id)
	if escrow.CodeOf(err) == escrow.NotFound {
		err = fmt.Errorf("bond %s: %w", id, errNotAsRead)
	}
	return b, err
}

func newBondValues(b *knownBond) []any {
	return []any{b.ID, b.Quote, b.Sender, b.Sender.Folded(), b.group, b.SenderAccount,
		b.Recipient, b.Recipient.Folded(), b.RecipientAccount, b.KeyFingerprint, b.State, micros(b.Due()),
		micros(b.BoughtAt), micros(b.DeliverBy), micros(b.DecideBy), micros(b.FinalAt), micros(b.ArrivedAt), micros(b.ReadAt),
		micros(b.EffectiveAt), micros(b.EndedAt), micros(b.WithdrawAskedAt), micros(b.LateAcceptedAt),
		micros(b.DeliverMoved), micros(b.DecideMoved), b.LastDecision, b.DecisionN, lines(b.Outages), b.Verification, b.Reply,
		b.listed.sender, b.listed.recipient, b.hash}
}

// changeBondValues are what can change of a bond.
func changeBondValues(b *knownBond) []any {
	return []any{b.State, micros(b.Due()), micros(b.DecideBy), micros(b.ArrivedAt), micros(b.ReadAt),
		micros(b.EffectiveAt), micros(b.EndedAt), micros(b.WithdrawAskedAt), micros(b.LateAcceptedAt),
		micros(b.DeliverMoved), micros(b.DecideMoved), b.LastDecision, b.DecisionN, lines(b.Outages), b.Verification, b.Reply,
		b.listed.sender, b.listed.recipient, b.ID}
}

// party loads a bond for an operation of one of its parties, and first does what
// a deadline has brought about.
func (t *tx) party(ctx context.Context, m escrowserver.Moment, account escrow.KeyID, id escrow.BondID, role escrow.Role) (*knownBond, error) {
	b, err := t.bond(ctx, id)
	if err != nil {
		return nil, err
	}
	mine, other := b.SenderAccount, b.RecipientAccount
	if role == escrow.RoleRecipient {
		mine, other = other, mine
	}
	switch account {
	case mine:
		return b, t.advance("advance", m, b)
	case other:
		return nil, escrow.Errorf(escrow.Forbidden, "only the %s of the bond may do that", role)
	}
	return nil, escrow.Errorf(escrow.NotFound, "there is no such bond of yours")
}

// advance moves the bond's deadline by the outages that it has not heard of yet, and
// books what a deadline has brought about. Where that fails for damage, no money has
// moved and no step is kept.
func (t *tx) advance(op string, m escrowserver.Moment, b *knownBond) error {
	if err := t.partiesThere(b); err != nil {
		return err
	}
	if next, moved := b.Extend(m.Outages); moved {
		b.Bond, b.changed = next, op
		if err := t.tell(op, b, true); err != nil {
			return err
		}
	}
	next, step, due := b.Advance(m.Now)
	if !due {
		return nil
	}
	_, err := t.book(op, m, b, next, step)
	return err
}

// partiesThere finds out before anything is changed that a party has no account.
func (t *tx) partiesThere(b *knownBond) error {
	for role, account := range map[escrow.Role]escrow.KeyID{escrow.RoleSender: b.SenderAccount, escrow.RoleRecipient: b.RecipientAccount} {
		if t.known.accounts[account] == nil {
			return fmt.Errorf("%w: the %s of bond %s has no account", errDamaged, role, b.ID)
		}
	}
	return nil
}

// book changes the bond to what it is after the step, moves the money, appends the
// receipt and tells the parties. It returns the receipt.
func (t *tx) book(op string, m escrowserver.Moment, b *knownBond, next escrow.Bond, step escrow.Step) (escrow.Signed, error) {
	next, _ = next.Extend(m.Outages) // a deadline may have begun with the step
	// What can fail comes first.
	receipt, head, err := t.receipt(m, next, b.salt, step)
	if err != nil {
		return "", err
	}
	if err := t.moveMoney(op, b.Bond, step, m.Now); err != nil {
		return "", err
	}
	t.put(newReceipt, op, b.ID, head.n, receipt)
	if head.n > 0 {
		t.known.heads[b.ID] = head
	}
	t.counts(b, next)
	b.Bond, b.changed = next, op
	return receipt, t.tell(op, b, !step.HiddenFromSender)
}

// counts keeps what speaks against senders in step with a bond that changes, for
// the purchases of the same batch.
func (t *tx) counts(b *knownBond, next escrow.Bond) {
	if g := groupOf(b.Recipient, b.group); b.State == escrow.Held && next.State != escrow.Held {
		if n, ok := t.known.groups[g]; ok {
			t.known.groups[g] = n - 1
		}
	}
	t.endedOf(b, next)
	if b.State.Ended() || !next.State.Ended() || !next.ArrivedAt.IsZero() {
		return
	}
	for _, key := range []endedKey{accountEnded(b.SenderAccount), addressEnded(b.Sender)} {
		if before, ok := t.known.ended[key]; ok {
			t.known.ended[key] = slices.Insert(slices.Clone(before), 0, next.EndedAt)
		}
	}
}

// moveMoney ends the bond's pending transfer where the step does. Its rows are all
// that it hangs on, so whatever fails is damage.
func (t *tx) moveMoney(op string, b escrow.Bond, step escrow.Step, now time.Time) error {
	if step.Money == escrow.MoneyStays {
		return nil
	}
	if err := t.endMoney(op, b, step, now); err != nil {
		return fmt.Errorf("%w: the money of bond %s: %w", errDamaged, b.ID, err)
	}
	return nil
}

func (t *tx) endMoney(op string, b escrow.Bond, step escrow.Step, now time.Time) error {
	tr, err := t.transfer(string(b.ID))
	if err != nil {
		return err
	}
	// Other money would come out of what is held for the account's other bonds.
	if tr.From != b.SenderAccount.Holder() || tr.To != b.Beneficiary || tr.Currency != b.Option.Currency || tr.Amount != int64(b.Option.Amount) {
		return errors.New("its transfer is about other money than its quote")
	}
	end := tr.Void
	switch {
	case step.Money == escrow.MoneyForfeit:
		end = tr.Post
	case step.Event == escrow.EventExpired:
		end = tr.Expire
	}
	ended, entry, err := end()
	if err != nil {
		return err
	}
	return t.record(op, ended, entry, now)
}

// receipt signs the receipt of a step. One outside of the chain names the head of
// the chain and does not become it: its number is 0.
func (t *tx) receipt(m escrowserver.Moment, b escrow.Bond, salt string, step escrow.Step) (escrow.Signed, receiptHead, error) {
	head, ok := t.known.heads[b.ID]
	if !ok {
		head.hash = b.Quote.Hash()
	}
	r := escrow.NewReceipt(b, salt, step, head.n+1, head.hash)
	signed, err := m.Sign(r)
	return signed, receiptHead{r.N, signed.Hash()}, err
}

// tell gives the bond a new change number in its parties' lists. The numbers count
// within the account, so that no reader sees a later number committed before an
// earlier one.
func (t *tx) tell(op string, b *knownBond, sender bool) (err error) {
	if sender {
		if b.listed.sender, err = t.change(op, b.SenderAccount); err != nil {
			return fmt.Errorf("bond %s: its sender %w", b.ID, err)
		}
	}
	if b.listed.recipient, err = t.change(op, b.RecipientAccount); err != nil {
		return fmt.Errorf("bond %s: its recipient %w", b.ID, err)
	}
	return nil
}

var errNoAccount = errors.New("has no account")

// change is the next number in the account's list.
func (t *tx) change(op string, account escrow.KeyID) (int64, error) {
	a := t.known.accounts[account]
	if a == nil {
		return 0, errNoAccount
	}
	a.change, a.changed = a.change+1, op
	t.touched = append(t.touched, account)
	return a.change, nil
}

// recorded finds the answer that a signed statement got before. Certificates are
// not kept twice: they come from the bond, if it still has them.
func recorded(b *knownBond, text string) (escrow.Outcome, error) {
	var outcome escrow.Outcome
	if err := json.Unmarshal([]byte(text), &outcome); err != nil {
		return escrow.Outcome{}, fmt.Errorf("the stored outcome: %w", err)
	}
	now := b.View(escrow.RoleRecipient)
	outcome.Bond.Verification = now.Verification
	if outcome.Bond.State == escrow.Accepted || !outcome.Bond.LateAcceptedAt.IsZero() {
		outcome.Bond.Reply = now.Reply
	}
	return outcome, nil
}

// outcome is the answer to a recipient's step, and the text of it to be kept.
func outcome(b escrow.Bond, receipt escrow.Signed) (escrow.Outcome, string, error) {
	o := escrow.Outcome{Bond: b.View(escrow.RoleRecipient), Receipt: receipt}
	kept := o
	kept.Bond.Verification, kept.Bond.Reply = nil, nil
	text, err := json.Marshal(kept)
	return o, string(text), err
}

// hold makes the pending transfer of a bond.
func (t *tx) hold(op string, b escrow.Bond, now time.Time) error {
	tr, entry, err := ledger.Hold(string(b.ID), b.SenderAccount.Holder(), b.Beneficiary, b.Option.Currency, int64(b.Option.Amount))
	if err != nil {
		return err
	}
	return t.record(op, tr, entry, now)
}
