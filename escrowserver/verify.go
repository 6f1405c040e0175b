package escrowserver

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"time"

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
		receiptKey: receiptKey, safety: newSafetyAudit(), workedOff: map[escrow.Signed]bool{}, sealings: map[string]Sealed{},
		inventoryLog: inventoryLogAudit{newest: map[escrow.KeyID]int64{}},
		replayed:     map[audited]ledger.Balance{}, balances: map[audited]ledger.Balance{},
	}
	err := store.Walk(ctx, Visitor{
		Fault: func(text string) { a.fault("%s", text) }, Safety: a.safetyVisitor(), Sealed: a.sealedNote, Sealing: a.sealingWord, LogAnchor: a.logAnchor, Proven: a.proven, Limit: a.limit, Inventory: a.inventory, InventoryAnchor: a.inventoryAnchor, InventoryLog: a.inventoryLogged, Outage: a.outage, Balance: a.balance, Transfer: a.transfer, Voucher: a.voucher,
		Credit: a.credit, Checkout: a.checkout, Welcome: a.welcomed, Payout: a.payout,
		Offer: a.offer, Epoch: a.epoch, Audit: a.logged, Bond: a.bond, Key: a.key, Certificate: a.certificate,
	})
	if err != nil && len(a.faults) > 0 && ctx.Err() == nil {
		// What is damaged may stop the walk: what it found is told all the same.
		a.fault("the walk ended here: %v", err)
		return a.report(), nil
	}
	if err != nil {
		return Report{}, fmt.Errorf("verify the books: %w", err)
	}
	a.sums()
	a.anchored()
	a.inventoriesSeen()
	return a.report(), nil
}

type audited struct {
	holder   ledger.Holder
	currency string
}

