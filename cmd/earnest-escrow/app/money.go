package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
	"earnest/escrowserver/stripe"
	"earnest/internal/ownfile"
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

// PayoutSettings are the least amount of a currency that is paid out.
type PayoutSettings struct {
	Currency string `toml:"currency"`
	Least    string `toml:"least"`
}

// CardSettings say by whom cards are charged. Without a provider none are.
type CardSettings struct {
	Provider          string `toml:"provider,omitempty"` // stripe
	KeyFile           string `toml:"key_file,omitempty"`
	WebhookSecretFile string `toml:"webhook_secret_file,omitempty"`
	URL               string `toml:"url,omitempty"`
	ReturnURL         string `toml:"return_url,omitempty"`
	// Hold is how long what was paid by card is not paid out, such as 14d.
	Hold string `toml:"hold,omitempty"`
}

// How long money that was paid by card is not paid out: most who say that it was not they
// do so within days, some within months.
const (
	cardHold     = 14 * 24 * time.Hour
	cardHoldMost = 365 * 24 * time.Hour
)

func (c CardSettings) hold() (time.Duration, error) {
	if c.Hold == "" {
		return cardHold, nil
	}
	seconds, err := parseSeconds(c.Hold)
	if err == nil && seconds.Duration() > cardHoldMost {
		err = fmt.Errorf("%s is not between 0s and 365d", c.Hold)
	}
	if err != nil {
		err = fmt.Errorf("card: hold: %w", err)
	}
	return seconds.Duration(), err
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
		return escrowserver.WelcomeCredit{}, fmt.Errorf("%w: welcome: %w", ErrConfig, err)
	}
	amount, err := payment.ParseAmount(w.Amount, currency.Scale)
	if err != nil {
		return escrowserver.WelcomeCredit{}, fmt.Errorf("%w: welcome: amount: %w", ErrConfig, err)
	}
	return escrowserver.WelcomeCredit{Currency: currency.Name, Amount: amount, PerDomain: w.PerDomain, PerDay: w.PerDay}, nil
}

// leastPayouts reports all faults at once.
func (c Config) leastPayouts() (least []escrow.LeastPayout, err error) {
	seen := map[string]bool{}
	for _, p := range c.Payouts {
		currency, fault := findCurrency(c.Currencies, p.Currency)
		var amount payment.Amount
		if fault == nil {
			amount, fault = payment.ParseAmount(p.Least, currency.Scale)
		}
		switch {
		case fault != nil:
			err = errors.Join(err, fmt.Errorf("payout: %w", fault))
		case amount == 0:
			err = errors.Join(err, fmt.Errorf("payout: least: it must be over zero; without a [[payout]] there is no least amount"))
		case seen[currency.Name]:
			err = errors.Join(err, fmt.Errorf("payout: currency %q is named twice", currency.Name))
		}
		seen[currency.Name] = true
		least = append(least, escrow.LeastPayout{Currency: currency.Name, Amount: amount})
	}
	return least, err
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
	if ownfile.OthersMayRead(stat) {
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

// operating does an operator's deed; their log has what was asked for, and how it ended.
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
	return store.ended(ctx, cfg, what, err)
}

// Grant credits an account. It works beside a running server, like the others here.
// Without an id it has one of what is asked for and when: the same said again within
// [sameFor] is the same credit, and is given once.
func Grant(ctx context.Context, cfg Config, req GrantRequest) (escrowserver.CreditLine, payment.Currency, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return escrowserver.CreditLine{}, payment.Currency{}, err
	}
	currency, amount, err := worthOf(cfg, req.Currency, req.Amount)
	if err != nil {
		return escrowserver.CreditLine{}, currency, err
	}
	grant := escrowserver.Grant{ID: req.ID, Account: escrow.KeyID(req.Account), Currency: currency.Name, Amount: amount, Reason: req.Reason, By: operatorName()}
	if req.Account == "" {
		if grant.Address, err = escrow.ParseAddress(req.Address); err != nil {
			return escrowserver.CreditLine{}, currency, fmt.Errorf("%w: name an account, or an address that is proven here: %w", ErrCommand, err)
		}
	}
	var line escrowserver.CreditLine
	cfg.Why = req.Reason
	what := "credit " + amount.Format(currency.Scale) + " " + unitOf(currency) + " to " + req.Account + req.Address
	err = operating(ctx, cfg, what, func(cfg Config, server *escrowserver.Server, store *sqlstore.Store) (err error) {
		if grant.ID == "" {
			if grant.ID, err = grantID(ctx, cfg, store, grant); err != nil {
				return err
			}
		}
		line, err = server.Grant(ctx, grant)
		if escrow.CodeOf(err) == escrow.NotFound && req.Account != "" {
			err = escrow.Errorf(escrow.NotFound, "there is no account %s at this escrow, or it was deleted; nothing was credited; see the key-id with its owner", req.Account)
		}
		return err
	})
	return line, currency, err
}

