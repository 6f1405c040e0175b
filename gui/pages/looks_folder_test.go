package pages

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/viewmodel"
	"earnest/gui/words"
)

// The ids of the mails of a full house.
const (
	mailRich   = "g7rich00000000000000"
	mailRight  = "h8right0000000000000"
	mailUnpaid = "i9unpaid000000000000"
	mailFree   = "k1free00000000000000"
)

// fullHouse is the scene with every kind of mail in it.
func fullHouse(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	hour := time.Hour
	text := func(s string) []agentclient.Span { return []agentclient.Span{{Text: s}} }
	a.AddMail(agentclient.Message{
		Mail: agentclient.Mail{ID: mailRich, From: "news@journal.example", Name: "The Journal", Subject: "Your article", At: now().Add(-30 * hour), Unread: true},
		Text: "Your article\n\nWe should like to print it.\n", FromHTML: true, MessageID: "<article@journal.example>",
		Blocks: []agentclient.Block{
			{Kind: agentclient.BlockHeading, Depth: 1, Spans: text("Your article")},
			{Kind: agentclient.BlockParagraph, Spans: []agentclient.Span{{Text: "We should like to print it "}, {Text: "in March", Bold: true}, {Text: ", if you "},
				{Text: "agree", Italic: true}, {Text: ". See "}, {Text: "our rules", Link: "https://journal.example/rules?for=authors"}, {Text: " and "},
				{Text: "https://journal.example", Link: "https://journal.example/"}, {Text: "."}}},
			{Kind: agentclient.BlockHeading, Depth: 2, Spans: text("What comes next")},
			{Kind: agentclient.BlockItem, Depth: 1, Number: 1, Spans: text("You read the proofs, which may take a while since there are many pages of them to read with care.")},
			{Kind: agentclient.BlockItem, Depth: 1, Number: 2, Spans: text("We print.")},
			{Kind: agentclient.BlockItem, Depth: 2, Spans: text("On paper")},
			{Kind: agentclient.BlockParagraph, Quote: 1, Spans: text("Would you read my article? It is about compilers that end.")},
			{Kind: agentclient.BlockParagraph, Quote: 2, Spans: text("Which compilers?")},
			{Kind: agentclient.BlockPre, Spans: text("for {\n\tpass()\n}")},
			{Kind: agentclient.BlockRule},
			{Kind: agentclient.BlockParagraph, Spans: text("The Journal")},
		},
		Attachments: []agentclient.Attachment{
			{Name: "proofs with a name that is too long for any line of this window, since its author named it by its whole title.pdf", Type: "application/pdf", Data: []byte(strings.Repeat("x", 212_000))},
			{Name: "../../.profile", Type: "text/plain", Data: []byte("x")},
		},
	})
	a.AddMail(agentclient.Message{Mail: agentclient.Mail{ID: mailRight, From: "dana@example.org", Name: "דנה כהן", Subject: "שאלה על המאמר שלך", FirstTime: true, At: now().Add(-50 * hour)},
		Text: "שלום רב,\n\nקראתי את המאמר שלך בעניין רב.\n\nIn English: I liked it.\n\nتحياتي\n"})
	a.AddMail(agentclient.Message{Mail: agentclient.Mail{ID: mailUnpaid, From: "friend@example.net", Name: "A Friend", State: "unpaid", At: now().Add(-2 * hour)}})
	a.AddMail(agentclient.Message{Mail: agentclient.Mail{ID: mailFree, From: "friend@example.net", Name: "A Friend", Subject: "More greetings", State: "accepted", Free: true, At: now().Add(-5 * hour)},
		Text: "Here I am again.\n"})
	return a
}

func (s *stage) speak(l words.Language) {
	s.model.Speak(l)
	s.shell = New(s.model, s.shell.host)
	s.win.SetContent(s.shell.Content())
}

func (s *stage) opened(id string) {
	s.model.Select(id)
	s.settle()
}

func folderLooks() map[string]look {
	narrow, small := fyne.NewSize(640, 700), fyne.NewSize(400, 700)
	opened := func(id string, more ...func(*viewmodel.Model)) func(*stage) {
		return func(s *stage) {
			s.opened(id)
			for _, do := range more {
				do(s.model)
				s.settle()
			}
		}
	}
	marked := func(s *stage) {
		s.model.Mark(agenttest.SceneQuestion)
		s.model.Extend(1)
		s.model.Mark(mailUnpaid)
	}
	link := func(m *viewmodel.Model) { m.AskLink("https://journal.example/rules?for=authors") }
	german := func(act func(*stage)) func(*stage) {
		return func(s *stage) {
			s.speak(words.German)
			s.settle()
			act(s)
		}
	}
	return map[string]look{
		"folder-rich":         {wide, fullHouse, opened(mailRich)},
		"folder-rich-small":   {small, fullHouse, opened(mailRich)},
		"folder-plain":        {wide, fullHouse, opened(mailRich, (*viewmodel.Model).Plain)},
		"folder-details":      {wide, fullHouse, opened(agenttest.SceneQuestion, (*viewmodel.Model).ShowDetails)},
		"folder-source":       {wide, fullHouse, opened(agenttest.SceneQuestion, (*viewmodel.Model).ShowSource)},
		"folder-link":         {wide, fullHouse, opened(mailRich, link)},
		"folder-link-small":   {small, fullHouse, opened(mailRich, link)},
		"folder-right":        {wide, fullHouse, opened(mailRight)},
		"folder-unpaid":       {wide, fullHouse, opened(mailUnpaid)},
		"folder-ask-accept":   {wide, fullHouse, opened(agenttest.SceneQuestion, (*viewmodel.Model).AskAccept, func(m *viewmodel.Model) { m.SetCount("some") }, (*viewmodel.Model).AcceptCounted)},
		"folder-ask-reject":   {wide, fullHouse, opened(agenttest.SceneQuestion, (*viewmodel.Model).AskReject)},
		"folder-ask-small":    {small, fullHouse, german(opened(agenttest.SceneQuestion, (*viewmodel.Model).AskAccept))},
		"folder-reject-small": {small, fullHouse, german(opened(agenttest.SceneQuestion, (*viewmodel.Model).Reject))},
		"folder-accepted":     {wide, fullHouse, opened(agenttest.SceneQuestion, (*viewmodel.Model).Accept)},
		"folder-both":         {wide, fullHouse, opened(agenttest.SceneQuestion, (*viewmodel.Model).Reject, func(m *viewmodel.Model) { m.Select(mailRich) }, (*viewmodel.Model).Accept)},
		"folder-free": {wide, fullHouse, func(s *stage) {
			s.model.Show(viewmodel.PageAccepted)
			s.opened(mailFree)
		}},
		"folder-marks":       {wide, fullHouse, marked},
		"folder-marks-small": {small, fullHouse, german(marked)},
		"folder-marks-fault": {wide, fullHouse, func(s *stage) {
			marked(s)
			s.agent.Fail("Reject", &agentclient.Failure{Code: "too_late", Happened: "It is too late for that.", Means: "Nothing was changed."})
			s.model.RejectMarked()
		}},
		"folder-nothing": {narrow, fullHouse, func(s *stage) { s.model.Search("compiler theory of everything") }},
		"folder-keys":    {wide, fullHouse, func(s *stage) { s.shell.typedRune('?') }},
		"folder-german":  {narrow, fullHouse, german(opened(agenttest.SceneQuestion))},
		"folder-rejected": {wide, fullHouse, func(s *stage) {
			s.model.Show(viewmodel.PageRejected)
			s.opened(agenttest.SceneRejected)
		}},
	}
}
