package viewmodel

import (
	"strings"
	"testing"
	"testing/synctest"

	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

func TestAnotherFingerprintIsAcceptedOnlyByGivingIt(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		const address = "author@example.net"
		shown := strings.Repeat("n3W_", 10) + "abM"
		s.agent.ChangeIdentity(address, shown)
		s.Write()
		r := s.addressed(address + ",").Recipients[0]
		if !r.Alarm || r.Print != "" || r.Tone != Against {
			t.Fatalf("recipient: %+v", r)
		}
		s.has("alarm", r.Text, shown, "Nothing was paid or sent", "by another way than mail")
		if strings.Contains(r.Text, "earnest price") {
			t.Errorf("the window sends to the command line: %s", r.Text)
		}
		s.AcceptFingerprint(address)
		synctest.Wait()
		s.has("fault", s.Draft().Recipients[0].PrintFault, "whole fingerprint")
		s.TypeFingerprint(address, "yes")
		s.AcceptFingerprint(address)
		synctest.Wait()
		if r = s.Draft().Recipients[0]; !r.Alarm || s.count("AcceptFingerprint") != 1 || r.Print != "yes" {
			t.Fatalf("after a yes: %+v", r)
		}
		s.has("fault", r.PrintFault, "not the fingerprint")
		s.TypeFingerprint(address, shown)
		s.AcceptFingerprint(address)
		s.AcceptFingerprint(address)
		synctest.Wait()
		if r = s.Draft().Recipients[0]; r.Alarm || r.Cost == "" || s.count("AcceptFingerprint") != 2 {
			t.Errorf("accepted %d times: %+v", s.count("AcceptFingerprint"), r)
		}
		s.Speak(words.German)
		s.AcceptFingerprint(address) // nothing is asked any more
		if synctest.Wait(); s.count("AcceptFingerprint") != 2 {
			t.Error("what was accepted was accepted once more")
		}
	})
}
