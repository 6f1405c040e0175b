package agent_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"earnest/agent"
	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
	"earnest/imapwatch"
	"earnest/internal/mailhost"
	"earnest/ledger"
	"earnest/payment"
	"earnest/smtpsubmit"
)

// world is an escrow and a mail provider in this process, without HTTP between.
type world struct {
	t      *testing.T
	mail   *mailhost.Host
	books  *sqlstore.Store
	server *escrowserver.Server

	mu   sync.Mutex
	down bool
	// noReceipts: the escrow hands out none, and counts who asks.
	noReceipts bool
	askedFor   int
	// wrap, if set, stands between an agent and the escrow.
	wrap func(escrow.Service) escrow.Service
}

var euro = payment.Currency{Name: "escrow.example", Scale: 2, Unit: "EUR"}

func newWorld(t *testing.T, terms escrow.Terms) *world {
	t.Helper()
	host, err := mailhost.Start(mailhost.Options{})
	must(t, err)
	t.Cleanup(func() { host.Close() })
	w := &world{t: t, mail: host}
	w.books, err = sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "escrow.db"))
	must(t, err)
	t.Cleanup(func() { w.books.Close() })
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	w.server, err = escrowserver.New(escrowserver.Config{
		Name: "escrow.example", Operator: "Tests", LegalForm: "association", Currencies: []payment.Currency{euro},
		Beneficiaries: []escrow.Beneficiary{{ID: ledger.Company, Name: "the escrow's company account"}},
		Terms:         terms, TokenSender: "escrow@escrow.example", ReceiptSigner: key, Store: w.books,
		Mailer: tokenMailer{host}, Certificates: openpgp.Certificates{Now: time.Now},
	})
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.server.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return w
}

type tokenMailer struct{ host *mailhost.Host }

func (m tokenMailer) SendToken(_ context.Context, to string, mail escrowserver.TokenMail) error {
	return m.host.Deliver(to, fmt.Appendf(nil,
		"From: escrow@escrow.example\r\nTo: %s\r\nSubject: Earnest\r\nAuto-Submitted: auto-generated\r\nEarnest-Claim: %s\r\nEarnest-Token: %s\r\n\r\nNothing to do.\r\n",
		to, mail.Nonce, mail.Token))
}

// Outside: everything is real but the HTTP.
func (w *world) Escrow(_ string, _ []byte, signer crypto.Signer) (escrow.Service, error) {
	service := w.server.As(escrow.PublicKey(signer.Public().(ed25519.PublicKey)))
	return unreliable{service, w}, nil
}

func (w *world) imap(s agent.Server, state func(imapwatch.State)) imapwatch.Config {
	return imapwatch.Config{Addr: w.mail.IMAPAddr, TLS: imapwatch.Implicit, TLSConfig: w.mail.TLSConfig(),
		User: s.User, Password: s.Password, Log: slog.New(slog.DiscardHandler), OnState: state,
		Timing: imapwatch.Timing{LookEvery: time.Second, LookAfterMail: 100 * time.Millisecond, RetryMin: 100 * time.Millisecond}}
}

func (w *world) CheckMailbox(ctx context.Context, s agent.Server) error {
	return imapwatch.Check(ctx, w.imap(s, nil))
}

func (w *world) Mailbox(s agent.Server, h imapwatch.Handler, m imapwatch.Memory, state func(imapwatch.State)) (agent.Mailbox, error) {
	return imapwatch.New(w.imap(s, state), h, m), nil
}

func (w *world) smtp(s agent.Server) smtpsubmit.Config {
	return smtpsubmit.Config{Addr: w.mail.SubmissionsAddr, TLS: smtpsubmit.Implicit, TLSConfig: w.mail.TLSConfig(),
		User: s.User, Password: s.Password}
}

func (w *world) CheckSubmission(ctx context.Context, s agent.Server) error {
	return smtpsubmit.Check(ctx, w.smtp(s))
}

func (w *world) Submit(ctx context.Context, s agent.Server, from, to string, raw []byte) error {
	return smtpsubmit.Submit(ctx, w.smtp(s), smtpsubmit.Envelope{From: from, To: []string{to}}, raw)
}

func (w *world) setDown(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

// person is somebody with a mailbox and an agent.
type person struct {
	*agent.Agent
	address string
	home    string
	ring    *keyring.Ring
	stop    func()
}

// join gives somebody an address, an agent and money.
func (w *world) join(name, amount string) *person {
	w.t.Helper()
	p := &person{address: name + "@mail.example", home: w.t.TempDir(), ring: keyring.OpenMemory()}
	must(w.t, w.mail.AddUser(p.address, "pw "+name, p.address))
	w.start(p)
	ctx := w.t.Context()
	_, err := p.AddAccount(ctx, agentclient.AddAccount{Address: p.address, IMAP: "imaps://" + w.mail.IMAPAddr,
		SMTP: "smtps://" + w.mail.SubmissionsAddr, User: p.address, Password: "pw " + name, Escrow: "https://escrow.example"})
	must(w.t, err)
	eventually(w.t, name+"'s address is proven", func() bool {
		status, err := p.Status(ctx)
		return err == nil && status.Accounts[0].Proven
	})
	if amount != "" {
		value, err := payment.ParseAmount(amount, euro.Scale)
		must(w.t, err)
		voucher, err := w.server.NewVoucher(ctx, euro.Name, value)
		must(w.t, err)
		_, err = p.TopUp(ctx, voucher)
		must(w.t, err)
	}
	return p
}

// start starts the person's agent on what its home remembers.
func (w *world) start(p *person) {
	w.t.Helper()
	sealer, err := p.ring.Sealer(w.t.Context(), "archive")
	if err != nil {
		sealer, err = p.ring.NewSealer(w.t.Context(), "archive")
	}
	must(w.t, err)
	memory, err := store.Open(w.t.Context(), filepath.Join(p.home, "agent.db"), sealer)
	must(w.t, err)
	p.Agent, err = agent.New(w.t.Context(), agent.Config{Store: memory, Keyring: p.ring,
		OpenPGP: openpgp.NewKeys(p.ring, time.Now), Outside: w, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), Version: "test"})
	must(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := p.Run(ctx); err != nil {
			w.t.Errorf("agent ended: %v", err)
		}
	}()
	p.stop = sync.OnceFunc(func() { cancel(); <-done; memory.Close() })
	w.t.Cleanup(p.stop)
}

