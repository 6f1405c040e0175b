package wire

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"earnest/escrow"
	"earnest/payment"
)

// ProblemType is the media type of error bodies (RFC 9457 section 3).
const ProblemType = "application/problem+json"

// typePrefix makes a problem type (RFC 9457 section 3.1.1) of a code.
const typePrefix = "urn:earnest:error:"

// Row is one line of the table that maps codes to HTTP and back.
type Row struct {
	Code   escrow.Code
	Status int
	// Title is the same for every occurrence (RFC 9457 section 3.1.3).
	Title string
}

// Type is the problem type.
func (r Row) Type() string { return typePrefix + string(r.Code) }

// Table is the one place where a code meets an HTTP status.
func Table() []Row {
	return []Row{
		{escrow.Invalid, http.StatusUnprocessableEntity, "The request breaks a rule of the protocol"},
		{escrow.Unauthorized, http.StatusUnauthorized, "The request's signature is missing or wrong"},
		{escrow.Replayed, http.StatusUnauthorized, "The request was seen before; sign it anew"},
		{escrow.ClockSkew, http.StatusUnauthorized, "The request was signed too far from the escrow's clock"},
		{escrow.Forbidden, http.StatusForbidden, "This account may not do that"},
		{escrow.NotFound, http.StatusNotFound, "There is no such thing"},
		{escrow.NoOffer, http.StatusNotFound, "No price is known for that address"},
		{escrow.SoldOut, http.StatusConflict, "No one-time key of the recipient is left"},
		{escrow.InsufficientFunds, http.StatusPaymentRequired, "The account has too little money available"},
		{escrow.QuoteExpired, http.StatusGone, "The quote has expired"},
		{escrow.OpenBond, http.StatusConflict, "There is an open bond between these two"},
		{escrow.Limited, http.StatusTooManyRequests, "Too many requests, or too many bonds that never arrived"},
		{escrow.OverLimit, http.StatusForbidden, "The account's own limit leaves no room for it"},
		{escrow.Blocked, http.StatusForbidden, "The recipient blocked this sender"},
		{escrow.Conflict, http.StatusConflict, "It conflicts with what was done before"},
		{escrow.Delivered, http.StatusGone, "The key was delivered and is gone"},
		{escrow.NotArrived, http.StatusConflict, "The mail has not arrived"},
		{escrow.BadProof, http.StatusUnprocessableEntity, "The proof of arrival does not hold"},
		{escrow.Ended, http.StatusConflict, "The bond has ended"},
		{escrow.TooLate, http.StatusConflict, "The deadline has passed"},
		{escrow.Stale, http.StatusConflict, "A later decision is recorded"},
		{escrow.BadVoucher, http.StatusUnprocessableEntity, "No such voucher, or it was redeemed"},
		{escrow.Unproven, http.StatusForbidden, "The address is not proven by this account"},
		{escrow.Unavailable, http.StatusServiceUnavailable, "The escrow cannot answer now"},
		{escrow.Internal, http.StatusInternalServerError, "The escrow failed; nothing was changed"},
	}
}

func rowOf(code escrow.Code) (Row, bool) {
	for _, row := range Table() {
		if row.Code == code {
			return row, true
		}
	}
	return Row{}, false
}

// Problem is the body of an error (RFC 9457) with what a client needs to act on
// it. It carries everything of an [escrow.Error].
type Problem struct {
	Type   string      `json:"type" doc:"urn:earnest:error: and the code"`
	Title  string      `json:"title" doc:"The code in words"`
	Status int         `json:"status" doc:"The HTTP status"`
	Code   escrow.Code `json:"code" doc:"What happened, out of a closed set"`
	Detail string      `json:"detail,omitempty" doc:"What happened this time, in words; never an echo of what was sent"`
	// Have and Need are in smallest units.
	Have       *payment.Amount `json:"have,omitempty" doc:"Available, in smallest units (insufficient_funds)"`
	Need       *payment.Amount `json:"need,omitempty" doc:"Needed, in smallest units (insufficient_funds)"`
	Time       time.Time       `json:"time,omitzero" doc:"The escrow's clock (clock_skew, replayed)"`
	RetryAfter escrow.Seconds  `json:"retryAfter,omitempty" doc:"Seconds to wait before trying again (limited)"`
}

// ProblemOf is the problem that tells err to a client. An error that carries no
// code is the escrow's own failure, and its text stays inside.
func ProblemOf(err error) *Problem {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		p := ProblemOf(escrow.Errorf(escrow.Invalid, "the request is larger than the escrow takes"))
		p.Status = http.StatusRequestEntityTooLarge
		return p
	}
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	row, ok := rowOf(escrow.CodeOf(err))
	if !ok {
		row, _ = rowOf(escrow.Internal)
	}
	p := &Problem{Type: row.Type(), Title: row.Title, Status: row.Status, Code: row.Code}
	e, ok := errors.AsType[*escrow.Error](err)
	if row.Code == escrow.Internal {
		p.Detail = "the escrow failed; nothing was changed; try again later"
		return p
	}
	if !ok {
		return p
	}
	p.Detail, p.Have, p.Need, p.Time = e.Detail, e.Have, e.Need, e.Time
	// Rounded up: coming back too early would be refused again.
	p.RetryAfter = escrow.Seconds((e.RetryAfter + time.Second - 1) / time.Second)
	return p
}

// Err is the error that the server had.
func (p *Problem) Err() *escrow.Error {
	return &escrow.Error{
		Code: p.Code, Detail: p.Detail, Have: p.Have, Need: p.Need,
		Time: p.Time, RetryAfter: p.RetryAfter.Duration(),
	}
}

// Error is the problem in one line.
func (p *Problem) Error() string { return p.Err().Error() }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is the media type of the body.
func (p *Problem) ContentType(string) string { return ProblemType }

// GetHeaders are the headers that go with the problem.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64(p.RetryAfter), 10))
	}
	return h
}

// WriteTo sends the problem.
func (p *Problem) WriteTo(w http.ResponseWriter) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	h := w.Header()
	for name, values := range p.GetHeaders() {
		h[name] = values
	}
	h.Set("Content-Type", ProblemType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Del("Content-Length")
	w.WriteHeader(p.Status)
	_, err = w.Write(append(body, '\n'))
	return err
}

// ReadProblem is the error that an unsuccessful response tells. A body that is
// no problem of ours comes from something in between: whatever it meant, the
// escrow gave no answer.
func ReadProblem(status int, contentType string, body []byte) *escrow.Error {
	mediaType, _, _ := strings.Cut(contentType, ";")
	var p Problem
	if strings.EqualFold(strings.TrimSpace(mediaType), ProblemType) && json.Unmarshal(body, &p) == nil {
		if _, ok := rowOf(p.Code); ok {
			return p.Err()
		}
	}
	if status == http.StatusTooManyRequests {
		return escrow.Errorf(escrow.Limited, "something before the escrow limits requests")
	}
	return escrow.Errorf(escrow.Unavailable, "the answer (HTTP status %d) is not an escrow's", status)
}
