package main

import (
	"time"

	"earnest/escrow"
)

// plan chooses what becomes of a mail. Moments are whole hours after the buy,
// so that many bonds have one, with the minutes that a reject needs.
func (w *town) plan(from, to *citizen) *life {
	l := &life{from: from, to: to, now: w.clock.Now, ctx: w.Context()}
	kinds := []string{"accept", "accept", "reject", "reject", "undo and accept", "undo and reject", "undo and silence", "silence",
		"never arrived", "withdrawn", "withdrawal not confirmed", "withdrawal too late", "late arrival", "late accept", "final",
		"reject at the deadline", "reject at final"}
	l.kind = kinds[w.random.IntN(len(kinds))]
	hours := func(least, most int) time.Duration { return time.Duration(least+w.random.IntN(most-least)) * time.Hour }
	if to.decide < 40*day && (l.kind == "final" || l.kind == "reject at final") {
		l.kind = "silence"
	}
	arrive := hours(1, 24*19)
	decide := arrive + hours(1, int(to.decide.Hours())-2)
	report := func() {
		l.then(arrive, arrived)
		if w.random.IntN(2) == 0 {
			l.then(arrive+30*time.Minute, read)
		}
	}
	switch l.kind {
	case "accept", "reject":
		report()
		l.then(decide, decided(escrow.Verdict(l.kind)))
	case "undo and accept", "undo and reject", "undo and silence":
		report()
		l.then(decide, decided(escrow.Reject))
		l.then(decide+9*time.Minute, decided(escrow.Undo))
		switch l.kind {
		case "undo and accept":
			l.then(decide+time.Hour, decided(escrow.Accept))
		case "undo and reject":
			l.then(decide+11*time.Minute, decided(escrow.Reject))
		}
	case "silence":
		report()
	case "withdrawn":
		l.then(arrive, askedBack)
		l.then(arrive+20*time.Minute, destroyed)
	case "withdrawal not confirmed":
		l.then(arrive, askedBack)
	case "withdrawal too late":
		l.then(arrive, askedBack)
		l.then(arrive+time.Hour, arrived)
		l.then(arrive+2*time.Hour, decided(escrow.Accept))
	case "late arrival":
		arrive = 30*day + hours(1, 24*10)
		l.then(arrive, arrived)
		l.then(arrive+hours(1, 24*20), decided(escrow.Accept))
	case "late accept":
		report()
		l.then(arrive+to.decide+time.Hour, decided(escrow.Accept))
	case "final":
		l.then(29*day, arrived)
	case "reject at the deadline":
		l.then(arrive, arrived)
		l.then(arrive+to.decide-time.Minute, decided(escrow.Reject))
	case "reject at final":
		l.then(29*day, arrived)
		l.then(60*day-time.Minute, decided(escrow.Reject))
	}
	w.keepOrder(l)
	return l
}

// keepOrder refuses a plan that outlives its round.
func (w *town) keepOrder(l *life) {
	for _, a := range l.acts {
		if a.at >= 62*day {
			w.Fatalf("%s has an act after %s", l.kind, a.at)
		}
	}
}

func (l *life) then(at time.Duration, do func(*life) error) {
	l.acts = append(l.acts, act{at, do})
}

func (l *life) statement(event escrow.Event, proof string) (escrow.Signed, error) {
	// By the hour, as agents state it; the escrow checks with its own clock.
	return l.to.sign(escrow.KindStatement, escrow.Statement{Bond: l.id, Quote: l.quote.Hash(), Event: event, Proof: proof, Time: l.now().Truncate(time.Hour)})
}

func arrived(l *life) error {
	proof := l.verify.Proof("mail of bond "+string(l.id), "")
	signed, err := l.statement(escrow.EventArrived, proof.Hash())
	if err != nil {
		return err
	}
	_, err = l.to.Arrive(l.ctx, l.id, escrow.Arrival{Proof: proof, Statement: signed})
	return err
}

func read(l *life) error {
	signed, err := l.statement(escrow.EventRead, "")
	if err != nil {
		return err
	}
	_, err = l.to.Read(l.ctx, l.id, signed)
	return err
}

func askedBack(l *life) error {
	_, err := l.from.AskWithdraw(l.ctx, l.id)
	return err
}

func destroyed(l *life) error {
	signed, err := l.statement(escrow.EventWithdrawn, "")
	if err != nil {
		return err
	}
	_, err = l.to.Destroyed(l.ctx, l.id, signed)
	return err
}

func decided(verdict escrow.Verdict) func(*life) error {
	return func(l *life) error {
		l.n++
		signed, err := l.to.sign(escrow.KindDecision, escrow.Decision{Bond: l.id, Quote: l.quote.Hash(), Verdict: verdict, N: l.n, Time: l.now()})
		if err != nil {
			return err
		}
		_, err = l.to.Decide(l.ctx, l.id, verdict, signed)
		return err
	}
}
