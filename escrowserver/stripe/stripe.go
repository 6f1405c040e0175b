// Package stripe takes card payments by a checkout page of Stripe, or of whoever
// speaks its API: forms in, JSON out, and events that are signed with a shared
// secret. It satisfies escrowserver.Provider and keeps nothing.
package stripe

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"earnest/escrowserver"
	"earnest/payment"
)

// Config says whose account it is.
type Config struct {
	// BaseURL is where the API answers; empty: Stripe's own.
	BaseURL string
	// ReturnURL is the page that a person is sent to who has paid or given up.
	ReturnURL string
	Client    *http.Client // nil: one with a timeout
}

// defaultURL is Stripe's own API.
const defaultURL = "https://api.stripe.com"

// timeout bounds one request, and maxAnswer its answer.
const (
	timeout   = 20 * time.Second
	maxAnswer = 1 << 20
)

// Provider is a Stripe account.
type Provider struct {
	cfg Config
	// Closures: no printer sees the secrets in them.
	authorize func(*http.Request)
	mac       func(signed []byte) []byte
}

var _ escrowserver.Provider = (*Provider)(nil)

// New makes a provider. Key is the account's secret API key, and webhookSecret what
// its events are signed with. It asks nothing yet.
func New(cfg Config, key, webhookSecret string) (*Provider, error) {
	if len(key) < 8 || len(webhookSecret) < 8 || strings.ContainsAny(key, " \r\n") {
		return nil, errors.New("stripe: the API key and the webhook's secret are needed, each on one line")
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = defaultURL
	}
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "https" && !(base.Scheme == "http" && local(base.Hostname())) {
		return nil, errors.New("stripe: the API's address must begin with https://")
	}
	back, err := url.Parse(cfg.ReturnURL)
	if err != nil || back.Host == "" || back.Scheme != "https" && back.Scheme != "http" {
		return nil, errors.New("stripe: name the page that people come back to after paying")
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{Timeout: timeout}
	}
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	return &Provider{cfg: cfg,
		authorize: func(r *http.Request) { r.SetBasicAuth(key, "") },
		mac: func(signed []byte) []byte {
			h := hmac.New(sha256.New, []byte(webhookSecret))
			h.Write(signed)
			return h.Sum(nil)
		}}, nil
}

func local(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// Name is in paths and in the books.
func (p *Provider) Name() string { return "stripe" }

// Units is the amount in the currency's minor unit as the API counts it.
func (p *Provider) Units(currency payment.Currency, amount payment.Amount) (string, int64, error) {
	unit := strings.ToLower(currency.Unit)
	if len(unit) != 3 || strings.Trim(unit, "abcdefghijklmnopqrstuvwxyz") != "" {
		return "", 0, fmt.Errorf("%s is no currency that cards are charged in", currency.Name)
	}
	digits, step := minorUnits(unit)
	units := int64(amount)
	for scale := int(currency.Scale); scale < digits; scale++ {
		if units > maxUnits/10 {
			return "", 0, errors.New("it is too much")
		}
		units *= 10
	}
	for scale := int(currency.Scale); scale > digits; scale-- {
		if units%10 != 0 {
			return "", 0, fmt.Errorf("cards are charged %d decimal digits of %s", digits, currency.Unit)
		}
		units /= 10
	}
	if units%step != 0 {
		return "", 0, fmt.Errorf("cards are not charged so small a part of %s", currency.Unit)
	}
	if units <= 0 || units > maxUnits {
		return "", 0, errors.New("it is too little or too much")
	}
	return unit, units, nil
}

// maxUnits is the most that the API takes: eight digits for most currencies, and
// more for few.
const maxUnits = 999_999_999_999

// minorUnits are a currency's decimal digits in the API, and the step in which its
// minor unit is charged. Where they differ from ISO 4217 the API's own list counts.
func minorUnits(unit string) (digits int, step int64) {
	switch unit {
	case "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf":
		return 0, 1
	case "bhd", "jod", "kwd", "omr", "tnd":
		return 3, 10
	case "isk", "ugx":
		return 2, 100
	}
	return 2, 1
}

// session is a checkout session as the API has it.
type session struct {
	Object        string `json:"object"`
	ID            string `json:"id"`
	URL           string `json:"url"`
	Reference     string `json:"client_reference_id"`
	AmountTotal   int64  `json:"amount_total"`
	Currency      string `json:"currency"`
	PaymentStatus string `json:"payment_status"`
	Status        string `json:"status"`
	PaymentIntent id     `json:"payment_intent"`
	Mode          string `json:"mode"`
}

// id is an id, or the object that it is of where it was expanded.
type id string

// UnmarshalJSON reads both forms.
func (i *id) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '{' {
		var object struct {
			ID string `json:"id"`
		}
		err := json.Unmarshal(text, &object)
		*i = id(object.ID)
		return err
	}
	var plain *string
	err := json.Unmarshal(text, &plain)
	if plain != nil {
		*i = id(*plain)
	}
	return err
}

