package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
	"earnest/escrowserver/stripe"
	"earnest/payment"
)

// WelcomeSettings are the credit for the first proven address of an account. Without
// an amount there is none.
type WelcomeSettings struct {
	Amount    string `toml:"amount,omitempty"`
	Currency  string `toml:"currency,omitempty"`
	PerDomain int    `toml:"per_domain_a_day,omitempty"`
	PerDay    int    `toml:"total_a_day,omitempty"`
}

// CardSettings say by whom cards are charged. Without a provider none are.
type CardSettings struct {
	Provider          string `toml:"provider,omitempty"` // stripe
	KeyFile           string `toml:"key_file,omitempty"`
	WebhookSecretFile string `toml:"webhook_secret_file,omitempty"`
	URL               string `toml:"url,omitempty"`
	ReturnURL         string `toml:"return_url,omitempty"`
}

// Environment variables that win over the files of the card settings.
const (
	envCardKey     = "EARNEST_STRIPE_KEY"
	envCardWebhook = "EARNEST_STRIPE_WEBHOOK_SECRET"
)

func (c Config) welcome() (escrowserver.WelcomeCredit, error) {
	w := c.Welcome
	if w.Amount == "" {
		return escrowserver.WelcomeCredit{}, nil
	}
	currency, err := findCurrency(c.Currencies, w.Currency)
	if err != nil {
		return escrowserver.WelcomeCredit{}, fmt.Errorf("welcome: %w", err)
	}
	amount, err := payment.ParseAmount(w.Amount, currency.Scale)
	if err != nil {
		return escrowserver.WelcomeCredit{}, fmt.Errorf("%w: welcome: amount: %w", ErrConfig, err)
	}
	return escrowserver.WelcomeCredit{Currency: currency.Name, Amount: amount, PerDomain: w.PerDomain, PerDay: w.PerDay}, nil
}

// provider is who charges cards, nil for nobody.
func (c Config) provider() (escrowserver.Provider, error) {
	switch c.Card.Provider {
	case "":
		return nil, nil
	case "stripe":
	default:
		return nil, fmt.Errorf("%w: card: there is no provider %q; there is stripe", ErrConfig, c.Card.Provider)
	}
	key, keyErr := secretOf(envCardKey, c.Card.KeyFile)
	webhook, webhookErr := secretOf(envCardWebhook, c.Card.WebhookSecretFile)
	if err := errors.Join(keyErr, webhookErr); err != nil {
		return nil, fmt.Errorf("%w: card: %w", ErrConfig, err)
	}
	back := c.Card.ReturnURL
	if back == "" {
		back = "https://" + c.Name + "/"
	}
	p, err := stripe.New(stripe.Config{BaseURL: c.Card.URL, ReturnURL: back}, key, webhook)
	if err != nil {
		return nil, fmt.Errorf("%w: card: %w", ErrConfig, err)
	}
	return p, nil
}

// secretOf reads a secret from the environment, or from a file that only its owner
// may read.
func secretOf(variable, file string) (string, error) {
	if text := os.Getenv(variable); text != "" {
		return text, nil
	}
	if file == "" {
		return "", fmt.Errorf("neither %s nor a file names the secret", variable)
	}
	stat, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if stat.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("others may read %s; chmod 600 it", file)
	}
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}

// GrantRequest is a credit as an operator writes it.
type GrantRequest struct {
	ID, Account, Address     string
	Currency, Amount, Reason string
}

// operating opens the books of an operator's command, written into their log.
func operating(ctx context.Context, cfg Config, what string, do func(Config, *escrowserver.Server, *sqlstore.Store) error) error {
	cfg, err := cfg.complete()
	if err != nil {
		return err
	}
	m, store, err := audited(ctx, cfg, what)
	if err != nil {
		return err
	}
	server, err := serverOn(ctx, cfg, m, store.Store, false)
	if err == nil {
		err = do(cfg, server, store.Store)
	}
	return errors.Join(err, store.Close())
}

// Grant credits an account. It works beside a running server, like the others here.
func Grant(ctx context.Context, cfg Config, req GrantRequest) (escrowserver.CreditLine, payment.Currency, error) {
	var line escrowserver.CreditLine
	var currency payment.Currency
	if req.ID == "" {
		req.ID = "grant-" + strings.ToLower(rand.Text())
	}
	cfg.Why = req.Reason
	err := operating(ctx, cfg, "credit "+req.Amount+" "+req.Currency+" to "+req.Account+req.Address, func(cfg Config, server *escrowserver.Server, _ *sqlstore.Store) error {
		var err error
		if currency, err = findCurrency(cfg.Currencies, req.Currency); err != nil {
			return err
		}
		amount, err := payment.ParseAmount(req.Amount, currency.Scale)
		if err != nil {
			return fmt.Errorf("%w: amount: %w", ErrConfig, err)
		}
		grant := escrowserver.Grant{ID: req.ID, Account: escrow.KeyID(req.Account), Currency: currency.Name, Amount: amount, Reason: req.Reason, By: operatorName()}
		if req.Account == "" {
			if grant.Address, err = escrow.ParseAddress(req.Address); err != nil {
				return fmt.Errorf("%w: name an account, or an address that is proven here: %w", ErrConfig, err)
			}
		}
		line, err = server.Grant(ctx, grant)
		return err
	})
	return line, currency, err
}

// EndPayout says that a payout was paid by hand, or is refused.
func EndPayout(ctx context.Context, cfg Config, id string, paid bool, note string) (p escrowserver.PayoutRecord, err error) {
	what := "refuse payout "
	if paid {
		what = "payout paid "
	}
	cfg.Why = note
	err = operating(ctx, cfg, what+id, func(_ Config, server *escrowserver.Server, _ *sqlstore.Store) error {
		p, err = server.EndPayout(ctx, id, paid, note, operatorName())
		return err
	})
	return p, err
}

// SettleDebt says that a debt is dealt with.
func SettleDebt(ctx context.Context, cfg Config, provider, id, note string) error {
	cfg.Why = note
	return operating(ctx, cfg, "settle debt "+provider+" "+id, func(_ Config, server *escrowserver.Server, _ *sqlstore.Store) error {
		return server.SettleDebt(ctx, provider, id, note)
	})
}

// Queue is what waits for the operator.
type Queue struct {
	Payouts []escrowserver.PayoutRecord
	Debts   []escrowserver.DebtRecord
	// Wrong are checkouts for which other money came than was asked for, or whose
	// account is deleted.
	Wrong []escrowserver.CheckoutRecord
	// Events are what the provider told and what is not dealt with.
	Events []escrowserver.EventRecord
}

// queueMost bounds each list of the queue.
const queueMost = 500

// ReadQueue reads it. It only reads.
func ReadQueue(ctx context.Context, cfg Config) (q Queue, known func(string) payment.Currency, err error) {
	if cfg, err = cfg.complete(); err != nil {
		return q, nil, err
	}
	_, store, err := openBooks(ctx, cfg, sqlstore.OpenToRead)
	if err != nil {
		return q, nil, err
	}
	var errs [4]error
	q.Payouts, errs[0] = store.Payouts(ctx, "", queueMost)
	q.Debts, errs[1] = store.Debts(ctx, false)
	q.Wrong, errs[2] = store.Checkouts(ctx, escrow.CheckoutWrong, queueMost)
	q.Events, errs[3] = store.Events(ctx, queueMost)
	known = func(name string) payment.Currency {
		for _, currency := range cfg.Currencies {
			if currency.Name == name {
				return currency
			}
		}
		return payment.Currency{Name: name}
	}
	return q, known, errors.Join(errors.Join(errs[:]...), store.Close())
}
