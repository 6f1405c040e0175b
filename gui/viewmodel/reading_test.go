package viewmodel

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

func (s *stage) open(m agentclient.Message) Reading {
	s.Helper()
	id := s.agent.AddMail(m)
	synctest.Wait()
	s.Select(id)
	synctest.Wait()
	return s.Reading()
}

func spans(s string) []agentclient.Span { return []agentclient.Span{{Text: s}} }

func TestBlocksAreShownWithTheirLooksAndHarmless(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		r := s.open(agentclient.Message{FromHTML: true, Text: "plain", Blocks: []agentclient.Block{
			{Kind: agentclient.BlockHeading, Depth: 99, Spans: spans("gnp\u202etxt")},
			{Kind: agentclient.BlockItem, Number: 7, Quote: 1000, Spans: spans("seven")},
			{Kind: agentclient.BlockParagraph, Spans: spans("")},
			{Kind: agentclient.BlockRule},
			{Kind: agentclient.BlockPre, Spans: spans("a\n\tb")},
			{Kind: agentclient.BlockParagraph, Spans: spans("  שלום")},
		}})
		if len(r.Paras) != 5 || len(r.Parts) != 0 || !r.MayTurn {
			t.Fatalf("paras %+v", r.Paras)
		}
		p := r.Paras
		if p[0].Spans[0].Text != "gnp\ufffdtxt" || p[0].Depth != mostDepth || p[1].Number != 7 || p[1].Quote != mostDepth ||
			!p[3].Spans[0].Mono || p[3].Spans[0].Text != "a\n    b" || !p[4].Right || p[1].Right {
			t.Errorf("paras %+v", p)
		}
		s.Plain()
		if r = s.Reading(); r.plain() != "plain" || len(r.Paras) != 0 {
			t.Errorf("as plain text: %+v", r)
		}
	})
}

func TestALongMailOfBlocksIsShownInParts(t *testing.T) {
	blocks := make([]agentclient.Block, 5000)
	for i := range blocks {
		blocks[i] = agentclient.Block{Kind: agentclient.BlockParagraph, Spans: spans("x")}
	}
	for more, want := range []int{firstParas, 2 * firstParas, 4 * firstParas, 8 * firstParas} {
		if got, cut := paras(blocks, more); len(got) != want || !cut {
			t.Errorf("%d times more: %d of %d, cut %v", more, len(got), want, cut)
		}
	}
	got, cut := paras([]agentclient.Block{{Spans: spans(strings.Repeat("ä", firstBytes))}, {Spans: spans("more")}}, 0)
	if !cut || len(got) != 1 || len(got[0].Spans[0].Text) > firstBytes+3 {
		t.Errorf("one long block: %d, cut %v", len(got), cut)
	}
}

func TestALinkIsShownWholeAndOpenedOnlyWhenAsked(t *testing.T) {
	for in, want := range map[agentclient.Span]Span{
		{Text: "https://a.example/", Link: "https://a.example"}:                {Text: "https://a.example/", Link: "https://a.example"},
		{Text: "your bank", Link: "https://evil.example/x"}:                    {Text: "your bank", Link: "https://evil.example/x", Target: "https://evil.example/x"},
		{Text: "https://bank.example", Link: "https://evil.example"}:           {Text: "https://bank.example", Link: "https://evil.example", Target: "https://evil.example"},
		{Text: "me@a.example", Link: "mailto:me@a.example"}:                    {Text: "me@a.example", Link: "mailto:me@a.example"},
		{Text: "run", Link: "javascript:alert(1)"}:                             {Text: "run", Target: "javascript:alert(1)"},
		{Text: "share", Link: "file://server/x"}:                               {Text: "share", Target: "file://server/x"},
		{Text: "file", Link: "file:///etc/passwd"}:                             {Text: "file", Target: "file:///etc/passwd"},
		{Text: "turned", Link: "https://a.example/\u202egpj"}:                  {Text: "turned", Target: "https://a.example/\ufffdgpj"},
		{Text: "https:///nobody", Link: "https:///nobody"}:                     {Text: "https:///nobody"},
		{Text: " ", Link: "https://a.example"}:                                 {Text: " "},
		{Text: "x", Link: "https://a.example/" + strings.Repeat("x", maxLink)}: {Text: "x", Target: "https://a.example/" + strings.Repeat("x", maxLink)},
	} {
		if got := spanOf(in, false); got != want {
			t.Errorf("%+v is shown as %+v, want %+v", in, got, want)
		}
	}
	play(t, agenttest.Scene, func(s *stage) {
		s.open(agentclient.Message{Text: "x"})
		var opened []string
		open := func(target string) error { opened = append(opened, target); return nil }
		s.OpenLink(open)
		s.AskLink("http://пример.example/x")
		l := s.Reading().Link
		if !l.Show || l.Target != "http://пример.example/x" || len(opened) != 0 {
			t.Fatalf("link %+v, opened %v", l, opened)
		}
		s.has("host", l.Host, "It leads to пример.example. The name has letters that can look like others")
		s.AskLink("http://plain.example")
		s.has("host", s.Reading().Link.Host, "unencrypted")
		s.OpenLink(func(string) error { return errors.New("there is none") })
		s.has("fault", s.Reading().Link.Fault, "It could not be opened: There is none. Copy it instead.")
		s.OpenLink(open)
		if len(opened) != 1 || opened[0] != "http://plain.example" || s.Reading().Link.Show {
			t.Errorf("opened %v", opened)
		}
		s.AskLink("https://other.example")
		if !s.CloseLink() || s.CloseLink() {
			t.Error("Escape does not put the question away once")
		}
		s.AskLink("mailto:ada@example.org?subject=Hello%20there")
		s.OpenLink(open)
		synctest.Wait()
		if s.Page() != PageWrite || len(opened) != 1 {
			t.Errorf("page %s, opened %v", s.Page(), opened)
		}
	})
}

