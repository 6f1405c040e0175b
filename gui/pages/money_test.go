package pages

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
	"earnest/gui/words"
)

// pressKey is a key as the window's driver hands it on.
func (s *stage) pressKey(name fyne.KeyName) {
	if f := s.win.Canvas().Focused(); f != nil {
		f.TypedKey(&fyne.KeyEvent{Name: name})
	} else {
		s.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: name})
	}
	s.settle()
}

func (s *stage) typeKeys(keys string) {
	if f := s.win.Canvas().Focused(); f != nil {
		test.Type(f, keys)
	} else {
		test.TypeOnCanvas(s.win.Canvas(), keys)
	}
	s.settle()
}

// tabTo goes on by Tab until the control has the focus.
func (s *stage) tabTo(want fyne.Focusable) {
	s.t.Helper()
	for range 60 {
		if s.win.Canvas().Focused() == want {
			return
		}
		s.win.Canvas().FocusNext()
	}
	s.t.Fatalf("Tab does not reach %T", want)
}

func TestMoneyByKeysAlone(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.showMoney(viewmodel.MoneyBalance)
	p := s.shell.shown.(*moneyPage)
	s.tabTo(p.code.Entry)
	s.typeKeys("VOUCHER-5")
	s.pressKey(fyne.KeyReturn)
	if v := s.model.Purse(); v.Rows[0].Available != "€9.75" || v.Code != "" {
		t.Errorf("purse: %+v", v)
	}
	form := p.limits.forms["escrow.example"]
	s.tabTo(form.day.Entry)
	s.typeKeys("1,5x")
	s.pressKey(fyne.KeyReturn)
	if v := s.model.Limits().List[0]; v.ErrDay == "" || form.day.Entry.Text != "1,5x" {
		t.Errorf("limit: %+v", v)
	}
	s.pressKey(fyne.KeyBackspace)
	s.pressKey(fyne.KeyReturn)
	if v := s.model.Limits().List[0]; v.ErrDay != "" || v.Done == "" {
		t.Errorf("limit: %+v", v)
	}
	s.pressKey(fyne.KeyEscape) // leaves the field
	if s.win.Canvas().Focused() != nil {
		t.Fatal("Escape does not leave the field")
	}
	s.pressKey(fyne.KeyRight)
	if s.model.Purse().Tab != viewmodel.MoneyStatement {
		t.Fatal("the arrow does not show the statement")
	}
	for _, name := range []fyne.KeyName{fyne.KeyDown, fyne.KeyEnd, fyne.KeyF5} {
		s.pressKey(name) // what no part hears goes to the window, once
	}
	s.showMoney(viewmodel.MoneyStatement)
	s.tabTo(p.statement.kind.Select)
	s.pressKey(fyne.KeyRight)
	if s.model.Statement().Kind != 1 {
		t.Error("an arrow does not choose the kind")
	}
	s.pressKey(fyne.KeyEscape)
	if s.model.Purse().Tab != viewmodel.MoneyBalance {
		t.Error("Escape does not go back to the balance")
	}
}

func TestPricesByKeysAlone(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.showPrice(viewmodel.PriceNow)
	p := s.shell.shown.(*pricePage)
	first := p.options.rows[p.options.order[0]]
	s.tabTo(first.slider)
	s.pressKey(fyne.KeyRight)
	if first.entry.Text != "0.50" {
		t.Errorf("an arrow on the slider makes it %q", first.entry.Text)
	}
	s.tabTo(p.options.add)
	s.pressKey(fyne.KeySpace)
	if len(p.options.order) != 2 {
		t.Fatalf("options: %v", p.options.order)
	}
	second := p.options.rows[p.options.order[1]]
	s.tabTo(second.entry)
	s.typeKeys("2")
	s.tabTo(second.up)
	s.pressKey(fyne.KeyReturn)
	if p.options.rows[p.options.order[0]] != second || s.win.Canvas().Focused() != fyne.Focusable(second.up) {
		t.Error("it was not moved up, or the focus was lost by it")
	}
	s.tabTo(p.policy.tell)
	s.pressKey(fyne.KeySpace)
	if s.model.OwnPrice().TellRead {
		t.Error("Space does not turn the switch")
	}
	s.tabTo(first.entry)
	s.pressKey(fyne.KeyReturn)
	v := s.model.OwnPrice()
	if v.Now != "€2.00 or €0.50" || v.Changed || v.TellRead {
		t.Errorf("price: %+v", v)
	}
	s.pressKey(fyne.KeyEscape)
	s.pressKey(fyne.KeyRight)
	s.pressKey(fyne.KeyRight)
	s.tabTo(p.answer.on)
	s.pressKey(fyne.KeySpace)
	s.tabTo(p.answer.words.Entry)
	s.typeKeys("Hi")
	s.tabTo(p.answer.save)
	s.pressKey(fyne.KeyReturn)
	if a := s.model.Answer(); !a.On || a.Text != "Hi" || a.Changed {
		t.Errorf("ordinary mail: %+v", a)
	}
	s.tabTo(p.answer.on)
	s.pressKey(fyne.KeyRight)
	if s.model.OwnPrice().Tab != viewmodel.PricePast || len(s.model.OwnPrice().Past) != 1 {
		t.Errorf("past: %+v", s.model.OwnPrice().Past)
	}
	s.pressKey(fyne.KeyEscape)
	if s.model.OwnPrice().Tab != viewmodel.PriceNow || s.model.Page() != viewmodel.PagePrice {
		t.Error("Escape does not go back to the price")
	}
}

