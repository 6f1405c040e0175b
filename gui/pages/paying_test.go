package pages

import (
	"errors"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
)

func TestThePaymentPageIsOpenedOnceAndAgainWhenAsked(t *testing.T) {
	s := newStage(t, theme.Light, wide, takesCards)
	var opened []string
	s.shell.host.OpenURL = func(url string) error { opened = append(opened, url); return errors.New("no browser") }
	s.showMoney(viewmodel.MoneyBalance)
	page := s.shell.shown.(*moneyPage)
	c := s.win.Canvas()
	c.Focus(page.ways.options[0])
	s.press(fyne.KeyRight) // by card
	s.press(fyne.KeySpace)
	s.draw()
	if !page.card.box.Visible() || page.voucher.Visible() {
		t.Fatal("the card's fields do not stand in the voucher's place")
	}
	s.tabTo(page.card.amount.Entry)
	test.Type(page.card.amount.Entry, "5")
	s.press(fyne.KeyReturn)
	s.settle()
	s.draw()
	if len(opened) != 1 || opened[0] != s.agent.Cards()[0].URL {
		t.Fatalf("opened %q", opened)
	}
	if c.Focused() != fyne.Focusable(page.card.stop) || !page.card.shut.row.Visible() || page.card.link.Text != opened[0] || !page.card.linked.Visible() {
		t.Errorf("the focus is at %T, and how to go on without a browser is not said", c.Focused())
	}
	test.Tap(page.card.copy)
	if got := s.shell.host.Clipboard.Content(); got != opened[0] {
		t.Errorf("copied %q", got)
	}
	test.Tap(page.card.again)
	if len(opened) != 2 {
		t.Errorf("opened %d times", len(opened))
	}
	// Another language draws the window anew; the browser shows the page already.
	again := New(s.model, s.shell.host)
	s.win.SetContent(again.Content())
	s.draw()
	if len(opened) != 2 {
		t.Error("drawn anew, the page was opened again")
	}
	s.agent.EndCard(s.agent.Cards()[0].ID, agentclient.CardPaid)
	s.settle()
	if page.card.wait.Visible() || !page.card.done.row.Visible() {
		t.Error("that it was paid does not show")
	}
}

func TestWithoutABrowserTheLinkIsShown(t *testing.T) {
	s := newStage(t, theme.Light, wide, takesCards)
	s.showMoney(viewmodel.MoneyBalance)
	s.model.SetCardAmount("5")
	s.model.PayByCard()
	s.settle()
	s.draw()
	page := s.shell.shown.(*moneyPage)
	if !page.card.shut.row.Visible() || !page.card.linked.Visible() || page.card.link.Text == "" {
		t.Error("the link does not show")
	}
}

func TestAPayoutIsAskedForByKeyboard(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.showMoney(viewmodel.MoneyPayOut)
	page := s.shell.shown.(*moneyPage).payout
	s.tabTo(page.amount.Entry)
	test.Type(page.amount.Entry, "3")
	s.tabTo(page.to.Entry)
	test.Type(page.to.Entry, "IBAN NL91")
	s.press(fyne.KeyReturn)
	s.settle()
	list, err := s.agent.Payouts(t.Context(), "")
	if err != nil || len(list) != 1 || list[0].Amount.Amount != "3.00" || list[0].To != "IBAN NL91" || len(page.rows.Objects) != 1 {
		t.Errorf("%+v, %v, %d rows", list, err, len(page.rows.Objects))
	}
}

// TestAPayoutIsTakenBackByKeyboard: the question starts at no, Escape is no too, and
// the focus goes back to where the question came from.
func TestAPayoutIsTakenBackByKeyboard(t *testing.T) {
	s := newStage(t, theme.Light, wide, paidOut)
	s.showMoney(viewmodel.MoneyPayOut)
	money := s.shell.shown.(*moneyPage)
	page, c := money.payout, s.win.Canvas()
	row := "recipient@example.org " + agentclient.PayoutAsked
	for _, no := range []func(){
		func() { s.press(fyne.KeyReturn) },
		func() { money.typedKey(&fyne.KeyEvent{Name: fyne.KeyEscape}) },
	} {
		c.Focus(page.acts[row].ask)
		s.press(fyne.KeyReturn)
		s.settle()
		if keep := page.acts[row].keep; keep == nil || c.Focused() != fyne.Focusable(keep) {
			t.Fatalf("asked, the focus is at %T", c.Focused())
		}
		no()
		s.settle()
		if c.Focused() != fyne.Focusable(page.acts[row].ask) {
			t.Fatalf("after no, the focus is at %T", c.Focused())
		}
	}
	s.press(fyne.KeyReturn)
	s.settle()
	s.tabTo(page.acts[row].yes)
	s.press(fyne.KeyReturn)
	s.settle()
	list, err := s.agent.Payouts(t.Context(), "")
	if err != nil || list[1].State != agentclient.PayoutCancelled || page.acts[row].ask != nil {
		t.Errorf("%+v, %v", list[1], err)
	}
}

// TestTheSafetyOfAnAccountIsUsedByKeyboard: it opens at the way back, every question
// starts at no, Escape goes back a step at a time, and the focus to where it came from.
func TestTheSafetyOfAnAccountIsUsedByKeyboard(t *testing.T) {
	s := newStage(t, theme.Light, wide, guarded)
	s.model.Show(viewmodel.PageSettings)
	s.settle()
	page := s.shell.shown.(*settingsPage)
	c := s.win.Canvas()
	link := page.accounts.rows[0].safety
	s.tabTo(link)
	s.press(fyne.KeyReturn)
	s.settle()
	behind := page.behind["safety"]
	if !behind.root.Visible() || page.main.Visible() || c.Focused() != behind.first {
		t.Fatalf("opened, the focus is at %T", c.Focused())
	}
	escape := func() {
		page.typedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
		s.settle()
	}
	s.model.AskDelete()
	s.settle()
	if keep, ok := c.Focused().(interface{ Visible() bool }); !ok || !keep.Visible() {
		t.Errorf("asked, the focus is at %T", c.Focused())
	}
	s.press(fyne.KeyReturn) // no
	s.settle()
	if s.model.Safety().Delete.Asked || len(s.model.Settings().Accounts) != 1 {
		t.Error("the question does not start at no")
	}
	s.model.AskDelete()
	s.settle()
	escape()
	if s.model.Safety().Delete.Asked || !s.model.Safety().Open {
		t.Error("Escape is not no")
	}
	escape()
	if behind.root.Visible() || !page.main.Visible() || c.Focused() != fyne.Focusable(link) {
		t.Errorf("back, the focus is at %T", c.Focused())
	}
}

func TestTheBannerOfAFrozenAccountLeadsToItsSafety(t *testing.T) {
	s := newStage(t, theme.Light, wide, frozen)
	s.until("the banner shows", func() bool { return s.model.Banner().Show })
	s.draw()
	if !s.shell.banner.Visible() || !s.shell.bannerAction.Visible() {
		t.Fatal("there is no banner")
	}
	test.Tap(s.shell.bannerAction)
	s.settle()
	if page, ok := s.shell.shown.(*settingsPage); !ok || !page.behind["safety"].root.Visible() || s.shell.banner.Visible() {
		t.Errorf("it leads to %T", s.shell.shown)
	}
}
