// Package escrowserver is the escrow: it implements escrow.Service for every
// account on top of a [Store], signs quotes and receipts, and sweeps what
// deadlines have brought about.
//
// It knows who calls, since the caller's requests were authenticated before
// (package httpapi); it trusts nothing else of what they say.
package escrowserver

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"earnest/escrow"
	"earnest/ledger"
	"earnest/payment"
)

// Times that stores need.
const (
	// ClaimKeep is how long a claim is kept: it counts against the day's limit.
	ClaimKeep = 48 * time.Hour

	clockSkew = 5 * time.Minute
)

// Config is what an escrow is made of.
type Config struct {
	Name          string // its domain
	Operator      string
	LegalForm     string
	Currencies    []payment.Currency
	Beneficiaries []escrow.Beneficiary
	Terms         escrow.Terms // zero: escrow.DefaultTerms
	TokenSender   string       // where token mails come from

	ReceiptSigner crypto.Signer // Ed25519; signs quotes and receipts
	Store         Store
	Mailer        Mailer
	Certificates  Certificates
	Provider      Provider             // takes card payments; nil: none are taken
	CheckoutHold  time.Duration        // how long what was paid so is not paid out; 0: it is at once
	Welcome       WelcomeCredit        // zero: none is given
	LeastPayouts  []escrow.LeastPayout // a currency without one has none
	Strangers     StrangerLimits
	Now           func() time.Time // nil: the system's clock
	Log           *slog.Logger     // nil: nothing is logged

	// SweepBatch is how many of what is due the sweeper reads in one go; 0: [SweepBatch].
	SweepBatch int

	// OutageOver is how long the escrow gives no sign of life before it counts as
	// away; 0: 5 minutes. Tests that move its clock by days while it serves set it.
	OutageOver time.Duration
}

// Mailer sends the token that proves an address. To is the address as typed.
// An error that has a method NotSent() bool, giving true, says that the mail was
// certainly not taken; after any other the mail may yet arrive.
type Mailer interface {
	SendToken(ctx context.Context, to string, mail TokenMail) error
}

// TokenMail is what a token mail says.
type TokenMail struct {
	Escrow  string
	Account escrow.KeyID
	Address escrow.Address
	Nonce   string
	Token   string
	Expires time.Time
}

// Certificates reads OpenPGP certificates and checks proofs of arrival.
type Certificates interface {
	// Check refuses what is no usable certificate, and returns its fingerprint
	// in lower-case hexadecimal.
	Check(certificate []byte) (fingerprint string, err error)
	// VerifyArrival checks that the certificate's owner made the signature.
	VerifyArrival(certificate []byte, proof escrow.ArrivalProof) error
}

// Server is the escrow.
type Server struct {
	cfg        Config
	log        *slog.Logger
	receiptKey ed25519.PublicKey
	seal       Seal
	queue      *Queue
	company    company
	news       news
	lookups    lookups
	mails      hourly // with tokens
	openings   hourly // of accounts
	keys       keyring
	totals     atomic.Pointer[[]escrow.Signed] // as published
	wake       chan struct{}
	stuck      stuck
	vitals     vitals
	beat       time.Time // when Run beat last
	kept       time.Time // when it kept the logs last
	moving     moving    // Run's own
}

// New makes an escrow. It starts nothing: Run sweeps.
func New(cfg Config) (*Server, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Terms == (escrow.Terms{}) {
		cfg.Terms = escrow.DefaultTerms()
	}
	cfg.Strangers = cfg.Strangers.orDefault()
	if cfg.SweepBatch == 0 {
		cfg.SweepBatch = SweepBatch
	}
	if cfg.OutageOver == 0 {
		cfg.OutageOver = outageOver
	}
	key, err := cfg.check()
	if err != nil {
		return nil, fmt.Errorf("escrow configuration: %w", err)
	}
	s := &Server{cfg: cfg, log: cfg.Log, receiptKey: key, seal: SealOf(cfg.ReceiptSigner), wake: make(chan struct{}, 1)}
	if err := s.learnOutages(context.Background()); err != nil {
		return nil, err
	}
	s.company.peers = peersOf(cfg.Store)
	s.queue = &Queue{store: cfg.Store, told: s.told, surprised: s.surprised}
	if err := s.sealRows(context.Background()); err != nil {
		return nil, err
	}
	s.keepLogs(context.Background())
	return s, nil
}

// told wakes who waits for news of the accounts, and the sweeper, whose next
// deadline may have changed.
func (s *Server) told(accounts []escrow.KeyID) {
	if len(accounts) == 0 {
		return
	}
	s.news.tell(accounts)
	s.wakeSweeper()
	if s.company.peers != nil {
		s.company.news.add(accounts)
	}
}

// surprised logs why a batch was done again one by one: though all of it may have
// succeeded then, something is wrong.
func (s *Server) surprised(err error) {
	s.log.Error("a batch of the store failed and was done again one by one", "error", err)
}

