package escrowserver

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"

	"earnest/escrow"
	"earnest/ledger"
)

// Report is what a walk through the books found.
type Report struct {
	// Lines say what was checked, with counts.
	Lines []string
	// Faults is empty when the books are sound.
	Faults []string
}

// Verify walks the books and checks that money, bonds, receipts and keys agree.
// An error means that the walk could not be ended; faults are in the report.
func Verify(ctx context.Context, store Store, receiptKey ed25519.PublicKey) (Report, error) {
	a := audit{
		receiptKey: receiptKey,
		replayed:   map[audited]ledger.Balance{}, balances: map[audited]ledger.Balance{}, transfers: map[string]ledger.Transfer{},
		bonds: map[string]bool{},
	}
	err := store.Walk(ctx, Visitor{Fault: func(text string) { a.fault("%s", text) }, Balance: a.balance, Transfer: a.transfer, Bond: a.bond, Key: a.key})
	if err != nil {
		return Report{}, fmt.Errorf("verify the books: %w", err)
	}
	a.sums()
	return a.report(), nil
}

type audited struct {
	holder   ledger.Holder
	currency string
}

type audit struct {
	receiptKey ed25519.PublicKey
	balances   map[audited]ledger.Balance
	replayed   map[audited]ledger.Balance // what the journal makes of nothing
	transfers  map[string]ledger.Transfer
	bonds      map[string]bool
	postings   int
	receipts   int
	keys, sold int
	faults     []string
}

func (a *audit) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

func (a *audit) balance(line BalanceLine) error {
	a.balances[audited{line.Holder, line.Currency}] = line.Balance
	if line.Balance.Held < 0 || line.Balance.Available < 0 && line.Holder != ledger.Issuance {
		a.fault("%s has a negative balance of %s: %+v", line.Holder, line.Currency, line.Balance)
	}
	return nil
}

// transfer checks that the transfer has exactly the postings of its life.
func (a *audit) transfer(t ledger.Transfer, entries []ledger.Entry) error {
	a.transfers[t.ID] = t
	want := lifeOf(t, len(entries) == 1)
	if !slices.EqualFunc(entries, want, func(x, y ledger.Entry) bool {
		return x.State == y.State && slices.Equal(x.Postings, y.Postings)
	}) {
		a.fault("transfer %s (%s) does not have the postings of its life", t.ID, t.State)
	}
	for _, e := range entries {
		if err := e.Check(); err != nil {
			a.fault("%v", err)
		}
		for _, p := range e.Postings {
			a.postings++
			key := audited{p.Holder, p.Currency}
			// Transfers are shown in no order of time, so a balance may be
			// negative on the way; it must not be in the end.
			b := a.replayed[key]
			if p.Bucket == ledger.Held {
				b.Held += p.Amount
			} else {
				b.Available += p.Amount
			}
			a.replayed[key] = b
		}
	}
	return nil
}

// lifeOf computes the entries that a transfer in that state must have; nil if
// the transfer makes no sense.
func lifeOf(t ledger.Transfer, atOnce bool) []ledger.Entry {
	if t.State == ledger.Posted && atOnce {
		_, e, err := ledger.Move(t.ID, t.From, t.To, t.Currency, t.Amount)
		if err != nil {
			return nil
		}
		return []ledger.Entry{e}
	}
	pending, first, err := ledger.Hold(t.ID, t.From, t.To, t.Currency, t.Amount)
	if err != nil {
		return nil
	}
	if t.State == ledger.Pending {
		return []ledger.Entry{first}
	}
	end := map[ledger.State]func() (ledger.Transfer, ledger.Entry, error){
		ledger.Posted: pending.Post, ledger.Voided: pending.Void, ledger.Expired: pending.Expire,
	}[t.State]
	if end == nil {
		return nil
	}
	_, second, err := end()
	if err != nil {
		return nil
	}
	return []ledger.Entry{first, second}
}

