package viewmodel

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

// rowsOf are the rows of the list, all of them.
func rowsOf(s *stage) (rows []Row) {
	for i := range s.People().Len {
		rows = append(rows, s.PersonRow(i))
	}
	return rows
}

// folks is the scene with people: the newest is a friend with five free mails.
func folks(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	a.AddPerson(agentclient.Person{PersonID: agentclient.PersonID{Address: "noname@example.com"}, Why: agentclient.WhyBoth, Free: "0", FreeThere: "0"})
	a.AddPerson(agentclient.Person{PersonID: agentclient.PersonID{Address: "payer@example.com"}, Name: "Paid For", Why: agentclient.WhyPaid, FreeThere: "1"})
	a.AddPerson(agentclient.Person{PersonID: agentclient.PersonID{Address: "friend@example.net"}, Name: "A Friend", Free: "5", Received: 4, Sent: 1,
		Since: now().Add(-72 * time.Hour), Last: now().Add(-50 * time.Hour)})
	return a
}

func TestPeopleSaysWhoWritesFreeAndWhy(t *testing.T) {
	play(t, folks, func(s *stage) {
		s.Show(PagePeople)
		rows := rowsOf(s)
		if len(rows) != 3 || rows[0].Title != "A Friend" || rows[0].Aside != "friend@example.net" || rows[0].Note != "5 free" ||
			rows[1].Subject[:26] != "They accepted your paid ma" || rows[2].Title != "noname@example.com" || rows[2].Note != "not free" {
			t.Fatalf("rows: %+v", rows)
		}
		if !s.Person().Hint || s.People().Count != "3 people write free" {
			t.Errorf("hint %v, %q", s.Person().Hint, s.People().Count)
		}
		s.SelectPerson(0)
		p := s.Person()
		s.has("why", p.Why, "You accepted a mail of theirs on")
		if p.Here != "5 more mails free" || p.There != "always free" || p.Typed != "5" || p.Always || p.None {
			t.Errorf("person: %+v", p)
		}
		s.has("counts", p.Counts, "4 free mails came · 1 went · the last")
		s.SelectPerson(1)
		s.has("why", s.Person().Why, "They accepted a mail that you paid for")
		if p := s.Person(); p.There != "1 more mail free" || !p.Always {
			t.Errorf("person: %+v", p)
		}
		s.SelectPerson(2)
		s.has("why", s.Person().Why, "Each of you accepted a mail of the other")
		s.has("there", s.Person().There, "needs a bond")
		s.has("here", s.Person().Here, "not opened before you accept it")
		s.Speak(words.German)
		s.has("row", rowsOf(s)[0].Subject, "Mail angenommen")
	})
}

func TestPeopleAreFoundByNameAndAddress(t *testing.T) {
	play(t, folks, func(s *stage) {
		for words, want := range map[string]string{"friend": "A Friend", "PAID": "Paid For", "example.com": "Paid For noname@example.com", "a friend net": "A Friend"} {
			s.SearchPeople(words)
			var got []string
			for _, r := range rowsOf(s) {
				got = append(got, r.Title)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%q finds %v", words, got)
			}
		}
		s.SearchPeople("nobody")
		if e := s.People().Empty; e.Title != "Nobody found" {
			t.Errorf("empty: %+v", e)
		}
	})
	play(t, agenttest.Scene, func(s *stage) {
		s.has("empty", s.People().Empty.Title+s.People().Empty.Text, "Nobody writes free yet", "neither money nor escrow")
		s.SelectPerson(0)
		s.MovePerson(1)
		s.RemovePerson()
		if s.Person().Show {
			t.Error("somebody is shown")
		}
	})
}

