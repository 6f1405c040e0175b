package agent_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"earnest/agent"
	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
)

// Movements go over the network that can be cut, too.
func (u unreliable) Movements(ctx context.Context, after int64, limit int) (escrow.MovementPage, error) {
	if err := u.cut(); err != nil {
		return escrow.MovementPage{}, err
	}
	return u.wrapped().Movements(ctx, after, limit)
}

// limit sets what the person's mails may cost.
func (w *world) limit(p *person, perMail, perDay string) {
	w.t.Helper()
	_, err := p.SetLimit(w.t.Context(), agentclient.SetLimit{Currency: euro.Name, PerMail: perMail, PerDay: perDay, HereOnly: true})
	must(w.t, err)
}

func (w *world) spent(p *person) string {
	w.t.Helper()
	limits, err := p.Limits(w.t.Context())
	must(w.t, err)
	if len(limits) != 1 || limits[0].Currency != euro.Name || limits[0].Unit != euro.Unit {
		w.t.Fatalf("limits: %+v", limits)
	}
	return limits[0].Spent
}

// refusedByLimit demands that an own limit stopped it, and that its words say what
// the test wants to read.
func refusedByLimit(t *testing.T, err error, words ...string) {
	t.Helper()
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Code != agentclient.CodeLimit {
		t.Fatalf("not stopped by a limit: %v", err)
	}
	for _, word := range words {
		if !strings.Contains(failure.Error(), word) {
			t.Errorf("the words %q do not say %q", failure.Error(), word)
		}
	}
}

func letterTo(to *person) agentclient.Compose {
	return agentclient.Compose{To: []string{to.address}, Subject: "s", Body: "b"}
}

func TestP5_LimitPerMailStopsBeforeAnythingIsPaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	w.limit(sender, "0.24", "")
	_, err := sender.Send(t.Context(), letterTo(recipient))
	refusedByLimit(t, err, "€0.25", "limit for one mail is €0.24", "earnest limits set --per-mail 0.25 --currency escrow.example")
	_, err = sender.Buy(t.Context(), agentclient.BuyKey{To: recipient.address})
	refusedByLimit(t, err)
	w.has(sender, "1.00", "0.00")
	if sent, err := sender.Sent(t.Context()); err != nil || len(sent) != 0 {
		t.Errorf("something was stored: %+v, %v", sent, err)
	}
	w.limit(sender, "0.25", "")
	_, err = sender.Send(t.Context(), letterTo(recipient))
	must(t, err)
	if spent := w.spent(sender); spent != "0.25" {
		t.Errorf("spent %s", spent)
	}
}

func TestP5_LimitPerDayHoldsWhatHasNotComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, other, sender := w.join("recipient", "1.00"), w.join("other", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	w.price(other, "0.20")
	w.limit(sender, "", "0.30")
	mail := w.write(sender, recipient, "First")
	_, err := sender.Send(t.Context(), letterTo(other))
	refusedByLimit(t, err, "costs €0.20", "€0.30 a day", "€0.05 is left", "There is room again", "--per-day 0.45")
	// Both at once would be too much, so neither is bought.
	w.limit(sender, "", "0.69")
	third := w.join("third", "1.00")
	w.price(third, "0.25")
	_, err = sender.Send(t.Context(), agentclient.Compose{To: []string{other.address, third.address}, Subject: "s", Body: "b"})
	refusedByLimit(t, err)
	w.has(sender, "0.75", "0.25")
	w.limit(sender, "", "0.30")
	// The refund makes room on the same day.
	_, err = recipient.Accept(t.Context(), mail.ID, agentclient.Accept{})
	must(t, err)
	w.sentIs(sender, mail.Bond, "accepted", "refunded")
	if spent := w.spent(sender); spent != "0.00" {
		t.Errorf("after the refund %s is spent", spent)
	}
	_, err = sender.Send(t.Context(), letterTo(other))
	must(t, err)
	// More than the day's whole limit has no time at which it would pass.
	w.limit(sender, "", "0.24")
	_, err = sender.Send(t.Context(), letterTo(third))
	refusedByLimit(t, err, "A day's whole limit is less than this")
}

