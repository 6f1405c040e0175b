package viewmodel

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

func euro(amount string) agentclient.Money {
	return agentclient.Money{Amount: amount, Currency: "escrow.example", Unit: "EUR"}
}

// moved is a scene whose account has a past.
func moved(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	for i, kind := range []string{agentclient.MoveTopUp, agentclient.MoveHold, agentclient.MoveForfeit, agentclient.MoveHold, agentclient.MoveRefund, agentclient.MoveGain} {
		a.AddMovement(agentclient.Movement{Account: "recipient@example.org", Escrow: "escrow.example", Time: now().Add(time.Duration(i)*time.Minute - 40*24*time.Hour),
			Kind: kind, Amount: euro("0.25"), Available: euro("4.00"), Held: euro("0.75"), Bond: fmt.Sprint("bond", i), With: "=cmd@example.net", Subject: "=1+2"})
	}
	return a
}

// statementText is the whole statement as it is shown.
func (s *stage) statementText() (days, entries []string) {
	for i, day := range s.Statement().Lines {
		l := s.StatementLine(i)
		if day != (l.Day != "") {
			s.Errorf("line %d: %+v, day %v", i, l, day)
		}
		if day {
			days = append(days, l.Day)
			continue
		}
		entries = append(entries, l.Title+" | "+l.What+" | "+l.Amount+" | "+l.Balance)
	}
	return days, entries
}

func TestTheStatementSaysWhatHappenedDayByDay(t *testing.T) {
	play(t, moved, func(s *stage) {
		if s.count("Movements") != 0 {
			t.Error("the statement is asked for before anybody looks at it")
		}
		s.Show(PageMoney)
		synctest.Wait()
		s.update(func() { // the agent tells the newest first
			slices.SortStableFunc(s.statement.moves, func(x, y agentclient.Movement) int { return y.Time.Compare(x.Time) })
			s.statement.version++
		})
		days, entries := s.statementText()
		if len(days) != 2 || len(entries) != 8 {
			t.Fatalf("days %q, entries %q", days, entries)
		}
		s.has("newest", entries[0], "recipient@example.org | ", "held", "| −€0.25 | ", "€4.75 available, €0.50 held")
		for i, want := range []string{"received | +€0.25", "came back | +€0.25", "held | −€0.25", "forfeited | €0.25", "held | −€0.25", "topped up | +€0.25"} {
			kind, amount, _ := strings.Cut(want, " | ")
			s.has(want, entries[i+2], "  ·  "+kind, " | "+amount+" | ")
		}
		v := s.Statement()
		if v.Count != "8 movements" || v.Currencies != nil || len(v.Kinds) != 10 || len(v.Periods) != int(periods) {
			t.Errorf("view: %+v", v)
		}
		s.SetStatementKind(3)
		if _, entries = s.statementText(); len(entries) != 1 || s.Statement().Kind != 3 {
			t.Errorf("forfeited: %q", entries)
		}
		s.SetStatementPeriod(int(PeriodMonth))
		if v := s.Statement(); len(v.Lines) != 0 || v.Empty.Title != "Nothing found" {
			t.Errorf("view: %+v", v)
		}
		s.SetStatementKind(0)
		if days, entries = s.statementText(); len(days) != 1 || len(entries) != 2 {
			t.Errorf("this month: %q %q", days, entries)
		}
		asked := s.count("Movements")
		s.agent.AddMovement(agentclient.Movement{Account: "recipient@example.org", Escrow: "escrow.example", Time: time.Now(), Kind: agentclient.MoveTopUp, Amount: euro("5.00"), Available: euro("9.75"), Held: euro("0.50")})
		synctest.Wait()
		if _, entries = s.statementText(); len(entries) != 3 || s.count("Movements") != asked+1 {
			t.Errorf("what moved while the page is shown is not on it: %q", entries)
		}
	})
}

