package escrow

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

var t0 = time.Date(2026, 11, 22, 10, 20, 30, 0, time.UTC)

// bondIn returns a bond in the state, and the moment at which it is looked at.
// "withdrawing" is held with a withdrawal asked for, "late" is expired without
// arrived and then arrived, "forgotten" is expired over 90 days ago.
func bondIn(t *testing.T, state string) (Bond, time.Time) {
	t.Helper()
	quote := Quote{Terms: DefaultTerms(), Sender: "anna@sender.example", Recipient: "bob@recipient.example"}
	b := NewBond("bond", "q.u.ote", quote, "recipient", "f1", []byte("verification"), []byte("reply"), t0)
	now := t0.Add(time.Hour)
	must := func(next Bond, step Step, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("make %s: %v", state, err)
		}
		b = next
	}
	decide := func(v Verdict) { must(b.Decide(now, testDecision(b, v), "decision")) }
	arrive := func() { must(b.Arrive(now, "arrived")) }
	advance := func(d time.Duration) {
		t.Helper()
		now = now.Add(d)
		next, _, ok := b.Advance(now)
		if !ok {
			t.Fatalf("make %s: nothing was due", state)
		}
		b = next
	}
	switch state {
	case "held":
	case "withdrawing":
		next, err := b.AskWithdraw(now)
		must(next, Step{}, err)
	case "arrived":
		arrive()
	case "rejecting":
		arrive()
		decide(Reject)
	case "accepted":
		arrive()
		decide(Accept)
	case "rejected":
		arrive()
		decide(Reject)
		advance(10 * time.Minute)
	case "expired":
		advance(30 * 24 * time.Hour)
	case "forgotten":
		advance(30 * 24 * time.Hour)
		now = now.Add(LateAccept)
	case "late":
		advance(30 * 24 * time.Hour)
		arrive()
	case "silent":
		arrive()
		advance(14 * 24 * time.Hour)
	case "withdrawn":
		next, err := b.AskWithdraw(now)
		must(next, Step{}, err)
		must(b.Destroyed(now, "destroyed"))
	default:
		t.Fatalf("no state %q", state)
	}
	return b, now
}

func testDecision(b Bond, v Verdict) Decision {
	return Decision{Bond: b.ID, Quote: b.Quote.Hash(), Verdict: v, N: b.DecisionN + 1}
}

func TestEveryStateAndEvent(t *testing.T) {
	// What each event makes of each state: "state event money", or the error.
	table := map[string]map[string]string{
		"held": {"arrive": "arrived arrived ", "read": "not_arrived", "accept": "not_arrived", "reject": "not_arrived", "undo": "not_arrived",
			"withdraw": "held", "destroyed": "conflict"},
		"withdrawing": {"arrive": "arrived arrived ", "read": "not_arrived", "accept": "not_arrived", "reject": "not_arrived", "undo": "not_arrived",
			"withdraw": "held", "destroyed": "withdrawn withdrawn refunded"},
		"arrived": {"arrive": "conflict", "read": "arrived read ", "accept": "accepted accepted refunded", "reject": "rejecting rejecting ", "undo": "invalid",
			"withdraw": "too_late", "destroyed": "conflict"},
		"rejecting": {"arrive": "conflict", "read": "rejecting read ", "accept": "conflict", "reject": "conflict", "undo": "arrived undone ",
			"withdraw": "too_late", "destroyed": "conflict"},
		"accepted": {"arrive": "ended", "read": "ended", "accept": "ended", "reject": "too_late", "undo": "too_late",
			"withdraw": "ended", "destroyed": "ended"},
		"rejected": {"arrive": "ended", "read": "ended", "accept": "ended", "reject": "too_late", "undo": "too_late",
			"withdraw": "ended", "destroyed": "ended"},
		"withdrawn": {"arrive": "ended", "read": "not_arrived", "accept": "not_arrived", "reject": "not_arrived", "undo": "not_arrived",
			"withdraw": "ended", "destroyed": "ended"},
		"expired": {"arrive": "expired arrived_late ", "read": "not_arrived", "accept": "not_arrived", "reject": "not_arrived", "undo": "not_arrived",
			"withdraw": "ended", "destroyed": "ended"},
		"forgotten": {"arrive": "ended", "read": "not_arrived", "accept": "not_arrived", "reject": "not_arrived", "undo": "not_arrived",
			"withdraw": "ended", "destroyed": "ended"},
		"late": {"arrive": "ended", "read": "ended", "accept": "expired accepted_late ", "reject": "too_late", "undo": "too_late",
			"withdraw": "ended", "destroyed": "ended"},
		"silent": {"arrive": "ended", "read": "ended", "accept": "expired accepted_late ", "reject": "too_late", "undo": "too_late",
			"withdraw": "ended", "destroyed": "ended"},
	}
	for state, events := range table {
		for event, want := range events {
			t.Run(state+"/"+event, func(t *testing.T) {
				b, now := bondIn(t, state)
				after, got := apply(b, now, event)
				if got != want {
					t.Fatalf("got %q, want %q", got, want)
				}
				if b.State.Ended() && after.State != b.State {
					t.Fatalf("%s changed the ending to %s", event, after.State)
				}
			})
		}
	}
}

func apply(b Bond, now time.Time, event string) (Bond, string) {
	var after Bond
	var step Step
	var err error
	switch event {
	case "arrive":
		after, step, err = b.Arrive(now, "s")
	case "read":
		after, step, err = b.Read(now, "s")
	case "withdraw":
		after, err = b.AskWithdraw(now)
		if err == nil {
			return after, string(after.State)
		}
	case "destroyed":
		after, step, err = b.Destroyed(now, "s")
	default:
		after, step, err = b.Decide(now, testDecision(b, Verdict(event)), "s")
	}
	if err != nil {
		return after, string(CodeOf(err))
	}
	return after, fmt.Sprintf("%s %s %s", after.State, step.Event, step.Money)
}

