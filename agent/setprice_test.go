package agent_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/escrow"
)

// setPrice changes the person's price and returns it.
func (w *world) setPrice(p *person, req agentclient.SetPrice) agentclient.Price {
	w.t.Helper()
	price, err := p.SetPrice(w.t.Context(), req)
	must(w.t, err)
	own, err := p.Price(w.t.Context(), "")
	must(w.t, err)
	if own.Beneficiary != price.Beneficiary || own.FreeAfter != price.FreeAfter || own.DecideWithin != price.DecideWithin || own.Public != price.Public {
		w.t.Errorf("the answer was %+v, asked for it is %+v", price, own)
	}
	return price
}

// amounts are the prices of the options.
func amounts(price agentclient.Price) (all []string) {
	for _, option := range price.Options {
		all = append(all, option.Price.Amount)
	}
	return all
}

func TestK2_WhatIsLeftEmptyInAPriceStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("recipient", "1.00")
	before, err := p.Price(t.Context(), "")
	must(t, err)
	if len(before.Options) != 0 || len(before.Beneficiaries) != 2 || before.FreeAfter != agentclient.FreeAlways || before.DecideMost != int64(escrow.DefaultTerms().Decide) {
		t.Errorf("before the first: %+v", before)
	}
	first := w.setPrice(p, agentclient.SetPrice{Options: []string{"0.25", "1"}})
	if !slices.Equal(amounts(first), []string{"0.25", "1.00"}) || first.Beneficiary != "the escrow's company account" || !first.TellRead || first.Public ||
		first.DecideWithin != int64(escrow.DefaultTerms().Decide) || first.FreeAfter != agentclient.FreeAlways {
		t.Errorf("the first: %+v", first)
	}
	no, yes := false, true
	changed := w.setPrice(p, agentclient.SetPrice{Beneficiary: "burned", FreeAfter: "3", TellRead: &no, Public: &yes, DecideWithin: 7200})
	stays := w.setPrice(p, agentclient.SetPrice{Options: []string{"0.30"}})
	for _, price := range []agentclient.Price{changed, stays} {
		if price.Beneficiary != "nobody" || price.FreeAfter != "3" || price.TellRead || !price.Public || price.DecideWithin != 7200 || len(price.Beneficiaries) != 2 {
			t.Errorf("after the change: %+v", price)
		}
	}
	if !slices.Equal(amounts(changed), []string{"0.25", "1.00"}) || !slices.Equal(amounts(stays), []string{"0.30"}) {
		t.Errorf("options %v, then %v", amounts(changed), amounts(stays))
	}
	// The escrow's own deadline is none of the offer's, and always is the default.
	last := w.setPrice(p, agentclient.SetPrice{DecideWithin: int64(escrow.DefaultTerms().Decide), FreeAfter: agentclient.FreeAlways, TellRead: &yes})
	if last.DecideWithin != last.DecideMost || last.FreeAfter != agentclient.FreeAlways || !last.TellRead {
		t.Errorf("back again: %+v", last)
	}
}

func TestK2_TheSenderSeesAndGetsThePolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	no := false
	w.setPrice(recipient, agentclient.SetPrice{Beneficiary: "burned", TellRead: &no, DecideWithin: 7200, FreeAfter: "2"})
	seen, err := sender.Price(t.Context(), recipient.address)
	must(t, err)
	if seen.Beneficiary != "nobody" || seen.TellRead || seen.DecideWithin != 7200 {
		t.Errorf("the sender sees %+v", seen)
	}
	if seen.FreeAfter != "" || seen.Beneficiaries != nil {
		t.Errorf("the sender sees what is the recipient's own affair: %+v", seen)
	}
	mail := w.write(sender, recipient, "A question")
	if mail.Beneficiary != "nobody" || time.Until(mail.DecideBy) > 2*time.Hour {
		t.Errorf("the mail: beneficiary %s, decide by %s", mail.Beneficiary, mail.DecideBy)
	}
	w.pass(2*time.Hour + time.Second)
	// The sweeper's timer does not know of the leap; a question does what is due.
	_, err = sender.Receipts(t.Context(), mail.Bond)
	must(t, err)
	w.sentIs(sender, mail.Bond, "expired", "refunded")
	w.has(sender, "1.00", "0.00")
}

func TestSetPriceSaysWhichFieldIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("recipient", "1.00")
	refuses := func(field, words string, req agentclient.SetPrice) {
		t.Helper()
		_, err := p.SetPrice(t.Context(), req)
		failure, ok := errors.AsType[*agentclient.Failure](err)
		if !ok || failure.Code != agentclient.CodeUsage || failure.Field != field || !strings.Contains(failure.Error(), words) {
			t.Errorf("%s: %v", field, err)
		}
	}
	refuses("options", "none is set yet", agentclient.SetPrice{FreeAfter: "3"})
	w.setPrice(p, agentclient.SetPrice{Options: []string{"0.25"}})
	refuses("options", "cannot be set", agentclient.SetPrice{Options: []string{"cheap"}})
	refuses("options", "cannot be set", agentclient.SetPrice{Options: []string{"LCP/1 escrow.example 1"}})
	refuses("beneficiary", "company (the escrow's company account), burned (nobody)", agentclient.SetPrice{Beneficiary: "me"})
	refuses("decideWithin", "from an hour to 14 days", agentclient.SetPrice{DecideWithin: 3599})
	refuses("decideWithin", "from an hour to 14 days", agentclient.SetPrice{DecideWithin: 15 * 24 * 3600})
	refuses("decideWithin", "from an hour to 14 days", agentclient.SetPrice{DecideWithin: -1})
	refuses("freeAfter", "no number of free mails", agentclient.SetPrice{FreeAfter: "some"})
	own, err := p.Price(t.Context(), "")
	must(t, err)
	if !slices.Equal(amounts(own), []string{"0.25"}) {
		t.Errorf("a refused price changed it: %+v", own)
	}
	if history, err := p.PriceHistory(t.Context(), ""); err != nil || len(history) != 1 {
		t.Errorf("a refused price is in the history: %+v, %v", history, err)
	}
}

func TestK2_PriceHistoryKeepsEveryChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("recipient", "1.00")
	if history, err := p.PriceHistory(t.Context(), ""); err != nil || len(history) != 0 {
		t.Errorf("before the first price: %+v, %v", history, err)
	}
	began := w.now()
	w.price(p, "0.25")
	w.pass(time.Minute)
	w.setPrice(p, agentclient.SetPrice{Options: []string{"0.50"}, Beneficiary: "burned"})
	w.pass(time.Minute)
	w.setDown(true) // the escrow has no part in it
	w.setPrice(p, agentclient.SetPrice{FreeAfter: "0"})
	// What the escrow did not take was never the price.
	w.pass(time.Minute)
	if _, err := p.SetPrice(t.Context(), agentclient.SetPrice{Options: []string{"9.00"}}); !errors.Is(err, escrow.Unavailable) {
		t.Errorf("without the escrow: %v", err)
	}
	p.stop()
	w.start(p)
	w.setDown(false)
	history, err := p.PriceHistory(t.Context(), p.address)
	must(t, err)
	if len(history) != 3 {
		t.Fatalf("history: %+v", history)
	}
	for i, want := range []struct {
		amount, beneficiary string
		free                agentclient.Free
		after               time.Duration
	}{
		{"0.50", "nobody", "0", 2 * time.Minute},
		{"0.50", "nobody", "always", time.Minute},
		{"0.25", "the escrow's company account", "always", 0},
	} {
		change := history[i]
		if amounts(change.Price)[0] != want.amount || change.Price.Beneficiary != want.beneficiary || change.Price.FreeAfter != want.free ||
			change.Price.Address != p.address || change.Time.Sub(began) < want.after-time.Second || change.Time.Sub(began) > want.after+20*time.Second {
			t.Errorf("change %d is %+v", i, change)
		}
	}
	own, err := p.Price(t.Context(), "")
	must(t, err)
	if amounts(own)[0] != "0.50" || own.FreeAfter != "0" {
		t.Errorf("after the restart: %+v", own)
	}
}

// slowPublish is an escrow that takes its time with the first offer and then
// refuses it.
type slowPublish struct {
	escrow.Service
	asked     *atomic.Bool
	meanwhile func()
}

func (s slowPublish) PublishOffer(ctx context.Context, offer escrow.Signed) error {
	if s.asked.Swap(true) {
		return s.Service.PublishOffer(ctx, offer)
	}
	s.meanwhile()
	return escrow.Errorf(escrow.Invalid, "not this one")
}

// A change that is made while another is being refused is not taken back with it.
func TestK2_TwoChangesOfAPriceAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("recipient", "1.00")
	w.price(p, "0.25")
	second, asked := make(chan error, 1), new(atomic.Bool)
	w.between(func(s escrow.Service) escrow.Service {
		return slowPublish{s, asked, func() {
			go func() {
				no := false
				_, err := p.SetPrice(context.WithoutCancel(t.Context()), agentclient.SetPrice{TellRead: &no})
				second <- err
			}()
			time.Sleep(200 * time.Millisecond) // time enough for it to come between
		}}
	})
	if _, err := p.SetPrice(t.Context(), agentclient.SetPrice{Options: []string{"0.30"}}); escrow.CodeOf(err) != escrow.Invalid {
		t.Errorf("the first change: %v", err)
	}
	must(t, <-second)
	price, err := p.Price(t.Context(), "")
	must(t, err)
	if price.TellRead || !slices.Equal(amounts(price), []string{"0.25"}) {
		t.Errorf("after both: %+v", price)
	}
}
