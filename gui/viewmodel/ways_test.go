package viewmodel

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// TestW_ADraftToSeveralKeepsTheWayToPayOfEach: what was chosen for one recipient is not
// lost, and not another's, when the draft is opened again.
func TestW_ADraftToSeveralKeepsTheWayToPayOfEach(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.SetOffer("second@example.net", "0.10", "0.20", "0.30")
		s.agent.SetOffer("third@example.net", "0.10")
		s.Write()
		s.addressed("author@example.net, second@example.net, third@example.net, ")
		s.SetOption("author@example.net", 1)
		s.SetOption("second@example.net", 2)
		s.SetPaid("third@example.net", true)
		s.SetSubject("To three")
		time.Sleep(time.Minute)
		synctest.Wait()
		kept := s.drafts()
		if len(kept) != 1 || len(kept[0].Ways) != 3 || kept[0].Ways[1] != (agentclient.Way{To: "second@example.net", Option: 3}) {
			t.Fatalf("kept: %+v", kept)
		}
		s.SetAside()
		synctest.Wait()
		s.OpenDraft(kept[0].ID)
		synctest.Wait()
		way := map[string]int{}
		for _, r := range s.Draft().Recipients {
			way[r.Address] = r.Way
		}
		if way["author@example.net"] != 1 || way["second@example.net"] != 2 || !s.Model.draft.paid["third@example.net"] {
			t.Errorf("opened again: %v, %v", way, s.Model.draft.paid)
		}
	})
}

// TestW_WhatGoesFreeIsOfTheAccountThatThePriceNames: before the people are known, an
// offer says of one own address that mail goes free, and of no other.
func TestW_WhatGoesFreeIsOfTheAccountThatThePriceNames(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if _, err := s.agent.AddAccount(context.Background(), agentclient.AddAccount{Address: "second@example.org", Password: "x"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		price := agentclient.Price{Address: "author@example.net", Connected: true, Free: agentclient.FreeAlways, From: "second@example.org"}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.folk.loaded = false
		for from, want := range map[string]agentclient.Free{"second@example.org": agentclient.FreeAlways, "recipient@example.org": agentclient.FreeNone} {
			s.Model.draft.from = from
			if got := s.free(s.Model.draft, "author@example.net", price); got != want {
				t.Errorf("from %s goes %q, want %q", from, got, want)
			}
		}
	})
}
