package escrow

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const testDay = 24 * time.Hour

// away is an outage of the test's escrow, so long after t0.
func away(t testing.TB, after, length time.Duration) SignedOutage {
	t.Helper()
	began := t0.Add(after)
	o, err := VerifyOutage(mustSign(t, testKey("escrow"), KindOutage, NewOutage("escrow.example", began, began.Add(length))), public(testKey("escrow")))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOutageMovesRunningDeadlinesByItsLength(t *testing.T) {
	for name, c := range map[string]struct {
		outages         Outages
		start, deadline time.Duration // after t0
		want            time.Duration
		by              int
	}{
		"none":                          {nil, 0, 30 * testDay, 30 * testDay, 0},
		"in its middle":                 {Outages{away(t, 5*testDay, 6*time.Hour)}, 0, 30 * testDay, 30*testDay + 6*time.Hour, 1},
		"over its end":                  {Outages{away(t, 29*testDay, 3*testDay)}, 0, 30 * testDay, 33 * testDay, 1},
		"a short one before its end":    {Outages{away(t, 30*testDay-time.Minute, 6*time.Minute)}, 0, 30 * testDay, 31*testDay + 5*time.Minute, 1},
		"after its end":                 {Outages{away(t, 31*testDay, testDay)}, 0, 30 * testDay, 30 * testDay, 0},
		"at its very end":               {Outages{away(t, 30*testDay, testDay)}, 0, 30 * testDay, 30 * testDay, 0},
		"before its start":              {Outages{away(t, -5*testDay, testDay)}, 0, 30 * testDay, 30 * testDay, 0},
		"it began in the outage":        {Outages{away(t, 0, 6*time.Hour)}, time.Hour, 30 * testDay, 30*testDay + 5*time.Hour, 1},
		"it began in the day after":     {Outages{away(t, 0, time.Hour)}, 2 * time.Hour, 3 * time.Hour, 25 * time.Hour, 1},
		"it ended after that day":       {Outages{away(t, 0, time.Hour)}, 2 * time.Hour, 26 * time.Hour, 26 * time.Hour, 0},
		"two":                           {Outages{away(t, testDay, time.Hour), away(t, 2*testDay, 2*time.Hour)}, 0, 30 * testDay, 30*testDay + 3*time.Hour, 2},
		"one after the first moved it":  {Outages{away(t, 29*testDay, 2*testDay), away(t, 31*testDay+12*time.Hour, testDay)}, 0, 30 * testDay, 33*testDay + 12*time.Hour, 2},
		"one after it ended, not moved": {Outages{away(t, 31*testDay+12*time.Hour, testDay)}, 0, 30 * testDay, 30 * testDay, 0},
	} {
		got, by := c.outages.Move(t0.Add(c.start), t0.Add(c.deadline))
		if !got.Equal(t0.Add(c.want)) || len(by) != c.by {
			t.Errorf("%s: moved to %s by %d, want %s by %d", name, got.Sub(t0), len(by), c.want, c.by)
		}
	}
}

// A bond is moved once by each outage, whenever and however often that is worked
// off, each deadline by those of its own time, and never beyond final.
func TestOutageExtendsABondOnce(t *testing.T) {
	b, _ := bondIn(t, "held")
	first, second := away(t, testDay, 6*time.Hour), away(t, 10*testDay, 12*time.Hour)
	once, moved := b.Extend(Outages{first})
	if !moved || !once.Due().Equal(b.DeliverBy.Add(6*time.Hour)) || len(once.Outages) != 1 {
		t.Fatalf("moved %t to %s by %d", moved, once.Due(), len(once.Outages))
	}
	if again, moved := once.Extend(Outages{first}); moved || !again.Due().Equal(once.Due()) {
		t.Errorf("the same outage moved it again, to %s", again.Due())
	}
	arrived, _, err := once.Arrive(t0.Add(5*testDay), "arrived")
	if err != nil {
		t.Fatal(err)
	}
	if same, moved := arrived.Extend(Outages{first}); moved {
		t.Errorf("an outage before it arrived moved its decision deadline to %s", same.Due())
	}
	twice, moved := arrived.Extend(Outages{first, second})
	view := twice.View(RoleRecipient)
	if !moved || !view.DecideBy.Equal(t0.Add(19*testDay+12*time.Hour)) || !view.DeliverBy.Equal(t0.Add(30*testDay+6*time.Hour)) || len(view.Outages) != 2 {
		t.Errorf("moved %t: deliver by %s, decide by %s, %d outages", moved, view.DeliverBy, view.DecideBy, len(view.Outages))
	}
	if late, _ := b.Extend(Outages{away(t, testDay, 58*testDay)}); !late.Due().Equal(b.FinalAt) {
		t.Errorf("due %s, want final %s", late.Due(), b.FinalAt)
	}
	ended, _ := bondIn(t, "accepted")
	if _, moved := ended.Extend(Outages{second}); moved {
		t.Error("a bond that ended was moved")
	}
}

// A later start never gives an earlier deadline: so whoever knows only the hour of
// an arrival can tell between which moments its deadline lies.
func TestOutagesKeepTheOrderOfDeadlines(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var outages Outages
		at := time.Duration(0)
		for range rapid.IntRange(0, 4).Draw(r, "outages") {
			at += time.Duration(rapid.IntRange(0, 3000).Draw(r, "up")) * time.Minute
			length := time.Duration(rapid.IntRange(5, 3000).Draw(r, "away")) * time.Minute
			outages = append(outages, SignedOutage{Outage: NewOutage("e", t0.Add(at), t0.Add(at+length)), Signed: "s"})
			at += length
		}
		term := time.Duration(rapid.IntRange(1, 4000).Draw(r, "term")) * time.Minute
		start := t0.Add(time.Duration(rapid.IntRange(-1000, 6000).Draw(r, "start")) * time.Minute)
		next := start.Add(time.Duration(rapid.IntRange(0, 120).Draw(r, "later")) * time.Minute)
		one, _ := outages.Move(start, start.Add(term))
		other, _ := outages.Move(next, next.Add(term))
		if other.Before(one) {
			r.Fatalf("what began %s later ends %s sooner", next.Sub(start), one.Sub(other))
		}
		for _, o := range outages {
			if one.After(o.Began) && one.Before(o.Until) {
				r.Fatalf("a deadline ends %s after an outage", one.Sub(o.Ended))
			}
		}
	})
}

