package app

import (
	"fmt"
	"time"

	"earnest/escrowserver"
	"earnest/payment"
)

// Minute is a time as operators read it.
func Minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// Marks say what the operator must know of a payout before he pays it.
func (q Queue) Marks(p escrowserver.PayoutRecord, known func(string) payment.Currency) (marks []string) {
	currency := known(p.Currency)
	owes := p.Owes.Format(currency.Scale) + " " + unitOf(currency)
	begun := !p.BegunAt.IsZero()
	if begun {
		marks = append(marks, fmt.Sprintf("begun at %s by %s: do not pay it twice; was it paid, say 'payout paid', and if that failed, 'payout refuse'", Minute(p.BegunAt), printable(p.BegunBy)))
	}
	if p.Owes > 0 {
		mark := "ATTENTION: a card payment was taken back, and the account owes " + owes + " more than it has and will keep (welcome credit, and what was paid by card lately, do not count): pay nothing; refuse the payout, or settle the debt first"
		if begun {
			mark = "ATTENTION: since it was begun, a card payment was taken back, and the account owes " + owes + " more than it has and will keep: unless you refunded it at the provider yourself for this payout (then say 'payout paid'), stop the transfer if you still can; refuse the payout only if nothing of it was paid"
		}
		marks = append(marks, mark)
	}
	if !p.FrozenAt.IsZero() {
		mark := "the account is frozen since " + Minute(p.FrozenAt) + ", perhaps by its owner after a theft: "
		if begun {
			mark += "stop the transfer if you still can; what was paid is 'paid'"
		} else {
			mark += "it is paid nothing until that ends"
		}
		marks = append(marks, mark)
	}
	if p.AskedAt.Before(q.Restored) {
		mark := "asked for before the books were restored at " + Minute(q.Restored) + ": see at your bank whether it was paid since, before you pay it"
		if begun && p.BegunAt.Before(q.Restored) {
			mark = "begun before the books were restored at " + Minute(q.Restored) + ": it was paid most likely; see at your bank"
		}
		marks = append(marks, mark)
	}
	return marks
}
