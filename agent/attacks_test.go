package agent_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/mail"
)

func TestAnotherMailOnOneBondIsNotOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	bond, write := w.stock(sender, recipient)
	first, second := write("First", "paid for"), write("Second", "for nothing")
	must(t, w.mail.Deliver(recipient.address, first))
	mail := w.waits(recipient, bond, "waiting")
	must(t, w.mail.Deliver(recipient.address, second))
	unopened := func(when string) {
		t.Helper()
		eventually(t, "the second mail was looked at", func() bool {
			m, err := recipient.Message(t.Context(), idOf(second))
			return err == nil && m.State != "held"
		})
		m, err := recipient.Message(t.Context(), idOf(second))
		must(t, err)
		if m.State != "extra" || m.Text != "" || m.Subject != "" || !strings.Contains(m.Checks[0], "a bond pays for one") {
			t.Errorf("%s the second mail is shown as %+v", when, m)
		}
		inbox, err := recipient.Inbox(t.Context())
		must(t, err)
		if len(inbox) != 1 || inbox[0].Subject != "First" {
			t.Errorf("%s the list shows %+v", when, inbox)
		}
	}
	unopened("before the decision")
	_, err := recipient.Accept(t.Context(), mail.ID, agentclient.Accept{})
	must(t, err)
	w.sentIs(sender, bond, "accepted", "refunded")
	unopened("after it")
}

func TestSwappedReplyCertificateIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	other, err := openpgp.NewKeys(keyring.OpenMemory(), time.Now).Generate(t.Context(), "k", "reply key")
	must(t, err)
	w.between(func(s escrow.Service) escrow.Service { return swappingReplies{s, other.Raw} })
	mail := w.write(sender, recipient, "Answer me")
	_, err = recipient.Accept(t.Context(), mail.ID, agentclient.Accept{})
	must(t, err)
	accepted := w.waits(recipient, mail.Bond, "accepted")
	if !strings.Contains(accepted.Error, "another reply certificate") {
		t.Errorf("the recipient is told %q", accepted.Error)
	}
	w.sentIs(sender, mail.Bond, "accepted", "refunded") // the money is as decided
	w.look(recipient, func(tx *store.Tx) error {
		bonds, err := store.List[store.Bond](tx)
		for _, bond := range bonds {
			if string(bond.ID) == mail.Bond && bond.Reply != nil {
				t.Error("the swapped certificate was kept")
			}
		}
		return err
	})
}

type swappingReplies struct {
	escrow.Service
	certificate []byte
}

func (s swappingReplies) Decide(ctx context.Context, id escrow.BondID, v escrow.Verdict, d escrow.Signed) (escrow.Outcome, error) {
	outcome, err := s.Service.Decide(ctx, id, v, d)
	outcome.Bond = s.swap(outcome.Bond)
	return outcome, err
}

func (s swappingReplies) Bonds(ctx context.Context, after int64, wait time.Duration) (escrow.BondPage, error) {
	page, err := s.Service.Bonds(ctx, after, wait)
	for i := range page.Bonds {
		page.Bonds[i] = s.swap(page.Bonds[i])
	}
	return page, err
}

func (s swappingReplies) swap(view escrow.BondView) escrow.BondView {
	if view.Reply != nil {
		view.Reply = s.certificate
	}
	return view
}

func TestClaimOfTheVictimsAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	victim, sender := w.join("victim", "1.00"), w.join("sender", "1.00")
	w.price(victim, "0.25")
	w.pass(2 * time.Hour) // the escrow sends one token mail an hour
	attacker := w.stranger()
	must(t, attacker.ClaimAddress(t.Context(), escrow.AddressClaim{Address: victim.address, Nonce: "the-attackers-nonce"}))
	w.mu.Lock()
	before := w.proofs
	w.mu.Unlock()
	w.write(sender, victim, "After the token mail") // proves that the agent has passed it
	w.mu.Lock()
	if w.proofs != before {
		t.Error("the victim's agent answered a claim that it did not make")
	}
	w.mu.Unlock()
	account, err := attacker.Account(t.Context())
	must(t, err)
	if len(account.Addresses) != 0 {
		t.Errorf("the attacker has %+v", account.Addresses)
	}
	w.write(w.join("sender2", "1.00"), victim, "And the victim still gets mail")
}

func TestTokenIsBoundToTheAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	must(t, w.mail.AddUser("victim@mail.example", "pw", "victim@mail.example"))
	address, err := escrow.ParseAddress("victim@mail.example")
	must(t, err)
	victim, attacker := w.stranger(), w.stranger()
	must(t, victim.ClaimAddress(t.Context(), escrow.AddressClaim{Address: "victim@mail.example", Nonce: "the-victims-nonce"}))
	inbox, err := w.mail.Messages(t.Context(), "victim@mail.example", "INBOX")
	must(t, err)
	header, err := mail.ReadHeader(inbox[0])
	must(t, err)
	// The attacker reads the mail on its way, nonce and token.
	proof := escrow.AddressProof{Address: address, Nonce: header.Get("Earnest-Claim"), Token: header.Get("Earnest-Token")}
	if _, err := attacker.ProveAddress(t.Context(), proof); !errors.Is(err, escrow.Unproven) {
		t.Errorf("the attacker proves with the victim's token: %v", err)
	}
	if _, err := victim.ProveAddress(t.Context(), proof); err != nil {
		t.Errorf("the victim cannot after that: %v", err)
	}
}

func TestForgedTokenMailDoesNotSpoilTheClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	w.holdTokens(true)
	victim := &person{address: "victim@mail.example", home: t.TempDir(), ring: keyring.OpenMemory()}
	must(t, w.mail.AddUser(victim.address, "pw", victim.address))
	w.start(victim)
	_, err := victim.AddAccount(t.Context(), agentclient.AddAccount{Address: victim.address, IMAP: "imaps://" + w.mail.IMAPAddr,
		SMTP: "smtps://" + w.mail.SubmissionsAddr, User: victim.address, Password: "pw", Escrow: "https://escrow.example"})
	must(t, err)
	eventually(t, "the agent has asked for a token", func() bool { return w.heldToken() != nil })
	header, err := mail.ReadHeader(w.heldToken())
	must(t, err)
	must(t, w.mail.Deliver(victim.address, []byte("From: escrow@escrow.example\r\nEarnest-Claim: "+header.Get("Earnest-Claim")+
		"\r\nEarnest-Token: made-up\r\nSubject: Earnest\r\n\r\n.\r\n")))
	eventually(t, "the forged token was tried", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.proofs == 1
	})
	must(t, w.mail.Deliver(victim.address, w.heldToken()))
	eventually(t, "the address is proven", func() bool {
		status, err := victim.Status(t.Context())
		return err == nil && status.Accounts[0].Proven
	})
}

// lyingEscrow says that a bond was rejected that nobody rejected.
type lyingEscrow struct {
	escrow.Service
	key     crypto.Signer
	lying   *atomic.Bool
	receipt func(escrow.Receipt) *escrow.Receipt // nil shows none
}

func (l lyingEscrow) Bonds(ctx context.Context, after int64, wait time.Duration) (escrow.BondPage, error) {
	page, err := l.Service.Bonds(ctx, after, wait)
	for i := range page.Bonds {
		if l.lying.Load() && page.Bonds[i].Role == escrow.RoleSender {
			page.Bonds[i].State, page.Bonds[i].EndedAt = escrow.Rejected, time.Now()
		}
	}
	return page, err
}

func (l lyingEscrow) Receipts(ctx context.Context, id escrow.BondID) ([]escrow.Signed, error) {
	chain, err := l.Service.Receipts(ctx, id)
	if err != nil || !l.lying.Load() {
		return chain, err
	}
	var last escrow.Receipt
	if err := escrow.Peek(chain[len(chain)-1], &last); err != nil {
		return nil, err
	}
	last.N, last.Prev, last.Event, last.Money = last.N+1, chain[len(chain)-1].Hash(), escrow.EventRejected, escrow.MoneyForfeit
	forged := l.receipt(last)
	if forged == nil {
		return chain, nil
	}
	signed, err := escrow.Sign(l.key, escrow.KindReceipt, *forged)
	return append(chain, signed), err
}