// Offline, a step after the quote's deadline, or an expiry before the moved one, is
// taken only with the signed outage.
func TestStepAfterItsDeadlineNeedsTheSignedOutage(t *testing.T) {
	key := public(testKey("escrow"))
	quote := mustSign(t, testKey("escrow"), KindQuote, testQuote(t))
	said := func(event Event) Signed {
		return mustSign(t, testKey("bob"), KindStatement, Statement{Bond: "bond", Quote: quote.Hash(), Event: event})
	}
	decided := func(v Verdict) Signed {
		return mustSign(t, testKey("bob"), KindDecision, Decision{Bond: "bond", Quote: quote.Hash(), Verdict: v, N: 1})
	}
	at := func(r Receipt, after time.Duration) Receipt { r.Time = t0.Add(after); return r }
	paid := at(Receipt{Event: EventPaid, Money: MoneyHeld}, 0)
	arrived := Receipt{Event: EventArrived, Statement: said(EventArrived)}
	accepted := Receipt{Event: EventAccepted, Money: MoneyRefunded, Statement: decided(Accept)}
	rejected := Receipt{Event: EventRejected, Money: MoneyForfeit, Statement: decided(Reject)}
	expired := Receipt{Event: EventExpired, Money: MoneyRefunded}
	withdrawn := Receipt{Event: EventWithdrawn, Money: MoneyRefunded, Statement: said(EventWithdrawn)}
	outage := away(t, 10*testDay, 6*time.Hour)
	// Arrived within the second hour: decide 14 days later, at the latest 14 days and 2 hours.
	first := at(arrived, time.Hour)
	for name, c := range map[string]struct {
		chain         []Receipt
		without, with bool // is it taken without the outage, and with it
	}{
		"accept in time":            {[]Receipt{paid, first, at(accepted, 14*testDay)}, true, true},
		"accept in the moved time":  {[]Receipt{paid, first, at(accepted, 14*testDay+7*time.Hour)}, false, true},
		"accept after that":         {[]Receipt{paid, first, at(accepted, 14*testDay+9*time.Hour)}, false, false},
		"reject in the moved time":  {[]Receipt{paid, first, at(rejected, 14*testDay+7*time.Hour)}, false, true},
		"reject after that":         {[]Receipt{paid, first, at(rejected, 14*testDay+9*time.Hour)}, false, false},
		"arrived in the moved time": {[]Receipt{paid, at(arrived, 30*testDay+5*time.Hour)}, false, true},
		"arrived after that":        {[]Receipt{paid, at(arrived, 30*testDay+7*time.Hour)}, false, false},
		"withdrawn in that time":    {[]Receipt{paid, at(withdrawn, 30*testDay+5*time.Hour)}, false, true},
		"expired too early for it":  {[]Receipt{paid, at(expired, 30*testDay+5*time.Hour)}, true, false},
		"expired then":              {[]Receipt{paid, at(expired, 30*testDay+6*time.Hour)}, true, true},
		"expired before any":        {[]Receipt{paid, at(expired, 30*testDay-time.Second)}, false, false},
		"silence, too early for it": {[]Receipt{paid, first, at(expired, 14*testDay+2*time.Hour)}, true, false},
		"silence, before any":       {[]Receipt{paid, first, at(expired, 14*testDay)}, false, false},
		"expired before the outage": {[]Receipt{paid, at(expired, 9*testDay)}, false, false},
	} {
		for shown, want := range map[bool]bool{false: c.without, true: c.with} {
			var outages Outages
			if shown {
				outages = Outages{outage}
			}
			if _, err := VerifyChain(quote, chainOf(t, quote, c.chain...), key, outages...); (err == nil) != want {
				t.Errorf("%s, the outage shown: %t: %v", name, shown, err)
			}
		}
	}
}

