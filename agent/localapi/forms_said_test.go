package localapi

import (
	"time"

	"earnest/agentclient"
)

// saidWords stands for any phrases.
func saidWords() agentclient.Said { return agentclient.Said{{ID: "…", Text: "words"}} }

// saidForms are the forms of what the agent says.
func saidForms(at func(day int) time.Time) map[string]any {
	cost := agentclient.Money{Amount: "0.25", Currency: "escrow.example", Unit: "EUR"}
	now, seconds, number := at(22), int64(86400), int64(3)
	return map[string]any{
		"Phrase": agentclient.Say("send.other-price", "Writing to {To} costs {Cost} now, which is not what you agreed to.",
			"To", "author@example.net", "Cost", cost)[0],
		"Value": agentclient.Value{Text: "author@example.net", Money: &cost, Time: &now, Seconds: &seconds, Number: &number,
			Said: agentclient.Said{{ID: "what.mailbox", Text: "The mailbox"}}},
	}
}
