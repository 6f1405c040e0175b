package stripe

import (
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"earnest/escrowserver"
)

// tolerance is how old or how new an event's signature may be.
const tolerance = 5 * time.Minute

// maxSignatures bounds what is compared: a rolled secret gives two.
const maxSignatures = 10

// Event checks the signature over the bytes as they came, and reads what matters.
func (p *Provider) Event(header http.Header, body []byte, now time.Time) (escrowserver.Event, error) {
	if err := p.check(header.Get("Stripe-Signature"), body, now); err != nil {
		return escrowserver.Event{}, fmt.Errorf("%w: %w", escrowserver.ErrForged, err)
	}
	var event struct {
		ID   string `json:"id"`
		Type string `json:"type"`
		Data struct {
			Object json.RawMessage `json:"object"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &event); err != nil || event.ID == "" {
		return escrowserver.Event{}, fmt.Errorf("stripe: the event is malformed: %v", err)
	}
	told := escrowserver.Event{ID: event.ID, Kind: escrowserver.EventOther}
	read, ok := readers()[event.Type]
	if !ok {
		return told, nil
	}
	if err := read(event.Data.Object, &told); err != nil {
		return escrowserver.Event{}, fmt.Errorf("stripe: the event %s is malformed: %w", event.Type, err)
	}
	return told, nil
}

// check holds the header t=TIME,v1=HEX,v1=HEX against the secret: one of the v1 must
// be the HMAC-SHA256 of "TIME.BODY".
func (p *Provider) check(header string, body []byte, now time.Time) error {
	var at string
	var signatures []string
	for _, part := range strings.Split(header, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "t":
			at = value
		case "v1":
			signatures = append(signatures, value)
		}
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || len(signatures) == 0 || len(signatures) > maxSignatures {
		return fmt.Errorf("there is no signature of the known form")
	}
	want := p.mac(append([]byte(at+"."), body...))
	genuine := false
	for _, text := range signatures {
		got, err := hex.DecodeString(text)
		genuine = genuine || err == nil && hmac.Equal(got, want)
	}
	switch age := now.Sub(time.Unix(seconds, 0)); {
	case !genuine:
		return fmt.Errorf("the signature is another's")
	case age > tolerance || age < -tolerance:
		return fmt.Errorf("it was signed %s ago", age.Round(time.Second))
	}
	return nil
}

type reader = func(object json.RawMessage, told *escrowserver.Event) error

// readers are the events that matter.
func readers() map[string]reader {
	return map[string]reader{
		"checkout.session.completed":               readSession,
		"checkout.session.async_payment_succeeded": readSession,
		"checkout.session.async_payment_failed":    readFailed,
		"checkout.session.expired":                 readSession,
		"charge.refunded":                          readRefund,
		"charge.dispute.created":                   readDispute,
		"charge.dispute.funds_withdrawn":           readDispute,
		"charge.dispute.funds_reinstated":          readDispute,
		"charge.dispute.closed":                    readDispute,
	}
}

func readSession(object json.RawMessage, told *escrowserver.Event) error {
	var s session
	if err := json.Unmarshal(object, &s); err != nil {
		return err
	}
	if s.Object != "checkout.session" || s.ID == "" {
		return fmt.Errorf("its object is no session")
	}
	if s.Mode == "payment" || s.Mode == "" { // a subscription is none of ours
		told.Kind, told.Session = escrowserver.EventSession, s.told()
	}
	return nil
}

// readFailed is a payment that was promised and did not come.
func readFailed(object json.RawMessage, told *escrowserver.Event) error {
	err := readSession(object, told)
	told.Session.Over = true
	return err
}

// readRefund is a charge with all that was given back of it so far.
func readRefund(object json.RawMessage, told *escrowserver.Event) error {
	var charge struct {
		Object        string `json:"object"`
		ID            string `json:"id"`
		PaymentIntent id     `json:"payment_intent"`
		Currency      string `json:"currency"`
		Refunded      int64  `json:"amount_refunded"`
	}
	if err := json.Unmarshal(object, &charge); err != nil {
		return err
	}
	if charge.Object != "charge" || charge.ID == "" {
		return fmt.Errorf("its object is no charge")
	}
	if charge.PaymentIntent == "" || charge.Refunded <= 0 {
		return nil // not made by a session
	}
	told.Kind, told.Back, told.Payment = escrowserver.EventRefund, charge.ID, string(charge.PaymentIntent)
	told.Unit, told.Units = charge.Currency, charge.Refunded
	return nil
}

func readDispute(object json.RawMessage, told *escrowserver.Event) error {
	var dispute struct {
		Object        string `json:"object"`
		ID            string `json:"id"`
		PaymentIntent id     `json:"payment_intent"`
		Currency      string `json:"currency"`
		Amount        int64  `json:"amount"`
		Status        string `json:"status"`
	}
	if err := json.Unmarshal(object, &dispute); err != nil {
		return err
	}
	if dispute.Object != "dispute" || dispute.ID == "" {
		return fmt.Errorf("its object is no dispute")
	}
	// A warning takes no money.
	if dispute.PaymentIntent == "" || strings.HasPrefix(dispute.Status, "warning_") {
		return nil
	}
	told.Kind, told.Back, told.Payment = escrowserver.EventDispute, dispute.ID, string(dispute.PaymentIntent)
	told.Unit, told.Units, told.Won = dispute.Currency, dispute.Amount, dispute.Status == "won"
	return nil
}
