package localapi

import (
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"

	"earnest/agentclient"
	"earnest/escrow"
	"earnest/payment"
)

// About is what the words of a failure name where the caller knows it.
type About struct {
	Escrow   string           // its name
	Currency payment.Currency // of the amounts in question
}

// FailureOf turns an error of the agent into what a person is told. A
// [*agentclient.Failure] stays as it is, an error of the escrow gets the words
// of its code, and all else is internal. Nil stays nil.
func FailureOf(err error, about About) *agentclient.Failure {
	if err == nil {
		return nil
	}
	if failure, ok := errors.AsType[*agentclient.Failure](err); ok {
		return failure
	}
	refusal, ok := errors.AsType[*escrow.Error](err)
	if !ok {
		code, ok := errors.AsType[escrow.Code](err)
		if !ok {
			return agentclient.Fail(agentclient.CodeInternal)
		}
		refusal = &escrow.Error{Code: code}
	}
	return escrowFailure(refusal, about)
}

// words are the three parts of what a person is told.
type words struct{ happened, means, do agentclient.Said }

func nothingSent() agentclient.Said {
	return agentclient.Say("escrow.nothing-sent", "Nothing was sent and nothing was paid; your text is kept.")
}

func nothingChanged() agentclient.Said {
	return agentclient.Say("escrow.nothing-changed", "Nothing was changed and no money moved.")
}