func TestForfeitWithoutTheRecipientsSignedDecision(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		receipt func(escrow.Receipt) *escrow.Receipt
		want    string
	}{
		"a receipt with no decision": {func(r escrow.Receipt) *escrow.Receipt { r.Statement = ""; return &r }, "without the recipient's signed decision"},
		"a receipt with the arrival": {func(r escrow.Receipt) *escrow.Receipt { return &r }, "rejected"},
		"no receipt":                 {func(escrow.Receipt) *escrow.Receipt { return nil }, "has shown no receipt of it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, escrow.Terms{})
			recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
			w.price(recipient, "0.25")
			var lying atomic.Bool
			w.between(func(s escrow.Service) escrow.Service { return lyingEscrow{s, w.receiptKey, &lying, test.receipt} })
			mail := w.write(sender, recipient, "Nobody rejects this")
			honest, err := sender.Receipts(t.Context(), mail.Bond)
			must(t, err)
			if !honest.Verified {
				t.Fatalf("the honest chain: %s", honest.Fault)
			}
			lying.Store(true)
			_, err = recipient.Message(t.Context(), mail.ID) // read is reported: the bond changes
			must(t, err)
			sent := w.sentIs(sender, mail.Bond, "rejected", "forfeited")
			eventually(t, "the sender is told that nothing proves it", func() bool {
				sent, err = sender.SentByID(t.Context(), mail.Bond)
				must(t, err)
				return strings.Contains(sent.Error, "do not prove this ending")
			})
			receipts, err := sender.Receipts(t.Context(), mail.Bond)
			must(t, err)
			if receipts.Verified || !strings.Contains(receipts.Fault, test.want) {
				t.Errorf("receipts: verified %v, %q", receipts.Verified, receipts.Fault)
			}
		})
	}
}

// A quote in place of the one bought could name another identity, whose
// decisions the escrow can sign.
func TestReceiptsOfAnotherQuoteProveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shortTerms(3600, 1))
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	_, identity, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	forger := &quoteForger{key: w.receiptKey, identity: identity}
	w.between(func(s escrow.Service) escrow.Service { return forging{s, forger} })
	mail := w.write(sender, recipient, "Mine")
	forger.lying.Store(true)
	_, err = recipient.Message(t.Context(), mail.ID)
	must(t, err)
	eventually(t, "the sender has heard of the forged ending", func() bool {
		sent, err := sender.SentByID(t.Context(), mail.Bond)
		must(t, err)
		return sent.State == "rejected" && sent.Error != ""
	})
	receipts, err := sender.Receipts(t.Context(), mail.Bond)
	must(t, err)
	if receipts.Verified || !strings.Contains(receipts.Fault, "not the one that was bought") {
		t.Errorf("receipts of a forged quote: verified %v, %q", receipts.Verified, receipts.Fault)
	}
}

// quoteForger rewrites a bond with an identity of its own, decision included.
type quoteForger struct {
	key, identity crypto.Signer
	lying         atomic.Bool
}

func (f *quoteForger) quote(honest escrow.Signed) (escrow.Signed, error) {
	quote, offer, err := escrow.VerifyQuote(honest, f.key.Public().(ed25519.PublicKey))
	if err != nil {
		return "", err
	}
	offer.Identity = escrow.PublicKey(f.identity.Public().(ed25519.PublicKey))
	if quote.Offer, err = escrow.Sign(f.identity, escrow.KindOffer, offer); err != nil {
		return "", err
	}
	return escrow.Sign(f.key, escrow.KindQuote, quote)
}

type forging struct {
	escrow.Service
	f *quoteForger
}

func (s forging) Bonds(ctx context.Context, after int64, wait time.Duration) (escrow.BondPage, error) {
	page, err := s.Service.Bonds(ctx, after, wait)
	for i, view := range page.Bonds {
		if err == nil && s.f.lying.Load() && view.Role == escrow.RoleSender {
			page.Bonds[i].State, page.Bonds[i].EndedAt = escrow.Rejected, time.Now()
			page.Bonds[i].Quote, err = s.f.quote(view.Quote)
		}
	}
	return page, err
}