// sameFor is how long a credit that is asked for again in the same words is the same.
const sameFor = 10 * time.Minute

// grantID is the id of the grant, or of the same one that was given a moment ago.
func grantID(ctx context.Context, cfg Config, store *sqlstore.Store, g escrowserver.Grant) (string, error) {
	id := func(at time.Time) string {
		text := fmt.Sprintf("%q %q %q %d %q %d", g.Account, g.Address.Folded(), g.Currency, g.Amount, g.Reason, at.UnixNano()/int64(sameFor))
		return "grant-" + escrow.Hash([]byte("earnest grant\x00" + text))[:24]
	}
	now := cfg.Now()
	before := id(now.Add(-sameFor))
	given, there, err := store.CreditGiven(ctx, escrowserver.CreditID(before))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrData, err)
	}
	if there && now.Sub(given.MadeAt) < sameFor {
		return before, nil
	}
	return id(now), nil
}

// BeginPayout says that a payout is paid by hand now, or, with wasPaid, that it was paid
// before the books were restored, in the time that is lost in them.
func BeginPayout(ctx context.Context, cfg Config, id string, wasPaid bool) (p escrowserver.PayoutRecord, known func(string) payment.Currency, err error) {
	what := "begin payout "
	if wasPaid {
		what = "begin payout, paid before the restore, "
	}
	err = operating(ctx, cfg, what+id, func(cfg Config, server *escrowserver.Server, store *sqlstore.Store) error {
		known = cfg.named
		var lost time.Time
		if wasPaid {
			if lost, err = restoredAt(ctx, store); err != nil {
				return err
			}
			if lost.IsZero() {
				return fmt.Errorf("%w: these books were never restored from a backup, so nothing of them is lost; nothing was changed; leave --was-paid away", ErrCommand)
			}
		}
		p, err = server.BeginPayout(ctx, id, operatorName(), lost)
		return err
	})
	return p, known, err
}

// restoredAt is when the books last came from a backup; zero if they never did.
func restoredAt(ctx context.Context, store *sqlstore.Store) (at time.Time, err error) {
	err = store.Walk(ctx, escrowserver.Visitor{Audit: func(line escrowserver.AuditLine) error {
		if strings.HasPrefix(line.What, restoredRow) {
			at = line.Made
		}
		return nil
	}})
	return at, err
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
	// Asked is how many payouts are asked for; each account's oldest are listed first.
	Asked int
	Debts []escrowserver.DebtRecord
	// Wrong are checkouts for which other money came than was asked for, or whose
	// account is deleted.
	Wrong []escrowserver.CheckoutRecord
	// Events are what the provider told and what is not dealt with.
	Events []escrowserver.EventRecord
	// Restored is when the books last came from a backup; zero if they never did. What
	// was asked for before may have been paid in the time that was lost.
	Restored time.Time
}

// queueMost bounds each list of the queue.
const queueMost = 500

// ReadQueue reads it. It only reads.
func ReadQueue(ctx context.Context, cfg Config) (q Queue, known func(string) payment.Currency, err error) {
	if cfg, err = cfg.complete(); err != nil {
		return q, nil, err
	}
	hold, err := cfg.Card.hold()
	if err != nil {
		return q, nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	_, store, err := openBooks(ctx, cfg, sqlstore.OpenToRead)
	if err != nil {
		return q, nil, err
	}
	var errs [6]error
	q.Payouts, errs[0] = store.PayoutQueue(ctx, cfg.Now().Add(-hold), queueMost)
	q.Debts, errs[1] = store.Debts(ctx, false)
	q.Wrong, errs[2] = store.Checkouts(ctx, escrow.CheckoutWrong, queueMost)
	q.Events, errs[3] = store.Events(ctx, queueMost)
	q.Asked, errs[5] = store.PayoutsAsked(ctx)
	q.Restored, errs[4] = restoredAt(ctx, store.Store)
	return q, cfg.named, errors.Join(errors.Join(errs[:]...), store.Close())
}
