package localapi

import (
	"errors"
	"fmt"
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
type words struct{ happened, means, do string }

const (
	nothingSent    = "Nothing was sent and nothing was paid; your text is kept."
	nothingChanged = "Nothing was changed and no money moved."
)

// escrowWords is the table of the escrow's codes. Where told is true, the
// escrow's own detail is told with it.
func escrowWords(code escrow.Code) (w words, told bool) {
	switch code {
	case escrow.Invalid:
		return words{"That breaks a rule, so it was refused.", nothingChanged, "Check what was asked for. If it is right, update Earnest on this machine."}, true
	case escrow.Unauthorized:
		return words{"The escrow does not recognise this agent's signature.", nothingChanged, "Run the doctor (earnest doctor). If the keyring was replaced, add the account again."}, false
	case escrow.Replayed:
		return words{"The escrow took this request for one that it had seen before.", "It was not carried out twice, and no money moved by it.", "Try again: each attempt is signed anew."}, false
	case escrow.ClockSkew:
		return words{"This machine's clock is more than 5 minutes away from the escrow's.", "Nothing was changed. Only the escrow's clock counts for deadlines.", "Set the clock of this machine, then try again."}, false
	case escrow.Forbidden:
		return words{"This account may not do that.", nothingChanged, "Use the account that the mail or the address belongs to."}, true
	case escrow.NotFound:
		return words{"The escrow knows no such thing, or none that this account may see.", nothingChanged, "Look in the list for the right one."}, false
	case escrow.NoOffer:
		return words{"Nobody has set a price for that address at this escrow, or it is not listed.", nothingSent, "Check the spelling, ask the recipient for the card, or write an ordinary mail."}, false
	case escrow.SoldOut:
		return words{"The recipient has no one-time key left to sell.", nothingSent, "Try again in an hour: the recipient's agent brings new keys when it runs."}, false
	case escrow.InsufficientFunds:
		return words{"You have less at the escrow than this costs.", "Nothing was sent; your text is kept.", "Top up, then send again."}, false
	case escrow.QuoteExpired:
		return words{"The time in which this price could be bought is over.", nothingSent, "Look at the price again, then send."}, false
	case escrow.OpenBond:
		return words{"A mail of yours to this recipient is still undecided, and only one may wait at a time.", "Nothing more was paid. The money of the first mail stays held.", "Wait for the decision, or withdraw the first mail if it has not arrived."}, false
	case escrow.Limited:
		return words{"A limit of the escrow is reached: too many requests, or too many paid mails that never arrived.", nothingChanged, "Try again later."}, true
	case escrow.Blocked:
		return words{"The recipient has blocked mail from this address.", nothingSent, "Leave it: a block lasts a year."}, false
	case escrow.Conflict:
		return words{"Something else was asked for here first.", "What was asked for first stands. Money moves once at most.", "Look at the mail's state before asking again."}, true
	case escrow.Delivered:
		return words{"The key of this purchase was handed out before, and is not given twice.", "The bond is paid and its money is held. It comes back if no mail arrives.", "Withdraw this mail, then send it again."}, false
	case escrow.NotArrived:
		return words{"The escrow has no proof yet that this mail arrived, so it cannot be decided.", "Nothing was decided and the money stays held.", "Wait a moment: the agent reports arrivals by itself."}, false
	case escrow.BadProof:
		return words{"The proof that this mail arrived does not hold.", "The mail was not opened and does not count as paid. The sender's money stays held and comes back at the deadline.", "Nothing need be done: the sender may send it again."}, false
	case escrow.Ended:
		return words{"This mail's bond has ended, and an ending never changes.", "Its money went where the ending says and does not move again.", "Look at the mail's state: there is nothing left to decide."}, true
	case escrow.TooLate:
		return words{"It is too late for that.", "Nothing was changed. The money goes where the mail's state says.", "Look at the mail's state."}, true
	case escrow.Stale:
		return words{"A later decision on this mail is already recorded.", "The later one stands, and no money moved by this one.", "Look at the mail's state. If it still waits, decide again."}, false
	case escrow.BadVoucher:
		return words{"There is no such voucher, or it was redeemed before.", "Your balance is as it was.", "Check the code, or ask whoever gave it to you."}, false
	case escrow.Unproven:
		return words{"The escrow has no proof yet that this address is yours.", nothingSent, "Wait for the escrow's mail, which the agent answers by itself. The doctor (earnest doctor) says what is missing."}, false
	case escrow.Unavailable:
		return words{"The escrow does not answer.", "No mail and no money is lost: decisions are kept and go out when it is back, and its deadlines wait too.", "Check the network, or try again when it is back."}, false
	}
	return words{"The escrow failed inside.", "It changed nothing and no money moved.", "Try again in a few minutes. If it fails again, tell the escrow's operator."}, false
}

// escrowFailure fills the table's words with what the error carries.
func escrowFailure(e *escrow.Error, about About) *agentclient.Failure {
	w, told := escrowWords(e.Code)
	if detail := clean(e.Detail); told && detail != "" {
		w.happened += " It says: " + detail + "."
	}
	switch e.Code {
	case escrow.InsufficientFunds:
		if e.Have != nil && e.Need != nil && about.Currency.Check() == nil {
			w.happened = fmt.Sprintf("This costs %s and you have %s.", money(*e.Need, about.Currency), money(*e.Have, about.Currency))
			w.do = fmt.Sprintf("Top up at least %s, then send again.", money(*e.Need-*e.Have, about.Currency))
		}
	case escrow.ClockSkew:
		if !e.Time.IsZero() {
			w.happened = strings.TrimSuffix(w.happened, ".") + ", which says " + e.Time.UTC().Format("2006-01-02 15:04") + " UTC."
		}
	case escrow.Limited:
		if e.RetryAfter > 0 {
			w.do = "Try again in " + rough(e.RetryAfter) + "."
		}
	case escrow.Unavailable:
		if about.Escrow != "" {
			w.happened = about.Escrow + " does not answer."
		}
	}
	return &agentclient.Failure{Code: string(e.Code), Happened: w.happened, Means: w.means, Do: w.do}
}

func money(amount payment.Amount, currency payment.Currency) string {
	return agentclient.Money{Amount: amount.Format(currency.Scale), Currency: currency.Name, Unit: currency.Unit}.String()
}

// rough says a waiting time, never shorter than it is.
func rough(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d < unit.length && unit.length > time.Second {
			continue
		}
		n := int64((d + unit.length - 1) / unit.length)
		if n == 1 {
			return "1 " + unit.name
		}
		return fmt.Sprintf("%d %ss", n, unit.name)
	}
	return ""
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
	case string(escrow.InsufficientFunds), agentclient.CodeLimit:
		return http.StatusPaymentRequired
	case string(escrow.Forbidden), string(escrow.Blocked), string(escrow.Unauthorized), string(escrow.Unproven):
		return http.StatusForbidden
	case agentclient.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case string(escrow.Limited):
		return http.StatusTooManyRequests
	case agentclient.CodeState, agentclient.CodeNoAccount, agentclient.CodeNoKeyring, string(escrow.SoldOut),
		string(escrow.OpenBond), string(escrow.Conflict), string(escrow.Delivered), string(escrow.NotArrived),
		string(escrow.Ended), string(escrow.TooLate), string(escrow.Stale), string(escrow.QuoteExpired),
		string(escrow.Replayed), string(escrow.ClockSkew):
		return http.StatusConflict
	case agentclient.CodeDamaged, string(escrow.BadProof), string(escrow.BadVoucher):
		return http.StatusUnprocessableEntity
	case agentclient.CodeLogin, agentclient.CodeTLS:
		return http.StatusBadGateway
	case agentclient.CodeUnreachable, agentclient.CodeNoAgent, string(escrow.Unavailable):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
