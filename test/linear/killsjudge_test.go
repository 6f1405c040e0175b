package linear

import (
	"context"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

// counts are what the workers have asked for, and been answered, by now.
func (l *load) counts() (begun, told []sums) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.workers {
		begun, told = append(begun, w.begun), append(told, w.told)
	}
	return begun, told
}

// judge holds the books against the journal, and walks them. The journal may not
// have what was answered last, the books must have all that it has.
func (l *load) judge() error {
	l.mu.Lock()
	journal, refused := l.journal[l.judged:], l.refused
	l.judged = len(l.journal)
	l.mu.Unlock()
	if len(refused) > 0 {
		return fmt.Errorf("an operation was refused: %w", refused[0])
	}
	ctx := context.Background()
	if err := l.reachable(ctx); err != nil {
		return err
	}
	for _, e := range journal {
		if err := l.kept(ctx, e); err != nil {
			return err
		}
	}
	_, told := l.counts()
	for i, w := range l.workers {
		if err := l.counted(ctx, w, i, told[i]); err != nil {
			return err
		}
	}
	report, err := escrowserver.Verify(ctx, l.Store, l.Server.ReceiptKey())
	if err == nil && len(report.Faults) > 0 {
		err = fmt.Errorf("the books have faults: %v", report.Faults)
	}
	return err
}

// reachable waits until this process has connections again, after PostgreSQL was away.
func (l *load) reachable(ctx context.Context) (err error) {
	for range 100 {
		if _, err = l.Store.Account(ctx, l.workers[0].buyer.public().ID()); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// kept demands that what was answered is in the books, or what came of it.
func (l *load) kept(ctx context.Context, e entry) error {
	if e.session != "" {
		return l.credited(ctx, e.session)
	}
	if e.payout != "" {
		record, err := l.payoutOf(ctx, e.of, e.payout)
		begun := e.end == escrow.PayoutPaying && !record.BegunAt.IsZero()
		if err == nil && e.end != escrow.PayoutAsked && record.State != e.end && !begun {
			err = fmt.Errorf("payout %s was answered as %s, and is %s", e.payout, e.end, record.State)
		}
		return err
	}
	bond, err := l.Store.Bond(ctx, e.bond)
	if err != nil {
		return fmt.Errorf("bond %s was answered as %s: %w", e.bond, e.state, err)
	}
	ended := e.state != escrow.Held && e.state != escrow.Arrived
	if bond.KeyFingerprint != e.key || e.state == escrow.Arrived && bond.ArrivedAt.IsZero() || ended && bond.State != e.state {
		return fmt.Errorf("bond %s was answered as %s, and is %s", e.bond, e.state, bond.State)
	}
	return nil
}

// counted holds money and keys against what was answered of them, and against what
// was asked for: what is not answered may be done or not, and nothing else may.
func (l *load) counted(ctx context.Context, w *worker, n int, told sums) error {
	money, err := l.owned(ctx, w.buyer)
	if err != nil {
		return err
	}
	free, err := l.Store.Pool(ctx, w.shop.address)
	if err != nil {
		return err
	}
	all, _ := l.counts() // now: while this read, more may have been asked for
	begun := all[n]
	has := func(paid, rejected, paidOut int) payment.Amount {
		return price*payment.Amount(1+paid-rejected) - payout*payment.Amount(paidOut) - 1
	}
	if least, most := has(told.paid+told.credited, begun.rejected, begun.paidOut), has(begun.paid+begun.byCard, told.forfeited, told.paidOut); money < least || money > most {
		return fmt.Errorf("a buyer has %d, and by what was asked and answered it is %d to %d", money, least, most)
	}
	for _, quitter := range w.quitters {
		if money, err := l.owned(ctx, quitter); err != nil || money != price {
			return fmt.Errorf("who asks for his money back has %d, want %d: %w", money, price, err)
		}
	}
	if least, most := told.keys-begun.bought, begun.keys-told.bought; free < least || free > most {
		return fmt.Errorf("a shop has %d keys, and by what was asked and answered it is %d to %d", free, least, most)
	}
	return nil
}

// owned is all of a person's money.
func (l *load) owned(ctx context.Context, p *person) (money payment.Amount, err error) {
	account, err := l.Store.Account(ctx, p.public().ID())
	for _, b := range account.Balances {
		money += b.Available + b.Held
	}
	return money, err
}
