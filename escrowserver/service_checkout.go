package escrowserver

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"earnest/escrow"
	"earnest/payment"
)

// checkoutRetry is how long a checkout whose page the provider has not made may be
// asked for again: while the provider surely knows that it is the same one.
const checkoutRetry = 12 * time.Hour

// CheckoutLife is how long a page may be paid, as far as an account's end waits for it.
const CheckoutLife = 24 * time.Hour

// OpenCheckouts is how many pages of an account wait to be paid at once.
const OpenCheckouts = 5

// TooManyCheckouts refuses one more.
func TooManyCheckouts(wait time.Duration) error {
	err := escrow.Errorf(escrow.Limited, "%d card payments of yours were begun and are not paid; nothing was changed; pay one of them, or wait until one has run out", OpenCheckouts)
	err.RetryAfter = wait
	return err
}

// StartCheckout has the provider make a page. The checkout is kept before, so that
// what is paid there is never money of nobody.
func (v view) StartCheckout(ctx context.Context, req escrow.CheckoutRequest) (escrow.Checkout, error) {
	if err := v.known(); err != nil {
		return escrow.Checkout{}, err
	}
	if err := checkID(req.ID); err != nil {
		return escrow.Checkout{}, err
	}
	provider := v.s.cfg.Provider
	if provider == nil {
		return escrow.Checkout{}, escrow.Errorf(escrow.NotFound, "this escrow takes no card payments; use a voucher")
	}
	currency, ok := v.s.currency(req.Currency)
	if !ok || req.Amount <= 0 || req.Amount > maxCheckout {
		return escrow.Checkout{}, escrow.Errorf(escrow.Invalid, "a payment needs a currency of this escrow and an amount over zero")
	}
	unit, units, err := provider.Units(currency, req.Amount)
	if err != nil {
		return escrow.Checkout{}, escrow.Errorf(escrow.Invalid, "that amount cannot be paid there: %v", err)
	}
	record, err := do[CheckoutRecord](ctx, v.s, StartCheckout{CheckoutRecord{ID: v.moneyID("checkout", req.ID), Account: v.id, Operation: req.ID,
		Provider: provider.Name(), Currency: req.Currency, Amount: req.Amount, Unit: unit, Units: units, MadeAt: v.s.now()}})
	if err != nil || record.State != escrow.CheckoutAsked || record.URL != "" {
		return v.s.checkout(record), err
	}
	if record.Provider != provider.Name() || v.s.now().Sub(record.MadeAt) > checkoutRetry {
		return escrow.Checkout{}, escrow.Errorf(escrow.TooLate, "that payment was begun too long ago; begin another")
	}
	session, err := provider.Open(ctx, Order{Reference: record.ID, Unit: record.Unit, Units: record.Units,
		Title: fmt.Sprintf("Top-up at %s: %s %s", v.s.cfg.Name, record.Amount.Format(currency.Scale), unit)})
	if err != nil {
		v.s.log.Warn("the payment provider made no page", "provider", provider.Name(), "error", err)
		return escrow.Checkout{}, escrow.Errorf(escrow.Unavailable, "the payment provider does not answer; nothing was paid; try again later")
	}
	record, err = do[CheckoutRecord](ctx, v.s, OpenCheckout{Now: v.s.now(), Checkout: record.ID, Session: session, AskAt: record.MadeAt.Add(firstLook)})
	return v.s.checkout(record), err
}

// maxCheckout keeps amounts where no scale overflows.
const maxCheckout = 1 << 53

// Checkout tells how far it is.
func (v view) Checkout(ctx context.Context, id string) (escrow.Checkout, error) {
	if err := v.known(); err != nil {
		return escrow.Checkout{}, err
	}
	record, err := v.s.cfg.Store.Checkout(ctx, v.moneyID("checkout", id))
	if err != nil {
		return escrow.Checkout{}, v.s.failed(ctx, "checkout", err)
	}
	return v.s.checkout(record), nil
}

func (s *Server) checkout(r CheckoutRecord) escrow.Checkout {
	if r.ID == "" {
		return escrow.Checkout{}
	}
	c := escrow.Checkout{ID: r.Operation, Provider: r.Provider, State: r.State, Currency: s.named(r.Currency), Amount: r.Amount, MadeAt: r.MadeAt}
	if r.State == escrow.CheckoutOpen {
		c.URL = r.URL
	}
	return c
}

