package pages

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/viewmodel"
)

const longAddress = "a.very.long.local.part.of.somebody@subdomain.department.university.example.edu"

// writeLooks are the pages of writing, drafts and sent mails. WriteTo types
// nothing, so that no draft is kept in the midst of drawing.
func writeLooks() map[string]look {
	narrow, small := fyne.NewSize(640, 700), fyne.NewSize(400, 700)
	return map[string]look{
		"write-full":      {wide, writers, func(s *stage) { s.writing("Dear author,\n\nin section 3 the pass ends. Why?\n") }},
		"write-small":     {small, writers, func(s *stage) { s.writing("Text") }},
		"write-several":   {narrow, writers, several},
		"write-connected": {narrow, writers, func(s *stage) { s.writeTo("friend@example.net") }},
		"write-other-fingerprint": {narrow, writers, func(s *stage) {
			s.agent.ChangeIdentity("author@example.net", strings.Repeat("n3W_", 10)+"abM")
			s.writeTo("author@example.net")
			s.settle()
			s.model.AcceptFingerprint("author@example.net")
		}},
		"write-no-offer": {small, writers, func(s *stage) { s.writeTo(longAddress) }},
		"write-short": {small, writers, func(s *stage) {
			s.agent.SetBalance("escrow.example", "EUR", "0.10", "0.00")
			s.writing("Text")
			s.model.Send()
		}},
		"write-preview": {wide, writers, func(s *stage) {
			s.writing("Dear author,\n\nin section 3 the pass ends. Why?\n")
			s.model.OpenPreview()
		}},
		"write-preview-small": {small, writers, func(s *stage) {
			s.writing("שלום\n\n" + strings.Repeat("Text that goes on. ", 30))
			s.model.OpenPreview()
		}},
		"drafts":       {wide, writers, func(s *stage) { s.model.Show(viewmodel.PageDrafts); s.model.MoveDraft(1) }},
		"drafts-small": {small, writers, func(s *stage) { s.model.Show(viewmodel.PageDrafts); s.deleteFirst() }},
		"drafts-empty": {wide, priced, func(s *stage) { s.model.Show(viewmodel.PageDrafts) }},
		"sent-empty":   {wide, priced, func(s *stage) { s.model.Show(viewmodel.PageSent) }},
		"sent-fresh": {wide, writers, func(s *stage) {
			s.writing("Text")
			s.model.Send()
			s.settle()
		}},
		"sent-rejected": {wide, writers, func(s *stage) { s.showSent("rejected") }},
		"sent-free":     {narrow, writers, func(s *stage) { s.showSent("free") }},
		"sent-failed":   {small, writers, func(s *stage) { s.showSent("failed") }},
		"sent-list":     {small, writers, func(s *stage) { s.model.Show(viewmodel.PageSent) }},
		"sent-proof": {wide, writers, func(s *stage) {
			s.model.Show(viewmodel.PageSent)
			s.model.SelectSent(s.arrived())
			s.settle()
			s.model.CheckReceipts()
		}},
		"sent-moved": {narrow, movedScene, func(s *stage) { s.showSent("moved") }},
		"sent-file": {narrow, writers, func(s *stage) {
			s.model.Show(viewmodel.PageSent)
			s.model.CheckReceiptFile("letter.json", []byte(`{"bond":"b","receipts":["forged"],"steps":[{"n":1,"event":"paid","money":"held"}]}`))
		}},
	}
}

