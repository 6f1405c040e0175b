package main

import (
	"context"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// The mails that the test decides.
const (
	letterID = "a1letter000000000000"
	talkID   = "b2talk00000000000000"
)

// scene is an agent as a person might find it on a Monday morning. It is what
// the picture of the window shows.
func scene(now func() time.Time) *agenttest.Agent {
	a := agenttest.New(now)
	ctx := context.Background()
	if _, err := a.AddAccount(ctx, agentclient.AddAccount{Address: "author@example.org", Password: "secret"}); err != nil {
		panic(err)
	}
	a.SetOffer("author@example.org", "0.25")
	a.SetOffer("editor@example.net", "0.50", "1.00")
	a.SetBalance("escrow.example", "EUR", "5.00", "0.00")
	for _, m := range letters(now()) {
		a.AddMail(m)
	}
	sent, err := a.Send(ctx, agentclient.Compose{To: []string{"editor@example.net"}, Subject: "A correction to chapter 4", Body: "See page 88.\n"})
	if err != nil {
		panic(err)
	}
	a.MoveSent(sent[0].ID, "arrived")
	return a
}

func letters(at time.Time) []agentclient.Message {
	mail := func(id, from, name, subject string, ago time.Duration) agentclient.Message {
		return agentclient.Message{Mail: agentclient.Mail{ID: id, From: from, Name: name, Subject: subject, At: at.Add(-ago), Unread: true},
			Text: "Dear author,\n\na short question.\n"}
	}
	day := 24 * time.Hour
	letter := mail(letterID, "m.okafor@uni.example", "Mariam Okafor", "Your talk on type inference: may I translate it?", 26*time.Hour)
	letter.FirstTime = true
	letter.Text = "Dear author,\n\nI teach compilers to second-year students, and your talk on type inference is the clearest " +
		"introduction that I know. Few of my students read English well, so I would like to translate the slides " +
		"and the notes, and publish them under your name with a link to the original.\n\n" +
		"Two questions: under which licence are the drawings, and is there a newer version of the part on " +
		"generalisation? The one on your page stops at slide 41.\n\n" +
		"A sample of the first ten pages is attached.\n\nThank you for your time,\nMariam Okafor\n"
	letter.Attachments = []agentclient.Attachment{{Name: "sample-first-ten-pages.pdf", Type: "application/pdf", Data: make([]byte, 212_000)}}
	held := mail("c3held00000000000000", "later@example.net", "", "", 3*time.Hour)
	held.State = "held"
	return []agentclient.Message{
		mail(talkID, "host@conference.example", "Lena Brandt", "A keynote in spring?", 13*day+8*time.Hour),
		mail("d4patch0000000000000", "jo@small.example", "Jo Castellanos", "A patch for the parser, and why it is so long that it needs an explanation", 9*day),
		letter,
		mail("e5thesis000000000000", "s.virtanen@tech.example", "Saku Virtanen", "Question about lemma 7 in your thesis", 5*time.Hour),
		mail("f6press0000000000000", "desk@weekly.example", "", "Two questions for an article on open source funding", 2*time.Hour),
		held,
	}
}
