package agent_test

import (
	"fmt"
	"testing"

	"earnest/agentclient"
	"earnest/escrow"
)

func TestW_ADraftKeepsTheWayToPayOfEachRecipient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.alone()
	ctx := t.Context()
	draft := agentclient.Draft{Mail: agentclient.Compose{To: []string{"a@b.example", "c@d.example"}, Subject: "S"},
		Ways: []agentclient.Way{{To: "c@d.example", Option: 2}, {To: "a@b.example", Paid: true}, {To: "c@d.example", Option: 3}, {To: "gone@d.example", Option: 1}}}
	saved, err := p.SaveDraft(ctx, draft)
	must(t, err)
	want := fmt.Sprint([]agentclient.Way{{To: "a@b.example", Paid: true}, {To: "c@d.example", Option: 2}})
	for range 2 {
		list, err := p.Drafts(ctx)
		must(t, err)
		got, err := p.DraftByID(ctx, saved.ID)
		must(t, err)
		if fmt.Sprint(got.Ways) != want || len(list) != 1 || fmt.Sprint(list[0].Ways) != want {
			t.Errorf("kept %+v, listed %+v, want %s", got.Ways, list, want)
		}
		p.stop()
		w.start(p)
	}
}

// TestW_APriceNamesTheAccountOfItsFreeMails: with two accounts, the one that is
// connected; and of two that are, one that has free mails left.
func TestW_APriceNamesTheAccountOfItsFreeMails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	home, friend := w.join("home", "2.00"), w.join("friend", "1.00")
	work := w.second(home, "work@mail.example", "work@mail.example")
	w.topUp(home, 1, "1.00")
	w.price(friend, "0.25")
	ctx := t.Context()
	for from, free := range map[string]agentclient.Free{home.address: agentclient.FreeNone, work: agentclient.FreeAlways} {
		sent, err := home.Send(ctx, agentclient.Compose{From: from, To: []string{friend.address}, Subject: "From " + from, Body: "b"})
		must(t, err)
		mail := w.waits(friend, sent[0].Bond, "waiting")
		_, err = friend.Accept(ctx, mail.ID, agentclient.Accept{Free: free})
		must(t, err)
		w.sentIs(home, sent[0].Bond, "accepted", "refunded")
	}
	eventually(t, "the price names the account with free mails", func() bool {
		price, err := home.Price(ctx, friend.address)
		must(t, err)
		return price.Connected && price.From == work && price.Free == agentclient.FreeAlways
	})
}
