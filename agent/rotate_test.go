package agent_test

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/escrow"
)

// onPaper writes a recovery key down and has it count.
func (w *world) onPaper(p *person) string {
	w.t.Helper()
	key, err := p.NewRecoveryKey(w.t.Context(), agentclient.AccountAddress{Address: p.address})
	must(w.t, err)
	safety, err := p.OrderAccount(w.t.Context(), agentclient.AccountOrder{Address: p.address, Order: agentclient.OrderRecovery, NewRecovery: key.Code})
	must(w.t, err)
	if !key.AtOnce || safety.RecoveryHere || !safety.Recovery || len(safety.Changes) > 0 {
		w.t.Fatalf("after the recovery key was written down: %+v", safety)
	}
	return key.Code
}

func (w *world) identity(p *person) string {
	w.t.Helper()
	status, err := p.Status(w.t.Context())
	must(w.t, err)
	return status.Accounts[0].Identity
}

// With the recovery key another key has the account at once: bonds of before are
// decided, new ones are bought, and who knew the old identity knows the new one.
func TestK_ARotationKeepsBondsMoneyAndWhoKnowsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	before, was := w.write(sender, recipient, "before"), w.identity(recipient)
	code := w.onPaper(recipient)
	safety, err := recipient.OrderAccount(t.Context(), agentclient.AccountOrder{Address: recipient.address, Order: agentclient.OrderRotate, Recovery: code})
	must(t, err)
	if safety.Identity == was || safety.Identity != w.identity(recipient) || safety.NextIdentity != nil {
		t.Fatalf("rotated: %+v", safety)
	}
	w.price(recipient, "0.30")
	_, err = recipient.Accept(t.Context(), before.ID, agentclient.Accept{Free: agentclient.FreeMails(0)})
	must(t, err)
	w.sentIs(sender, before.Bond, "accepted", "refunded")
	after := w.write(sender, recipient, "after")
	_, err = recipient.Reject(t.Context(), after.ID, agentclient.Reject{})
	must(t, err)
	w.waits(recipient, after.Bond, "rejecting")
	recipient.stop()
	w.start(recipient)
	if w.identity(recipient) != safety.Identity {
		t.Fatal("after a restart it has another identity")
	}
	w.look(recipient, func(tx *store.Tx) error {
		keys, err := store.List[store.Key](tx, store.KeyUploaded)
		for _, key := range keys {
			if key.State == store.KeyUploaded && key.Certificate == nil {
				t.Error("a key without certificate")
			}
		}
		return err
	})
	w.has(recipient, "1.00", "0.00")
}

// Without it the change waits for 48 hours, and acts also where the agent was off.
func TestK_ARotationWithoutTheRecoveryKeyWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("recipient", "1.00")
	w.price(p, "0.25")
	was := w.identity(p)
	w.onPaper(p)
	order := agentclient.AccountOrder{Address: p.address, Order: agentclient.OrderRotate}
	safety, err := p.OrderAccount(t.Context(), order)
	must(t, err)
	if safety.Identity != was || safety.NextIdentity == nil || len(safety.Changes) != 1 || safety.Changes[0].Foreign {
		t.Fatalf("ordered: %+v", safety)
	}
	due := safety.Changes[0].DueAt
	if again, err := p.OrderAccount(t.Context(), order); err != nil || !again.Changes[0].DueAt.Equal(due) {
		t.Fatalf("ordered again: %+v, %v", again, err)
	}
	next := safety.NextIdentity.Identity
	p.stop()
	w.pass(49 * time.Hour)
	must(t, w.server.SweepNow(t.Context()))
	w.start(p)
	eventually(t, "the next key signs", func() bool { return w.identity(p) == next })
	eventually(t, "the offer is the next key's", func() bool {
		record, err := w.books.Offer(t.Context(), escrow.Address(p.address), w.now())
		if err != nil {
			return false
		}
		offer, err := escrow.VerifyOffer(record.Signed)
		return err == nil && string(offer.Identity.ID()) == next && len(offer.Follows) == 1
	})
}

// newMachine is the person at another machine, with nothing of the first.
func (w *world) newMachine(p *person) *person {
	w.t.Helper()
	fresh := &person{address: p.address, home: w.t.TempDir(), ring: keyring.OpenMemory()}
	w.start(fresh)
	return fresh
}

func (w *world) recovery(p *person, code string) agentclient.RecoverAccount {
	name, _, _ := strings.Cut(p.address, "@")
	return agentclient.RecoverAccount{Recovery: code, AddAccount: agentclient.AddAccount{Address: p.address, IMAP: "imaps://" + w.mail.IMAPAddr,
		SMTP: "smtps://" + w.mail.SubmissionsAddr, User: p.address, Password: "pw " + name, Escrow: "https://escrow.example"}}
}

// Whoever has lost the machine takes the account over with the paper alone; the
// machine, in whosever hands, is locked out.
func TestK_AnAccountIsRecoveredOnAnotherMachine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	code := w.onPaper(recipient)
	w.price(recipient, "0.25")
	lost := w.write(sender, recipient, "lost")
	was := w.identity(recipient)
	thief := w.signer(recipient)
	fresh := w.newMachine(recipient)
	found, err := fresh.RecoverAccount(t.Context(), w.recovery(recipient, code))
	must(t, err)
	if found.Open != 1 || len(found.Lost) != 4 || !found.Account.Proven || found.Account.Identity == was {
		t.Fatalf("recovered: %+v", found)
	}
	_, err = w.server.As(escrow.PublicKey(thief.Public().(ed25519.PublicKey))).Account(t.Context())
	if !errors.Is(err, escrow.Unauthorized) {
		t.Fatalf("the lost machine still has the account: %v", err)
	}
	recipient.stop()
	w.start(recipient)
	eventually(t, "the lost machine says so", func() bool {
		status, err := recipient.Status(t.Context())
		return err == nil && status.Accounts[0].KeyError != "" && status.Accounts[0].EscrowUp
	})
	must(t, recipient.RemoveAccount(t.Context(), agentclient.RemoveAccount{Address: recipient.address, Force: true}))
	recipient.stop()
	w.has(fresh, "1.00", "0.00")
	w.price(fresh, "0.30")
	// The sender knows the new identity by the recovery key that the old offer named.
	price, err := sender.Price(t.Context(), recipient.address)
	must(t, err)
	if price.Identity != found.Account.Identity {
		t.Fatalf("the sender sees %s", price.Identity)
	}
	w.pass(15 * 24 * time.Hour)
	must(t, w.server.SweepNow(t.Context()))
	w.sentIs(sender, lost.Bond, "expired", "refunded")
	w.write(sender, fresh, "found")
	if inbox, err := fresh.Inbox(t.Context()); err != nil || len(inbox) != 1 {
		t.Fatalf("the inbox: %+v, %v", inbox, err)
	}
	safety, err := fresh.OrderAccount(t.Context(), agentclient.AccountOrder{Address: fresh.address})
	must(t, err)
	if !safety.FrozenAt.IsZero() || !safety.Recovery || safety.RecoveryHere {
		t.Fatalf("recovered: %+v", safety)
	}
}
