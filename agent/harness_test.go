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
	till   *till
	books  *sqlstore.Store
	server *escrowserver.Server
	// escrowHome is the folder of its books.
	escrowHome string
	// receiptKey is the escrow's own, for one that lies.
	receiptKey ed25519.PrivateKey

	mu   sync.Mutex
	down bool
	// noReceipts: the escrow hands out none, and counts who asks.
	noReceipts bool
	askedFor   int
	// wrap, if set, stands between an agent and the escrow.
	wrap func(escrow.Service) escrow.Service
	// signers are the account keys of the agents, for those who attack with one.
	signers map[escrow.KeyID]crypto.Signer
	// off: the escrow answers nobody; asked is what it was asked for meanwhile.
	off     bool
	asked   []string
	ahead   time.Duration // of this machine's clock
	proofs  int           // of addresses, that agents sent
	holding bool          // token mails are kept back
	token   []byte
	// aliases are further addresses of mailboxes.
	aliases map[string]string
	// outside, if set, is what agents reach instead; finder and signIn may stay
	// nil.
	outside agent.Outside
	finder  agent.Finder
	signIn  agent.SignIn
	dns     agent.Names
}

var euro = payment.Currency{Name: "escrow.example", Scale: 2, Unit: "EUR"}

func newWorld(t *testing.T, terms escrow.Terms) *world {
	t.Helper()
	host, err := mailhost.Start(mailhost.Options{})
	must(t, err)
	t.Cleanup(func() { host.Close() })
	w := &world{t: t, mail: host, till: &till{}, escrowHome: t.TempDir()}
	w.books, err = sqlstore.Open(t.Context(), filepath.Join(w.escrowHome, "escrow.db"))
	must(t, err)
	t.Cleanup(func() { w.books.Close() })
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	w.receiptKey = key
	w.server, err = escrowserver.New(escrowserver.Config{
		Name: "escrow.example", Operator: "Tests", LegalForm: "association", Currencies: []payment.Currency{euro},
		Beneficiaries: []escrow.Beneficiary{{ID: ledger.Company, Name: "the escrow's company account"}, {ID: ledger.Burned, Name: "nobody"}},
		Terms:         terms, Provider: w.till, CheckoutHold: 14 * 24 * time.Hour, TokenSender: "escrow@escrow.example", ReceiptSigner: key, Store: w.books,
		Mailer: tokenMailer{w}, Certificates: openpgp.Certificates{Now: time.Now}, Now: w.now,
		OutageOver: 10_000 * time.Hour, // tests move the clock by days while the escrow runs
	})
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.server.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return w
}

type tokenMailer struct{ w *world }

func (m tokenMailer) SendToken(_ context.Context, to string, mail escrowserver.TokenMail) error {
	raw := fmt.Appendf(nil,
		"From: escrow@escrow.example\r\nTo: %s\r\nSubject: Earnest\r\nAuto-Submitted: auto-generated\r\nEarnest-Claim: %s\r\nEarnest-Token: %s\r\n\r\nNothing to do.\r\n",
		to, mail.Nonce, mail.Token)
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	if m.w.holding {
		m.w.token = raw
		return nil
	}
	return m.w.mail.Deliver(to, raw)
}

// holdTokens has token mails kept back, for heldToken to show.
func (w *world) holdTokens(now bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holding = now
}

func (w *world) heldToken() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.token
}

// Outside: everything is real but the HTTP.
func (w *world) Escrow(_ string, _ []byte, signer crypto.Signer) (escrow.Service, error) {
	key := escrow.PublicKey(signer.Public().(ed25519.PublicKey))
	w.mu.Lock()
	if w.signers == nil {
		w.signers = map[escrow.KeyID]crypto.Signer{}
	}
	w.signers[key.ID()] = signer
	w.mu.Unlock()
	service := w.server.As(key)
	return switched{unreliable{service, w}, w}, nil
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

// now is the clock of the escrow and the agents.
func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += d
}

// signer is the account key of the person's agent.
func (w *world) signer(p *person) crypto.Signer {
	w.t.Helper()
	status, err := p.Status(w.t.Context())
	must(w.t, err)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.signers[escrow.KeyID(status.Accounts[0].Identity)]
}

// person is somebody with a mailbox and an agent.
type person struct {
	*agent.Agent
	address string
	home    string
	ring    *keyring.Ring
	names   names // that the agent has in it, without one-time keys
	stop    func()
}

