package viewmodel

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

func chosen(list []Choice) string {
	var ids []string
	for _, c := range list {
		if c.Chosen {
			ids = append(ids, c.ID)
		}
	}
	return strings.Join(ids, " ")
}

func kept(s *stage) agentclient.Settings {
	s.Helper()
	settings, err := s.agent.Settings(context.Background())
	if err != nil {
		s.Fatal(err)
	}
	return settings
}

func TestTheUserModelIsKeptAtOnce(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if v := s.Settings(); chosen(v.Models) != agentclient.ModelFull || len(v.Currencies) != 0 || v.NoLimit != "" {
			t.Errorf("at first: %+v", v)
		}
		s.SetModel(agentclient.ModelSingle)
		if v := s.Settings(); chosen(v.Models) != agentclient.ModelSingle || !v.Saving {
			t.Errorf("while it is saved: %+v", v)
		}
		synctest.Wait()
		if got := kept(s); got.Model != agentclient.ModelSingle || got.Currency != "escrow.example" || chosen(s.Settings().Currencies) != "escrow.example" {
			t.Errorf("kept %+v", got)
		}
		s.has("currency", s.Settings().Currencies[0].Title+" "+s.Settings().Currencies[0].Text, "EUR at escrow.example", "€4.75 available")
		s.SetModel(agentclient.ModelAutomatic)
		synctest.Wait()
		s.has("without limits", s.Settings().NoLimit, "No limit is set")
		if _, err := s.agent.SetLimit(context.Background(), agentclient.SetLimit{Currency: "escrow.example", PerMail: "0.50", PerDay: "2.00"}); err != nil {
			t.Fatal(err)
		}
		s.agent.Emit(agentclient.Event{Type: agentclient.EventStatus})
		synctest.Wait()
		if v := s.Settings(); v.NoLimit != "" || len(v.Limits) != 1 || !strings.Contains(v.Limits[0], "0.50 a mail and") || !strings.Contains(v.Limits[0], "2.00 a day") {
			t.Errorf("with limits: %+v", v)
		}
	})
}

func TestASettingThatIsNotSavedStaysAsItWasAndSaysSo(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.Fail("SetSettings", errAway)
		s.SetModel(agentclient.ModelAutomatic)
		synctest.Wait()
		v := s.Settings()
		if chosen(v.Models) != agentclient.ModelFull || v.Saving {
			t.Errorf("settings: %+v", v)
		}
		s.has("fault", v.Error, "not saved and stays as it was", "No agent answers.")
		s.agent.Fail("SetSettings", nil)
		s.SetModel(agentclient.ModelAutomatic)
		synctest.Wait()
		if v := s.Settings(); v.Error != "" || kept(s).Model != agentclient.ModelAutomatic {
			t.Errorf("again: %+v", v)
		}
	})
}

// TestTheLastOfManyChoicesIsKept: clicks that come while the agent is asked are
// not lost and not overtaken.
func TestTheLastOfManyChoicesIsKept(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		release := s.agent.Hold("SetSettings")
		s.SetModel(agentclient.ModelAutomatic)
		synctest.Wait()
		s.SetModel(agentclient.ModelFull)
		s.SetModel(agentclient.ModelSingle)
		release()
		synctest.Wait()
		if got := kept(s); got.Model != agentclient.ModelSingle || chosen(s.Settings().Models) != agentclient.ModelSingle || s.Settings().Saving {
			t.Errorf("kept %+v, shown %+v", got, s.Settings())
		}
	})
}

func TestEachAccountSaysHowItIs(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		row := s.Settings().Accounts[0]
		if row.Mailbox != "The mailbox is watched." || row.Escrow != "escrow.example answers." || row.Trouble || row.Away || row.Identity == "" {
			t.Errorf("account: %+v", row)
		}
		s.has("card", row.Card.Text, "€0.25", "earnest:recipient@example.org")
		s.agent.SetStatus(func(st *agentclient.Status) {
			st.Accounts[0].Mailbox, st.Accounts[0].MailboxError = "failing", "The mail server refused the user name or the password."
			st.Accounts[0].EscrowUp = false
			st.Accounts[0].Pool = 1
		})
		synctest.Wait()
		row = s.Settings().Accounts[0]
		s.has("mailbox", row.Mailbox, "cannot be watched", "refused the user name")
		s.has("escrow", row.Escrow, "does not answer", "deadlines wait too")
		if !row.Trouble || !row.Away || row.Pool != "1 one-time key ready for strangers" {
			t.Errorf("account: %+v", row)
		}
		s.has("agent", s.Settings().Agent, "Agent test, running since", "memory only")
		s.Speak(words.German)
		s.has("agent", s.Settings().Agent, "läuft seit", "Arbeitsspeicher")
	})
}

