package viewmodel

import (
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

const safeOne = "recipient@example.org"

func TestAnAccountIsFrozenAndUnfrozen(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if s.Banner().Show {
			t.Fatalf("banner: %+v", s.Banner())
		}
		s.OpenSafety(safeOne)
		synctest.Wait()
		v := s.Safety()
		if !v.Open || !v.Loaded || v.Frozen || v.Act != "Freeze" || !v.Guarded || s.Page() != PageSettings {
			t.Fatalf("looked at: %+v", v)
		}
		s.has("means", v.State+v.Means+v.Quiet, "Not frozen at escrow.example", "buys nothing, pays nothing out and changes no price", "48 hours", "Nothing waits")
		s.Freeze()
		s.Freeze()
		synctest.Wait()
		if v = s.Safety(); !v.Frozen || v.Act != "Unfreeze" || s.count("OrderAccount") != 2 {
			t.Fatalf("frozen: %+v after %d orders", v, s.count("OrderAccount"))
		}
		s.has("frozen", v.State+v.Done, "Frozen at escrow.example since", "The account is frozen.")
		s.CloseSafety()
		s.has("banner", s.Banner().Text, "recipient@example.org is frozen at escrow.example", "can be decided")
		s.Show(PageWaiting)
		s.LookAtBanner()
		synctest.Wait()
		if !s.Safety().Open || s.Page() != PageSettings || s.Banner().Show {
			t.Error("the banner leads nowhere, or stands over what it leads to")
		}
		s.Freeze()
		synctest.Wait()
		s.CloseSafety()
		if s.Banner().Show {
			t.Error("unfrozen, and the banner stays")
		}
	})
}

func TestWhatWaitsIsToldAndCancelled(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		at := time.Now()
		s.agent.SetSafety(agentclient.AccountSafety{Address: safeOne, Escrow: "escrow.example", Changes: []agentclient.AccountChange{
			{ID: "c1", Kind: "address", Subject: safeOne, AskedAt: at, DueAt: at.Add(14 * 24 * time.Hour)},
			{ID: "c2", Kind: "rotate", Ours: true, AskedAt: at, DueAt: at.Add(48 * time.Hour)},
			{ID: "c3", Kind: "limit", Subject: "escrow.example", Ours: true, AskedAt: at, DueAt: at.Add(48 * time.Hour)},
		}})
		synctest.Wait()
		s.has("banner", s.Banner().Text, "Another account wants your address recipient@example.org")
		s.LookAtBanner()
		synctest.Wait()
		v := s.Safety()
		if len(v.Changes) != 3 || !v.Changes[0].Theirs || v.Changes[1].Theirs || v.Guarded {
			t.Fatalf("%+v", v)
		}
		s.has("changes", v.Changes[0].Text+v.Changes[1].Text+v.Changes[2].Text+v.Guard, "Another account wants", "another key", "spending limit", "no recovery key")
		s.CancelChange("c1")
		synctest.Wait()
		if v = s.Safety(); len(v.Changes) != 2 || v.Changes[0].ID != "c2" {
			t.Errorf("cancelled: %+v", v.Changes)
		}
		s.has("done", v.Done, "does not act any more")
		s.CloseSafety()
		s.Speak(words.German)
		s.has("banner", s.Banner().Text, "anderen Schlüssel")
	})
}

func TestUnfreezingWithoutARecoveryKeyWaits(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.SetSafety(agentclient.AccountSafety{Address: safeOne, Escrow: "escrow.example", FrozenAt: time.Now()})
		s.OpenSafety(safeOne)
		synctest.Wait()
		s.Freeze()
		synctest.Wait()
		v := s.Safety()
		if !v.Frozen || v.Act != "" || len(v.Changes) != 1 {
			t.Fatalf("%+v", v)
		}
		s.has("said", v.Done+v.Changes[0].Text, "stays frozen for 48 hours", "is to be unfrozen")
		s.CancelChange(v.Changes[0].ID)
		synctest.Wait()
		if v = s.Safety(); v.Act != "Unfreeze" {
			t.Errorf("cancelled: %+v", v)
		}
	})
}

func TestAnAccountsDataIsSavedOnce(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.OpenSafety(safeOne)
		synctest.Wait()
		if name := s.AccountFile(); name != "earnest-account-recipient@example.org.json" {
			t.Errorf("file %q", name)
		}
		var got []byte
		s.ExportAccount(func(data []byte) error { got = data; return nil })
		s.ExportAccount(func([]byte) error { t.Error("saved twice"); return nil })
		synctest.Wait()
		if !json.Valid(got) || s.Safety().Failed {
			t.Errorf("saved %q", got)
		}
		s.has("saved", s.Safety().Saved, "Saved.")
		s.ExportAccount(func([]byte) error { return errors.New("the disk is full") })
		synctest.Wait()
		if !s.Safety().Failed {
			t.Error("a failure is called saved")
		}
		s.has("not saved", s.Safety().Saved, "The disk is full.")
	})
}

func TestAnAccountIsDeletedOnlyBehindAQuestionAndMoneyBehindASecond(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		decided(s)
		s.OpenSafety(safeOne)
		synctest.Wait()
		orders := s.count("OrderAccount")
		s.DeleteAccount()
		synctest.Wait()
		if s.count("OrderAccount") != orders || s.count("RemoveAccount") != 0 {
			t.Fatal("deleted without a question")
		}
		s.AskDelete()
		s.has("question", s.Safety().Delete.Title+s.Safety().Delete.Text, "Delete recipient@example.org at escrow.example, and here?", "password", "key ids and amounts")
		s.KeepDelete()
		if s.Safety().Delete.Asked {
			t.Error("no is no answer")
		}
		s.AskDelete()
		s.agent.Fail("RemoveAccount", &agentclient.Failure{Code: agentclient.CodeState, Field: "giveUp", Happened: "Money is there."})
		s.DeleteAccount()
		synctest.Wait()
		s.has("second question", s.Safety().Delete.Title+s.Safety().Delete.Text+s.Safety().Delete.Remove, "Give the money up?", "€4.75", "cannot be had back", "paid out first", "Give it up and delete")
		s.agent.Fail("RemoveAccount", nil)
		s.DeleteAccount()
		synctest.Wait()
		if s.Safety().Open || len(s.Settings().Accounts) != 0 || s.Page() != PageAccount {
			t.Errorf("deleted: %+v, page %s", s.Safety(), s.Page())
		}
		s.has("said", s.Settings().Done, "was deleted at its escrow and here")
	})
}
