package viewmodel

import (
	"testing"
	"testing/synctest"

	"earnest/gui/words"
)

func TestWhoGetsThePasswordIsShownBeforeItIsTyped(t *testing.T) {
	servers := foundServers
	servers.IMAP, servers.SMTP = "imaps://imap.big.example:993", "smtps://out.other.example:465"
	servers.Elsewhere, servers.Escrow = "big.example and other.example", "https://escrow.example:8443"
	play(t, discovers(servers), func(s *stage) {
		s.SetField(FieldAddress, "me@example.org")
		s.rest()
		f := s.Form()
		if !f.Password || f.Values[FieldPassword] != "" {
			t.Fatalf("form: %+v", f)
		}
		s.has("elsewhere", f.Elsewhere, "not at example.org but at big.example and other.example", "gets your password")
		s.has("escrow", f.Escrow, "escrow.example:8443 keeps the bonds")
		s.Speak(words.German)
		s.has("auf Deutsch", s.Form().Elsewhere, "nicht bei example.org, sondern bei big.example und other.example")
		s.Speak(words.English)
		// Servers that were typed are the person's own choice.
		s.SetManual(true)
		s.SetField(FieldIMAP, "imap.example.org")
		s.SetField(FieldSMTP, "smtp.example.org")
		if f = s.Form(); f.Elsewhere != "" {
			t.Errorf("typed: %q", f.Elsewhere)
		}
		s.SetManual(false)
		s.SetField(FieldPassword, "x")
		s.AddAccount()
		synctest.Wait()
		added := s.agent.Added()
		if len(added) != 1 || added[0].Escrow != servers.Escrow || added[0].IMAP != servers.IMAP || added[0].SMTP != servers.SMTP {
			t.Errorf("added: %+v", added)
		}
	})
}

// TestAPasswordDoesNotGoElsewhereUnseen: Enter was pressed before it was found out
// where the servers are.
func TestAPasswordDoesNotGoElsewhereUnseen(t *testing.T) {
	servers := foundServers
	servers.Elsewhere = "big.example"
	play(t, discovers(servers), func(s *stage) {
		s.SetField(FieldEscrow, "escrow.example")
		s.SetField(FieldAddress, "me@example.org")
		s.SetField(FieldPassword, "x")
		s.AddAccount()
		synctest.Wait()
		f := s.Form()
		if s.count("AddAccount") != 0 || f.Values[FieldPassword] != "x" || f.Busy {
			t.Fatalf("form: %+v", f)
		}
		s.has("elsewhere", f.Elsewhere, "big.example")
		s.has("stopped", f.Error, "look at it")
		s.AddAccount()
		synctest.Wait()
		if added := s.agent.Added(); len(added) != 1 || added[0].Escrow != "https://escrow.example" {
			t.Errorf("added: %+v", added)
		}
	})
}

func TestASignInGoesToItsProviderAndNeedsNoWarning(t *testing.T) {
	servers := foundServers
	servers.Elsewhere, servers.Provider, servers.ProviderReady = "big.example", "google", true
	play(t, discovers(servers), func(s *stage) {
		s.SetField(FieldAddress, "me@example.org")
		s.rest()
		if f := s.Form(); f.Password || f.Elsewhere != "" {
			t.Errorf("form: %+v", f)
		}
	})
}
