package pages

import (
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
)

// folks is the scene with people; what is odd about them comes first.
func folks(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	add := func(address, name string, change func(*agentclient.Person)) {
		p := agentclient.Person{PersonID: agentclient.PersonID{Address: address}, Name: name}
		if change != nil {
			change(&p)
		}
		a.AddPerson(p)
	}
	for i := range 30 {
		add(fmt.Sprintf("person%d@example.net", i), fmt.Sprintf("Person Number %d", i), nil)
	}
	add("noname@example.com", "", func(p *agentclient.Person) { p.Why, p.Free, p.FreeThere = agentclient.WhyBoth, "3", "0" })
	add("a.very.long.local.part@subdomain.department.university.example.edu", "Dr. Wolfeschlegelsteinhausenbergerdorff the Elder of Somewhere Far Away",
		func(p *agentclient.Person) { p.Why, p.Free = agentclient.WhyPaid, "0" })
	add("layla@example.org", "ليلى أحمد", func(p *agentclient.Person) { p.Received = 2 })
	add("friend@example.net", "A Friend", func(p *agentclient.Person) {
		p.Received, p.Sent, p.Free, p.Since, p.Last = 4, 1, "5", now().Add(-72*time.Hour), now().Add(-50*time.Hour)
	})
	return a
}

// TestPeopleNeedTheKeyboardAlone searches, chooses, changes, and removes.
func TestPeopleNeedTheKeyboardAlone(t *testing.T) {
	s := newStage(t, theme.Light, wide, folks)
	s.model.Show(viewmodel.PagePeople)
	s.settle()
	c := s.win.Canvas()
	c.OnTypedRune()('/')
	s.typeText("friend")
	s.press(fyne.KeyEscape, fyne.KeyDown)
	page := s.shell.shown.(*peoplePage)
	if p := s.model.Person(); p.Name != "A Friend" {
		t.Fatalf("chosen: %+v", p)
	}
	c.Focus(page.person.counted)
	s.press(fyne.KeySpace)
	if c.Focused() != fyne.Focusable(page.person.count) {
		t.Fatalf("focus on %T", c.Focused())
	}
	page.person.count.SetText("")
	s.typeText("12")
	s.press(fyne.KeyReturn)
	if p := s.model.Person(); p.Here != "12 more mails free" {
		t.Errorf("changed: %+v", p)
	}
	s.press(fyne.KeyEscape) // leaves the field
	s.model.AskRemove()
	s.settle()
	if c.Focused() != fyne.Focusable(page.person.keep) {
		t.Fatalf("the question's focus is on %T", c.Focused())
	}
	s.press(fyne.KeyEscape)
	if s.model.Person().Asking || !s.model.Person().Show {
		t.Error("Escape did not answer no")
	}
	s.model.AskRemove()
	s.settle()
	s.press(fyne.KeyTab, fyne.KeyReturn)
	if people, _ := s.agent.People(t.Context()); len(people) != 33 {
		t.Errorf("%d people are left", len(people))
	}
}

// TestAThousandPeopleScrollSmoothly: a frame is what is laid out and drawn after
// one turn of the wheel.
func TestAThousandPeopleScrollSmoothly(t *testing.T) {
	s := newStage(t, theme.Light, wide, func(now func() time.Time) *agenttest.Agent {
		a := agenttest.Scene(now)
		for i := range 1000 {
			a.AddPerson(agentclient.Person{PersonID: agentclient.PersonID{Address: fmt.Sprintf("p%d@example.net", i)}, Name: fmt.Sprintf("Person %d", i)})
		}
		return a
	})
	s.model.Show(viewmodel.PagePeople)
	s.settle()
	// Of three rounds the best counts: the machine may be busy with something else.
	best := time.Hour
	for range 3 {
		worst := time.Duration(0)
		for range 60 {
			began := time.Now()
			s.model.MovePerson(5)
			s.shell.Refresh()
			worst = max(worst, time.Since(began))
		}
		best = min(best, worst)
	}
	t.Logf("the slowest of 60 frames took %s", best)
	if best > 500*time.Millisecond { // drawing all anew takes longer
		t.Errorf("a frame took %s", best)
	}
}
