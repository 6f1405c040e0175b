package escrow

import (
	"time"

	"earnest/payment"
)

// RaiseAfter is how long a raise of a limit waits: its owner is shown it all the
// while, and whoever holds a stolen machine gains nothing by it at once.
const RaiseAfter = 48 * time.Hour

// SetLimit sets what the account may spend in a currency; nil is no limit. What is
// lower than before acts at once, what is higher after [RaiseAfter].
type SetLimit struct {
	Currency string          `json:"currency"`
	PerMail  *payment.Amount `json:"perMail,omitempty"`
	PerDay   *payment.Amount `json:"perDay,omitempty"`
}

// SpendingLimit is what an account may spend in a currency. The escrow holds it,
// so that a stolen machine does not empty the account.
type SpendingLimit struct {
	Currency string `json:"currency"`
	// PerMail bounds one bond, PerDay the bonds of 24 hours; nil is no limit.
	PerMail *payment.Amount `json:"perMail,omitempty"`
	PerDay  *payment.Amount `json:"perDay,omitempty"`
	// Spent was put on hold within the last 24 hours and has not come back.
	Spent payment.Amount `json:"spent"`
	// Raise is what the limit becomes, unless it is set anew before.
	Raise *RaisedLimit `json:"raise,omitempty"`
}

// RaisedLimit is a limit that acts later.
type RaisedLimit struct {
	PerMail *payment.Amount `json:"perMail,omitempty"`
	PerDay  *payment.Amount `json:"perDay,omitempty"`
	At      time.Time       `json:"at"`
}

// Now is the limit as it holds at that moment.
func (l SpendingLimit) Now(now time.Time) SpendingLimit {
	if l.Raise != nil && !now.Before(l.Raise.At) {
		l.PerMail, l.PerDay, l.Raise = l.Raise.PerMail, l.Raise.PerDay, nil
	}
	return l
}

// Set is the limit after it was set: the lower at once, the higher with a raise. A
// raise that was asked for before keeps its time if it is asked for again, or for less.
func (l SpendingLimit) Set(to SetLimit, now time.Time) SpendingLimit {
	l = l.Now(now)
	before := l.Raise
	l.PerMail, l.PerDay, l.Raise = lower(l.PerMail, to.PerMail), lower(l.PerDay, to.PerDay), nil
	if same(l.PerMail, to.PerMail) && same(l.PerDay, to.PerDay) {
		return l
	}
	l.Raise = &RaisedLimit{PerMail: to.PerMail, PerDay: to.PerDay, At: now.Add(RaiseAfter)}
	if before != nil && same(lower(before.PerMail, to.PerMail), to.PerMail) && same(lower(before.PerDay, to.PerDay), to.PerDay) {
		l.Raise.At = before.At
	}
	return l
}

// Check refuses a bond of that cost. RetryAfter is not told: room comes when money
// comes back, or when a day is over.
func (l SpendingLimit) Check(cost payment.Amount, scale uint8) error {
	refused := func(have payment.Amount, format string, args ...any) error {
		err := Errorf(OverLimit, format, args...)
		err.Have, err.Need = &have, &cost
		return err
	}
	if l.PerMail != nil && cost > *l.PerMail {
		return refused(*l.PerMail, "this costs %s, and the account's limit for one mail is %s; nothing was paid", cost.Format(scale), l.PerMail.Format(scale))
	}
	if l.PerDay == nil {
		return nil
	}
	if left := max(0, *l.PerDay-l.Spent); cost > left {
		return refused(left, "this costs %s, and of the account's limit of %s a day %s is left; nothing was paid", cost.Format(scale), l.PerDay.Format(scale), left.Format(scale))
	}
	return nil
}

// lower is the lower of two limits, of which nil is none.
func lower(a, b *payment.Amount) *payment.Amount {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

func same(a, b *payment.Amount) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}
