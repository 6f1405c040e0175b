package agent_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// refused is what the agent says to a removal.
func refused(t *testing.T, p *person, address string, force bool) *agentclient.Failure {
	t.Helper()
	err := p.RemoveAccount(t.Context(), agentclient.RemoveAccount{Address: address, Force: force})
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok {
		t.Fatalf("the removal ended with %v", err)
	}
	status, err := p.Status(t.Context())
	must(t, err)
	if len(status.Accounts) == 0 {
		t.Fatal("it is refused, and the account is gone")
	}
	return failure
}

// tallies is what the person's store holds, by kinds.
func (w *world) tallies(p *person) map[string]int {
	w.t.Helper()
	all := map[string]int{}
	w.look(p, func(tx *store.Tx) error {
		counts, err := store.Tallies(tx)
		for _, c := range counts {
			all[c.Kind] += c.N
		}
		return err
	})
	return all
}

// keyNames are the names of the one-time keys and reply keys that are in use.
func (w *world) keyNames(p *person) (all []string) {
	w.t.Helper()
	w.look(p, func(tx *store.Tx) error {
		keys, err := store.List[store.Key](tx)
		for _, k := range keys {
			if k.State != store.KeyDead {
				all = append(all, k.Name)
			}
		}
		return err
	})
	return all
}

// nothingLeft waits until neither store nor keyring know anything of the account.
func (w *world) nothingLeft(p *person, keys []string) {
	w.t.Helper()
	eventually(w.t, "nothing of the account is left", func() bool { return len(w.tallies(p)) == 0 })
	for _, name := range keys {
		if _, err := p.ring.Get(w.t.Context(), name); err == nil {
			w.t.Errorf("the keyring still has %s", name)
		}
	}
	p.names.mu.Lock()
	defer p.names.mu.Unlock()
	if len(p.names.all) > 0 {
		w.t.Errorf("the keyring still has %v", slices.Collect(maps.Keys(p.names.all)))
	}
}

func TestW_ARemovedAccountLeavesNothingHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	ctx := t.Context()
	first := w.write(sender, recipient, "First")
	_, err := recipient.Message(ctx, first.ID)
	must(t, err)
	if f := refused(t, recipient, recipient.address, true); f.Field != "" || !strings.Contains(f.Happened, "still open: 1.") {
		t.Errorf("with a mail that waits, by force: %+v", f)
	}
	if f := refused(t, sender, sender.address, true); f.Field != "" || !strings.Contains(f.Happened, "not decided: 1.") {
		t.Errorf("with money held, by force: %+v", f)
	}
	_, err = recipient.Accept(ctx, first.ID, agentclient.Accept{})
	must(t, err)
	w.sentIs(sender, first.Bond, "accepted", "refunded")
	eventually(t, "free mails are granted", func() bool {
		people, err := sender.People(ctx)
		return err == nil && len(people) == 1 && people[0].FreeThere == agentclient.FreeAlways
	})
	_, err = sender.Send(ctx, agentclient.Compose{To: []string{recipient.address}, Subject: "Free", Body: "b"})
	must(t, err)
	eventually(t, "the free mail is there", func() bool {
		inbox, err := recipient.Inbox(ctx)
		return err == nil && len(inbox) == 2
	})
	for _, p := range []*person{recipient, sender} {
		f := refused(t, p, p.address, false)
		if f.Field != "force" || !strings.Contains(f.Happened, "€1.00") || !strings.Contains(f.Means, "not removed") {
			t.Errorf("with money that is available: %+v", f)
		}
		keys := w.keyNames(p)
		must(t, p.RemoveAccount(ctx, agentclient.RemoveAccount{Address: p.address, Force: true}))
		status, err := p.Status(ctx)
		must(t, err)
		inbox, err := p.Inbox(ctx)
		must(t, err)
		if len(status.Accounts) != 0 || len(inbox) != 0 || len(keys) < 1 {
			t.Errorf("left: %+v, %d mails; there were %d keys", status.Accounts, len(inbox), len(keys))
		}
		w.nothingLeft(p, keys)
	}
}

// TestW_ARemovalThatBrokeOffIsFinished: the agent ends between the store and the
// keyring, and does the rest when it starts.
func TestW_ARemovalThatBrokeOffIsFinished(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("one", "1.00")
	w.price(p, "0.25")
	keys := w.keyNames(p)
	must(t, p.RemoveAccount(t.Context(), agentclient.RemoveAccount{Address: p.address, Force: true}))
	p.stop()
	there := 0
	for _, name := range keys {
		if _, err := p.ring.Get(t.Context(), name); err == nil {
			there++
		}
	}
	if there == 0 {
		t.Fatal("the keys were gone before the agent ended: nothing broke off")
	}
	if left := w.tallies(p); left["account"] != 0 || left["trash"] == 0 {
		t.Errorf("in between there is %v", left)
	}
	w.start(p)
	w.nothingLeft(p, keys)
}

func TestW_AnAccountWhoseEscrowIsAwayIsRemovedByForceAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("one", "")
	w.setDown(true)
	if f := refused(t, p, p.address, false); f.Field != "force" || !strings.Contains(f.Happened, "does not answer") {
		t.Errorf("%+v", f)
	}
	if f := refused(t, p, "other@mail.example", false); f.Code != agentclient.CodeNoAccount || f.Field != "address" {
		t.Errorf("an account that is not there: %+v", f)
	}
	if f := refused(t, p, "", true); f.Field != "address" {
		t.Errorf("no address: %+v", f)
	}
	must(t, p.RemoveAccount(t.Context(), agentclient.RemoveAccount{Address: p.address, Force: true}))
	w.nothingLeft(p, nil)
}

// TestW_TheOtherAccountStaysWhole: two accounts of one agent wrote to each other, and
// one is removed.
func TestW_TheOtherAccountStaysWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	home := w.join("home", "1.00")
	work := w.second(home, "work@mail.example", "work@mail.example")
	w.topUp(home, 1, "1.00")
	ctx := t.Context()
	_, err := home.SetPrice(ctx, agentclient.SetPrice{Address: home.address, Options: []string{"0.25"}})
	must(t, err)
	eventually(t, "keys of home are for sale", func() bool {
		status, err := home.Status(ctx)
		return err == nil && status.Accounts[0].Pool > 0
	})
	sent, err := home.Send(ctx, agentclient.Compose{From: work, To: []string{home.address}, Subject: "From work", Body: "b"})
	must(t, err)
	got := w.waits(home, sent[0].Bond, "waiting")
	_, err = home.Accept(ctx, got.ID, agentclient.Accept{})
	must(t, err)
	w.waits(home, sent[0].Bond, "accepted")
	w.sentIs(home, sent[0].Bond, "accepted", "refunded")
	must(t, home.RemoveAccount(ctx, agentclient.RemoveAccount{Address: work, Force: true}))
	for range 2 {
		m, err := home.Message(ctx, got.ID)
		must(t, err)
		if m.Text == "" || m.State != "accepted" {
			t.Errorf("the mail of the other account: %+v", m)
		}
		people, err := home.People(ctx)
		must(t, err)
		status, err := home.Status(ctx)
		must(t, err)
		if len(people) != 1 || len(status.Accounts) != 1 || status.Accounts[0].Address != home.address {
			t.Errorf("left: %+v, %+v", people, status.Accounts)
		}
		home.stop()
		w.start(home)
	}
}
