package escrowserver

import (
	"context"
	"errors"
	"net/http"
	"time"

	"earnest/payment"
)

// Provider takes real money for the escrow and says when it came. A card processor
// is one; a holder of electronic cash or of another currency would be another. It
// is asked for a page, and whatever it tells later names that page's session.
type Provider interface {
	// Name is in paths and in the books: lower-case letters.
	Name() string
	// Units is an amount of a currency as the provider counts it: its name there,
	// and how many of its smallest units. An error says why it cannot be paid so.
	Units(currency payment.Currency, amount payment.Amount) (unit string, units int64, err error)
	// Open makes the page. The same reference again gives the same session.
	Open(ctx context.Context, order Order) (Session, error)
	// Session asks how far a session is.
	Session(ctx context.Context, id string) (Session, error)
	// SessionOf finds the session whose payment that is.
	SessionOf(ctx context.Context, payment string) (Session, error)
	// Event reads what the provider posted, and checks that it was the provider.
	Event(header http.Header, body []byte, now time.Time) (Event, error)
}

// ErrForged: who posted an event did not show that it is the provider.
var ErrForged = errors.New("the event is not signed by the provider")

// ErrNoSession: the provider knows no such session.
var ErrNoSession = errors.New("the provider knows no such session")

// Order asks a provider for a page.
type Order struct {
	// Reference names the checkout; the provider gives it back with the session.
	Reference string
	Unit      string
	Units     int64
	// Title is what the page says is paid for.
	Title string
}

// Session is a page of the provider, as the provider tells of it.
type Session struct {
	ID        string `json:"id"`
	Reference string `json:"reference,omitempty"`
	URL       string `json:"url,omitempty"`
	Unit      string `json:"unit,omitempty"`
	Units     int64  `json:"units,omitempty"`
	// Payment is the provider's id of what was paid, which refunds name.
	Payment string `json:"payment,omitempty"`
	// Paid: the money is there. Over: the page can be paid no longer.
	Paid bool `json:"paid,omitempty"`
	Over bool `json:"over,omitempty"`
}

// EventKind is what a provider tells of.
type EventKind string

// The kinds of events.
const (
	EventSession EventKind = "session" // a session changed
	EventRefund  EventKind = "refund"  // money was given back to who paid
	EventDispute EventKind = "dispute" // who paid disputes it, or that ended
	EventOther   EventKind = "other"   // nothing that matters here
)

// Event is what matters of what a provider posted.
type Event struct {
	ID      string    `json:"id"`
	Kind    EventKind `json:"kind"`
	Session Session   `json:"session,omitzero"`
	// Of a refund or dispute: its id, the payment, and how much in all so far.
	Back    string `json:"back,omitempty"`
	Payment string `json:"payment,omitempty"`
	Unit    string `json:"unit,omitempty"`
	Units   int64  `json:"units,omitempty"`
	// Won: the dispute ended and the money stays.
	Won bool `json:"won,omitempty"`
}