func (s forging) Receipts(ctx context.Context, id escrow.BondID) ([]escrow.Signed, error) {
	view, err := s.Service.Bond(ctx, id)
	if err != nil || !s.f.lying.Load() {
		return nil, err
	}
	quote, err := s.f.quote(view.Quote)
	if err != nil {
		return nil, err
	}
	chain, err := s.Service.Receipts(ctx, id)
	if err != nil {
		return nil, err
	}
	var paid escrow.Receipt
	if err := escrow.Peek(chain[0], &paid); err != nil {
		return nil, err
	}
	paid.Prev = quote.Hash()
	first, err := escrow.Sign(s.f.key, escrow.KindReceipt, paid)
	if err != nil {
		return nil, err
	}
	decision, err := escrow.Sign(s.f.identity, escrow.KindDecision, escrow.Decision{
		Bond: id, Quote: quote.Hash(), Verdict: escrow.Reject, N: 1, Time: time.Now().UTC()})
	if err != nil {
		return nil, err
	}
	arrived, err := escrow.Sign(s.f.identity, escrow.KindStatement, escrow.Statement{Bond: id, Quote: quote.Hash(), Event: escrow.EventArrived})
	if err != nil {
		return nil, err
	}
	r := paid
	r.N, r.Prev, r.Event, r.Money, r.Statement = 2, first.Hash(), escrow.EventArrived, escrow.MoneyStays, arrived
	second, err := escrow.Sign(s.f.key, escrow.KindReceipt, r)
	if err != nil {
		return nil, err
	}
	paid.N, paid.Prev, paid.Event, paid.Money, paid.Statement = 3, second.Hash(), escrow.EventRejected, escrow.MoneyForfeit, decision
	third, err := escrow.Sign(s.f.key, escrow.KindReceipt, paid)
	return []escrow.Signed{first, second, third}, err
}

func TestNoDecisionBeforeArrived(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	raw := w.intercept(sender, recipient, "Not arrived")
	bond := w.onlySent(sender)
	var asked atomic.Int64
	w.between(func(s escrow.Service) escrow.Service { return countingDecisions{s, &asked} })
	w.setDown(true)
	must(t, w.mail.Deliver(recipient.address, raw))
	held := w.waits(recipient, bond, "held")
	for verdict, decide := range map[string]func(context.Context, string) (agentclient.Mail, error){
		"accept": func(ctx context.Context, id string) (agentclient.Mail, error) {
			return recipient.Accept(ctx, id, agentclient.Accept{})
		},
		"reject": func(ctx context.Context, id string) (agentclient.Mail, error) {
			return recipient.Reject(ctx, id, agentclient.Reject{})
		},
		"undo": recipient.Undo} {
		_, err := decide(t.Context(), held.ID)
		if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Code != agentclient.CodeState {
			t.Errorf("%s before arrived: %v", verdict, err)
		}
	}
	// A hostile recipient asks the escrow itself, with the right key.
	signer := w.signer(recipient)
	service := w.server.As(escrow.PublicKey(signer.Public().(ed25519.PublicKey)))
	view, err := service.Bond(t.Context(), escrow.BondID(bond))
	must(t, err)
	for _, verdict := range []escrow.Verdict{escrow.Accept, escrow.Reject} {
		decision, err := escrow.Sign(signer, escrow.KindDecision, escrow.Decision{Bond: view.ID, Quote: view.Quote.Hash(),
			Verdict: verdict, N: 1, Time: time.Now().UTC()})
		must(t, err)
		if _, err := service.Decide(t.Context(), view.ID, verdict, decision); !errors.Is(err, escrow.NotArrived) {
			t.Errorf("the escrow takes a %s before arrived: %v", verdict, err)
		}
	}
	w.has(sender, "0.75", "0.25")
	w.setDown(false)
	w.waits(recipient, bond, "waiting")
	if n := asked.Load(); n != 0 {
		t.Errorf("the agent sent %d decisions that nobody could make", n)
	}
}

type countingDecisions struct {
	escrow.Service
	n *atomic.Int64
}

func (c countingDecisions) Decide(ctx context.Context, id escrow.BondID, v escrow.Verdict, d escrow.Signed) (escrow.Outcome, error) {
	c.n.Add(1)
	return c.Service.Decide(ctx, id, v, d)
}
