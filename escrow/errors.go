package escrow

import (
	"errors"
	"fmt"
	"time"

	"earnest/payment"
)

// Code is the kind of an error. The set is closed, it travels in the
// problem+json body (RFC 9457) and comes back as the same error, so that
// errors.Is(err, escrow.SoldOut) is true on both sides of the wire.
type Code string

// Error makes a code usable as the target of errors.Is.
func (c Code) Error() string { return "escrow: " + string(c) }

// The codes.
const (
	// Invalid: the request is malformed or breaks a rule of the protocol.
	Invalid Code = "invalid"
	// Unauthorized: the request's signature is missing or wrong.
	Unauthorized Code = "unauthorized"
	// Replayed: the request's nonce was seen, or is older than the server's start.
	Replayed Code = "replayed"
	// ClockSkew: the request was signed over 5 minutes from the server's clock.
	ClockSkew Code = "clock_skew"
	// Forbidden: the account may not do this to this thing.
	Forbidden Code = "forbidden"
	// NotFound: there is no such thing, or none that this account may see.
	NotFound Code = "not_found"
	// NoOffer: nobody here set a price for that address, or it is not listed.
	NoOffer Code = "no_offer"
	// SoldOut: no one-time key of the recipient is left.
	SoldOut Code = "sold_out"
	// InsufficientFunds: the account has less available than this costs.
	InsufficientFunds Code = "insufficient_funds"
	// QuoteExpired: the quote's time is over; ask for a new one.
	QuoteExpired Code = "quote_expired"
	// OpenBond: there is already an open bond between this sender and recipient.
	OpenBond Code = "open_bond"
	// Limited: too many requests, or too many bonds that never arrived.
	Limited Code = "limited"
	// OverLimit: it costs more than the account's own limit leaves room for.
	OverLimit Code = "over_limit"
	// Blocked: the recipient blocked this sender.
	Blocked Code = "blocked"
	// Conflict: the same operation id came with another body.
	Conflict Code = "conflict"
	// Delivered: the purchase was acknowledged and its key is gone.
	Delivered Code = "already_delivered"
	// NotArrived: accept, reject and read are valid only after arrived.
	NotArrived Code = "not_arrived"
	// BadProof: the proof of arrival does not verify, or counted before.
	BadProof Code = "bad_proof"
	// Ended: the bond has ended, and an ending never changes.
	Ended Code = "ended"
	// TooLate: the deadline for this has passed.
	TooLate Code = "too_late"
	// Stale: a later decision on this bond is already recorded.
	Stale Code = "stale_decision"
	// BadVoucher: no such voucher, or it was redeemed.
	BadVoucher Code = "bad_voucher"
	// Unproven: the address has not been proven by this account.
	Unproven Code = "unproven_address"
	// Unavailable: the escrow cannot be reached or cannot answer now.
	Unavailable Code = "unavailable"
	// Internal: the escrow failed; nothing was changed.
	Internal Code = "internal"
)

// Codes lists every code, for the table that maps them to HTTP and back.
func Codes() []Code {
	return []Code{Invalid, Unauthorized, Replayed, ClockSkew, Forbidden, NotFound, NoOffer, SoldOut,
		InsufficientFunds, QuoteExpired, OpenBond, Limited, OverLimit, Blocked, Conflict, Delivered, NotArrived,
		BadProof, Ended, TooLate, Stale, BadVoucher, Unproven, Unavailable, Internal}
}

// Error is an error of the escrow with what a client needs to act on it.
type Error struct {
	Code Code
	// Detail says what happened in words for a person; never a secret, never
	// an echo of what was sent.
	Detail string
	// Have and Need are set with InsufficientFunds, and with OverLimit where Have is
	// what the limit leaves room for, in smallest units of Option's scale.
	Have, Need *payment.Amount
	// Time is the server's clock, set with ClockSkew and Replayed.
	Time time.Time
	// RetryAfter is set with Limited where waiting helps.
	RetryAfter time.Duration
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Code.Error()
	}
	return e.Code.Error() + ": " + e.Detail
}

// Is matches the code, so that errors.Is(err, escrow.SoldOut) works.
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// Errorf makes an error with a code and a detail.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// CodeOf returns the code of err: Internal for an error that carries none, and
// "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	if code, ok := errors.AsType[Code](err); ok {
		return code
	}
	return Internal
}