// writers is a scene with drafts, a friend, and sent mails in every state.
func writers(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	a.AddPerson(agentclient.Person{PersonID: agentclient.PersonID{Address: "friend@example.net"}, Name: "A Friend", FreeThere: agentclient.FreeMails(3)})
	a.SetOffer("friend@example.net", "0.25")
	for i, mail := range []agentclient.Compose{
		{Body: "nothing but text"},
		{To: []string{longAddress, "b@example.net"}, Subject: strings.Repeat("A subject that goes on and on ", 5), Attachments: []agentclient.Attachment{{Name: "a.pdf", Data: []byte("x")}}},
		{To: []string{"author@example.net"}, Subject: "A question about your paper"},
	} {
		if _, err := a.SaveDraft(context.Background(), agentclient.Draft{ID: fmt.Sprint("draft", i), Mail: mail}); err != nil {
			panic(err)
		}
	}
	price := agentclient.Money{Amount: "0.25", Currency: "escrow.example", Unit: "EUR"}
	at := now().Add(-50 * time.Hour)
	old := func(state, money, to, subject string) agentclient.Sent {
		return agentclient.Sent{ID: state, Bond: "bond-" + state, To: to, Subject: subject, Price: price, At: at, State: state, Money: money,
			Beneficiary: "Example Escrow Society", SubmittedAt: at.Add(time.Minute), ArrivedAt: at.Add(time.Hour), EndedAt: at.Add(20 * time.Hour)}
	}
	failed := old("failed", "refunded", "gone@example.com", "Is anybody there?")
	failed.SubmittedAt, failed.ArrivedAt, failed.Kept = time.Time{}, time.Time{}, true
	failed.Error = "Your mail server refused the recipient."
	a.AddSent(failed,
		old("rejected", "forfeited", "editor@example.com", "An offer that you cannot refuse"),
		old("accepted", "refunded", longAddress, strings.Repeat("A subject that goes on ", 8)),
		agentclient.Sent{ID: "free", To: "friend@example.net", Subject: "Lunch?", At: at, State: "submitted", Money: "none", SubmittedAt: at, Free: true})
	return a
}

// movedScene has a sent mail whose deadline was moved while the escrow was away.
func movedScene(now func() time.Time) *agenttest.Agent {
	a, at := agenttest.Scene(now), now().Add(-50*time.Hour)
	a.AddSent(agentclient.Sent{ID: "moved", Bond: "bond", To: "author@example.net", Subject: "A letter that took its time", At: at, State: "arrived", Money: "held",
		Price:       agentclient.Money{Amount: "0.25", Currency: "escrow.example", Unit: "EUR"},
		SubmittedAt: at.Add(time.Minute), ArrivedAt: at.Add(time.Hour).Truncate(time.Hour), DecideBy: at.Add(14 * 24 * time.Hour),
		Outages: []agentclient.Outage{{Escrow: "escrow.example", Began: at.Add(9 * time.Hour), Ended: at.Add(15 * time.Hour)}}})
	return a
}

func (s *stage) writeTo(to string) {
	s.model.WriteTo(to, "", "", "")
	s.until("the offer is there", func() bool {
		r := s.model.Draft().Recipients
		return len(r) == 1 && r[0].Text != s.shell.t("write.asking")
	})
}

func (s *stage) writing(body string) {
	s.model.WriteTo("author@example.net", "A remark on section 3", body, "")
	s.until("the price is known", func() bool { return s.model.Draft().Ready })
}

func several(s *stage) {
	s.model.Write()
	s.model.SetTo("author@example.net, friend@example.net, nobody@example.com, nonsense, recip")
	s.model.SetSubject("To all of you")
	s.model.SetBody("Text")
	s.model.Attach("draft of the paper.pdf", "application/pdf", make([]byte, 212_000))
	s.model.Attach("draft of the paper.pdf", "application/pdf", make([]byte, 2_120_000))
	s.model.AttachTooLarge("film.mp4")
	s.until("the draft is kept", func() bool { return s.model.Draft().Kept != "" })
}

func (s *stage) deleteFirst() {
	s.model.DeleteDraft(s.model.Drafts().Rows[0].ID)
}

func (s *stage) showSent(id string) {
	s.model.Show(viewmodel.PageSent)
	s.model.SelectSent(id)
}

func (s *stage) arrived() string {
	sent, err := s.agent.Sent(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, one := range sent {
		if one.State == "arrived" {
			return one.ID
		}
	}
	s.t.Fatal("no mail has arrived")
	return ""
}