func TestPeriodsAreWholeMonthsAndYearsHere(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, berlin)
	for p, want := range map[Period]string{
		PeriodMonth: "2026-01-01T00:00:00+01:00 0001-01-01T00:00:00Z", PeriodLastMonth: "2025-12-01T00:00:00+01:00 2026-01-01T00:00:00+01:00",
		PeriodYear: "2026-01-01T00:00:00+01:00 0001-01-01T00:00:00Z", PeriodLastYear: "2025-01-01T00:00:00+01:00 2026-01-01T00:00:00+01:00",
	} {
		from, to := p.span(now)
		if got := from.Format(time.RFC3339) + " " + to.Format(time.RFC3339); got != want {
			t.Errorf("%d: %s, want %s", p, got, want)
		}
	}
}

func TestTheExportIsTheStatementAndNoFormula(t *testing.T) {
	play(t, moved, func(s *stage) {
		s.Show(PageMoney)
		synctest.Wait()
		var got string
		s.ExportStatement(func(data []byte) error { got = string(data); return nil })
		synctest.Wait()
		rows, err := csv.NewReader(strings.NewReader(got)).ReadAll()
		if err != nil || len(rows) != 9 {
			t.Fatalf("%v: %q", err, got)
		}
		if !strings.HasPrefix(got, "Time,Account,Escrow,Kind,With,Subject,Amount,Currency,Available after,Held after,Bond,Topped up by,Reason or reference\r\n") {
			t.Errorf("head: %q", got)
		}
		all := map[string]int{}
		for _, row := range rows[1:] {
			if _, err := time.Parse(time.RFC3339, row[0]); err != nil {
				t.Error(err)
			}
			all[row[3]+" "+row[6]]++
			for i, c := range row {
				if _, number := amount(strings.TrimPrefix(c, "-")); c != "" && strings.ContainsRune("=+-@", rune(c[0])) && !number {
					t.Errorf("column %d begins like a formula: %q", i, c)
				}
			}
		}
		for kind, n := range map[string]int{"held -0.25": 4, "came back 0.25": 1, "forfeited 0.25": 1, "topped up 0.25": 1, "received 0.25": 1} {
			if all[kind] != n {
				t.Errorf("%s: %d, want %d of %v", kind, all[kind], n, all)
			}
		}
		s.has("row", got, "'=cmd@example.net,'=1+2,")
		s.has("said", s.Statement().Saved, "Saved 8 movements.")
		s.SetStatementKind(3)
		s.ExportStatement(func(data []byte) error { got = string(data); return nil })
		synctest.Wait()
		if n := strings.Count(got, "\r\n"); n != 2 {
			t.Errorf("one kind is shown, and %d lines are written", n)
		}
		s.ExportStatement(func([]byte) error { return errors.New("the disk is full") })
		synctest.Wait()
		if v := s.Statement(); !v.Failed || v.Saving {
			t.Errorf("a full disk: %+v", v)
		}
		s.has("said", s.Statement().Saved, "not saved", "The disk is full.")
		s.has("name", s.StatementFile(), "earnest-statement-2000-01-01.csv")
	})
}