// bond holds a bond against its transfer and against its receipts.
func (a *audit) bond(b escrow.Bond, receipts []escrow.Signed) error {
	a.receipts += len(receipts)
	a.bonds[string(b.ID)] = true
	t, ok := a.transfers[string(b.ID)]
	if !ok {
		a.fault("bond %s has no transfer", b.ID)
		return nil
	}
	if t.From != b.SenderAccount.Holder() || t.To != b.Beneficiary || t.Currency != b.Option.Currency || t.Amount != int64(b.Option.Amount) {
		a.fault("bond %s: its transfer is about other money than its quote", b.ID)
	}
	state, money, event := endOf(b.State)
	if t.State != state {
		a.fault("bond %s is %s, but its transfer is %s", b.ID, b.State, t.State)
	}
	chain, err := escrow.VerifyChain(b.Quote, receipts, a.receiptKey)
	if err != nil {
		a.fault("bond %s: %v", b.ID, err)
		return nil
	}
	if chain.Receipts[0].Bond != b.ID {
		a.fault("bond %s has the receipts of bond %s", b.ID, chain.Receipts[0].Bond)
	}
	if chain.Money != money {
		a.fault("bond %s is %s, but its receipts say that the money is %s", b.ID, b.State, chain.Money)
	}
	told := map[escrow.Event]bool{}
	for _, r := range chain.Receipts {
		told[r.Event] = true
	}
	if told[event] != (event != "") {
		a.fault("bond %s is %s, but no receipt says so", b.ID, b.State)
	}
	arrived := told[escrow.EventArrived] || told[escrow.EventLateArrived]
	if arrived != !b.ArrivedAt.IsZero() || told[escrow.EventRead] != !b.ReadAt.IsZero() {
		a.fault("bond %s and its receipts disagree about arrived or read", b.ID)
	}
	return nil
}

// endOf is what a state means for the transfer and the receipts.
func endOf(s escrow.State) (ledger.State, escrow.Money, escrow.Event) {
	switch s {
	case escrow.Accepted:
		return ledger.Voided, escrow.MoneyRefunded, escrow.EventAccepted
	case escrow.Withdrawn:
		return ledger.Voided, escrow.MoneyRefunded, escrow.EventWithdrawn
	case escrow.Expired:
		return ledger.Expired, escrow.MoneyRefunded, escrow.EventExpired
	case escrow.Rejected:
		return ledger.Posted, escrow.MoneyForfeit, escrow.EventRejected
	}
	return ledger.Pending, escrow.MoneyHeld, ""
}

func (a *audit) key(fingerprint string, unsold, sold int) error {
	a.keys++
	a.sold += sold
	if unsold > 0 && sold > 0 {
		a.fault("key %s is both unsold and sold", fingerprint)
	}
	if sold > 1 || unsold > 1 {
		a.fault("key %s was sold %d times and is unsold %d times", fingerprint, sold, unsold)
	}
	return nil
}

// sums holds balances against the journal, and each currency against zero.
func (a *audit) sums() {
	totals := map[string]int64{}
	posted := map[string]int64{}
	for key, b := range a.balances {
		totals[key.currency] += b.Available + b.Held
		if a.replayed[key] != b {
			a.fault("%s has %+v of %s, but the journal says %+v", key.holder, b, key.currency, a.replayed[key])
		}
	}
	for key, b := range a.replayed {
		posted[key.currency] += b.Available + b.Held
		if _, ok := a.balances[key]; !ok && b != (ledger.Balance{}) {
			a.fault("%s has no balance of %s, but the journal says %+v", key.holder, key.currency, b)
		}
	}
	for _, currency := range slices.Sorted(maps.Keys(totals)) {
		if totals[currency] != 0 {
			a.fault("the balances of %s add up to %d instead of 0", currency, totals[currency])
		}
	}
	for _, currency := range slices.Sorted(maps.Keys(posted)) {
		if posted[currency] != 0 {
			a.fault("the postings of %s add up to %d instead of 0", currency, posted[currency])
		}
	}
	for id, t := range a.transfers {
		if t.State == ledger.Pending && !a.bonds[id] {
			a.fault("transfer %s is pending without a bond", id)
		}
	}
}

func (a *audit) report() Report {
	currencies := map[string]bool{}
	for key := range a.balances {
		currencies[key.currency] = true
	}
	slices.Sort(a.faults)
	return Report{
		Faults: a.faults,
		Lines: []string{
			fmt.Sprintf("%d balances in %d currencies: no bucket negative, sum zero, equal to the journal replayed", len(a.balances), len(currencies)),
			fmt.Sprintf("%d transfers with %d postings: each has the postings of its life", len(a.transfers), a.postings),
			fmt.Sprintf("%d bonds with %d receipts: state, transfer and signed chain agree", len(a.bonds), a.receipts),
			fmt.Sprintf("%d one-time keys, %d sold: none sold twice, none both sold and unsold", a.keys, a.sold),
		},
	}
}
