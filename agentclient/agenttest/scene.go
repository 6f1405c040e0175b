package agenttest

import (
	"context"
	"time"

	"earnest/agentclient"
)

// The ids of the scene's mails.
const (
	SceneQuestion = "a1question0000000000" // waiting, first time, with an attachment
	SceneTalk     = "b2talk00000000000000" // waiting, little time left
	SceneHeld     = "c3held00000000000000" // waits for the escrow, unopened
	SceneAccepted = "d4accepted0000000000"
	SceneRejected = "e5rejected0000000000"
	SceneDamaged  = "f6damaged00000000000"
)

// Scene is an agent in the midst of its work: an account with a price of €0.25,
// €4.75 available and €0.50 held, six mails, two sent ones, a voucher
// "VOUCHER-5" of €5.00, and the price of author@example.net, who takes €0.50.
func Scene(now func() time.Time) *Agent {
	a := New(now)
	ctx := context.Background()
	at := now()
	if _, err := a.AddAccount(ctx, agentclient.AddAccount{Address: "recipient@example.org", Password: "secret"}); err != nil {
		panic(err)
	}
	a.SetOffer("recipient@example.org", "0.25")
	a.SetOffer("author@example.net", "0.50", "1.00")
	a.SetBalance("escrow.example", "EUR", "5.25", "0.00")
	a.AddVoucher("VOUCHER-5", "5.00")
	for _, m := range sceneMails(at) {
		a.AddMail(m)
	}
	mail := agentclient.Compose{To: []string{"recipient@example.org"}, Subject: "Would you review my patch?", Body: "It is short.\n"}
	for range 2 {
		sent, err := a.Send(ctx, mail)
		if err != nil {
			panic(err)
		}
		a.MoveSent(sent[0].ID, "arrived")
		mail.Subject = "One more question"
	}
	return a
}

func sceneMails(at time.Time) []agentclient.Message {
	hour := time.Hour
	return []agentclient.Message{
		{Mail: agentclient.Mail{ID: SceneDamaged, From: "broken@example.com", Subject: "", State: "damaged", At: at.Add(-96 * hour),
			Error: "This mail was changed on its way and cannot be trusted. It was not opened; nothing was decided."}},
		{Mail: agentclient.Mail{ID: SceneRejected, From: "seller@example.com", Name: "Best Seller", Subject: "Buy now", State: "rejected", At: at.Add(-72 * hour)},
			Text: "Buy now!\n"},
		{Mail: agentclient.Mail{ID: SceneAccepted, From: "friend@example.net", Name: "A Friend", Subject: "Greetings", State: "accepted", At: at.Add(-48 * hour)},
			Text: "Do you remember me?\n"},
		{Mail: agentclient.Mail{ID: SceneHeld, From: "later@example.net", State: "held", At: at.Add(-3 * hour)}},
		{Mail: agentclient.Mail{ID: SceneTalk, From: "host@example.net", Name: "Conference Host", Subject: "A talk in spring", At: at.Add(-320 * hour)},
			Text: "Would you give a talk?\n"},
		{Mail: agentclient.Mail{ID: SceneQuestion, From: "student@example.edu", Name: "Ada Student", Subject: "A question about your compiler paper",
			FirstTime: true, Unread: true, At: at.Add(-1 * hour)},
			MessageID: "<question@example.edu>",
			Text:      "Dear author,\n\nin section 3 you write that the pass ends. Why?\n\nAda\n",
			Attachments: []agentclient.Attachment{
				{Name: "draft.pdf", Type: "application/pdf", Data: []byte("%PDF-1.7 a draft\n")},
			}},
	}
}
