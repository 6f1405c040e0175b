package escrowserver

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// An event that the provider never told, or that never came, would leave a checkout open
// for ever though it was paid. So it is asked, too: soon at first, as most people pay at
// once, then ever more seldom, and no more once its page is long over.
const (
	firstLook  = 10 * time.Minute
	lookFor    = 3 * 24 * time.Hour
	looksSlow  = 4 // of a checkout's age
	looksAtMax = 200
)

// AskUnheard asks the provider about open checkouts of which no event has told for a
// time. After one that it says nothing about it asks no further: it may be away.
func (s *Server) AskUnheard(ctx context.Context) error {
	if s.cfg.Provider == nil {
		return nil
	}
	list, err := s.cfg.Store.Unheard(ctx, s.cfg.Provider.Name(), s.now(), looksAtMax)
	if err != nil {
		return s.failed(ctx, "checkouts", err)
	}
	for _, c := range list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		asked := s.lookAt(ctx, c)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// Kept also where there was no answer: the others must have their turn.
		if _, err := do[any](ctx, s, LookAgain{Checkout: c.ID, At: nextLook(c.MadeAt, s.now())}); err != nil {
			return err
		}
		if asked != nil {
			return fmt.Errorf("checkout %s: %w", c.ID, asked)
		}
	}
	return nil
}

// lookAt settles a checkout by what the provider says of its session.
func (s *Server) lookAt(ctx context.Context, c CheckoutRecord) error {
	session, err := s.cfg.Provider.Session(ctx, c.Session)
	if errors.Is(err, ErrNoSession) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the payment provider did not say whether it was paid: %w", err)
	}
	if _, err = s.settle(ctx, session); err != nil {
		return err
	}
	if session.Paid {
		s.log.Warn("a payment was found by asking: no event of the provider has told of it; see what is configured there", "checkout", c.ID)
	}
	return nil
}

// nextLook is when to ask again, zero for never.
func nextLook(made, now time.Time) time.Time {
	age := now.Sub(made)
	if age > lookFor {
		return time.Time{}
	}
	return now.Add(max(firstLook, age/looksSlow))
}
