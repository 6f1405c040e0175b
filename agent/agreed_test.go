package agent_test

import (
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/escrow"
)

// A person agreed to a price, or to none. What costs anything else by now is not
// paid, however it came to that.
func TestP5_NothingIsPaidThatWasNotAgreedTo(t *testing.T) {
	t.Parallel()
	w, recipient, sender := connected(t, agentclient.FreeMails(1))
	other := w.join("other", "1.00")
	w.price(other, "0.20")
	ctx := t.Context()
	price, err := sender.Price(ctx, other.address)
	must(t, err)
	seen := price.Options[0].Instruction
	refused := func(from *person, says string, compose agentclient.Compose) {
		t.Helper()
		_, err := from.Send(ctx, compose)
		if code(err) != string(escrow.QuoteExpired) || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", compose, err)
		}
	}
	// The price rose while the person read it.
	w.price(other, "0.90")
	both := agentclient.Compose{To: []string{recipient.address, other.address}, Subject: "S", Body: "B", Agreed: []string{"", seen}}
	refused(sender, "0.90", both)
	// Free was said, and it is not: used up, or of another address of one's own.
	w.free(sender, recipient, "The last one")
	refused(sender, "goes free", agentclient.Compose{To: []string{recipient.address}, Subject: "S", Body: "B", Agreed: []string{""}})
	refused(other, "goes free", agentclient.Compose{To: []string{recipient.address}, Subject: "S", Body: "B", Agreed: []string{""}})
	if _, err := sender.Send(ctx, agentclient.Compose{To: both.To, Agreed: []string{""}}); code(err) != agentclient.CodeUsage {
		t.Errorf("agreed to half of it: %v", err)
	}
	w.has(sender, "1.00", "0.00")
	w.has(other, "1.00", "0.00")
	// As it is seen now it goes.
	if price, err = sender.Price(ctx, other.address); err != nil {
		t.Fatal(err)
	}
	_, err = sender.Send(ctx, agentclient.Compose{To: []string{other.address}, Subject: "S", Body: "B", Agreed: []string{price.Options[0].Instruction}})
	must(t, err)
	w.has(sender, "0.10", "0.90")
}

// The price of an address says free where any of one's own is connected with it:
// the other does not pay for that.
func TestP5_FreeOfOneAccountIsNotPaidByTheOther(t *testing.T) {
	t.Parallel()
	w, recipient, home := connected(t, agentclient.FreeAlways)
	work := w.second(home, "work@mail.example", "work@mail.example")
	w.topUp(home, 1, "1.00")
	ctx := t.Context()
	price, err := home.Price(ctx, recipient.address)
	must(t, err)
	if price.Free != agentclient.FreeAlways {
		t.Fatalf("price: %+v", price)
	}
	compose := agentclient.Compose{From: work, To: []string{recipient.address}, Subject: "S", Body: "B", Agreed: []string{""}}
	if _, err := home.Send(ctx, compose); code(err) != string(escrow.QuoteExpired) || !strings.Contains(err.Error(), "--paid") {
		t.Errorf("from work: %v", err)
	}
	compose.From = home.address
	sent, err := home.Send(ctx, compose)
	must(t, err)
	if !sent[0].Free {
		t.Errorf("from home: %+v", sent[0])
	}
}
