package escrowserver

import (
	"context"
	"time"

	"earnest/escrow"
	"earnest/payment"
)

// maxPayouts bounds a list of payouts.
const maxPayouts = 500

// OpenPayouts is how many payouts of an account wait at once: each is work for the
// operator's hands, however small it is.
const OpenPayouts = 5

// AskPayout holds the amount until the operator has paid it out, or refuses to.
func (v view) AskPayout(ctx context.Context, req escrow.PayoutRequest) (escrow.Payout, error) {
	if err := v.known(); err != nil {
		return escrow.Payout{}, err
	}
	if err := checkID(req.ID); err != nil {
		return escrow.Payout{}, err
	}
	currency, ok := v.s.currency(req.Currency)
	if !ok || req.Amount <= 0 {
		return escrow.Payout{}, escrow.Errorf(escrow.Invalid, "a payout needs a currency of this escrow and an amount over zero")
	}
	to, err := oneLine(req.To, escrow.MaxPayoutTo)
	if err != nil {
		return escrow.Payout{}, err
	}
	record, err := do[PayoutRecord](ctx, v.s, AskPayout{Key: v.key.ID(), PayoutRecord: PayoutRecord{ID: v.moneyID("payout", req.ID), Account: v.id, Operation: req.ID,
		Currency: req.Currency, Amount: req.Amount, To: to, AskedAt: v.s.now()}, Seal: v.s.seal, Least: func(asked payment.Amount) error { return v.s.payoutLarge(currency, asked) }, Hold: v.s.cfg.CheckoutHold})
	if err != nil {
		return escrow.Payout{}, err
	}
	return v.s.payout(record), nil
}

// payoutLarge refuses less than the operator pays out. What was asked for before is
// not asked anew: it stays as it is, whatever the least amount has become.
func (s *Server) payoutLarge(currency payment.Currency, asked payment.Amount) error {
	for _, least := range s.cfg.LeastPayouts {
		if least.Currency == currency.Name && asked < least.Amount {
			unit := currency.Unit
			if unit == "" {
				unit = currency.Name
			}
			return escrow.Errorf(escrow.Invalid, "the least that is paid out here is %s %s, and less was asked for; nothing was moved; ask for that much or more", least.Amount.Format(currency.Scale), unit)
		}
	}
	return nil
}

// CancelPayout takes back what the operator has not begun to pay, frozen or not. Its
// money is available again.
func (v view) CancelPayout(ctx context.Context, id string) (escrow.Payout, error) {
	if err := v.known(); err != nil {
		return escrow.Payout{}, err
	}
	record, err := do[PayoutRecord](ctx, v.s, CancelPayout{Now: v.s.now(), Account: v.id, Key: v.key.ID(), ID: v.moneyID("payout", id), Seal: v.s.seal})
	if err != nil {
		return escrow.Payout{}, err
	}
	return v.s.payout(record), nil
}

// moneyID names an operation of the account among those of all.
func (v view) moneyID(what, id string) string {
	return what + ":" + escrow.Hash([]byte(string(v.id)+"\x00"+id))
}

// Payouts lists the account's payouts, the newest first.
func (v view) Payouts(ctx context.Context) ([]escrow.Payout, error) {
	if _, err := v.account(ctx); err != nil {
		return nil, err
	}
	records, err := v.s.cfg.Store.Payouts(ctx, v.id, maxPayouts)
	if err != nil {
		return nil, v.s.failed(ctx, "payouts", err)
	}
	list := []escrow.Payout{}
	for _, record := range records {
		list = append(list, v.s.payout(record))
	}
	return list, nil
}

func (s *Server) payout(r PayoutRecord) escrow.Payout {
	state := r.State
	if state == escrow.PayoutAsked && !r.BegunAt.IsZero() {
		state = escrow.PayoutPaying
	}
	return escrow.Payout{ID: r.Operation, State: state, Currency: s.named(r.Currency), Amount: r.Amount, To: r.To,
		AskedAt: r.AskedAt, NotBefore: r.NotBefore, EndedAt: r.EndedAt, Note: r.Note}
}

// named is the currency, also one that the escrow deals in no longer.
func (s *Server) named(name string) payment.Currency {
	if currency, ok := s.currency(name); ok {
		return currency
	}
	return payment.Currency{Name: name}
}

// BeginPayout is the operator's word that he pays a payout now, by hand. It is given
// once: who gets an error pays nothing. A time in lost says that he has paid it already,
// before the books were restored at that time.
func (s *Server) BeginPayout(ctx context.Context, id, by string, lost time.Time) (PayoutRecord, error) {
	by, err := oneLine(by, maxReason)
	if err != nil {
		return PayoutRecord{}, err
	}
	return do[PayoutRecord](ctx, s, BeginPayout{Now: s.now(), ID: id, By: by, Seal: s.seal, Hold: s.cfg.CheckoutHold, Lost: lost})
}

// EndPayout is the operator's word on a payout: that it was paid by hand, under that
// reference, or that it is refused, for that reason. The account sees it.
func (s *Server) EndPayout(ctx context.Context, id string, paid bool, note, by string) (PayoutRecord, error) {
	note, err := oneLine(note, maxReason)
	if err != nil {
		return PayoutRecord{}, err
	}
	return do[PayoutRecord](ctx, s, EndPayout{Now: s.now(), ID: id, Paid: paid, Note: note, By: by, Seal: s.seal})
}
