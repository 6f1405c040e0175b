package agent_test

import (
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/escrow"
)

// The reason of a reject stays here: with the mail, sealed, and in nothing that
// the escrow or the sender gets.
func TestReject_KeepsItsReasonHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	mail := w.write(sender, recipient, "Buy now")
	ctx := t.Context()
	if _, err := recipient.Reject(ctx, mail.ID, agentclient.Reject{Reason: strings.Repeat("ä", 501)}); code(err) != agentclient.CodeUsage {
		t.Errorf("501 characters: %v", err)
	}
	reason := strings.Repeat("ä", 488) + "Sumpfdotter!"
	rejecting, err := recipient.Reject(ctx, mail.ID, agentclient.Reject{Reason: reason})
	must(t, err)
	if rejecting.State != "rejecting" || rejecting.Reason != reason {
		t.Errorf("rejecting: %q %q", rejecting.State, rejecting.Reason)
	}
	undone, err := recipient.Undo(ctx, mail.ID)
	must(t, err)
	if undone.Reason != "" {
		t.Errorf("undone, and the reason is %q", undone.Reason)
	}
	_, err = recipient.Reject(ctx, mail.ID, agentclient.Reject{Reason: reason})
	must(t, err)
	if shown := w.waits(recipient, mail.Bond, "rejecting"); shown.Reason != reason {
		t.Errorf("listed with %q", shown.Reason)
	}
	receipts, err := recipient.Receipts(ctx, mail.Bond)
	must(t, err)
	if len(receipts.Receipts) == 0 {
		t.Error("there are no receipts to look into")
	}
	for _, home := range []string{recipient.home, sender.home, w.escrowHome} {
		for _, name := range holding(t, home, "Sumpfdotter") {
			t.Errorf("the reason is readable in %s", name)
		}
	}
}
