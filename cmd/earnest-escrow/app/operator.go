package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
	"earnest/payment"
)

// NewVoucher makes a voucher over an amount written as decimal text, and
// returns its code, which is kept nowhere. It works beside a running server.
func NewVoucher(ctx context.Context, cfg Config, currency, amount string) (string, payment.Currency, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return "", payment.Currency{}, err
	}
	known, value, err := worthOf(cfg, currency, amount)
	if err != nil {
		return "", known, err
	}
	what := "voucher over " + value.Format(known.Scale) + " " + unitOf(known)
	m, store, err := audited(ctx, cfg, what)
	if err != nil {
		return "", known, err
	}
	var code string
	server, err := serverOn(ctx, cfg, m, store.Store, false)
	if err == nil {
		code, err = server.NewVoucher(ctx, known.Name, value)
	}
	if err != nil {
		code = "" // there is no such voucher
	} else {
		what += ", " + VoucherID(code)
	}
	return code, known, store.ended(ctx, cfg, what, err)
}

// WorthOf reads an amount as an operator writes it.
func WorthOf(cfg Config, currency, amount string) (payment.Currency, payment.Amount, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return payment.Currency{}, 0, err
	}
	return worthOf(cfg, currency, amount)
}

// worthOf reads an amount as an operator writes it.
func worthOf(cfg Config, currency, amount string) (payment.Currency, payment.Amount, error) {
	known, err := findCurrency(cfg.Currencies, currency)
	if err != nil {
		return known, 0, fmt.Errorf("%w: currency: %w", ErrCommand, err)
	}
	value, err := payment.ParseAmount(amount, known.Scale)
	if err != nil {
		return known, 0, fmt.Errorf("%w: amount: %w", ErrCommand, err)
	}
	if value == 0 {
		return known, 0, fmt.Errorf("%w: amount: it must be over zero", ErrCommand)
	}
	return known, value, nil
}

// unitOf is what people call a currency.
func unitOf(currency payment.Currency) string {
	if currency.Unit != "" {
		return currency.Unit
	}
	return currency.Name
}

// findCurrency takes a currency's name, or its unit if only one has it.
func findCurrency(currencies []payment.Currency, text string) (payment.Currency, error) {
	var byUnit []payment.Currency
	var names []string
	for _, currency := range currencies {
		if strings.EqualFold(currency.Name, text) {
			return currency, nil
		}
		if currency.Unit != "" && strings.EqualFold(currency.Unit, text) {
			byUnit = append(byUnit, currency)
		}
		names = append(names, currency.Name)
	}
	switch len(byUnit) {
	case 1:
		return byUnit[0], nil
	case 0:
		return payment.Currency{}, fmt.Errorf("the escrow does not deal in %q; it deals in %s", text, strings.Join(names, ", "))
	}
	return payment.Currency{}, fmt.Errorf("several currencies have the unit %q; name one of %s", text, strings.Join(names, ", "))
}

// Verify walks the books. It opens them for reading only, makes no key, and works
// beside a running server.
// The error is [ErrFaults] if the report has any.
func Verify(ctx context.Context, cfg Config) (escrowserver.Report, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return escrowserver.Report{}, err
	}
	_, store, err := openBooks(ctx, cfg, sqlstore.OpenToRead)
	if err != nil {
		return escrowserver.Report{}, err
	}
	signer, err := receiptKey(filepath.Join(cfg.DataDir, fileReceipt), false)
	if err != nil {
		return escrowserver.Report{}, errors.Join(err, store.Close())
	}
	public, _ := signer.Public().(ed25519.PublicKey) // as receiptKey promises
	report, err := escrowserver.Verify(ctx, store, public)
	if err == nil && len(report.Faults) > 0 {
		err = fmt.Errorf("%w: %d of them; stop the escrow, keep a copy of %s, and restore the last good one",
			ErrFaults, len(report.Faults), cfg.booksName())
	}
	return report, errors.Join(err, store.Close())
}

// About is what the escrow tells about itself, and what an operator tells
// people so that they find the right one.
type About struct {
	escrow.Info
	// CertFile and Fingerprint are of the certificate; empty without TLS.
	CertFile    string `json:"certificateFile,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
}

// Info tells about the escrow. Like Verify it only reads.
func Info(ctx context.Context, cfg Config) (About, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return About{}, err
	}
	secure, err := serverTLS(cfg)
	if err != nil {
		return About{}, err
	}
	m, store, err := openBooks(ctx, cfg, sqlstore.OpenToRead)
	if err != nil {
		return About{}, err
	}
	server, err := serverOn(ctx, cfg, m, store.Store, false)
	if err != nil {
		return About{}, errors.Join(err, store.Close())
	}
	info, err := server.As(nil).Info(ctx)
	return About{Info: info, CertFile: secure.file, Fingerprint: secure.fingerprint}, errors.Join(err, store.Close())
}
