// Package servicetest is the conformance suite of escrow.Service: the server in
// process and the client over HTTP pass the same tests.
package servicetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/ledger"
	"earnest/payment"
)

// Currency is what the escrow under test deals in, beside a second one without
// decimal digits.
const (
	Currency      = "escrow.example"
	OtherCurrency = "points.example"
	// LeastPayout is of the other currency.
	LeastPayout = 100
)

// Harness is an escrow under test.
type Harness struct {
	// Server is the escrow itself, for vouchers and the sweeper.
	Server *escrowserver.Server
	// Store is what it keeps its books in.
	Store escrowserver.Store
	Clock *Clock
	Mails *Mails
	// Checked counts the certificates that the escrow has read.
	Checked *atomic.Int64
	// ReceiptSigner is the escrow's own key, to play an escrow that cheats.
	ReceiptSigner ed25519.PrivateKey
	// As is the service as the account of the key sees it; nil is anonymous.
	As func(key ed25519.PrivateKey) escrow.Service
}

// NewHarness makes an escrow on the store, with a clock that stands still until
// it is moved, and with certificates that only look like OpenPGP.
func NewHarness(t testing.TB, store escrowserver.Store) Harness {
	t.Helper()
	_, receiptKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return HarnessOn(t, store, NewClock(), receiptKey)
}

// HarnessOn makes the escrow of that key on books that it may have kept before.
func HarnessOn(t testing.TB, store escrowserver.Store, clock *Clock, receiptKey ed25519.PrivateKey) Harness {
	t.Helper()
	h := Harness{Store: store, Clock: clock, Mails: &Mails{}, Checked: &atomic.Int64{}}
	cfg := Config(store, h.Clock, h.Mails, receiptKey)
	cfg.Certificates = counted{count: h.Checked}
	server, err := escrowserver.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.Server, h.ReceiptSigner = server, receiptKey
	h.As = func(key ed25519.PrivateKey) escrow.Service {
		if key == nil {
			return server.As(nil)
		}
		return server.As(escrow.PublicKey(key.Public().(ed25519.PublicKey)))
	}
	return h
}

// Config is the configuration of the escrow under test.
func Config(store escrowserver.Store, clock *Clock, mails *Mails, receiptKey ed25519.PrivateKey) escrowserver.Config {
	return escrowserver.Config{
		Name: "escrow.example", Operator: "Example Foundation", LegalForm: "non-profit foundation",
		Currencies: []payment.Currency{{Name: Currency, Scale: 2, Unit: "EUR"}, {Name: OtherCurrency, Scale: 0}},
		Beneficiaries: []escrow.Beneficiary{
			{ID: ledger.Company, Name: "Example Foundation"}, {ID: ledger.Burned, Name: "nobody"}},
		LeastPayouts:  []escrow.LeastPayout{{Currency: OtherCurrency, Amount: LeastPayout}},
		TokenSender:   "escrow@escrow.example",
		ReceiptSigner: receiptKey, Store: store, Mailer: mails, Certificates: Certificates{}, Now: clock.Now,
		// Tests have many accounts, all from one machine within an hour.
		Strangers:  escrowserver.StrangerLimits{Lookups: -1, LookupsPerNetwork: -1, LookupsInAll: -1, MailsPerNetwork: -1, MailsInAll: -1, AccountsPerNetwork: -1},
		OutageOver: 1000 * day, // tests move the clock by days while the escrow serves
	}
}

// Clock is a clock that a test moves.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at a fixed moment.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 11, 22, 10, 20, 30, 0, time.UTC)} }

// Now is the time on the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move moves the clock forward.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Mails keeps the token mails that the escrow sent.
type Mails struct {
	mu   sync.Mutex
	sent []escrowserver.TokenMail
	to   []string
	fail bool
	lose bool
	hold chan struct{}
}

// notSent is the certainty that a relay did not take a mail.
type notSent struct{ error }

func (notSent) NotSent() bool { return true }

// SendToken takes a mail, or fails if it was told to.
func (m *Mails) SendToken(ctx context.Context, to string, mail escrowserver.TokenMail) error {
	m.mu.Lock()
	hold := m.hold
	m.mu.Unlock()
	if hold != nil {
		<-hold
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail {
		return notSent{errors.New("the relay is down")}
	}
	if err := ctx.Err(); err != nil {
		return notSent{err}
	}
	m.sent, m.to = append(m.sent, mail), append(m.to, to)
	if m.lose {
		return errors.New("the connection was lost after the final dot")
	}
	return nil
}

// Hold makes mails wait until the function that it returns is called.
func (m *Mails) Hold() (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	hold := make(chan struct{})
	m.hold = hold
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.hold = nil
		close(hold)
	}
}

// Lose makes the next mails be taken without anybody being told so, or not.
func (m *Mails) Lose(lose bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lose = lose
}

// Fail makes the next mails fail, or not.
func (m *Mails) Fail(fail bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = fail
}

// Count is how many mails were sent.
func (m *Mails) Count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.sent)
}

// Last is the newest mail and where it went.
func (m *Mails) Last() (escrowserver.TokenMail, string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.sent) == 0 {
		return escrowserver.TokenMail{}, ""
	}
	return m.sent[len(m.sent)-1], m.to[len(m.to)-1]
}

// certificatePrefix begins a certificate that only looks like OpenPGP.
const certificatePrefix = "test certificate "

// Certificate is a test's stand-in for an OpenPGP certificate with its key.
type Certificate struct {
	Binary      []byte
	Fingerprint string
	key         ed25519.PrivateKey
}

// NewCertificate makes one.
func NewCertificate(t testing.TB) Certificate {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	binary := append([]byte(certificatePrefix), public...)
	fingerprint, err := Certificates{}.Check(binary)
	if err != nil {
		t.Fatal(err)
	}
	return Certificate{binary, fingerprint, private}
}

// Proof signs a mail of that text. Packet is a part of the signature packet that
// is not signed: two proofs of one mail may differ in it.
func (c Certificate) Proof(text, packet string) escrow.ArrivalProof {
	digest := sha256.Sum256([]byte(text))
	return escrow.ArrivalProof{Signature: append(ed25519.Sign(c.key, digest[:]), packet...), Digest: digest[:]}
}

// Certificates reads the stand-ins, as crypto/openpgp reads real ones.
type Certificates struct{}

// Check returns the fingerprint.
func (Certificates) Check(certificate []byte) (string, error) {
	if len(certificate) != len(certificatePrefix)+ed25519.PublicKeySize || string(certificate[:len(certificatePrefix)]) != certificatePrefix {
		return "", errors.New("not a certificate")
	}
	sum := sha256.Sum256(certificate)
	return hex.EncodeToString(sum[:20]), nil
}

// counted counts what is read.
type counted struct {
	Certificates
	count *atomic.Int64
}

// Check returns the fingerprint.
func (c counted) Check(certificate []byte) (string, error) {
	c.count.Add(1)
	return c.Certificates.Check(certificate)
}

// VerifyArrival checks the signature.
func (c Certificates) VerifyArrival(certificate []byte, proof escrow.ArrivalProof) error {
	if _, err := c.Check(certificate); err != nil {
		return err
	}
	if len(proof.Signature) < ed25519.SignatureSize ||
		!ed25519.Verify(certificate[len(certificatePrefix):], proof.Digest, proof.Signature[:ed25519.SignatureSize]) {
		return errors.New("not the owner's signature")
	}
	return nil
}