func TestAdvance(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		state string
		at    time.Duration // after t0; the bond arrived at t0 + 1 h
		event Event
		money Money
	}{
		{"held", 30*day - 1, "", ""},
		{"held", 30 * day, EventExpired, MoneyRefunded},
		{"withdrawing", 30 * day, EventExpired, MoneyRefunded},
		{"arrived", 14*day + time.Hour - 1, "", ""},
		{"arrived", 14*day + time.Hour, EventExpired, MoneyRefunded},
		{"rejecting", 70*time.Minute - 1, "", ""},
		{"rejecting", 70 * time.Minute, EventRejected, MoneyForfeit},
		{"rejecting", 1000 * day, EventRejected, MoneyForfeit},
		{"accepted", 1000 * day, "", ""},
		{"rejected", 1000 * day, "", ""},
		{"expired", 1000 * day, "", ""},
		{"withdrawn", 1000 * day, "", ""},
	} {
		b, _ := bondIn(t, c.state)
		after, step, ok := b.Advance(t0.Add(c.at))
		if ok != (c.event != "") || step.Event != c.event || step.Money != c.money {
			t.Errorf("%s at %s: %+v", c.state, c.at, step)
		}
		if !ok {
			continue
		}
		if _, step, again := after.Advance(t0.Add(10000 * day)); again {
			t.Errorf("%s ended twice: %+v", c.state, step)
		}
		if !after.Due().IsZero() {
			t.Errorf("%s ended, but something is due at %s", c.state, after.Due())
		}
	}
}

func TestRejectTookEffectWhenItWasSaid(t *testing.T) {
	b, now := bondIn(t, "rejecting")
	after, step, _ := b.Advance(now.Add(time.Hour))
	if want := now.Add(10 * time.Minute); !step.At.Equal(want) || !after.EndedAt.Equal(want) {
		t.Errorf("took effect at %s, ended %s, want %s", step.At, after.EndedAt, want)
	}
	if step.Statement != "decision" || after.Verification != nil || after.Reply != nil {
		t.Errorf("after the reject: %+v, %+v", step, after)
	}
}

// An outage lengthens what runs, but nothing goes beyond final.
func TestExtensionNeverPassesFinal(t *testing.T) {
	const day = 24 * time.Hour
	b, _ := bondIn(t, "held")
	b.DeliverMoved = b.DeliverBy.Add(10 * day)
	if want := t0.Add(40 * day); !b.Due().Equal(want) {
		t.Errorf("due %s, want %s", b.Due(), want)
	}
	b.DeliverMoved = b.DeliverBy.Add(40 * day)
	if want := t0.Add(60 * day); !b.Due().Equal(want) {
		t.Errorf("due %s, want final %s", b.Due(), want)
	}
	_, step, ok := b.Advance(t0.Add(60 * day))
	if !ok || step.Money != MoneyRefunded {
		t.Errorf("at final: %+v, %t", step, ok)
	}
}

func TestDecisionNumbers(t *testing.T) {
	b, now := bondIn(t, "rejecting")
	undone, _, err := b.Decide(now, testDecision(b, Undo), "undo")
	if err != nil {
		t.Fatal(err)
	}
	old := Decision{Bond: b.ID, Quote: b.Quote.Hash(), Verdict: Reject, N: 1}
	after, _, err := undone.Decide(now, old, "reject")
	if !errors.Is(err, Stale) || after.State != Arrived || after.DecisionN != 2 {
		t.Errorf("the old reject again: %v, %+v", err, after)
	}
	wrong := testDecision(undone, Accept)
	wrong.Quote = "another"
	if _, _, err := undone.Decide(now, wrong, "s"); !errors.Is(err, Invalid) {
		t.Errorf("a decision about another quote: %v", err)
	}
	wrong = testDecision(undone, Accept)
	wrong.Bond = "another"
	if _, _, err := undone.Decide(now, wrong, "s"); !errors.Is(err, Invalid) {
		t.Errorf("a decision about another bond: %v", err)
	}
	// A refused decision uses up no number.
	refused, _, err := b.Decide(now, testDecision(b, Accept), "accept")
	if err == nil || refused.DecisionN != b.DecisionN || refused.LastDecision != b.LastDecision {
		t.Errorf("a refused decision was recorded: %v, %+v", err, refused)
	}
}

func TestViewsOfTheParties(t *testing.T) {
	b, _ := bondIn(t, "rejecting")
	sender, recipient := b.View(RoleSender), b.View(RoleRecipient)
	if sender.State != Arrived || !sender.EffectiveAt.IsZero() || sender.DecisionN != 0 || sender.Verification != nil || sender.Reply != nil {
		t.Errorf("the sender sees %+v", sender)
	}
	if sender.ArrivedAt.Minute() != 0 || sender.DecideBy.Minute() != 0 || sender.DecideBy.Before(recipient.DecideBy) {
		t.Errorf("the sender sees times that tell too much: %+v", sender)
	}
	if recipient.State != Rejecting || recipient.EffectiveAt.IsZero() || recipient.Verification == nil || recipient.Reply != nil {
		t.Errorf("the recipient sees %+v", recipient)
	}
	b, _ = bondIn(t, "accepted")
	if b.View(RoleRecipient).Reply == nil || b.View(RoleSender).Reply != nil {
		t.Error("an accept gives the reply certificate to the recipient alone")
	}
}
