package pages

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/viewmodel"
)

// moneyLooks are the pages of money and prices.
func moneyLooks() map[string]look {
	narrow, small := fyne.NewSize(640, 700), fyne.NewSize(400, 700)
	return map[string]look{
		"money-two":       {narrow, twoAccounts, func(s *stage) { s.showMoney(viewmodel.MoneyBalance) }},
		"money-here":      {narrow, limitHereOnly, func(s *stage) { s.showMoney(viewmodel.MoneyBalance) }},
		"money-small":     {small, richScene, func(s *stage) { s.showMoney(viewmodel.MoneyBalance) }},
		"money-none":      {wide, priced, func(s *stage) { s.showMoney(viewmodel.MoneyStatement) }},
		"statement":       {wide, richScene, func(s *stage) { s.showMoney(viewmodel.MoneyStatement) }},
		"statement-small": {small, twoAccounts, func(s *stage) { s.showMoney(viewmodel.MoneyStatement) }},
		"statement-paid":  {narrow, paidScene, func(s *stage) { s.showMoney(viewmodel.MoneyStatement) }},
		"chart":           {wide, richScene, func(s *stage) { s.showMoney(viewmodel.MoneyChart) }},
		"price-changed": {wide, richScene, func(s *stage) {
			s.changePrice()
		}},
		"price-faults": {small, richScene, func(s *stage) {
			s.changePrice()
			s.model.AddOption()
			s.model.SetFreeCount("many")
			s.model.SavePrice()
		}},
		"price-card": {narrow, richScene, func(s *stage) { s.showPrice(viewmodel.PriceCard) }},
		"price-answer": {wide, richScene, func(s *stage) {
			s.showPrice(viewmodel.PriceAnswer)
			s.model.SetExclusive(true)
			s.settle()
			s.agent.ChangeOffer("recipient@example.org", func(p *agentclient.Price) { p.Answered = 12 })
			s.agent.Emit(agentclient.Event{Type: agentclient.EventPrice})
			s.until("the number is known", func() bool { return strings.Contains(s.model.Answer().Count, "12") })
			s.settle()
			s.model.TypeAnswer("I read what comes with a bond first. Students of mine need none: write from your university address.")
		}},
		"price-answer-fault": {small, richScene, func(s *stage) {
			s.showPrice(viewmodel.PriceAnswer)
			s.model.TypeAnswer("Too \u202emuch")
			s.model.SetExclusive(true)
		}},
		"price-past": {narrow, richScene, func(s *stage) {
			s.changePrice()
			s.model.SavePrice()
			s.settle()
			s.showPrice(viewmodel.PricePast)
		}},
	}
}

func (s *stage) showMoney(tab viewmodel.MoneyTab) {
	s.model.Show(viewmodel.PageMoney)
	s.settle()
	s.model.ShowMoney(tab)
	s.settle()
}

func (s *stage) showPrice(tab viewmodel.PriceTab) {
	s.model.Show(viewmodel.PagePrice)
	s.settle()
	s.model.ShowPrice(tab)
	s.settle()
}

func (s *stage) changePrice() {
	s.showPrice(viewmodel.PriceNow)
	s.model.SetAmount(s.model.OwnPrice().Options[0].Key, "7,5")
	s.model.SetFreeKind(1)
	s.model.SetDecide(1)
	s.settle()
}

// richScene has months of movements, and a limit that is reached.
func richScene(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	euro := func(amount string) agentclient.Money {
		return agentclient.Money{Amount: amount, Currency: "escrow.example", Unit: "EUR"}
	}
	kinds := []string{agentclient.MoveHold, agentclient.MoveRefund, agentclient.MoveHold, agentclient.MoveForfeit, agentclient.MoveTopUp, agentclient.MoveGain}
	for i := range 120 {
		kind := kinds[i%len(kinds)]
		m := agentclient.Movement{Account: "recipient@example.org", Escrow: "escrow.example", Kind: kind, Bond: fmt.Sprint("bond", i),
			Time:   now().Add(-time.Duration(120-i)*13*time.Hour - time.Duration((120-i)*(120-i))*time.Minute),
			Amount: euro([]string{"0.25", "0.50", "1.00", "0.25", "12.50"}[i%5]), Available: euro("4.75"), Held: euro("0.50")}
		if kind == agentclient.MoveTopUp {
			m.Ground = agentclient.GroundVoucher
		} else {
			m.With = []string{"author@example.net", "a.very.long.local.part.that.goes.on@subdomain.department.university.example.edu"}[i%2]
			m.Subject = "A question about your book, and the rest of a rather long subject line"
		}
		a.AddMovement(m)
	}
	if _, err := a.SetLimit(context.Background(), agentclient.SetLimit{Currency: "escrow.example", PerMail: "0.50", PerDay: "0.50"}); err != nil {
		panic(err)
	}
	return a
}

// paidScene has money that came and went otherwise than with mails.
func paidScene(now func() time.Time) *agenttest.Agent {
	a := priced(now)
	for i, m := range []agentclient.Movement{
		{Kind: agentclient.MoveTopUp, Ground: agentclient.GroundWelcome, Reason: "welcome credit: for bonds only"},
		{Kind: agentclient.MoveTopUp, Ground: agentclient.GroundPayment},
		{Kind: agentclient.MoveTopUp, Ground: agentclient.GroundOperator, Reason: "an apology for the hours in which nobody could reach this escrow, which should not have been"},
		{Kind: agentclient.MovePayout},
		{Kind: agentclient.MovePayoutRefused, Reason: "there is no such bank account"},
		{Kind: agentclient.MovePayout},
		{Kind: agentclient.MovePayoutPaid, Reason: "transfer 2026-1017"},
	} {
		m.Account, m.Escrow, m.Time = "me@example.org", "escrow.example", now().Add(time.Duration(i-7)*7*time.Hour)
		m.Amount = agentclient.Money{Amount: "2.00", Currency: "escrow.example", Unit: "EUR"}
		m.Available, m.Held = m.Amount, m.Amount
		a.AddMovement(m)
	}
	return a
}

// twoAccounts has a second account with a long name, and a second currency without
// a unit.
func twoAccounts(now func() time.Time) *agenttest.Agent {
	a := richScene(now)
	if _, err := a.AddAccount(context.Background(), agentclient.AddAccount{Address: "second.account.of.mine@a-very-long-subdomain.example.org", Password: "x"}); err != nil {
		panic(err)
	}
	a.SetBalance("tokens.example.com", "", "123456.50", "1000.00")
	a.SetOffer("recipient@example.org", "0.25", "ESCROW/1 tokens.example.com 2.00", "1.00")
	return a
}

// limitHereOnly has a limit that the escrow was never told.
func limitHereOnly(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	if _, err := a.SetLimit(context.Background(), agentclient.SetLimit{Currency: "escrow.example", PerMail: "0.50", HereOnly: true}); err != nil {
		panic(err)
	}
	return a
}
