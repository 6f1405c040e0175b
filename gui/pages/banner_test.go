package pages

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
)

// TestTheBannerLiesOverNothing, however many lines it has, and before the window is
// laid out for another reason.
func TestTheBannerLiesOverNothing(t *testing.T) {
	s := newStage(t, theme.Light, fyne.NewSize(800, 600), agenttest.Scene)
	s.agent.Fail("Events", &agentclient.Failure{Code: agentclient.CodeNoAgent, Happened: "No agent answers."})
	s.agent.CutEvents()
	s.until("the window says so", func() bool { return s.model.Banner().Show })
	check := func(what string) {
		t.Helper()
		s.shell.Refresh() // as the driver does: nothing else is drawn anew
		b := s.shell.banner
		if need, has := b.MinSize().Height, b.Size().Height; has < need {
			t.Errorf("%s: the banner has %.0f of %.0f", what, has, need)
		}
		bottom := fyne.CurrentApp().Driver().AbsolutePositionForObject(b).Y + b.MinSize().Height
		if y := fyne.CurrentApp().Driver().AbsolutePositionForObject(s.shell.frame).Y; y < bottom {
			t.Errorf("%s: the page begins at %.0f, under the banner that ends at %.0f", what, y, bottom)
		}
	}
	check("away")
	s.shell.bannerText.SetText(strings.Repeat("There is no keyring here that can keep your keys. ", 8))
	s.shell.settleBanner()
	if s.shell.banner.Size().Height < s.shell.banner.MinSize().Height {
		t.Error("a longer text lies over the page")
	}
}