func TestTheDoctorSaysWhatToDo(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if s.count("Doctor") != 0 {
			t.Error("checked before anybody asked")
		}
		s.Examine()
		s.Examine()
		if !s.Doctor().Busy {
			t.Error("not busy")
		}
		synctest.Wait()
		if v := s.Doctor(); v.Summary != "Everything is as it should be." || v.Busy || s.count("Doctor") != 1 || v.Rows[0].Name != "Keyring" {
			t.Errorf("checked %d times: %+v", s.count("Doctor"), v)
		}
		s.agent.SetChecks(agentclient.Check{Name: "submission of recipient@example.org", Detail: "The mail server does not answer.", Remedy: "Check the network."},
			agentclient.Check{Name: "something new", OK: true})
		s.Examine()
		synctest.Wait()
		if v := s.Doctor(); v.Summary != "1 thing is not as it should be." || v.Rows[0] != (CheckRow{Name: "Sending mail", Text: "The mail server does not answer.", Remedy: "Check the network."}) || v.Rows[1].Name != "something new" {
			t.Errorf("doctor: %+v", v)
		}
		s.agent.Fail("Doctor", errors.New("no answer"))
		s.Examine()
		synctest.Wait()
		if v := s.Doctor(); v.Error != "No answer." || len(v.Rows) != 2 {
			t.Errorf("failed: %+v", v)
		}
	})
}

func TestTheLogIsFilteredByLevelAndCopiedAsItStands(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.LoadLog()
		synctest.Wait()
		s.has("empty", s.Log().Empty, "nothing yet")
		at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
		var lines []agentclient.LogLine
		for i, level := range []string{"DEBUG", "INFO", "WARN", "ERROR", "odd"} {
			lines = append(lines, agentclient.LogLine{Time: at.Add(time.Duration(i) * time.Second), Level: level, Text: "said\n" + level})
		}
		s.agent.SetLog(lines...)
		s.LoadLog()
		synctest.Wait()
		for level, want := range map[string]string{"DEBUG": "odd ERROR WARN INFO DEBUG", "INFO": "odd ERROR WARN INFO", "WARN": "odd ERROR WARN", "ERROR": "odd ERROR"} {
			s.SetLogLevel(level)
			var got []string
			for _, r := range s.Log().Rows {
				got = append(got, r.Level)
			}
			if strings.Join(got, " ") != want || chosen(s.Log().Levels) != level {
				t.Errorf("%s: %v", level, got)
			}
		}
		s.SetLogLevel("ERROR")
		if got := s.LogText(); got != "2026-11-22 10:00:03 ERROR said ERROR\n2026-11-22 10:00:04 odd said odd\n" {
			t.Errorf("copied %q", got)
		}
		s.agent.SetLog(lines[0])
		s.LoadLog()
		synctest.Wait()
		s.has("none of the level", s.Log().Empty, "of this level")
	})
}

func TestTheReportIsShownBeforeItGoesAnywhere(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if s.Report().Text != "" || s.count("Diagnostics") != 0 {
			t.Error("made before anybody asked")
		}
		s.LoadReport()
		synctest.Wait()
		if v := s.Report(); v.Text != "earnest test\naccounts: 1" || v.Busy {
			t.Errorf("report: %+v", v)
		}
		s.ReportSaved("report.txt", nil)
		s.has("saved", s.Report().Saved, "Saved as report.txt.")
		s.ReportSaved("report.txt", errors.New("the disk is full"))
		s.has("not saved", s.Report().Saved, "was not saved", "The disk is full.")
		s.agent.Fail("Diagnostics", errAway)
		s.LoadReport()
		synctest.Wait()
		if v := s.Report(); v.Error != "No agent answers." || v.Text == "" {
			t.Errorf("failed: %+v", v)
		}
	})
}