func TestTextRunsFromWhereItsParagraphsBegin(t *testing.T) {
	for in, want := range map[string][]TextPart{
		"":                  nil,
		"one\ntwo":          {{Text: "one\ntwo"}},
		"שלום\n\n12\nhello": {{Text: "שלום\n\n12", Right: true}, {Text: "hello"}},
		"(تحية) hello\nx":   {{Text: "(تحية) hello", Right: true}, {Text: "x"}},
		"1.\nשלום":          {{Text: "1."}, {Text: "שלום", Right: true}},
	} {
		got := partsOf(in)
		if len(got) != len(want) {
			t.Errorf("%q: %+v", in, got)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%q: %+v, want %+v", in, got[i], want[i])
			}
		}
	}
	if n := len(partsOf(strings.Repeat("a\nא\n", 1000))); n != mostParts {
		t.Errorf("a hostile text is laid out in %d parts", n)
	}
}

func TestDetailsSayWhatWasChecked(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Select(agenttest.SceneQuestion)
		s.ShowDetails() // too early: nothing is open
		synctest.Wait()
		if s.Reading().Aside.Details {
			t.Error("details of a mail that is not open")
		}
		release := s.agent.Hold("Receipts")
		s.ShowDetails()
		synctest.Wait()
		if a := s.Reading().Aside; !a.Details || !a.Loading || len(a.Checks) != 2 {
			t.Errorf("while the receipts are asked for: %+v", a)
		}
		release()
		synctest.Wait()
		a := s.Reading().Aside
		facts := map[string]string{}
		for _, f := range a.Facts {
			facts[f.Name] = f.Value
		}
		bond := s.mail(agenttest.SceneQuestion).Bond
		if facts["Bond"] != bond || facts["From"] != "student@example.edu" || facts["Message-ID"] != "<question@example.edu>" ||
			facts["Escrow’s key"] != "receipt-key" || !strings.HasPrefix(facts["Receipts"], "Paid ") || facts["Proof"] == "" || a.Loading {
			t.Errorf("facts %v", facts)
		}
		s.ShowDetails()
		if s.Reading().Aside.Details {
			t.Error("the same key does not close them")
		}
		s.ShowDetails()
		synctest.Wait()
		if n := s.count("Receipts"); n != 1 {
			t.Errorf("asked %d times", n)
		}
		s.agent.SetReceipts(agentclient.Receipts{Bond: s.mail(agenttest.SceneTalk).Bond, Fault: "receipt 2 is not signed"})
		s.Select(agenttest.SceneTalk)
		synctest.Wait()
		s.ShowDetails()
		synctest.Wait()
		all := ""
		for _, f := range s.Reading().Aside.Facts {
			all += f.Value + "\n"
		}
		s.has("proof", all, "the receipts do not hold: receipt 2 is not signed")
		s.agent.Fail("Receipts", errAway)
		s.Select(agenttest.SceneQuestion)
		synctest.Wait()
		s.ShowDetails()
		synctest.Wait()
		s.has("fault", s.Reading().Aside.Fault, "No agent answers.")
	})
}

func TestTheSourceIsShownBoundedAndSaved(t *testing.T) {
	dir := t.TempDir()
	play(t, agenttest.Scene, func(s *stage) {
		s.open(agentclient.Message{Mail: agentclient.Mail{Subject: "A long/one: \u202e"}, Text: strings.Repeat("line\n", 5000)})
		s.ShowSource()
		synctest.Wait()
		a := s.Reading().Aside
		if !a.Source || strings.Count(a.Text, "\n") > firstLines || strings.Contains(a.Text, "\u202e") {
			t.Errorf("source of %d lines: %+v", strings.Count(a.Text, "\n"), a.Cut)
		}
		s.has("source", a.Text, "Subject: ", "Message-ID: ")
		s.has("cut", a.Cut, "25 kB long; the beginning is shown")
		s.SaveSource(dir)
		synctest.Wait()
		s.has("saved", s.Reading().Aside.Saved.Saved, "one_ \ufffd.eml"[:4], ".eml")
		if !s.CloseAside() || s.CloseAside() {
			t.Error("Escape does not close the source once")
		}
	})
}

func TestReplyQuotesTheMail(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Select(agenttest.SceneHeld)
		s.Reply() // there is nothing to answer yet
		if s.Page() != PageWaiting {
			t.Fatal("an unopened mail is answered")
		}
		s.Select(agenttest.SceneQuestion)
		synctest.Wait()
		s.Reply()
		synctest.Wait()
		d := s.Draft()
		if s.Page() != PageWrite || d.Subject != "Re: A question about your compiler paper" {
			t.Errorf("page %s, draft %+v", s.Page(), d)
		}
		s.has("body", d.Body, "Fri 31 Dec 1999, 23:00 UTC, Ada Student wrote:\n> Dear author,\n> \n> in section 3")
	})
}
