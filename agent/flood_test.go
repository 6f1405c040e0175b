package agent_test

import (
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/internal/mailhost"
)

// A stranger without money must not be able to bury the list of paid mails:
// neither by forging a buyer's address, nor by naming a sold key's id.
func TestForgedMailsDoNotBuryTheList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shortTerms(3600, 1))
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	w.mail.SetFault(mailhost.RefuseForNow, 1000) // the paid mail itself stays in the outbox
	_, err := sender.Send(t.Context(), agentclient.Compose{To: []string{recipient.address}, Subject: "s", Body: "b"})
	must(t, err)
	time.Sleep(300 * time.Millisecond) // the list of bonds comes ahead of the mail
	for range 20 {
		must(t, w.mail.Deliver(recipient.address, foreign(t, sender.address, recipient.address)))
	}
	w.mail.SetFault(mailhost.Well, 0)
	eventually(t, "the paid mail waits", func() bool {
		list, err := recipient.Inbox(t.Context())
		must(t, err)
		return len(list) == 2 && list[0].State == "waiting"
	})
	time.Sleep(200 * time.Millisecond)
	list, err := recipient.Inbox(t.Context())
	must(t, err)
	if len(list) != 2 || list[1].State != "damaged" {
		t.Errorf("%d mails are shown: one paid and one alarm were to be", len(list))
	}
}

func TestDamagedMailsToOneKeyAreShownThreeTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shortTerms(3600, 1))
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	raw := w.intercept(sender, recipient, "Broken on its way")
	broken := tamper(t, raw)
	for range 10 {
		broken = append(broken, "\r\n"...) // another mail each time
		must(t, w.mail.Deliver(recipient.address, broken))
	}
	must(t, w.mail.Deliver(recipient.address, raw))
	eventually(t, "the sound copy waits", func() bool {
		list, err := recipient.Inbox(t.Context())
		must(t, err)
		return len(list) == 4 && list[0].State == "waiting"
	})
}
