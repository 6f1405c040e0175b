package pages

import (
	"errors"
	"time"

	"fyne.io/fyne/v2"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/viewmodel"
)

// payingLooks are card payments, payouts and the safety of accounts.
func payingLooks() map[string]look {
	narrow, small := fyne.NewSize(640, 700), fyne.NewSize(400, 700)
	card := func(s *stage) {
		s.showMoney(viewmodel.MoneyBalance)
		s.model.ChooseByCard(true)
	}
	pay := func(s *stage) {
		card(s)
		s.shell.host.OpenURL = func(string) error { return nil }
		s.model.SetCardAmount("5,00")
		s.model.PayByCard()
		s.settle()
	}
	ended := func(state string) func(*stage) {
		return func(s *stage) {
			pay(s)
			s.agent.EndCard(s.agent.Cards()[0].ID, state)
		}
	}
	safe := func(s *stage) {
		s.settle()
		s.model.OpenSafety("recipient@example.org")
		s.settle()
	}
	return map[string]look{
		"card": {wide, takesCards, card},
		"card-fault": {small, takesCards, func(s *stage) {
			card(s)
			s.model.SetCardAmount("five")
			s.model.PayByCard()
		}},
		"card-wait": {wide, takesCards, pay},
		"card-shut": {small, takesCards, func(s *stage) {
			pay(s)
			s.model.CardNotOpened(errors.New("no browser is installed"))
		}},
		"card-paid": {wide, takesCards, ended(agentclient.CardPaid)},
		"card-over": {narrow, takesCards, ended(agentclient.CardOver)},
		"payout":    {wide, paidOut, func(s *stage) { s.showMoney(viewmodel.MoneyPayOut) }},
		"payout-back": {wide, paidOut, func(s *stage) {
			s.showMoney(viewmodel.MoneyPayOut)
			s.settle()
			s.model.AskCancelPayOut("recipient@example.org asked")
		}},
		"payout-least": {small, func(now func() time.Time) *agenttest.Agent {
			a := agenttest.Scene(now)
			a.PayOutFrom("escrow.example", "2.00")
			return a
		}, func(s *stage) {
			s.showMoney(viewmodel.MoneyPayOut)
			s.settle()
			s.model.SetPayOutTo("IBAN NL91 A. Student")
		}},
		"payout-two": {small, func(now func() time.Time) *agenttest.Agent { return withPayouts(now, twoAccounts(now)) }, func(s *stage) { s.showMoney(viewmodel.MoneyPayOut) }},
		"payout-faults": {narrow, agenttest.Scene, func(s *stage) {
			s.showMoney(viewmodel.MoneyPayOut)
			s.model.SetPayOutAmount("100")
			s.model.AskPayOut()
		}},
		"safety":        {wide, agenttest.Scene, safe},
		"safety-frozen": {wide, guarded, safe},
		"safety-small":  {small, guarded, safe},
		"safety-delete": {narrow, agenttest.Scene, func(s *stage) {
			safe(s)
			s.model.AskDelete()
		}},
		"settings-frozen": {narrow, frozen, func(s *stage) { s.model.Show(viewmodel.PageSettings) }},
		"banner-frozen":   {wide, frozen, func(*stage) {}},
		"banner-claim":    {small, guarded, func(*stage) {}},
	}
}

func takesCards(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	a.TakeCards(true)
	return a
}

func frozen(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	a.SetSafety(agentclient.AccountSafety{Address: "recipient@example.org", Escrow: "escrow.example", FrozenAt: now().Add(-time.Hour), Recovery: true})
	return a
}

// guarded is frozen, without a recovery key, and has all kinds of changes that wait.
func guarded(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	change := func(kind, subject string, ours bool, in time.Duration) agentclient.AccountChange {
		return agentclient.AccountChange{ID: kind, Kind: kind, Subject: subject, Ours: ours, AskedAt: now(), DueAt: now().Add(in)}
	}
	a.SetSafety(agentclient.AccountSafety{Address: "recipient@example.org", Escrow: "escrow.example", FrozenAt: now().Add(-time.Hour), Changes: []agentclient.AccountChange{
		change("address", "recipient@example.org", false, 14*24*time.Hour), change("rotate", "", true, 48*time.Hour),
		change("unfreeze", "", true, 47*time.Hour), change("limit", "escrow.example", true, 40*time.Hour),
	}})
	return a
}

func paidOut(now func() time.Time) *agenttest.Agent { return withPayouts(now, agenttest.Scene(now)) }

// withPayouts has a payout in each state.
func withPayouts(now func() time.Time, a *agenttest.Agent) *agenttest.Agent {
	euro := func(amount string) agentclient.Money {
		return agentclient.Money{Amount: amount, Currency: "escrow.example", Unit: "EUR"}
	}
	day := 24 * time.Hour
	for _, p := range []agentclient.Payout{
		{State: agentclient.PayoutPaid, Amount: euro("12.50"), AskedAt: now().Add(-40 * day), EndedAt: now().Add(-37 * day), Note: "transfer 2026-1017"},
		{State: agentclient.PayoutRefused, Amount: euro("2.00"), AskedAt: now().Add(-9 * day), EndedAt: now().Add(-8 * day), Note: "there is no such bank account"},
		{State: agentclient.PayoutCancelled, Amount: euro("1.00"), AskedAt: now().Add(-7 * day), EndedAt: now().Add(-6 * day)},
		{State: agentclient.PayoutFailed, Amount: euro("100.00"), AskedAt: now().Add(-3 * day), Error: "The escrow did not take it: the account is frozen. No money moved."},
		{State: agentclient.PayoutAsked, Amount: euro("3.00"), AskedAt: now().Add(-time.Hour), NotBefore: now().Add(47 * time.Hour)},
		{State: agentclient.PayoutUnsure, Amount: euro("0.50"), AskedAt: now(), Error: "It is not known whether the escrow has this payout: the escrow does not answer. It is asked again by itself, under the same number, so the money goes on hold once at most."},
	} {
		p.ID, p.Account, p.To = p.State, "recipient@example.org", "IBAN NL91 ABNA 0417 1643 00, A. Student"
		a.AddPayout(p)
	}
	return a
}