// escrowWords is the table of the escrow's codes. Where told is true, the
// escrow's own detail is told with it.
func escrowWords(code escrow.Code) (w words, told bool) {
	switch code {
	case escrow.Invalid:
		return words{
			agentclient.Say("escrow.invalid", "That breaks a rule, so it was refused."),
			nothingChanged(),
			agentclient.Say("escrow.invalid.do", "Check what was asked for. If it is right, update Earnest on this machine.")}, true
	case escrow.Unauthorized:
		return words{
			agentclient.Say("escrow.unauthorized", "The escrow does not recognise this agent's signature."),
			nothingChanged(),
			agentclient.Say("escrow.unauthorized.do", "Run the doctor (earnest doctor). If the keyring was replaced, add the account again.")}, false
	case escrow.Replayed:
		return words{
			agentclient.Say("escrow.replayed", "The escrow took this request for one that it had seen before."),
			agentclient.Say("escrow.replayed.means", "It was not carried out twice, and no money moved by it."),
			agentclient.Say("escrow.replayed.do", "Try again: each attempt is signed anew.")}, false
	case escrow.ClockSkew:
		return words{
			agentclient.Say("escrow.clock-skew", "This machine's clock is more than 5 minutes away from the escrow's."),
			agentclient.Say("escrow.clock-skew.means", "Nothing was changed. Only the escrow's clock counts for deadlines."),
			agentclient.Say("escrow.clock-skew.do", "Set the clock of this machine, then try again.")}, false
	case escrow.Forbidden:
		return words{
			agentclient.Say("escrow.forbidden", "This account may not do that."),
			nothingChanged(),
			agentclient.Say("escrow.forbidden.do", "Use the account that the mail or the address belongs to.")}, true
	case escrow.NotFound:
		return words{
			agentclient.Say("escrow.not-found", "The escrow knows no such thing, or none that this account may see."),
			nothingChanged(),
			agentclient.Say("escrow.not-found.do", "Look in the list for the right one.")}, false
	case escrow.NoOffer:
		return words{
			agentclient.Say("escrow.no-offer", "Nobody has set a price for that address at this escrow, or it is not listed."),
			nothingSent(),
			agentclient.Say("escrow.no-offer.do", "Check the spelling, ask the recipient for the card, or write an ordinary mail.")}, false
	case escrow.SoldOut:
		return words{
			agentclient.Say("escrow.sold-out", "The recipient has no one-time key left to sell."),
			nothingSent(),
			agentclient.Say("escrow.sold-out.do", "Try again in an hour: the recipient's agent brings new keys when it runs.")}, false
	case escrow.InsufficientFunds:
		return words{
			agentclient.Say("escrow.insufficient-funds", "You have less at the escrow than this costs."),
			agentclient.Say("escrow.insufficient-funds.means", "Nothing was sent; your text is kept."),
			agentclient.Say("escrow.insufficient-funds.do", "Top up, then send again.")}, false
	case escrow.QuoteExpired:
		return words{
			agentclient.Say("escrow.quote-expired", "The time in which this price could be bought is over."),
			nothingSent(),
			agentclient.Say("escrow.quote-expired.do", "Look at the price again, then send.")}, false
	case escrow.OpenBond:
		return words{
			agentclient.Say("escrow.open-bond", "A mail of yours to this recipient is still undecided, and only one may wait at a time. Addresses that differ only in a tag after + or in dots before the @ count as one."),
			agentclient.Say("escrow.open-bond.means", "Nothing more was paid. The money of the first mail stays held."),
			agentclient.Say("escrow.open-bond.do", "Wait for the decision, or withdraw the first mail if it has not arrived.")}, false
	case escrow.Limited:
		return words{
			agentclient.Say("escrow.limited", "A limit of the escrow is reached: too many requests, or too many paid mails that never arrived."),
			nothingChanged(),
			agentclient.Say("escrow.limited.do", "Try again later.")}, true
	case escrow.OverLimit:
		return words{
			agentclient.Say("escrow.over-limit", "The limit that you set leaves no room for this, and the escrow holds you to it."),
			nothingSent(),
			agentclient.Say("escrow.over-limit.do", "Wait until money comes back or the day is over, or raise the limit (earnest limits set): the escrow takes a raise after 48 hours.")}, true
	case escrow.Blocked:
		return words{
			agentclient.Say("escrow.blocked", "The recipient has blocked mail from this address."),
			nothingSent(),
			agentclient.Say("escrow.blocked.do", "Leave it: a block lasts a year.")}, false
	case escrow.Conflict:
		return words{
			agentclient.Say("escrow.conflict", "Something else was asked for here first."),
			agentclient.Say("escrow.conflict.means", "What was asked for first stands. Money moves once at most."),
			agentclient.Say("escrow.conflict.do", "Look at the mail's state before asking again.")}, true
	case escrow.Delivered:
		return words{
			agentclient.Say("escrow.delivered", "The key of this purchase was handed out before, and is not given twice."),
			agentclient.Say("escrow.delivered.means", "The bond is paid and its money is held. It comes back if no mail arrives."),
			agentclient.Say("escrow.delivered.do", "Withdraw this mail, then send it again.")}, false
	case escrow.NotArrived:
		return words{
			agentclient.Say("escrow.not-arrived", "The escrow has no proof yet that this mail arrived, so it cannot be decided."),
			agentclient.Say("escrow.not-arrived.means", "Nothing was decided and the money stays held."),
			agentclient.Say("escrow.not-arrived.do", "Wait a moment: the agent reports arrivals by itself.")}, false
	case escrow.BadProof:
		return words{
			agentclient.Say("escrow.bad-proof", "The proof that this mail arrived does not hold."),
			agentclient.Say("escrow.bad-proof.means", "The mail was not opened and does not count as paid. The sender's money stays held and comes back at the deadline."),
			agentclient.Say("escrow.bad-proof.do", "Nothing need be done: the sender may send it again.")}, false
	case escrow.Ended:
		return words{
			agentclient.Say("escrow.ended", "This mail's bond has ended, and an ending never changes."),
			agentclient.Say("escrow.ended.means", "Its money went where the ending says and does not move again."),
			agentclient.Say("escrow.ended.do", "Look at the mail's state: there is nothing left to decide.")}, true
	case escrow.TooLate:
		return words{
			agentclient.Say("escrow.too-late", "It is too late for that."),
			agentclient.Say("escrow.too-late.means", "Nothing was changed. The money goes where the mail's state says."),
			agentclient.Say("escrow.too-late.do", "Look at the mail's state.")}, true
	case escrow.Stale:
		return words{
			agentclient.Say("escrow.stale", "A later decision on this mail is already recorded."),
			agentclient.Say("escrow.stale.means", "The later one stands, and no money moved by this one."),
			agentclient.Say("escrow.stale.do", "Look at the mail's state. If it still waits, decide again.")}, false
	case escrow.BadVoucher:
		return words{
			agentclient.Say("escrow.bad-voucher", "There is no such voucher, or it was redeemed before."),
			agentclient.Say("escrow.bad-voucher.means", "Your balance is as it was."),
			agentclient.Say("escrow.bad-voucher.do", "Check the code, or ask whoever gave it to you.")}, false
	case escrow.Unproven:
		return words{
			agentclient.Say("escrow.unproven", "The escrow has no proof yet that this address is yours."),
			nothingSent(),
			agentclient.Say("escrow.unproven.do", "Wait for the escrow's mail, which the agent answers by itself. The doctor (earnest doctor) says what is missing.")}, false
	case escrow.Unavailable:
		return words{
			agentclient.Say("escrow.unavailable", "The escrow does not answer."),
			agentclient.Say("escrow.unavailable.means", "No mail and no money is lost: decisions are kept and go out when it is back, and its deadlines wait too."),
			agentclient.Say("escrow.unavailable.do", "Check the network, or try again when it is back.")}, false
	}
	return words{
		agentclient.Say("escrow.internal", "The escrow failed inside."),
		agentclient.Say("escrow.internal.means", "It changed nothing and no money moved."),
		agentclient.Say("escrow.internal.do", "Try again in a few minutes. If it fails again, tell the escrow's operator.")}, false
}