// checkouts are the currencies that can be paid for by a checkout.
func (s *Server) checkouts() []string {
	var names []string
	for _, currency := range s.cfg.Currencies {
		if s.cfg.Provider == nil {
			break
		}
		if _, _, err := s.cfg.Provider.Units(currency, 1_000_000_000); err == nil {
			names = append(names, currency.Name)
		}
	}
	return names
}

// checkoutHold is told where there are checkouts.
func (s *Server) checkoutHold() escrow.Seconds {
	if s.cfg.Provider == nil {
		return 0
	}
	return escrow.Seconds(s.cfg.CheckoutHold / time.Second)
}

// Webhook takes what a provider posted. It answers without error once the event is
// kept: what follows from it then happens, now or later. [ErrForged] is an event
// that is not the provider's.
func (s *Server) Webhook(ctx context.Context, name string, header http.Header, body []byte) error {
	provider := s.cfg.Provider
	if provider == nil || provider.Name() != name {
		return escrow.Errorf(escrow.NotFound, "there is no such provider here")
	}
	event, err := provider.Event(header, body, s.now())
	if err != nil {
		return err
	}
	if event.Kind == EventOther {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	record := EventRecord{Provider: name, Event: event, ReceivedAt: s.now()}
	fresh, err := do[bool](ctx, s, KeepEvent{Now: record.ReceivedAt, Provider: name, Event: event})
	if err != nil || !fresh {
		return err
	}
	if err := s.finish(ctx, record); err != nil {
		s.log.Warn("an event of the payment provider waits", "event", event.ID, "error", err)
	}
	return nil
}

// An event that leads nowhere is tried again for days, since the provider may be away.
const (
	eventsAtOnce = 1000
	eventLife    = 3 * 24 * time.Hour
	eventsEvery  = time.Minute
)

// watchEvents deals with the events that wait, each minute, where the sweeper is, and
// asks for what no event has told. It takes as long as the provider pleases, so the
// sweeper waits for none of it.
func (s *Server) watchEvents(ctx context.Context) {
	if s.cfg.Provider == nil {
		return
	}
	for ctx.Err() == nil {
		wait := peerRetry // to be the one that sweeps
		if s.sweeps() {
			wait = eventsEvery
			if err := s.DealWithEvents(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("events of the payment provider wait", "error", err)
			}
			if err := s.AskUnheard(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("open checkouts are asked about later", "error", err)
			}
		}
		pause(ctx, wait)
	}
}

// DealWithEvents does what follows from all events that wait, and returns why those
// that still wait do.
func (s *Server) DealWithEvents(ctx context.Context) error {
	if s.cfg.Provider == nil {
		return nil
	}
	records, err := s.cfg.Store.Events(ctx, eventsAtOnce)
	if err != nil {
		return s.failed(ctx, "events", err)
	}
	var waits error
	for _, record := range records {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.finish(ctx, record); err != nil {
			waits = errors.Join(waits, fmt.Errorf("event %s: %w", record.Event.ID, err))
		}
	}
	return waits
}

// finish deals with an event. An error means that it waits.
func (s *Server) finish(ctx context.Context, record EventRecord) error {
	outcome, err := s.dealWith(ctx, record)
	if err != nil && s.now().Sub(record.ReceivedAt) > eventLife {
		s.log.Error("an event of the payment provider leads nowhere: look it up there", "provider", record.Provider, "event", record.Event.ID, "error", err)
		outcome, err = "given up: "+err.Error(), nil
	}
	if err == nil {
		_, err = do[any](ctx, s, EndEvent{Now: s.now(), Provider: record.Provider, ID: record.Event.ID, Outcome: outcome})
	}
	return err
}

// dealWith says in a word what came of the event. An error means: try again.
func (s *Server) dealWith(ctx context.Context, record EventRecord) (string, error) {
	if record.Provider != s.cfg.Provider.Name() {
		return "", fmt.Errorf("provider %s is not configured", record.Provider)
	}
	event := record.Event
	if event.Kind == EventSession {
		return s.settle(ctx, event.Session)
	}
	checkout, err := s.paidBy(ctx, event.Payment)
	if err != nil || checkout.ID == "" {
		return "not of a checkout of this escrow", err
	}
	back := TakeBack{Now: s.now(), Provider: record.Provider, Checkout: checkout.ID, ID: event.Back, Kind: string(event.Kind),
		Amount: backed(checkout, event), Won: event.Won}
	_, err = do[any](ctx, s, back)
	if errors.Is(err, escrow.Conflict) {
		return "nothing was credited for it", nil
	}
	if err == nil && !event.Won {
		s.log.Warn("a payment that was credited was taken back: see the debts", "provider", record.Provider, "checkout", checkout.ID)
	}
	return "kept as " + string(event.Kind), err
}

// settle finds the checkout of a session and brings it to what the provider says. A
// session that no checkout has is looked up: it may name one that had no answer.
func (s *Server) settle(ctx context.Context, session Session) (string, error) {
	checkout, ok, err := s.cfg.Store.CheckoutOf(ctx, s.cfg.Provider.Name(), session.ID, "")
	if err != nil {
		return "", err
	}
	if !ok {
		asked, err := s.cfg.Provider.Session(ctx, session.ID)
		if errors.Is(err, ErrNoSession) {
			return "the provider knows no such session", nil
		}
		if err != nil {
			return "", err
		}
		session = asked
		checkout, err = s.cfg.Store.Checkout(ctx, session.Reference)
		if errors.Is(err, escrow.NotFound) {
			s.log.Error("money was paid to the provider for no checkout of this escrow", "session", session.ID, "paid", session.Paid)
			return "not of a checkout of this escrow", nil
		}
		if err != nil {
			return "", err
		}
	}
	after, err := do[CheckoutRecord](ctx, s, SettleCheckout{Now: s.now(), Checkout: checkout.ID, Session: session, Sign: s.signCredit})
	if errors.Is(err, escrow.Conflict) {
		s.log.Error("a second session names a checkout: nothing was credited for it", "session", session.ID, "checkout", checkout.ID)
		return "the checkout has another session", nil
	}
	if err != nil {
		return "", err
	}
	switch {
	case after.State != escrow.CheckoutWrong:
	case session.Unit == after.Unit && session.Units == after.Units:
		s.log.Error("money was paid for an account that is deleted: nothing was credited; refund it at the provider", "checkout", checkout.ID)
	default:
		s.log.Error("other money was paid than was asked for: nothing was credited; refund it at the provider", "checkout", checkout.ID)
	}
	return "the checkout is " + string(after.State), nil
}

// paidBy is the checkout that a payment was for, settled first if it was not yet.
func (s *Server) paidBy(ctx context.Context, paid string) (CheckoutRecord, error) {
	checkout, ok, err := s.cfg.Store.CheckoutOf(ctx, s.cfg.Provider.Name(), "", paid)
	if err != nil || ok {
		return checkout, err
	}
	session, err := s.cfg.Provider.SessionOf(ctx, paid)
	if errors.Is(err, ErrNoSession) {
		return CheckoutRecord{}, nil
	}
	if err != nil {
		return CheckoutRecord{}, err
	}
	if _, err := s.settle(ctx, session); err != nil {
		return CheckoutRecord{}, err
	}
	checkout, _, err = s.cfg.Store.CheckoutOf(ctx, s.cfg.Provider.Name(), session.ID, "")
	return checkout, err
}

// backed is how much of what was credited was taken back, rounded up.
func backed(c CheckoutRecord, e Event) payment.Amount {
	if e.Unit != c.Unit || e.Units <= 0 || e.Units >= c.Units {
		return c.Amount
	}
	n := new(big.Int).Mul(big.NewInt(e.Units), big.NewInt(int64(c.Amount)))
	n.Add(n, big.NewInt(c.Units-1))
	return payment.Amount(n.Div(n, big.NewInt(c.Units)).Int64())
}

// SettleDebt is the operator's word that a debt is dealt with.
func (s *Server) SettleDebt(ctx context.Context, provider, id, note string) error {
	note, err := oneLine(note, maxReason)
	if err != nil {
		return err
	}
	_, err = do[any](ctx, s, SettleDebt{Now: s.now(), Provider: provider, ID: id, Note: note})
	return err
}
