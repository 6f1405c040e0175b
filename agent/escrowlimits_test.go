package agent_test

import (
	"crypto/ed25519"
	"testing"

	"earnest/agentclient"
	"earnest/escrow"
)

// TestLimit_IsHeldByTheEscrow: what a person sets here bounds the account there, so
// that a stolen key buys no more; a raise waits there, a lower limit does not.
func TestLimit_IsHeldByTheEscrow(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	anna := w.join("anna", "5.00")
	set := func(perMail string) {
		_, err := anna.SetLimit(t.Context(), agentclient.SetLimit{Currency: euro.Name, PerMail: perMail, PerDay: "2.00"})
		must(t, err)
	}
	thief := w.server.As(escrow.PublicKey(w.signer(anna).Public().(ed25519.PublicKey)))
	at := func() escrow.SpendingLimit {
		account, err := thief.Account(t.Context())
		must(t, err)
		if len(account.Limits) != 1 {
			t.Fatalf("the escrow holds to %+v", account.Limits)
		}
		return account.Limits[0]
	}
	_, err := anna.SetLimit(t.Context(), agentclient.SetLimit{Currency: euro.Name, PerMail: "1.00", HereOnly: true})
	must(t, err)
	if account, err := thief.Account(t.Context()); err != nil || len(account.Limits) != 0 {
		t.Fatalf("here only: %+v, %v", account.Limits, err)
	}
	set("0.20")
	if l := at(); *l.PerMail != 20 || *l.PerDay != 200 || l.Raise != nil {
		t.Fatalf("the escrow holds to %+v", l)
	}
	set("0.30")
	if l := at(); *l.PerMail != 20 || l.Raise == nil || *l.Raise.PerMail != 30 {
		t.Fatalf("raised: %+v", l)
	}
	set("0.10")
	if l := at(); *l.PerMail != 10 || l.Raise != nil {
		t.Fatalf("lowered: %+v", l)
	}
	// A limit that the escrow lost hold of is told again.
	_, err = thief.SetLimit(t.Context(), escrow.SetLimit{Currency: euro.Name})
	must(t, err)
	anna.stop()
	w.start(anna)
	eventually(t, "the escrow is told again", func() bool { l := at(); return l.Raise == nil && *l.PerMail == 10 })
}