// join gives somebody an address, an agent and money.
func (w *world) join(name, amount string) *person {
	w.t.Helper()
	p := &person{address: name + "@mail.example", home: w.t.TempDir(), ring: keyring.OpenMemory()}
	addresses := []string{p.address}
	if alias := w.aliases[p.address]; alias != "" {
		addresses = append(addresses, alias)
	}
	must(w.t, w.mail.AddUser(p.address, "pw "+name, addresses...))
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
		_, err = p.TopUp(ctx, agentclient.Redeem{Voucher: voucher})
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
	var outside agent.Outside = w
	if w.outside != nil {
		outside = w.outside
	}
	p.Agent, err = agent.New(w.t.Context(), agent.Config{Finder: w.finder, SignIn: w.signIn, Names: w.dns, Store: memory, Keyring: noted{p.ring, &p.names},
		OpenPGP: openpgp.NewKeys(p.ring, time.Now), Outside: outside, Now: w.now,
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

// redeem tops an account up, as another agent of its owner could.
func (w *world) redeem(account escrow.KeyID, amount string) {
	w.t.Helper()
	value, err := payment.ParseAmount(amount, euro.Scale)
	must(w.t, err)
	voucher, err := w.server.NewVoucher(w.t.Context(), euro.Name, value)
	must(w.t, err)
	w.mu.Lock()
	key := escrow.PublicKey(w.signers[account].Public().(ed25519.PublicKey))
	w.mu.Unlock()
	_, err = w.server.As(key).TopUp(w.t.Context(), escrow.TopUp{ID: "top-up-" + string(account[:20]), Voucher: voucher})
	must(w.t, err)
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
	sent, err := from.Send(w.t.Context(), agentclient.Compose{To: []string{to.address}, Subject: subject, Body: "Body of " + subject, Paid: true})
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

// look looks into the person's own store.
func (w *world) look(p *person, fn func(*store.Tx) error) {
	w.t.Helper()
	w.open(p, func(memory *store.Store) { must(w.t, memory.View(w.t.Context(), fn)) })
}

func (w *world) open(p *person, fn func(*store.Store)) {
	w.t.Helper()
	sealer, err := p.ring.Sealer(w.t.Context(), "archive")
	must(w.t, err)
	memory, err := store.Open(w.t.Context(), filepath.Join(p.home, "agent.db"), sealer)
	must(w.t, err)
	defer memory.Close()
	fn(memory)
}

func (w *world) keepsReceipts(p *person, bond string) bool {
	w.t.Helper()
	var chain store.Chain
	w.look(p, func(tx *store.Tx) error {
		chains, err := store.List[store.Chain](tx)
		for _, c := range chains {
			if string(c.Bond) == bond {
				chain = c
			}
		}
		return err
	})
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

// wrapped is the escrow as an agent meets it.
func (u unreliable) wrapped() escrow.Service {
	u.w.mu.Lock()
	defer u.w.mu.Unlock()
	if u.w.wrap == nil {
		return u.Service
	}
	return u.w.wrap(u.Service)
}

// between puts something between every agent and the escrow.
func (w *world) between(wrap func(escrow.Service) escrow.Service) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrap = wrap
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
	return u.wrapped().Bonds(ctx, after, min(wait, 200*time.Millisecond))
}

func (u unreliable) Arrive(ctx context.Context, id escrow.BondID, req escrow.Arrival) (escrow.Outcome, error) {
	if err := u.cut(); err != nil {
		return escrow.Outcome{}, err
	}
	return u.wrapped().Arrive(ctx, id, req)
}

func (u unreliable) Decide(ctx context.Context, id escrow.BondID, v escrow.Verdict, d escrow.Signed) (escrow.Outcome, error) {
	if err := u.cut(); err != nil {
		return escrow.Outcome{}, err
	}
	return u.wrapped().Decide(ctx, id, v, d)
}

func (u unreliable) Order(ctx context.Context, order escrow.Signed) (escrow.Account, error) {
	return u.wrapped().Order(ctx, order)
}

func (u unreliable) ProveAddress(ctx context.Context, req escrow.AddressProof) (escrow.Account, error) {
	u.w.mu.Lock()
	u.w.proofs++
	u.w.mu.Unlock()
	return u.Service.ProveAddress(ctx, req)
}

func (u unreliable) Receipts(ctx context.Context, id escrow.BondID) ([]escrow.Signed, error) {
	u.w.mu.Lock()
	refuse := u.w.noReceipts
	u.w.askedFor++
	u.w.mu.Unlock()
	if refuse {
		return nil, &escrow.Error{Code: escrow.Unavailable}
	}
	return u.wrapped().Receipts(ctx, id)
}

func (u unreliable) PublishOffer(ctx context.Context, offer escrow.Signed) error {
	if err := u.cut(); err != nil {
		return err
	}
	return u.wrapped().PublishOffer(ctx, offer)
}

func (u unreliable) Buy(ctx context.Context, req escrow.BuyRequest) (escrow.Purchase, error) {
	if err := u.cut(); err != nil {
		return escrow.Purchase{}, err
	}
	return u.wrapped().Buy(ctx, req)
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