func TestTheCardsOfThePricePageAreCopied(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.showPrice(viewmodel.PriceCard)
	p := s.shell.shown.(*pricePage)
	card := s.model.OwnPrice().Card
	var copied []string
	for _, o := range everything(p.card.root) {
		if a, ok := o.(*widgets.Action); ok {
			test.Tap(a)
			copied = append(copied, s.host().Content())
		}
	}
	if len(copied) != 3 || copied[0] != card.Text || copied[1] != card.HTML || copied[2] != card.Link || card.Link == "" {
		t.Errorf("copied %q of %+v", copied, card)
	}
}

// everything is the objects in a container, those in containers too.
func everything(o fyne.CanvasObject) (all []fyne.CanvasObject) {
	all = append(all, o)
	if c, ok := o.(*fyne.Container); ok {
		for _, child := range c.Objects {
			all = append(all, everything(child)...)
		}
	}
	return all
}

// A change of language makes a new shell; what was typed is in the model.
func TestNothingTypedIntoMoneyIsLostByANewShell(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.showMoney(viewmodel.MoneyBalance)
	p := s.shell.shown.(*moneyPage)
	test.Type(p.code.Entry, "HALF")
	test.Type(p.limits.forms["escrow.example"].mail.Entry, "1,")
	s.showPrice(viewmodel.PriceNow)
	price := s.shell.shown.(*pricePage)
	row := price.options.rows[price.options.order[0]]
	row.entry.SetText("0,7")
	s.model.Show(viewmodel.PageMoney)
	s.shell = New(s.model, s.shell.host)
	s.win.SetContent(s.shell.Content())
	s.settle()
	p = s.shell.shown.(*moneyPage)
	s.model.Show(viewmodel.PagePrice)
	s.settle()
	price = s.shell.shown.(*pricePage)
	if got := p.code.Entry.Text + " " + p.limits.forms["escrow.example"].mail.Entry.Text + " " + price.options.rows[price.options.order[0]].entry.Text; got != "HALF 1, 0,7" {
		t.Errorf("in the new shell stands %q", got)
	}
}

// TestNoPartOfMoneyOrPricesIsWiderThanItsWindow: in German too, and with long
// names and large amounts.
func TestNoPartOfMoneyOrPricesIsWiderThanItsWindow(t *testing.T) {
	s := newStage(t, theme.Light, fyne.NewSize(400, 700), twoAccounts)
	s.agent.SetBalance("escrow.example", "EUR", "123456789012345.25", "99999999999.99")
	s.model.Speak(words.German)
	s.shell = New(s.model, s.shell.host)
	s.win.SetContent(s.shell.Content())
	narrow := func(what string, part fyne.CanvasObject) {
		t.Helper()
		for _, o := range everything(part) {
			if scroll, ok := o.(*container.Scroll); ok {
				if got := scroll.Content.MinSize().Width; got > 400 {
					t.Errorf("%s wants to be %.0f wide", what, got)
				}
			}
		}
		if got := s.shell.Content().MinSize().Width; got > 400 {
			t.Errorf("with %s the window wants to be %.0f wide", what, got)
		}
	}
	for tab := viewmodel.MoneyBalance; tab <= viewmodel.MoneyChart; tab++ {
		s.showMoney(tab)
		narrow("a part of money", s.shell.shown.(*moneyPage).parts[tab])
	}
	for tab := viewmodel.PriceNow; tab <= viewmodel.PricePast; tab++ {
		s.showPrice(tab)
		narrow("a part of prices", s.shell.shown.(*pricePage).parts[tab])
	}
}

func TestTheStatementIsSavedWhereThePersonSays(t *testing.T) {
	s := newStage(t, theme.Light, wide, richScene)
	s.showMoney(viewmodel.MoneyStatement)
	p := s.shell.shown.(*moneyPage)
	test.Tap(p.statement.export)
	if s.win.Canvas().Overlays().Top() == nil {
		t.Fatal("nobody is asked where to")
	}
	if s.keyHeard(fyne.KeyLeft) {
		t.Error("a key that belongs to the dialog turned the page")
	}
}

// keyHeard tells whether a key turns the part of the page of money.
func (s *stage) keyHeard(name fyne.KeyName) bool {
	before := s.model.Purse().Tab
	s.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: name})
	return s.model.Purse().Tab != before
}