type audit struct {
	receiptKey   ed25519.PublicKey
	outages      escrow.Outages
	workedOff    map[escrow.Signed]bool
	balances     map[audited]ledger.Balance
	replayed     map[audited]ledger.Balance // what the journal makes of nothing
	safety       safetyAudit
	batchHash    string // of the batch that was read last
	batch        escrow.KeyBatch
	faults       []string
	pools        int64     // their epoch
	last         AuditLine // of the operator's log
	sealing      Sealed
	sealings     map[string]Sealed // by kind
	inventoryLog inventoryLogAudit
	anchor       LogAnchor

	credits, checkouts, welcomes, payouts, addresses, limits, inventories            int
	transfers, postings, bonds, receipts, vouchers, offers, keys, sold, certificates int
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

// transfer checks that the transfer has exactly the steps of its life.
func (a *audit) transfer(line TransferLine) error {
	a.transfers++
	a.belongs(line)
	t, steps := line.Transfer, line.Steps
	entries := lifeOf(t, len(steps) == 1)
	ok := len(steps) == len(entries)
	for i := 0; ok && i < len(steps); i++ {
		was := t
		was.State = entries[i].State
		ok = steps[i].N == i+1 && steps[i].Transfer == was && !steps[i].MadeAt.Before(steps[0].MadeAt)
	}
	if !ok {
		a.fault("transfer %s (%s) does not have the steps of its life", t.ID, t.State)
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

// voucher holds a voucher against what the escrow signed, and against the
// transfer that it became.
func (a *audit) voucher(v VoucherLine) error {
	a.vouchers++
	if !genuine(v, a.receiptKey) {
		a.fault("voucher %s is not as the escrow signed it", v.Hash)
	}
	t := v.Transfer
	switch {
	case v.RedeemedAt.IsZero():
		if v.Account != "" || t != nil {
			a.fault("voucher %s is not redeemed, but became money", v.Hash)
		}
	case t == nil || t.From != ledger.Issuance || t.To != v.Account.Holder() || t.Currency != v.Currency ||
		t.Amount != int64(v.Amount) || t.State != ledger.Posted:
		a.fault("voucher %s is redeemed, but its transfer is missing or about other money", v.Hash)
	}
	return nil
}

func (a *audit) offer(o OfferLine) error {
	a.offers++
	offer, err := escrow.VerifyOffer(o.Signed)
	if err != nil {
		a.fault("the offer of account %s: %v", o.Account, err)
		return nil
	}
	if offer.Address != o.Address || a.accountOf(offer.Identity.ID()) != o.Account || o.Holder != o.Account || offer.Public != o.Public ||
		!offer.Made.Truncate(time.Microsecond).Equal(o.Made) {
		a.fault("the offer of account %s is stored as another than it signed", o.Account)
	}
	return nil
}

func (a *audit) key(k KeyLine) error {
	a.keys++
	a.sold += k.Sold
	if k.Known != 1 {
		a.fault("key %s is not on the list of all keys", k.Fingerprint)
	}
	if k.Unsold > 0 && k.Sold > 0 {
		a.fault("key %s is both unsold and sold", k.Fingerprint)
	}
	if k.Sold > 1 || k.Unsold > 1 {
		a.fault("key %s was sold %d times and is unsold %d times", k.Fingerprint, k.Sold, k.Unsold)
	}
	return nil
}

// certificate holds a certificate against the batch that its owner signed.
// Those of one batch come one after another: it is verified once.
func (a *audit) certificate(c CertificateLine) error {
	a.certificates++
	if a.batchHash != c.BatchHash {
		a.batchHash = c.BatchHash
		signed := false
		if a.batch, signed = a.signedBatch(c); !signed {
			a.fault("key batch %s is not as its owner signed it", c.BatchHash)
		}
	}
	brief := escrow.KeyBrief{Fingerprint: c.Fingerprint, Hash: escrow.Hash(c.Certificate)}
	if a.batch.Address != c.Address || !slices.Contains(a.batch.Keys, brief) {
		a.fault("key %s is not the one in its signed batch", c.Fingerprint)
	}
	if c.Holder != "" && a.batch.Epoch != a.pools {
		a.fault("key %s is for sale, but of before the books were restored", c.Fingerprint)
	}
	if c.Holder != "" && c.Holder != c.Account {
		a.fault("key %s is for sale, but its owner does not hold the address", c.Fingerprint)
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
}

// on says when older rows were signed, and how many.
func on(what string, s Sealed) string {
	return fmt.Sprintf("%d %s (%s)", s.Rows, what, s.Time.Format(time.DateOnly))
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
			fmt.Sprintf("%d transfers with %d postings: each has the steps of its life, and one bond, redeemed voucher, credit or payout", a.transfers, a.postings),
			fmt.Sprintf("%d vouchers: each as the escrow signed it, redeemed once if at all", a.vouchers),
			fmt.Sprintf("%d credits for %d checkouts, %d welcomes or by the operator: each as the escrow signed it", a.credits, a.checkouts, a.welcomes),
			fmt.Sprintf("%d payouts: each as the escrow signed it, and held, paid or given back as it says", a.payouts),
			fmt.Sprintf("%d proven addresses and %d limits: each as the escrow signed it", a.addresses, a.limits),
			fmt.Sprintf("%d accounts: each with the limits, addresses, payouts, changes, keys and freeze that the escrow wrote last; those of %d were first listed on %s", a.inventories, a.inventoryLog.anchor.Begun.Rows, a.inventoryLog.anchor.Begun.Time.Format(time.DateOnly)),
			fmt.Sprintf("%s of an older program were signed, %s, and %s with keys and changes, and none since",
				on("rows", a.sealing), on("orders", a.sealings[SealedOrders]), on("inventories", a.sealings[SealedInventories])),
			fmt.Sprintf("%d bonds with %d receipts: state, deadlines, parties, transfer and signed chain agree", a.bonds, a.receipts),
			fmt.Sprintf("%d orders and %d changes of accounts: each as signed, and keys and freezes are what they say", len(a.safety.orders), a.safety.changes),
			fmt.Sprintf("%d outages: each as signed, none overlapping; the deadlines of bonds are moved by them and by nothing else", len(a.outages)),
			fmt.Sprintf("%d offers and %d certificates for sale or sold: each as its owner signed it", a.offers, a.certificates),
			fmt.Sprintf("%d one-time keys, %d sold: none sold twice, none both sold and unsold", a.keys, a.sold),
			fmt.Sprintf("%d rows of the operator's log: each as it was written, none missing between", a.last.N),
		},
	}
}