func (s session) told() escrowserver.Session {
	return escrowserver.Session{ID: s.ID, Reference: s.Reference, URL: s.URL, Unit: s.Currency, Units: s.AmountTotal,
		Payment: string(s.PaymentIntent), Paid: s.PaymentStatus == "paid", Over: s.Status == "expired"}
}

// Open makes a checkout session.
func (p *Provider) Open(ctx context.Context, order escrowserver.Order) (escrowserver.Session, error) {
	form := url.Values{
		"mode":                                   {"payment"},
		"client_reference_id":                    {order.Reference},
		"success_url":                            {p.cfg.ReturnURL},
		"cancel_url":                             {p.cfg.ReturnURL},
		"line_items[0][quantity]":                {"1"},
		"line_items[0][price_data][currency]":    {order.Unit},
		"line_items[0][price_data][unit_amount]": {strconv.FormatInt(order.Units, 10)},
		"line_items[0][price_data][product_data][name]": {order.Title},
		"metadata[checkout]":                            {order.Reference},
		"payment_intent_data[metadata][checkout]":       {order.Reference},
	}
	var s session
	if err := p.ask(ctx, http.MethodPost, "/v1/checkout/sessions", form, order.Reference, &s); err != nil {
		return escrowserver.Session{}, err
	}
	if s.ID == "" || s.Reference != order.Reference || s.Currency != order.Unit || s.AmountTotal != order.Units || !openable(s.URL) {
		return escrowserver.Session{}, errors.New("stripe: the session is not the one that was asked for")
	}
	return s.told(), nil
}

// openable keeps what people are told to open to web pages.
func openable(page string) bool {
	u, err := url.Parse(page)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && local(u.Hostname()))
}

// Session asks how far a session is.
func (p *Provider) Session(ctx context.Context, name string) (escrowserver.Session, error) {
	var s session
	err := p.ask(ctx, http.MethodGet, "/v1/checkout/sessions/"+url.PathEscape(name), nil, "", &s)
	if err == nil && s.ID != name {
		err = errors.New("stripe: another session was answered")
	}
	return s.told(), err
}

// SessionOf finds the session whose payment that is.
func (p *Provider) SessionOf(ctx context.Context, paid string) (escrowserver.Session, error) {
	var list struct {
		Data []session `json:"data"`
	}
	err := p.ask(ctx, http.MethodGet, "/v1/checkout/sessions?"+url.Values{"payment_intent": {paid}, "limit": {"1"}}.Encode(), nil, "", &list)
	if err == nil && (len(list.Data) != 1 || string(list.Data[0].PaymentIntent) != paid) {
		err = escrowserver.ErrNoSession
	}
	if err != nil {
		return escrowserver.Session{}, err
	}
	return list.Data[0].told(), nil
}

// ask makes a request and reads its answer. Errors name what went wrong and never
// the key; of the API's own words only its code is passed on.
func (p *Provider) ask(ctx context.Context, method, path string, form url.Values, idempotency string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, p.cfg.BaseURL+path, body)
	if err != nil {
		return fmt.Errorf("stripe: %w", err)
	}
	p.authorize(r)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if idempotency != "" {
		r.Header.Set("Idempotency-Key", idempotency)
	}
	response, err := p.cfg.Client.Do(r)
	if err != nil {
		return fmt.Errorf("stripe: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("stripe: read the answer: %w", err)
	}
	switch {
	case response.StatusCode == http.StatusNotFound:
		return escrowserver.ErrNoSession
	case response.StatusCode != http.StatusOK:
		var problem struct {
			Error struct{ Type, Code string }
		}
		_ = json.Unmarshal(text, &problem) // the status says enough
		return fmt.Errorf("stripe: status %d (%.40q %.40q)", response.StatusCode, problem.Error.Type, problem.Error.Code)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("stripe: the answer is malformed: %w", err)
	}
	return nil
}