func TestForgedOutageMovesNothing(t *testing.T) {
	key := public(testKey("escrow"))
	good := NewOutage("escrow.example", t0, t0.Add(time.Hour))
	longer, backwards := good, good
	longer.Until = longer.Until.Add(time.Hour)
	backwards.Began = good.Ended.Add(time.Second)
	for name, signed := range map[string][]Signed{
		"by another key":     {mustSign(t, testKey("eve"), KindOutage, good)},
		"of another kind":    {mustSign(t, testKey("escrow"), KindStatement, good)},
		"a longer grace":     {mustSign(t, testKey("escrow"), KindOutage, longer)},
		"ends and begins":    {mustSign(t, testKey("escrow"), KindOutage, backwards)},
		"twice":              {mustSign(t, testKey("escrow"), KindOutage, good), mustSign(t, testKey("escrow"), KindOutage, good)},
		"of two escrows":     {mustSign(t, testKey("escrow"), KindOutage, good), mustSign(t, testKey("escrow"), KindOutage, NewOutage("other.example", t0.Add(testDay), t0.Add(2*testDay)))},
		"one within another": {mustSign(t, testKey("escrow"), KindOutage, good), mustSign(t, testKey("escrow"), KindOutage, NewOutage("escrow.example", t0.Add(time.Minute), t0.Add(10*time.Minute)))},
	} {
		if _, err := VerifyOutages(signed, key); !errors.Is(err, Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all, err := VerifyOutages([]Signed{mustSign(t, testKey("escrow"), KindOutage, good)}, key); err != nil || len(all) != 1 {
		t.Errorf("the control: %d, %v", len(all), err)
	}
}
