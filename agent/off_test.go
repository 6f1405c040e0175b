package agent_test

import (
	"context"
	"slices"
	"time"

	"earnest/escrow"
)

// switched is an escrow that can be switched off as a whole. It notes which
// questions about mails and money were asked meanwhile; that the agent looks
// whether it is back is none.
type switched struct {
	escrow.Service
	w *world
}

func (w *world) switchOff(off bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off = off
}

func (w *world) askedWhileOff() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asked)
}

func (s switched) ask(what string) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if !s.w.off {
		return nil
	}
	if what != "" {
		s.w.asked = append(s.w.asked, what)
	}
	return &escrow.Error{Code: escrow.Unavailable}
}

func answer[T any](s switched, what string, ask func() (T, error)) (T, error) {
	if err := s.ask(what); err != nil {
		var none T
		return none, err
	}
	return ask()
}

func (s switched) Heartbeat(ctx context.Context) error {
	if err := s.ask(""); err != nil {
		return err
	}
	return s.Service.Heartbeat(ctx)
}

func (s switched) Bonds(ctx context.Context, after int64, wait time.Duration) (escrow.BondPage, error) {
	return answer(s, "", func() (escrow.BondPage, error) { return s.Service.Bonds(ctx, after, wait) })
}

func (s switched) Info(ctx context.Context) (escrow.Info, error) {
	return answer(s, "", func() (escrow.Info, error) { return s.Service.Info(ctx) })
}

func (s switched) Pool(ctx context.Context, address escrow.Address) (escrow.Pool, error) {
	return answer(s, "", func() (escrow.Pool, error) { return s.Service.Pool(ctx, address) })
}

func (s switched) Account(ctx context.Context) (escrow.Account, error) {
	return answer(s, "account", func() (escrow.Account, error) { return s.Service.Account(ctx) })
}

func (s switched) Offer(ctx context.Context, address escrow.Address) (escrow.Signed, error) {
	return answer(s, "offer", func() (escrow.Signed, error) { return s.Service.Offer(ctx, address) })
}

func (s switched) Quote(ctx context.Context, req escrow.QuoteRequest) (escrow.Signed, error) {
	return answer(s, "quote", func() (escrow.Signed, error) { return s.Service.Quote(ctx, req) })
}

func (s switched) Buy(ctx context.Context, req escrow.BuyRequest) (escrow.Purchase, error) {
	return answer(s, "buy", func() (escrow.Purchase, error) { return s.Service.Buy(ctx, req) })
}

func (s switched) Bond(ctx context.Context, id escrow.BondID) (escrow.BondView, error) {
	return answer(s, "bond", func() (escrow.BondView, error) { return s.Service.Bond(ctx, id) })
}

func (s switched) Arrive(ctx context.Context, id escrow.BondID, req escrow.Arrival) (escrow.Outcome, error) {
	return answer(s, "arrive", func() (escrow.Outcome, error) { return s.Service.Arrive(ctx, id, req) })
}

func (s switched) Read(ctx context.Context, id escrow.BondID, statement escrow.Signed) (escrow.Outcome, error) {
	return answer(s, "read", func() (escrow.Outcome, error) { return s.Service.Read(ctx, id, statement) })
}

func (s switched) Decide(ctx context.Context, id escrow.BondID, v escrow.Verdict, d escrow.Signed) (escrow.Outcome, error) {
	return answer(s, "decide", func() (escrow.Outcome, error) { return s.Service.Decide(ctx, id, v, d) })
}

func (s switched) Receipts(ctx context.Context, id escrow.BondID) ([]escrow.Signed, error) {
	return answer(s, "receipts", func() ([]escrow.Signed, error) { return s.Service.Receipts(ctx, id) })
}