func TestP5_AForfeitFreesTheDayAfter24Hours(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shortTerms(3600, 1))
	recipient, other, sender := w.join("recipient", "1.00"), w.join("other", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	w.price(other, "0.25")
	w.limit(sender, "", "0.25")
	mail := w.write(sender, recipient, "Buy now")
	_, err := recipient.Reject(t.Context(), mail.ID, agentclient.Reject{})
	must(t, err)
	w.sentIs(sender, mail.Bond, "rejected", "forfeited")
	_, err = sender.Send(t.Context(), letterTo(other))
	refusedByLimit(t, err, "€0.00 is left")
	w.pass(24*time.Hour - time.Minute)
	_, err = sender.Send(t.Context(), letterTo(other))
	refusedByLimit(t, err, "€0.00 is left")
	w.pass(2 * time.Minute)
	_, err = sender.Send(t.Context(), letterTo(other))
	must(t, err)
}

func TestP5_PurchasesAtOnceCannotPassTheLimitTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	sender := w.join("sender", "5.00")
	var others []*person
	for _, name := range []string{"a", "b", "c", "d"} {
		others = append(others, w.join(name, "1.00"))
		w.price(others[len(others)-1], "0.25")
	}
	w.limit(sender, "", "0.50")
	// Each has asked whether there is room before any is stored.
	sender.Agent.OpenPGP = &gathering{OpenPGP: sender.Agent.OpenPGP, missing: len(others), met: make(chan struct{})}
	var all sync.WaitGroup
	results := make([]error, len(others))
	for i, other := range others {
		all.Go(func() {
			if i%2 == 0 {
				_, results[i] = sender.Send(t.Context(), letterTo(other))
			} else {
				_, results[i] = sender.Buy(t.Context(), agentclient.BuyKey{To: other.address})
			}
		})
	}
	all.Wait()
	passed := 0
	for _, err := range results {
		if err == nil {
			passed++
		} else {
			refusedByLimit(t, err)
		}
	}
	if passed != 2 {
		t.Errorf("%d of 4 purchases passed, there was room for 2", passed)
	}
	w.has(sender, "4.50", "0.50")
}

// gathering makes keys when as many as are missing have asked for some.
type gathering struct {
	agent.OpenPGP
	mu      sync.Mutex
	missing int
	met     chan struct{}
}

func (g *gathering) Generate(ctx context.Context, name, userID string) (openpgp.Certificate, error) {
	g.mu.Lock()
	if g.missing--; g.missing == 0 {
		close(g.met)
	}
	g.mu.Unlock()
	<-g.met
	return g.OpenPGP.Generate(ctx, name, userID)
}

// What may have been bought counts, also after a kill: the intent is on disk.
func TestP5_LimitsAndIntentsOutliveAKill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, other, sender := w.join("recipient", "1.00"), w.join("other", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	w.price(other, "0.25")
	w.limit(sender, "0.30", "0.30")
	w.setDown(true)
	sent, err := sender.Send(t.Context(), letterTo(recipient))
	must(t, err)
	if sent[0].State != store.SentPaying {
		t.Fatalf("without the escrow it is %s", sent[0].State)
	}
	sender.stop()
	w.pass(25 * time.Hour)
	w.start(sender)
	_, err = sender.Send(t.Context(), letterTo(other))
	refusedByLimit(t, err, "€0.05 is left")
	w.setDown(false)
	limits, err := sender.Limits(t.Context())
	must(t, err)
	if limits[0].PerMail != "0.30" || limits[0].PerDay != "0.30" || limits[0].Spent != "0.25" {
		t.Errorf("after a restart: %+v", limits)
	}
}

func TestSetLimitSaysWhichFieldIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("sender", "")
	w.limit(p, "1", "5.5")
	for field, req := range map[string]agentclient.SetLimit{
		"currency": {Currency: "other.example", PerMail: "1.00", HereOnly: true},
		"perMail":  {Currency: euro.Name, PerMail: "1,00"},
		"perDay":   {Currency: euro.Name, PerDay: "-1"},
	} {
		_, err := p.SetLimit(t.Context(), req)
		if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Code != agentclient.CodeUsage || failure.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	limits, err := p.Limits(t.Context())
	must(t, err)
	if limits[0].PerMail != "1.00" || limits[0].PerDay != "5.50" || limits[0].Spent != "0.00" {
		t.Errorf("limits: %+v", limits[0])
	}
	w.limit(p, "", "")
	if limits, err = p.Limits(t.Context()); err != nil || limits[0].PerMail != "" || limits[0].PerDay != "" {
		t.Errorf("without limits: %+v, %v", limits, err)
	}
}