// escrowFailure fills the table's words with what the error carries.
func escrowFailure(e *escrow.Error, about About) *agentclient.Failure {
	w, told := escrowWords(e.Code)
	if detail := clean(e.Detail); told && detail != "" {
		w.happened = w.happened.And(agentclient.Say("escrow.it-says", "It says: {Detail}.", "Detail", detail))
	}
	switch e.Code {
	case escrow.InsufficientFunds:
		if e.Have != nil && e.Need != nil && about.Currency.Check() == nil {
			w.happened = agentclient.Say("escrow.costs", "This costs {Cost} and you have {Have}.", "Cost", money(*e.Need, about.Currency), "Have", money(*e.Have, about.Currency))
			w.do = agentclient.Say("escrow.top-up", "Top up at least {Amount}, then send again.", "Amount", money(*e.Need-*e.Have, about.Currency))
		}
	case escrow.ClockSkew:
		if !e.Time.IsZero() {
			w.happened = agentclient.Say("escrow.clock-skew-at", "This machine's clock is more than 5 minutes away from the escrow's, which says {Time}.", "Time", e.Time.UTC())
		}
	case escrow.Limited:
		if e.RetryAfter > 0 {
			w.do = agentclient.Say("escrow.limited-until", "Try again in {Span}.", "Span", rough(e.RetryAfter))
		}
	case escrow.Unavailable:
		if about.Escrow != "" {
			w.happened = agentclient.Say("escrow.away", "{Escrow} does not answer.", "Escrow", about.Escrow)
		}
	}
	return agentclient.Refuse(string(e.Code), w.happened, w.means, w.do)
}

func money(amount payment.Amount, currency payment.Currency) agentclient.Money {
	return agentclient.Money{Amount: amount.Format(currency.Scale), Currency: currency.Name, Unit: currency.Unit}
}

// rough is a waiting time in whole units, never shorter than it is.
func rough(d time.Duration) time.Duration {
	for _, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute} {
		if d >= unit {
			return (d + unit - 1).Truncate(unit)
		}
	}
	return (d + time.Second - 1).Truncate(time.Second)
}

// maxDetail bounds what an escrow may say in a person's window.
const maxDetail = 200

// clean makes an escrow's words safe to show: one short line of visible text.
func clean(detail string) string {
	visible := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, detail)
	if letters := []rune(visible); len(letters) > maxDetail {
		visible = string(letters[:maxDetail]) + "…"
	}
	return strings.TrimRight(strings.TrimSpace(visible), ".")
}

// statusOf is the HTTP status that goes with a failure's code.
func statusOf(code string) int {
	switch code {
	case agentclient.CodeUsage, string(escrow.Invalid):
		return http.StatusBadRequest
	case agentclient.CodeNotFound, string(escrow.NoOffer):
		return http.StatusNotFound
	case string(escrow.InsufficientFunds), string(escrow.OverLimit), agentclient.CodeLimit:
		return http.StatusPaymentRequired
	case string(escrow.Forbidden), string(escrow.Blocked), string(escrow.Unauthorized), string(escrow.Unproven):
		return http.StatusForbidden
	case agentclient.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case string(escrow.Limited):
		return http.StatusTooManyRequests
	case agentclient.CodeState, agentclient.CodeNoAccount, agentclient.CodeNoKeyring, agentclient.CodeLocked, string(escrow.SoldOut),
		string(escrow.OpenBond), string(escrow.Conflict), string(escrow.Delivered), string(escrow.NotArrived),
		string(escrow.Ended), string(escrow.TooLate), string(escrow.Stale), string(escrow.QuoteExpired),
		string(escrow.Replayed), string(escrow.ClockSkew):
		return http.StatusConflict
	case agentclient.CodeDamaged, agentclient.CodeIdentity, string(escrow.BadProof), string(escrow.BadVoucher):
		return http.StatusUnprocessableEntity
	case agentclient.CodeLogin, agentclient.CodeTLS:
		return http.StatusBadGateway
	case agentclient.CodeUnreachable, agentclient.CodeNoAgent, string(escrow.Unavailable):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
