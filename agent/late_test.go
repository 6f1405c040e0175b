package agent_test

import (
	"context"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/escrow"
)

// lateAnswers is an escrow whose answers to a decision come after all else.
type lateAnswers struct {
	escrow.Service
	wait func()
}

func (l lateAnswers) Decide(ctx context.Context, id escrow.BondID, v escrow.Verdict, d escrow.Signed) (escrow.Outcome, error) {
	outcome, err := l.Service.Decide(ctx, id, v, d)
	l.wait()
	return outcome, err
}

func TestLateAnswerDoesNotUndoAnEnding(t *testing.T) {
	w := newWorld(t, shortTerms(3600, 1))
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	mail := w.write(sender, recipient, "Buy now")
	w.between(func(s escrow.Service) escrow.Service {
		return lateAnswers{s, func() {
			// By now the list of bonds says that the reject has taken effect.
			w.sentIs(sender, mail.Bond, "rejected", "forfeited")
			time.Sleep(500 * time.Millisecond)
		}}
	})
	_, err := recipient.Reject(t.Context(), mail.ID, agentclient.Reject{})
	must(t, err)
	w.waits(recipient, mail.Bond, "rejected")
	w.sentIs(sender, mail.Bond, "rejected", "forfeited")
}

func TestReceiptsOfAnEndingAreFetchedUntilTheyAreHere(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	mail := w.write(sender, recipient, "A question")
	refuse := func(now bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.noReceipts = now
	}
	refuse(true)
	_, err := recipient.Accept(t.Context(), mail.ID, agentclient.Accept{})
	must(t, err)
	w.sentIs(sender, mail.Bond, "accepted", "refunded")
	eventually(t, "both have asked for the receipts", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.askedFor >= 2
	})
	if w.keepsReceipts(sender, mail.Bond) {
		t.Fatal("the sender keeps receipts that it was not given")
	}
	// The sender's agent ends before it has them, and nobody asks for them later.
	sender.stop()
	refuse(false)
	w.start(sender)
	eventually(t, "the receipts are kept", func() bool { return w.keepsReceipts(sender, mail.Bond) })
}
