package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The payloads of statements, with the members that are checked.
type (
	option struct {
		System   string `json:"system"`
		Currency string `json:"currency"`
		Amount   int64  `json:"amount"`
		Scale    int    `json:"scale"`
	}
	offer struct {
		Address      string    `json:"address"`
		Identity     string    `json:"identity"`
		Options      []option  `json:"options"`
		Beneficiary  string    `json:"beneficiary"`
		DecideWithin int64     `json:"decideWithin"`
		Made         time.Time `json:"made"`
	}
	terms struct {
		Quote   int64 `json:"quote"`
		Deliver int64 `json:"deliver"`
		Decide  int64 `json:"decide"`
		Undo    int64 `json:"undo"`
		Final   int64 `json:"final"`
	}
	quote struct {
		ID          string    `json:"id"`
		Offer       string    `json:"offer"`
		Sender      string    `json:"sender"`
		Recipient   string    `json:"recipient"`
		Option      option    `json:"option"`
		Beneficiary string    `json:"beneficiary"`
		Terms       terms     `json:"terms"`
		Salt        string    `json:"salt"`
		Made        time.Time `json:"made"`
		Expires     time.Time `json:"expires"`
	}
	// said is a decision or another statement of the recipient.
	said struct {
		Bond    string    `json:"bond"`
		Quote   string    `json:"quote"`
		Verdict string    `json:"verdict"`
		N       int64     `json:"n"`
		Event   string    `json:"event"`
		Proof   string    `json:"proof"`
		Time    time.Time `json:"time"`
	}
	receipt struct {
		Bond        string    `json:"bond"`
		N           int64     `json:"n"`
		Prev        string    `json:"prev"`
		Event       string    `json:"event"`
		Money       string    `json:"money"`
		From        string    `json:"from"`
		To          string    `json:"to"`
		Option      option    `json:"option"`
		Beneficiary string    `json:"beneficiary"`
		Statement   string    `json:"statement"`
		Time        time.Time `json:"time"`
	}
	outage struct {
		Escrow string    `json:"escrow"`
		Began  time.Time `json:"began"`
		Ended  time.Time `json:"ended"`
		Until  time.Time `json:"until"`
	}
	totals struct {
		Escrow string    `json:"escrow"`
		From   time.Time `json:"from"`
		Until  time.Time `json:"until"`
		Made   time.Time `json:"made"`
		Lines  []total   `json:"lines"`
	}
	total struct {
		Currency    string `json:"currency"`
		Scale       int    `json:"scale"`
		Beneficiary string `json:"beneficiary"`
		Held        sum    `json:"held"`
		Refunded    sum    `json:"refunded"`
		Forfeited   sum    `json:"forfeited"`
		Open        sum    `json:"open"`
	}
	sum struct {
		Bonds  int64 `json:"bonds"`
		Amount int64 `json:"amount"`
	}
)

// line is one line of an export.
type line struct {
	Line     string    `json:"line"`
	Version  int       `json:"version"`
	Escrow   string    `json:"escrow"`
	Keys     []string  `json:"keys"`
	Made     time.Time `json:"made"`
	Bond     string    `json:"bond"`
	Quote    string    `json:"quote"`
	Outage   string    `json:"outage"`
	Totals   string    `json:"totals"`
	Bonds    int       `json:"bonds"`
	Asides   []string  `json:"asides"`
	Receipts any       `json:"receipts"` // texts of a bond, a number at the end
}

// in is a sum for a person.
func (s sum) in(scale int) string {
	text := fmt.Sprint(s.Amount)
	if scale > 0 {
		negative := strings.HasPrefix(text, "-")
		text = strings.TrimPrefix(text, "-")
		if short := scale + 1 - len(text); short > 0 {
			text = strings.Repeat("0", short) + text
		}
		text = text[:len(text)-scale] + "." + text[len(text)-scale:]
		if negative {
			text = "-" + text
		}
	}
	return fmt.Sprintf("%s (%d)", text, s.Bonds)
}

// Why something is a fault. The words are few, so that a test can demand one.
const (
	whyForm        = "form"        // not what the documents describe
	whySignature   = "signature"   // not signed by the one who has to
	whyQuote       = "quote"       // the quote does not agree with its offer or itself
	whyLink        = "link"        // a receipt does not name the one before
	whyNumber      = "number"      // a receipt has another number than its place
	whyParty       = "party"       // another bond, sender, recipient or price than the quote's
	whyBeneficiary = "beneficiary" // another beneficiary than the quote's
	whyEvent       = "event"       // a step that cannot follow the one before
	whyEnding      = "ending"      // no more than one ending, and nothing after it
	whyMoney       = "money"       // money does not move so with that step
	whyDecision    = "decision"    // not the recipient's decision on this bond
	whyUndo        = "undo"        // undone too late, or ignored
	whyTime        = "time"        // a time that cannot be
	whyDeadline    = "deadline"    // sooner or later than the quote promised
	whyTwice       = "twice"       // a bond or proof that was there before
	whyTotals      = "totals"      // the escrow signed other sums than its receipts have
	whyCount       = "count"       // the export is not whole
)

// fault is something that must not be.
type fault struct {
	Bond string // empty where it is of no bond
	Why  string
	Text string
}

// Error says it.
func (f *fault) Error() string {
	if f.Bond == "" {
		return f.Why + ": " + f.Text
	}
	return fmt.Sprintf("bond %s: %s: %s", f.Bond, f.Why, f.Text)
}

func because(why, format string, args ...any) *fault {
	return &fault{Why: why, Text: fmt.Sprintf(format, args...)}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
