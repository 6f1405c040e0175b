package pages

import (
	"time"

	"fyne.io/fyne/v2"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/viewmodel"
)

// startLooks are the first start, the settings and the people.
func startLooks() map[string]look {
	typed := func(s *stage) {
		s.model.SetField(viewmodel.FieldAddress, "me@example.org")
		s.settle()
	}
	added := func(s *stage) {
		typed(s)
		s.model.SetField(viewmodel.FieldPassword, "secret")
		s.model.AddAccount()
		s.settle()
	}
	small := fyne.NewSize(400, 700)
	return map[string]look{
		"first":        {wide, knows(nil), func(*stage) {}},
		"first-found":  {wide, knows(nil), typed},
		"first-none":   {wide, agenttest.New, typed},
		"first-faults": {wide, agenttest.New, func(s *stage) { s.model.AddAccount() }},
		"first-elsewhere": {small, knows(func(v *agentclient.Servers) {
			v.IMAP, v.SMTP, v.Elsewhere = "imaps://imap.provider.example:993", "smtps://smtp.provider.example:465", "provider.example"
		}), typed},
		"first-small": {small, knows(nil), typed},
		"first-login": {wide, knows(func(v *agentclient.Servers) { v.Provider, v.ProviderReady = "google", true }), func(s *stage) {
			typed(s)
			s.model.AddAccount()
		}},
		"first-failed": {wide, knows(nil), func(s *stage) {
			s.agent.Fail("AddAccount", &agentclient.Failure{Code: agentclient.CodeLogin, Field: "password",
				Happened: "The mail server refused the password.", Means: "Nothing was saved.", Do: "Type it again."})
			added(s)
		}},
		"first-price": {wide, knows(nil), added},
		"first-card": {wide, knows(nil), func(s *stage) {
			added(s)
			s.model.SaveSetupPrice()
		}},
		"account-change":  {wide, troubled, func(s *stage) { s.model.ChangeAccount("recipient@example.org") }},
		"settings":        {wide, agenttest.Scene, func(s *stage) { s.model.Show(viewmodel.PageSettings) }},
		"settings-small":  {small, troubled, func(s *stage) { s.model.Show(viewmodel.PageSettings) }},
		"settings-doctor": {wide, troubled, func(s *stage) { behind(s, "doctor") }},
		"settings-log":    {wide, troubled, func(s *stage) { behind(s, "log") }},
		"settings-report": {wide, troubled, func(s *stage) { behind(s, "report") }},
		"settings-remove": {wide, troubled, func(s *stage) {
			s.model.Show(viewmodel.PageSettings)
			s.model.AskRemoveAccount("recipient@example.org")
		}},
		"settings-remove-money": {small, agenttest.Scene, func(s *stage) {
			s.model.Show(viewmodel.PageSettings)
			s.agent.Fail("RemoveAccount", &agentclient.Failure{Code: agentclient.CodeState, Field: "force", Happened: "Money is there."})
			s.model.AskRemoveAccount("recipient@example.org")
			s.model.RemoveAccount()
		}},
		"people":       {wide, folks, func(s *stage) { s.model.Show(viewmodel.PagePeople) }},
		"people-empty": {wide, agenttest.Scene, func(s *stage) { s.model.Show(viewmodel.PagePeople) }},
		"person":       {wide, folks, func(s *stage) { choosePerson(s, 0) }},
		"person-rtl":   {wide, folks, func(s *stage) { choosePerson(s, 1) }},
		"person-small": {small, folks, func(s *stage) { choosePerson(s, 2) }},
		"person-remove": {wide, folks, func(s *stage) {
			choosePerson(s, 2)
			s.model.AskRemove()
		}},
	}
}

func choosePerson(s *stage, i int) {
	s.model.Show(viewmodel.PagePeople)
	s.model.SelectPerson(i)
}

func behind(s *stage, name string) {
	s.model.Show(viewmodel.PageSettings)
	s.settle()
	s.shell.shown.(*settingsPage).show(name)
}

// troubled is the scene with a second account that cannot be watched, and a log.
func troubled(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	a.SetStatus(func(status *agentclient.Status) {
		second := status.Accounts[0]
		second.Address = "a.very.long.local.part@subdomain.department.university.example.edu"
		second.Mailbox, second.MailboxError = "failing", "The mail server refused the user name or the password."
		second.EscrowUp = false
		status.Accounts = append(status.Accounts, second)
	})
	a.SetChecks(agentclient.Check{Name: "keyring (os)", OK: true, Detail: "it keeps keys and passwords"},
		agentclient.Check{Name: "mailbox of recipient@example.org", Detail: "The mail server refused the user name or the password.",
			Remedy: "Check both; some providers want a password made for one program."})
	a.SetLog(agentclient.LogLine{Time: now().Add(-time.Minute), Level: "INFO", Text: "the mailbox is watched account=7f3a"},
		agentclient.LogLine{Time: now(), Level: "ERROR", Text: "the mailbox cannot be watched account=91bc err=\"the server refused the user name or the password\" and more that is too long for one line"})
	return a
}