// price sets what strangers pay, and waits until keys are for sale.
func (w *world) price(p *person, option string) {
	w.t.Helper()
	_, err := p.SetPrice(w.t.Context(), agentclient.SetPrice{Options: []string{option}})
	must(w.t, err)
	eventually(w.t, "keys are for sale", func() bool {
		status, err := p.Status(w.t.Context())
		return err == nil && status.Accounts[0].Pool > 0
	})
}

// write sends a mail and waits until it waits for the recipient's decision.
func (w *world) write(from, to *person, subject string) agentclient.Mail {
	w.t.Helper()
	sent, err := from.Send(w.t.Context(), agentclient.Compose{To: []string{to.address}, Subject: subject, Body: "Body of " + subject})
	must(w.t, err)
	return w.waits(to, sent[0].Bond, "waiting")
}

// waits waits until the mail of a bond has the state.
func (w *world) waits(p *person, bond, state string) (found agentclient.Mail) {
	w.t.Helper()
	eventually(w.t, "the mail is "+state, func() bool {
		list, err := p.Inbox(w.t.Context())
		must(w.t, err)
		for _, m := range list {
			if m.Bond == bond {
				found = m
			}
		}
		return found.State == state && !found.Queued
	})
	return found
}

func (w *world) sentIs(p *person, bond, state, money string) agentclient.Sent {
	w.t.Helper()
	var sent agentclient.Sent
	eventually(w.t, "the sender is told: "+state+", "+money, func() bool {
		var err error
		sent, err = p.SentByID(w.t.Context(), bond)
		must(w.t, err)
		return sent.State == state && sent.Money == money
	})
	return sent
}

// keepsReceipts looks into the person's own store.
func (w *world) keepsReceipts(p *person, bond string) bool {
	w.t.Helper()
	sealer, err := p.ring.Sealer(w.t.Context(), "archive")
	must(w.t, err)
	memory, err := store.Open(w.t.Context(), filepath.Join(p.home, "agent.db"), sealer)
	must(w.t, err)
	defer memory.Close()
	var chain store.Chain
	must(w.t, memory.View(w.t.Context(), func(tx *store.Tx) (err error) {
		chain, _, err = store.Get[store.Chain](tx, bond)
		return err
	}))
	return len(chain.Receipts) == 3 && !chain.Wanted
}

func (w *world) has(p *person, available, held string) {
	w.t.Helper()
	balances, err := p.Balances(w.t.Context())
	must(w.t, err)
	if got := balances[0]; got.Available.Amount != available || got.Held.Amount != held {
		w.t.Errorf("balance: %s available, %s held; want %s and %s", got.Available.Amount, got.Held.Amount, available, held)
	}
}

// unreliable is the escrow over a network that can be cut.
type unreliable struct {
	escrow.Service
	w *world
}

func (u unreliable) cut() error {
	u.w.mu.Lock()
	defer u.w.mu.Unlock()
	if u.w.down {
		return fmt.Errorf("%w: %w", &escrow.Error{Code: escrow.Unavailable}, &net.OpError{Op: "dial", Err: io.ErrUnexpectedEOF})
	}
	return nil
}

func (u unreliable) Bonds(ctx context.Context, after int64, wait time.Duration) (escrow.BondPage, error) {
	if err := u.cut(); err != nil {
		return escrow.BondPage{}, err
	}
	return u.Service.Bonds(ctx, after, min(wait, 200*time.Millisecond))
}

func (u unreliable) Arrive(ctx context.Context, id escrow.BondID, req escrow.Arrival) (escrow.Outcome, error) {
	if err := u.cut(); err != nil {
		return escrow.Outcome{}, err
	}
	return u.Service.Arrive(ctx, id, req)
}

func (u unreliable) Decide(ctx context.Context, id escrow.BondID, v escrow.Verdict, d escrow.Signed) (escrow.Outcome, error) {
	if err := u.cut(); err != nil {
		return escrow.Outcome{}, err
	}
	service := u.Service
	if u.w.wrap != nil {
		service = u.w.wrap(service)
	}
	return service.Decide(ctx, id, v, d)
}

func (u unreliable) Receipts(ctx context.Context, id escrow.BondID) ([]escrow.Signed, error) {
	u.w.mu.Lock()
	refuse := u.w.noReceipts
	u.w.askedFor++
	u.w.mu.Unlock()
	if refuse {
		return nil, &escrow.Error{Code: escrow.Unavailable}
	}
	return u.Service.Receipts(ctx, id)
}

func (u unreliable) Buy(ctx context.Context, req escrow.BuyRequest) (escrow.Purchase, error) {
	if err := u.cut(); err != nil {
		return escrow.Purchase{}, err
	}
	service := u.Service
	if u.w.wrap != nil {
		service = u.w.wrap(service)
	}
	return service.Buy(ctx, req)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !yes() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