// check reports every fault at once.
func (c Config) check() (ed25519.PublicKey, error) {
	var faults []error
	fault := func(bad bool, text string) {
		if bad {
			faults = append(faults, errors.New(text))
		}
	}
	fault(c.Name == "", "the escrow needs a name: its domain")
	fault(len(c.Currencies) == 0, "the escrow needs a currency")
	fault(c.Store == nil || c.Mailer == nil || c.Certificates == nil, "the escrow needs a store, a mailer and a reader of certificates")
	for _, currency := range c.Currencies {
		if err := currency.Check(); err != nil {
			faults = append(faults, fmt.Errorf("currency %q: %w", currency.Name, err))
		}
	}
	company := slices.ContainsFunc(c.Beneficiaries, func(b escrow.Beneficiary) bool { return b.ID == ledger.Company })
	fault(!company, "the beneficiaries must include the company: without it nothing could be forfeited to it")
	for _, b := range c.Beneficiaries {
		fault(b.ID == "" || b.Name == "" || b.ID == ledger.Issuance || b.ID == ledger.Payouts, "a beneficiary needs an id, which is not the issuance or the payouts, and a name")
	}
	w := c.Welcome
	welcomed := slices.ContainsFunc(c.Currencies, func(have payment.Currency) bool { return have.Name == w.Currency })
	fault(w.Amount < 0 || w.Amount > 0 && (!welcomed || w.PerDomain <= 0 || w.PerDay <= 0),
		"welcome credit needs a currency of this escrow, and how many are given a day: to one domain, and in all")
	fault(c.CheckoutHold < 0, "money that was paid by card is held for a time, or for none")
	for i, least := range c.LeastPayouts {
		known := slices.ContainsFunc(c.Currencies, func(have payment.Currency) bool { return have.Name == least.Currency })
		twice := slices.ContainsFunc(c.LeastPayouts[:i], func(other escrow.LeastPayout) bool { return other.Currency == least.Currency })
		fault(!known || twice || least.Amount <= 0, "a least amount of payouts needs a currency of this escrow, named once, and an amount over zero")
	}
	t := c.Terms
	fault(t.Quote <= 0 || t.Deliver <= 0 || t.Decide <= 0 || t.Undo < 0 || t.Final <= 0, "the terms must be longer than nothing")
	var key ed25519.PublicKey
	if c.ReceiptSigner != nil {
		key, _ = c.ReceiptSigner.Public().(ed25519.PublicKey)
	}
	fault(key == nil, "the escrow needs an Ed25519 key that signs receipts")
	return key, errors.Join(faults...)
}

// As is the escrow as one account sees it. A nil account is an anonymous caller,
// who may see Info and public offers. Whose account the key's is, is found out now: it
// is asked for with every request.
func (s *Server) As(account escrow.PublicKey) escrow.Service {
	v := view{s: s, key: account}
	if account != nil {
		var err error
		if v.id, v.gone, err = s.keys.of(s.cfg.Store, account.ID()); err != nil {
			v.err = s.failed(context.Background(), "key", err)
		}
	}
	return v
}

// ReceiptKey is the key that quotes and receipts are signed with.
func (s *Server) ReceiptKey() ed25519.PublicKey { return s.receiptKey }

// now is the escrow's clock, as exact as the store keeps it.
func (s *Server) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Microsecond) }

// do has the store do one operation, and hides from callers what is not for them.
func do[T any](ctx context.Context, s *Server, op Op) (T, error) {
	var none T
	result := s.queue.Do(ctx, op)
	ctx = context.WithoutCancel(ctx) // an operation fails by itself, whoever waits
	if result.Err != nil {
		return none, s.failed(ctx, op.Name(), result.Err)
	}
	if result.Value == nil {
		return none, nil
	}
	value, ok := result.Value.(T)
	if !ok {
		return none, s.failed(ctx, op.Name(), fmt.Errorf("the store answered with a %T", result.Value))
	}
	return value, nil
}

// failed passes errors of the protocol on. Any other is logged, and told only as
// the fact, as is why the store cannot be reached; a caller who left is no failure.
func (s *Server) failed(ctx context.Context, what string, err error) error {
	code := escrow.CodeOf(err)
	told, _ := errors.AsType[*escrow.Error](err)
	away := code == escrow.Unavailable && told != nil && err != error(told)
	if code != escrow.Internal && !away {
		return err
	}
	if ctx.Err() != nil {
		return escrow.Errorf(escrow.Unavailable, "the request ended before its answer")
	}
	s.log.Error("escrow operation failed", "operation", what, "error", err)
	if away {
		return told
	}
	return escrow.Errorf(escrow.Internal, "the escrow failed; nothing was changed; try again later")
}

// NewVoucher makes a voucher and returns its code, which is stored nowhere.
func (s *Server) NewVoucher(ctx context.Context, currency string, amount payment.Amount) (string, error) {
	if _, ok := s.currency(currency); !ok || amount <= 0 {
		return "", escrow.Errorf(escrow.Invalid, "a voucher needs a currency of this escrow and an amount over zero")
	}
	code := newVoucherCode()
	hash := voucherHash(code)
	signed, err := escrow.Sign(s.cfg.ReceiptSigner, kindVoucher, voucherStatement{hash, currency, amount})
	if err != nil {
		return "", s.failed(ctx, "voucher", err)
	}
	_, err = do[any](ctx, s, NewVoucher{Now: s.now(), Hash: hash, Currency: currency, Amount: amount, Signed: signed})
	return code, err
}

func (s *Server) currency(name string) (payment.Currency, bool) {
	i := slices.IndexFunc(s.cfg.Currencies, func(c payment.Currency) bool { return c.Name == name })
	if i < 0 {
		return payment.Currency{}, false
	}
	return s.cfg.Currencies[i], true
}

func (s *Server) beneficiary(id ledger.Holder) (escrow.Beneficiary, bool) {
	i := slices.IndexFunc(s.cfg.Beneficiaries, func(b escrow.Beneficiary) bool { return b.ID == id })
	if i < 0 {
		return escrow.Beneficiary{}, false
	}
	return s.cfg.Beneficiaries[i], true
}
