package agent_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/escrow"
	"earnest/internal/mailhost"
)

// Spam by withdrawing after submitting: the mail would be read and the money
// would be back. Whichever comes first to the recipient's agent wins.

func TestWithdrawnAfterSubmitting_TheMailThatIsHereCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	raw := w.intercept(sender, recipient, "Read me for nothing")
	bond := w.onlySent(sender)
	w.setDown(true) // the mail is here, and its arrival is not reported yet
	must(t, w.mail.Deliver(recipient.address, raw))
	w.waits(recipient, bond, "held")
	asked, err := sender.Withdraw(t.Context(), bond)
	must(t, err)
	if asked.State != "withdrawing" || asked.Money != "held" {
		t.Errorf("after asking: %+v", asked)
	}
	// The recipient's agent hears of the withdrawal before it can report the mail.
	var kept atomic.Bool
	kept.Store(true)
	w.between(func(s escrow.Service) escrow.Service { return keptArrivals{s, &kept} })
	w.setDown(false)
	time.Sleep(1500 * time.Millisecond)
	kept.Store(false)
	mail := w.waits(recipient, bond, "waiting")
	w.sentIs(sender, bond, "arrived", "held")
	eventually(t, "the sender is told who decides now", func() bool {
		told, err := sender.SentByID(t.Context(), bond)
		return err == nil && strings.Contains(told.Error, "now the recipient decides")
	})
	_, err = recipient.Accept(t.Context(), mail.ID, agentclient.Accept{}) // a decision works as ever
	must(t, err)
	w.sentIs(sender, bond, "accepted", "refunded")
}

// keptArrivals lets no arrival through for the time being.
type keptArrivals struct {
	escrow.Service
	kept *atomic.Bool
}

func (s keptArrivals) Arrive(ctx context.Context, id escrow.BondID, req escrow.Arrival) (escrow.Outcome, error) {
	if s.kept.Load() {
		return escrow.Outcome{}, escrow.Errorf(escrow.Unavailable, "not now")
	}
	return s.Service.Arrive(ctx, id, req)
}

func TestWithdrawnAfterSubmitting_TheKeyThatIsGoneOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	raw := w.intercept(sender, recipient, "Read me for nothing")
	bond := w.onlySent(sender)
	key := w.keyOf(recipient, bond)
	if _, err := recipient.ring.Get(t.Context(), key.Name); err != nil {
		t.Fatalf("the key is not in the keyring to begin with: %v", err)
	}
	_, err := sender.Withdraw(t.Context(), bond)
	must(t, err)
	w.sentIs(sender, bond, "withdrawn", "refunded")
	w.has(sender, "1.00", "0.00")
	if _, err := recipient.ring.Get(t.Context(), key.Name); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("the key is still there after its destruction was confirmed: %v", err)
	}
	// The mail comes after all, while a second bond of the same sender is open.
	w.mail.SetFault(mailhost.RefuseForNow, 0)
	again, err := sender.Send(t.Context(), agentclient.Compose{To: []string{recipient.address}, Subject: "s", Body: "b"})
	must(t, err)
	w.keyOf(recipient, again[0].Bond) // the list of bonds comes ahead of the mail
	must(t, w.mail.Deliver(recipient.address, raw))
	must(t, w.mail.Deliver(recipient.address, foreign(t, sender.address, recipient.address)))
	eventually(t, "the mail after it was looked at", func() bool {
		inbox, err := recipient.Inbox(t.Context())
		must(t, err)
		if len(inbox) > 1 {
			t.Fatalf("%d mails are shown: %+v", len(inbox), inbox)
		}
		return len(inbox) == 1 && inbox[0].State == "damaged"
	})
	if _, err := recipient.Message(t.Context(), idOf(raw)); err == nil {
		t.Error("a mail to a destroyed key is known by its content")
	}
}

// The key goes while the mail is between the mailbox and its opening.
func TestWithdrawnWhileTheMailIsBeingTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	raw := w.intercept(sender, recipient, "Held for ever")
	bond := w.onlySent(sender)
	w.setDown(true)
	must(t, w.mail.Deliver(recipient.address, raw))
	held := w.waits(recipient, bond, "held")
	recipient.stop()
	w.change(recipient, func(tx *store.Tx) error { // as if the two had crossed
		key := w.keyIn(tx, bond)
		key.State = store.KeyDead
		return store.Put(tx, key)
	})
	w.start(recipient)
	_, err := sender.Withdraw(t.Context(), bond)
	must(t, err)
	w.setDown(false)
	eventually(t, "the mail is not held any more", func() bool {
		m, err := recipient.Message(t.Context(), held.ID)
		must(t, err)
		return m.State == "withdrawn" && m.Text == "" && strings.Contains(m.Checks[0], "never will be")
	})
}
