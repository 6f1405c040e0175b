package localapi

import (
	"time"

	"earnest/agentclient"
)

// draftForms are the forms of mails that are not sent, and of how the agent works.
func draftForms(at func(day int) time.Time) map[string]any {
	compose := agentclient.Compose{To: []string{"author@example.net"}, Subject: "Your book", Body: "Dear author"}
	return map[string]any{
		"Draft": agentclient.Draft{ID: "7b1e…", Changed: at(22), Mail: compose, Ways: []agentclient.Way{{To: "author@example.net", Option: 2, Paid: true}}},
		"Preview": agentclient.Preview{Message: agentclient.Message{Mail: agentclient.Mail{From: "recipient@example.org", To: "author@example.net",
			Subject: "Your book", At: at(22), State: "waiting", Unread: true}, Date: at(22), MessageID: "<id@example.org>", Text: "Dear author"},
			Outside: []string{"From: recipient@example.org", "To: author@example.net", "Subject: [...]"}, Size: 2300},
		"Source":      agentclient.Source{Raw: []byte("From: student@example.edu\r\n")},
		"Block":       block(),
		"Reject":      agentclient.Reject{Reason: "He sells something"},
		"Settings":    agentclient.Settings{Model: agentclient.ModelSingle, Currency: "escrow.example"},
		"LogLine":     agentclient.LogLine{Time: at(22), Level: "WARN", Text: "a report waits for the escrow code=unavailable"},
		"Diagnostics": agentclient.Diagnostics{Text: "Earnest diagnostics, 2026-11-22T10:00:00Z\n…"},
	}
}

func block() agentclient.Block {
	return agentclient.Block{Kind: agentclient.BlockItem, Depth: 1, Quote: 1, Number: 2, Spans: []agentclient.Span{
		{Text: "see "}, {Text: "https://bank.example", Bold: true, Italic: true, Mono: true, Link: "https://elsewhere.example/x"}}}
}
