package agent_test

import (
	"context"
	"crypto/ed25519"
	"testing"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

func (u unreliable) SetLimit(ctx context.Context, req escrow.SetLimit) (escrow.Account, error) {
	if err := u.cut(); err != nil {
		return escrow.Account{}, err
	}
	return u.wrapped().SetLimit(ctx, req)
}

// TestLimit_TakenAwayWhileTheEscrowIsAway: it is told later, also after a restart,
// and remembered no longer than that.
func TestLimit_TakenAwayWhileTheEscrowIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	anna := w.join("anna", "5.00")
	thief := w.server.As(escrow.PublicKey(w.signer(anna).Public().(ed25519.PublicKey)))
	set := func(perMail string) {
		_, err := anna.SetLimit(t.Context(), agentclient.SetLimit{Currency: euro.Name, PerMail: perMail})
		must(t, err)
	}
	kept := func() (n int) {
		w.look(anna, func(tx *store.Tx) (err error) { n, err = store.Count[store.Limit](tx); return err })
		return n
	}
	set("1.00")
	w.setDown(true)
	set("")
	if list, err := anna.Limits(t.Context()); err != nil || list[0].PerMail != "" || kept() != 1 {
		t.Fatalf("taken away, and not told: %+v, %v, %d kept", list, err, kept())
	}
	anna.stop()
	w.setDown(false)
	w.start(anna)
	eventually(t, "the escrow is told that there is none", func() bool {
		account, err := thief.Account(t.Context())
		must(t, err)
		raise := account.Limits[0].Raise
		return raise != nil && raise.PerMail == nil && raise.PerDay == nil
	})
	eventually(t, "nothing of it is kept", func() bool { return kept() == 0 })
	set("")
	if kept() != 0 {
		t.Error("told at once, and kept")
	}
}

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
	if limits, err := anna.Limits(t.Context()); err != nil || !limits[0].AtEscrow || limits[0].HereOnly() {
		t.Fatalf("limits: %+v, %v", limits, err)
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
	// What is here only leaves the escrow's as it is.
	for _, perMail := range []string{"0.05", "3.00", ""} {
		_, err = anna.SetLimit(t.Context(), agentclient.SetLimit{Currency: euro.Name, PerMail: perMail, HereOnly: true})
		must(t, err)
		w.look(anna, func(tx *store.Tx) error {
			limit, _, err := store.Get[store.Limit](tx, store.LimitID(euro.Name))
			if limit.AtEscrow {
				t.Error("here only, and the escrow is told later")
			}
			return err
		})
		if l := at(); *l.PerMail != 10 || l.Raise != nil {
			t.Errorf("%q here only, and the escrow holds to %+v", perMail, l)
		}
		if limits, err := anna.Limits(t.Context()); err != nil || limits[0].PerMail != perMail || limits[0].AtEscrow || limits[0].HereOnly() != (perMail != "") {
			t.Errorf("here only: %+v, %v", limits, err)
		}
	}
}
