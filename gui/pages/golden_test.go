package pages

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
)

var wide = fyne.NewSize(1280, 800)

// looks are the pages and states that are held as markup. The markup names
// colours by their tokens; one that is not of the table shows as a number.
// "go test ./gui/pages" says which file differs and leaves the new one in
// testdata/failed; after looking at it, it takes the old one's place.
func looks() map[string]look {
	all := map[string]look{}
	// Each part of the window names its looks in a file of its own: one line each.
	for _, some := range []map[string]look{
		frameLooks(),
		moneyLooks(),
		payingLooks(),
		startLooks(),
		keyFileLooks(),
		folderLooks(),
		writeLooks(),
	} {
		maps.Copy(all, some)
	}
	return all
}

type look struct {
	size  fyne.Size
	agent func(func() time.Time) *agenttest.Agent
	act   func(*stage)
}

func frameLooks() map[string]look {
	show := func(p viewmodel.Page) func(*stage) {
		return func(s *stage) { s.model.Show(p) }
	}
	return map[string]look{
		"waiting": {wide, agenttest.Scene, func(*stage) {}},
		"reading": {wide, agenttest.Scene, func(s *stage) { s.model.Select(agenttest.SceneQuestion) }},
		"undo": {wide, agenttest.Scene, func(s *stage) {
			s.model.Select(agenttest.SceneTalk)
			s.settle()
			s.model.Reject()
		}},
		"damaged":     {wide, agenttest.Scene, func(s *stage) { s.model.Select(agenttest.SceneDamaged) }},
		"narrow-list": {fyne.NewSize(640, 700), agenttest.Scene, func(*stage) {}},
		"narrow-mail": {fyne.NewSize(640, 700), agenttest.Scene, func(s *stage) { s.model.Select(agenttest.SceneQuestion) }},
		"small":       {fyne.NewSize(400, 700), agenttest.Scene, func(*stage) {}},
		"empty":       {wide, priced, func(*stage) {}},
		"long":        {wide, priced, long},
		"sent": {wide, agenttest.Scene, func(s *stage) {
			s.model.Show(viewmodel.PageSent)
			s.model.Move(1)
		}},
		"money": {wide, agenttest.Scene, show(viewmodel.PageMoney)},
		"price": {wide, agenttest.Scene, show(viewmodel.PagePrice)},
		"write": {wide, agenttest.Scene, func(s *stage) {
			s.model.WriteTo("author@example.net", "", "", "")
			s.until("the price is known", func() bool { return s.model.Draft().Ready })
		}},
		"write-faults": {wide, agenttest.Scene, func(s *stage) {
			s.model.Write()
			s.model.Send()
		}},
		"away": {wide, agenttest.Scene, func(s *stage) {
			s.agent.Fail("Events", &agentclient.Failure{Code: agentclient.CodeNoAgent, Happened: "No agent answers."})
			s.agent.CutEvents()
			s.until("the window says so", func() bool { return s.model.Banner().Show })
		}},
	}
}

func priced(now func() time.Time) *agenttest.Agent {
	a := agenttest.New(now)
	if _, err := a.AddAccount(context.Background(), agentclient.AddAccount{Address: "me@example.org", Password: "x"}); err != nil {
		panic(err)
	}
	a.SetOffer("me@example.org", "0.25", "1.00")
	return a
}

// long brings all that is too long or too much at once.
func long(s *stage) {
	s.agent.AddMail(agentclient.Message{
		Mail: agentclient.Mail{ID: "long", Name: "Dr. Wolfeschlegelsteinhausenbergerdorff the Elder of Somewhere Far Away",
			From: "a.very.long.local.part@subdomain.department.university.example.edu", Subject: "A subject that cannot possibly fit \u202e" + strings.Repeat(" into any list", 6),
			MixedScript: true, Unprotected: true, FirstTime: true, Unread: true},
		Text: strings.Repeat("A paragraph that goes on. ", 200) + "\n\n" + strings.Repeat("x", 300), FromHTML: true,
	})
	s.until("the mail is listed", func() bool { return len(s.model.Folder().All()) == 1 })
	s.model.Select("long")
}

func TestPagesLookAsTheyDid(t *testing.T) {
	for name, look := range looks() {
		for _, choice := range []theme.Choice{theme.Light, theme.Dark} {
			t.Run(name+"-"+string(choice), func(t *testing.T) {
				s := newStage(t, choice, look.size, look.agent)
				look.act(s)
				s.settle()
				s.win.Canvas().Unfocus() // a cursor blinks
				if strings.Contains(test.RenderToMarkup(s.win.Canvas()), "rgba(") {
					t.Error("something is drawn in a colour that is not of the table")
				}
				test.AssertRendersToMarkup(t, name+"-"+string(choice)+".xml", s.win.Canvas())
			})
		}
	}
}

// TestNoPageIsWiderThanItsWindow: nothing asks for more room than a small
// window has, so nothing is clipped at its right edge.
func TestNoPageIsWiderThanItsWindow(t *testing.T) {
	s := newStage(t, theme.Light, fyne.NewSize(400, 700), agenttest.Scene)
	for _, p := range []viewmodel.Page{viewmodel.PageWaiting, viewmodel.PageSent, viewmodel.PageMoney, viewmodel.PagePrice,
		viewmodel.PageSettings, viewmodel.PageWrite, viewmodel.PageAccount} {
		s.model.Show(p)
		s.settle()
		if got := s.shell.Content().MinSize(); got.Width > 400 || got.Height > 700 {
			t.Errorf("%s wants %.0fx%.0f", p, got.Width, got.Height)
		}
	}
}
