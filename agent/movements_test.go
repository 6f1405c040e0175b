package agent_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"

	"github.com/google/uuid"
)

func TestMovementsAreTheBooksWithMailsToThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shortTerms(3600, 1))
	recipient, other, sender := w.join("recipient", "1.00"), w.join("other", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	w.price(other, "0.30")
	accepted, rejected := w.write(sender, recipient, "A question"), w.write(sender, other, "Buy now")
	_, err := recipient.Accept(t.Context(), accepted.ID, agentclient.Accept{})
	must(t, err)
	w.sentIs(sender, accepted.Bond, "accepted", "refunded")
	_, err = other.Reject(t.Context(), rejected.ID, agentclient.Reject{})
	must(t, err)
	w.sentIs(sender, rejected.Bond, "rejected", "forfeited")
	got, err := sender.Movements(t.Context(), "")
	must(t, err)
	want := []agentclient.Movement{ // newest first
		{N: 5, Kind: agentclient.MoveForfeit, Amount: eur("0.30"), Available: eur("0.70"), Held: eur("0.00"), Bond: rejected.Bond, With: other.address, Subject: "Buy now"},
		{N: 4, Kind: agentclient.MoveRefund, Amount: eur("0.25"), Available: eur("0.70"), Held: eur("0.30"), Bond: accepted.Bond, With: recipient.address, Subject: "A question"},
		{N: 3, Kind: agentclient.MoveHold, Amount: eur("0.30"), Available: eur("0.45"), Held: eur("0.55"), Bond: rejected.Bond, With: other.address, Subject: "Buy now"},
		{N: 2, Kind: agentclient.MoveHold, Amount: eur("0.25"), Available: eur("0.75"), Held: eur("0.25"), Bond: accepted.Bond, With: recipient.address, Subject: "A question"},
		{N: 1, Kind: agentclient.MoveTopUp, Amount: eur("1.00"), Available: eur("1.00"), Held: eur("0.00"), Ground: agentclient.GroundVoucher},
	}
	if len(got) != len(want) {
		t.Fatalf("%d movements: %+v", len(got), got)
	}
	for i, m := range got {
		want[i].Account, want[i].Escrow, want[i].Time = sender.address, "escrow.example", m.Time
		if !reflect.DeepEqual(m, want[i]) || m.Time.IsZero() {
			t.Errorf("movement %d is\n%+v, want\n%+v", i, m, want[i])
		}
	}
	w.has(sender, got[0].Available.Amount, got[0].Held.Amount)
	if named, err := sender.Movements(t.Context(), sender.address); err != nil || len(named) != len(want) {
		t.Errorf("asked by address: %d, %v", len(named), err)
	}
	_, err = sender.Movements(t.Context(), "nobody@mail.example")
	if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Code != agentclient.CodeNoAccount {
		t.Errorf("of somebody else: %v", err)
	}
	w.setDown(true)
	if _, err = sender.Movements(t.Context(), ""); !errors.Is(err, escrow.Unavailable) {
		t.Errorf("with the escrow away: %v", err)
	}
}

// An operator's credit comes with why, a payout with how it ended.
func TestMovementsTellWhatTheOperatorSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.DefaultTerms())
	p := w.join("person", "1.00")
	_, err := w.server.Grant(t.Context(), escrowserver.Grant{ID: uuid.Must(uuid.NewV7()).String(), Address: escrow.Address(p.address), Currency: euro.Name, Amount: 200, Reason: "an apology", By: "root"})
	must(t, err)
	got, err := p.Movements(t.Context(), "")
	must(t, err)
	_, err = p.PayOut(t.Context(), agentclient.PayOut{Amount: "1.50", To: "my bank"})
	must(t, err)
	queue, err := w.books.PayoutQueue(t.Context(), time.Time{}, 1)
	must(t, err)
	_, err = w.server.EndPayout(t.Context(), queue[0].ID, false, "no such bank", "root")
	must(t, err)
	ended, err := p.Movements(t.Context(), "")
	must(t, err)
	if len(ended) != 4 || ended[1].Kind != agentclient.MovePayout || ended[0].Kind != agentclient.MovePayoutRefused || ended[0].Reason != "no such bank" || ended[1].Reason != "" {
		t.Errorf("movements %+v", ended)
	}
	if len(got) != 2 || got[0].Ground != agentclient.GroundOperator || got[0].Reason != "an apology" || got[1].Ground != agentclient.GroundVoucher {
		t.Errorf("movements %+v", got)
	}
}

func eur(amount string) agentclient.Money {
	value, err := payment.ParseAmount(amount, euro.Scale)
	if err != nil {
		panic(err)
	}
	return agentclient.Money{Amount: value.Format(euro.Scale), Currency: euro.Name, Unit: euro.Unit}
}

// The words of the escrow are those of the local API.
func TestKindsOfMovementsAreTheSameOnBothWires(t *testing.T) {
	for ours, theirs := range map[string]escrow.MovementKind{
		agentclient.MoveTopUp: escrow.MoveTopUp, agentclient.MoveHold: escrow.MoveHold, agentclient.MoveRefund: escrow.MoveRefund,
		agentclient.MoveForfeit: escrow.MoveForfeit, agentclient.MoveGain: escrow.MoveReceived,
		agentclient.MovePayout: escrow.MovePayout, agentclient.MovePayoutPaid: escrow.MovePayoutPaid, agentclient.MovePayoutRefused: escrow.MovePayoutRefused,
	} {
		if ours != string(theirs) {
			t.Errorf("%s is called %s", theirs, ours)
		}
	}
	for ours, theirs := range map[string]escrow.Ground{
		agentclient.GroundVoucher: escrow.GroundVoucher, agentclient.GroundPayment: escrow.GroundPayment,
		agentclient.GroundOperator: escrow.GroundOperator, agentclient.GroundWelcome: escrow.GroundWelcome,
	} {
		if ours != string(theirs) {
			t.Errorf("%s is called %s", theirs, ours)
		}
	}
}