func TestFreeMailsAreChangedAndAMistypedNumberSaysSoBesideIt(t *testing.T) {
	play(t, folks, func(s *stage) {
		s.MovePerson(1)
		for _, bad := range []string{"", "many", "-1", "1000001", "1.5", "always"} {
			s.TypeFree(bad)
			s.SaveFree()
			synctest.Wait()
			if p := s.Person(); p.Fault == "" || p.Typed != bad {
				t.Errorf("%q: %+v", bad, p)
			}
		}
		s.TypeFree(" ٧ ")
		s.SelectPerson(1)
		s.SelectPerson(0)
		if p := s.Person(); p.Typed != " ٧ " {
			t.Errorf("what was typed is lost: %+v", p)
		}
		s.agent.Fail("SetPerson", errAway)
		s.SaveFree()
		synctest.Wait()
		if p := s.Person(); p.Fault != "No agent answers." || p.Typed != " ٧ " || p.Busy {
			t.Errorf("failed: %+v", p)
		}
		s.agent.Fail("SetPerson", nil)
		s.SaveFree()
		synctest.Wait()
		if p := s.Person(); p.Here != "7 more mails free" || p.Typed != "7" || p.Said != "Saved." || rowsOf(s)[0].Note != "7 free" {
			t.Errorf("saved: %+v", p)
		}
		s.SetFree(agentclient.FreeAlways)
		synctest.Wait()
		if p := s.Person(); !p.Always || p.Typed != "" || p.Here != "always free" {
			t.Errorf("always: %+v", p)
		}
		s.SetFree(agentclient.FreeNone)
		synctest.Wait()
		if p := s.Person(); !p.None {
			t.Errorf("none: %+v", p)
		}
	})
}

func TestRemovingIsAskedForBesideItAndSaysWhatItMeans(t *testing.T) {
	play(t, folks, func(s *stage) {
		s.SelectPerson(0)
		s.RemovePerson()
		synctest.Wait()
		if s.count("RemovePerson") != 0 {
			t.Fatal("removed without a question")
		}
		s.AskRemove()
		p := s.Person()
		if !p.Asking {
			t.Error("not asked")
		}
		s.has("means", p.Means, "A Friend", "keys", "deleted", "needs a bond again")
		s.LeavePerson() // Escape answers no
		if s.Person().Asking || !s.Person().Show {
			t.Error("Escape did not answer no")
		}
		s.AskRemove()
		s.SelectPerson(1)
		if s.Person().Asking {
			t.Error("the question went over to somebody else")
		}
		s.SelectPerson(0)
		s.AskRemove()
		s.agent.Fail("RemovePerson", errAway)
		s.RemovePerson()
		synctest.Wait()
		if s.Person().Fault != "No agent answers." || len(rowsOf(s)) != 3 {
			t.Errorf("failed: %+v", s.Person())
		}
		s.agent.Fail("RemovePerson", nil)
		s.RemovePerson()
		synctest.Wait()
		if len(rowsOf(s)) != 2 || s.Person().Show {
			t.Errorf("people: %+v", s.People())
		}
		s.has("said", s.Person().Said, "friend@example.net was removed")
	})
}

func TestPeopleFollowTheAgent(t *testing.T) {
	play(t, folks, func(s *stage) {
		s.SelectPerson(0)
		s.TypeFree("9")
		s.agent.AddPerson(agentclient.Person{PersonID: agentclient.PersonID{Address: "new@example.net"}})
		synctest.Wait()
		if rows := rowsOf(s); len(rows) != 4 || rows[0].Title != "new@example.net" || !rows[1].Selected || s.Person().Typed != "9" {
			t.Errorf("people: %+v", rows)
		}
	})
}

// thousand is a thousand people.
func thousand(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	for i := range 1000 {
		a.AddPerson(agentclient.Person{PersonID: agentclient.PersonID{Address: fmt.Sprintf("p%d@example.net", i)}, Name: fmt.Sprintf("Person %d", i), Free: "3"})
	}
	return a
}

func BenchmarkAThousandPeople(b *testing.B) {
	m := New(Config{Agent: agenttest.New(time.Now)})
	people, err := thousand(time.Now).People(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	m.update(func() { m.folk.put(people) })
	b.Run("drawn again", func(b *testing.B) {
		for b.Loop() {
			for i := range min(m.People().Len, 12) {
				m.PersonRow(i)
			}
		}
	})
	b.Run("a key of the search", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			m.SearchPeople([]string{"p", "pe"}[i%2])
			for i := range min(m.People().Len, 12) {
				m.PersonRow(i)
			}
		}
	})
}
