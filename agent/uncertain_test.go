package agent_test

import (
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/escrow"
	"earnest/internal/mailhost"
)

// givenUpUncertain has the server take a draft, lose the answer, and refuse the
// second try for good, as one does that knows a mail again.
func (w *world) givenUpUncertain(from, to *person, paid bool) agentclient.Sent {
	w.t.Helper()
	ctx := w.t.Context()
	draft, err := from.SaveDraft(ctx, agentclient.Draft{Mail: agentclient.Compose{To: []string{to.address}, Subject: "Twice?", Body: "Text", Paid: paid}})
	must(w.t, err)
	compose := draft.Mail
	compose.Draft = draft.ID
	w.mail.SetFault(mailhost.CutDelivered, 1)
	sent, err := from.Send(ctx, compose)
	must(w.t, err)
	w.mail.SetFault(mailhost.RefuseForGood, 1)
	var now agentclient.Sent
	eventually(w.t, "it is given up", func() bool {
		now, err = from.SentByID(ctx, sent[0].ID)
		must(w.t, err)
		return strings.Contains(now.Error, "for good")
	})
	return now
}

// A mail whose answer was lost may have gone: nobody is told that it was not sent,
// nor gets it back as a draft that goes a second time.
func TestAMailThatMayHaveGoneIsNotCalledUnsent(t *testing.T) {
	t.Parallel()
	w, recipient, sender := connected(t, agentclient.FreeMails(3))
	now := w.givenUpUncertain(sender, recipient, false)
	if strings.Contains(now.Error, "was not sent") || !strings.Contains(now.Error, "may have been sent") || now.State != "failed" || !now.Kept {
		t.Errorf("given up as %+v", now)
	}
	if list, err := sender.Drafts(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("the drafts are %+v, %v", list, err)
	}
	w.comes(recipient, "Twice?", "accepted")
	if _, err := sender.Redraft(t.Context(), now.ID); err != nil {
		t.Errorf("its text: %v", err)
	}
}

func TestAPaidMailThatMayHaveGoneIsNotCalledUnsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	recipient.stop()
	now := w.givenUpUncertain(sender, recipient, true)
	if strings.Contains(now.Error, "was not sent") || !strings.Contains(now.Error, "may have been sent") {
		t.Errorf("given up as %+v", now)
	}
	w.start(recipient)
	eventually(t, "it ends one way or the other", func() bool {
		now, err := sender.SentByID(t.Context(), now.ID)
		must(t, err)
		return now.State == "arrived" || now.State == "withdrawn"
	})
}
