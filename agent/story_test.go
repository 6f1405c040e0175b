package agent_test

import (
	"testing"

	"earnest/agentclient"
	"earnest/escrow"
)

func shortTerms(decide, undo escrow.Seconds) escrow.Terms {
	terms := escrow.DefaultTerms()
	terms.Decide, terms.Undo = decide, undo
	return terms
}

func TestK10_AcceptGivesEveryCentBack(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	mail := w.write(sender, recipient, "A question")
	if mail.From != sender.address || mail.Subject != "A question" || mail.Price.String() != "€0.25" || !mail.FirstTime {
		t.Errorf("the mail is shown as %+v", mail)
	}
	w.has(sender, "0.75", "0.25")
	message, err := recipient.Message(t.Context(), mail.ID)
	must(t, err)
	if message.Text != "Body of A question" {
		t.Errorf("text %q", message.Text)
	}
	after, err := recipient.Accept(t.Context(), mail.ID, agentclient.Accept{})
	must(t, err)
	if after.State != "accepted" || after.Queued || after.Error != "" {
		t.Errorf("after accept: %+v", after)
	}
	sent := w.sentIs(sender, mail.Bond, "accepted", "refunded")
	if sent.ReadAt.IsZero() {
		t.Error("the sender is not told that the mail was read (K19)")
	}
	w.has(sender, "1.00", "0.00")
	for _, p := range []*person{recipient, sender} {
		receipts, err := p.Receipts(t.Context(), mail.Bond)
		must(t, err)
		if !receipts.Verified {
			t.Errorf("receipts: %s", receipts.Fault)
		}
	}
}

func TestK13_RejectForfeitsToTheCompany(t *testing.T) {
	w := newWorld(t, shortTerms(3600, 1))
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	mail := w.write(sender, recipient, "Buy now")
	rejected, err := recipient.Reject(t.Context(), mail.ID, agentclient.Reject{})
	must(t, err)
	if rejected.State != "rejecting" || rejected.EffectiveAt.IsZero() {
		t.Errorf("after reject: %+v", rejected)
	}
	undone, err := recipient.Undo(t.Context(), mail.ID)
	must(t, err)
	if undone.State != "waiting" {
		t.Errorf("after undo: %+v", undone)
	}
	_, err = recipient.Reject(t.Context(), mail.ID, agentclient.Reject{})
	must(t, err)
	w.sentIs(sender, mail.Bond, "rejected", "forfeited")
	w.waits(recipient, mail.Bond, "rejected")
	w.has(sender, "0.75", "0.00")
	w.has(recipient, "1.00", "0.00")
}

func TestK10_SilenceRefunds(t *testing.T) {
	w := newWorld(t, shortTerms(2, 1))
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	mail := w.write(sender, recipient, "Anybody there")
	w.sentIs(sender, mail.Bond, "expired", "refunded")
	w.waits(recipient, mail.Bond, "expired")
	w.has(sender, "1.00", "0.00")
}

// A bond bought without a certificate of other tools is for a letter that is
// written later: it is paid once.
func TestK3_BoughtAheadIsUsedByTheNextLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	bought, err := sender.Buy(t.Context(), agentclient.BuyKey{To: recipient.address})
	must(t, err)
	w.has(sender, "0.75", "0.25")
	mail := w.write(sender, recipient, "Written later")
	if mail.Bond != bought.Bond {
		t.Errorf("the letter went with bond %s, not with %s that was bought for it", mail.Bond, bought.Bond)
	}
	w.has(sender, "0.75", "0.25")
	_, err = recipient.Accept(t.Context(), mail.ID, agentclient.Accept{})
	must(t, err)
	w.sentIs(sender, mail.Bond, "accepted", "refunded")
	w.has(sender, "1.00", "0.00")
}