func TestCellsOfStrangersAreText(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+49 30": "'+49 30", "-x": "'-x", "@SUM(A1)": "'@SUM(A1)", "|calc": "'|calc", "＝1": "'＝1",
		"\t=1": "'=1", "a\r\nb": "a b", "-0.25": "-0.25", "0.25": "0.25", "-0,25": "'-0,25", "a=b": "a=b", "": "", "\u202e=1": "\uFFFD=1", "a\xffb": "a\uFFFDb",
	} {
		if got := cell(in); got != want {
			t.Errorf("cell(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestAStatementThatCannotBeHadSaysWhyAndThenComes(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.Fail("Movements", &agentclient.Failure{Code: "unavailable", Happened: "escrow.example does not answer."})
		s.Show(PageMoney)
		synctest.Wait()
		if v := s.Statement(); v.Empty.Title == "" || v.Empty.Text != "escrow.example does not answer." || s.Chart().Empty.Text != v.Empty.Text {
			t.Errorf("view: %+v", v)
		}
		s.agent.Fail("Movements", nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if v := s.Statement(); len(v.Lines) == 0 || v.LoadErr != "" {
			t.Errorf("view: %+v", v)
		}
	})
}

func TestTheChartSumsWeeksAndMonths(t *testing.T) {
	play(t, func(now func() time.Time) *agenttest.Agent {
		a := agenttest.New(now)
		if _, err := a.AddAccount(t.Context(), agentclient.AddAccount{Address: "me@example.org", Password: "x"}); err != nil {
			t.Fatal(err)
		}
		return a
	}, func(s *stage) {
		s.Show(PageMoney)
		synctest.Wait()
		if c := s.Chart(); c.Show || c.Empty.Title != "Nothing to draw yet" {
			t.Errorf("chart: %+v", c)
		}
		// The bubble's clock begins on Saturday, 1 January 2000.
		at := func(kind, amount string, back time.Duration) {
			s.agent.AddMovement(agentclient.Movement{Account: "me@example.org", Escrow: "escrow.example", Time: time.Now().Add(-back), Kind: kind, Amount: euro(amount), Available: euro("1.00"), Held: euro("0.00")})
		}
		day := 24 * time.Hour
		at(agentclient.MoveHold, "0.25", 0)
		at(agentclient.MoveHold, "0.50", 2*day) // Thursday of this week, last month
		at(agentclient.MoveHold, "9.00", 100*day)
		at(agentclient.MoveRefund, "0.25", 7*day)
		at(agentclient.MoveForfeit, "1.00", 40*day)
		at(agentclient.MoveTopUp, "5.00", 0)
		synctest.Wait()
		c := s.Chart()
		if !c.Show || len(c.Rows) != 3 || len(c.Rows[0].Bars) != chartSpans || c.Rows[0].Total != "€0.75" || c.Rows[1].Total != "€0.25" || c.Rows[2].Total != "€1.00" {
			t.Fatalf("chart: %+v", c)
		}
		if last := c.Rows[0].Bars[chartSpans-1]; last.Amount != "0.75" || last.Part != 0.75 || last.Label != "27 Dec" {
			t.Errorf("this week: %+v", last)
		}
		if b := c.Rows[1].Bars[chartSpans-2]; b.Amount != "0.25" || c.Rows[2].Bars[chartSpans-6].Amount == "" && c.Rows[2].Bars[chartSpans-7].Amount == "" {
			t.Errorf("last week: %+v, %+v", b, c.Rows[2].Bars)
		}
		s.has("words", c.Words, "In 12 weeks €0.75 was held, €0.25 came back and €1.00 was forfeited.", "the week from 27 Dec: €0.75.")
		s.SetChartSpan(1)
		c = s.Chart()
		if bars := c.Rows[0].Bars; bars[chartSpans-1].Amount != "0.25" || bars[chartSpans-1].Label != "2000" || bars[chartSpans-2].Amount != "0.50" || bars[chartSpans-5].Amount != "9.00" {
			t.Errorf("by months: %+v", bars)
		}
		s.has("words", c.Words, "In 12 months €9.75 was held", "Most was held in Sep: €9.00.")
		s.Speak(words.German)
		s.has("words", s.Chart().Words, "In 12 Monaten wurden 9,75\u00a0€ hinterlegt")
	})
}

// A view of the statement must be fast however long it is: it is made at each
// change of anything in the window.
func BenchmarkStatementOfTenThousand(b *testing.B) {
	m := New(Config{Agent: agenttest.New(time.Now), Location: time.UTC})
	for i := range 10_000 {
		m.statement.moves = append(m.statement.moves, agentclient.Movement{Time: time.Now().Add(-time.Duration(i) * time.Hour), Kind: agentclient.MoveHold,
			Amount: euro("0.25"), Available: euro("1.00"), Held: euro("1.00"), With: "author@example.net", Subject: "A remark"})
	}
	for b.Loop() {
		v := m.Statement()
		for i := range 20 {
			m.StatementLine(len(v.Lines)/2 + i)
		}
	}
}
