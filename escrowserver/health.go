package escrowserver

import (
	"context"
	"fmt"
	"time"

	"earnest/escrow"
)

// Health is how the escrow is doing, for its operator.
type Health struct {
	// Waiting are operations that no batch has taken yet, Stuck bonds that could not
	// be ended at their deadline, and changes of accounts that could not act.
	Waiting, Stuck int
}

// Health tells how the escrow is doing now.
func (s *Server) Health() Health {
	s.queue.mu.Lock()
	waiting := len(s.queue.waiting) + len(s.queue.aside)
	s.queue.mu.Unlock()
	return Health{Waiting: waiting, Stuck: s.stuck.count()}
}

// totalsEvery is how often the published totals are summed up anew: that reads the
// quotes of all bonds.
const totalsEvery = time.Hour

// KeepTotals signs the totals that Info tells, until ctx ends.
func (s *Server) KeepTotals(ctx context.Context) error {
	for {
		if err := s.SignTotalsNow(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the totals could not be summed up; those of before stay published", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(totalsEvery):
		}
	}
}

// SignTotalsNow signs the totals of all time, of this month and of the one before.
func (s *Server) SignTotalsNow(ctx context.Context) error {
	now := s.now()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	until := now.Truncate(time.Second).Add(time.Second)
	signed, err := TotalsOf(ctx, s.cfg.Store, s.cfg.Name, now, []Period{
		{Until: until}, {From: month, Until: until}, {From: month.AddDate(0, -1, 0), Until: month}})
	if err != nil {
		return err
	}
	published := make([]escrow.Signed, len(signed))
	for i, totals := range signed {
		if published[i], err = SignTotals(s.cfg.ReceiptSigner, totals); err != nil {
			return err
		}
	}
	s.totals.Store(&published)
	return nil
}

func (s *Server) publishedTotals() []escrow.Signed {
	if published := s.totals.Load(); published != nil {
		return *published
	}
	return nil
}

// TotalsOf sums several periods up in one walk, as of one moment. What is due but not
// swept yet counts as open: let the sweeper run before.
func TotalsOf(ctx context.Context, store Store, name string, now time.Time, periods []Period) ([]Totals, error) {
	all := newTallies(periods)
	if err := store.Walk(ctx, Visitor{BondMoney: all.bond}); err != nil {
		return nil, fmt.Errorf("sum up the books: %w", err)
	}
	return all.totals(name, now), nil
}
