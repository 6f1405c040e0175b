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
		"AccountOrder": agentclient.AccountOrder{Address: "recipient@example.org", Order: agentclient.OrderDelete, Change: "kQ3…", GiveUp: true,
			Recovery: "0A1B2C…", NewRecovery: "3D4E5F…"},
		"AccountAddress": agentclient.AccountAddress{Address: "recipient@example.org"},
		"RecoveryKey": agentclient.RecoveryKey{Address: "recipient@example.org", Escrow: "https://escrow.example", Code: "0A1B2C…",
			Replaces: true, AtOnce: true},
		"RecoverAccount": agentclient.RecoverAccount{Recovery: "0A1B2C…", AddAccount: agentclient.AddAccount{Address: "recipient@example.org",
			IMAP: "imaps://mail.example.org:993", SMTP: "smtps://mail.example.org:465", User: "recipient", Password: "…", Login: "51c0…",
			Escrow: "https://escrow.example", CA: []byte("-----BEGIN")}},
		"Recovered": agentclient.Recovered{Account: agentclient.Account{Address: "recipient@example.org", Escrow: "escrow.example",
			Mailbox: "watching", EscrowUp: true, EscrowSince: at(22), Identity: "2Ws…"}, Open: 2, Lost: []string{"words"}, SayLost: []agentclient.Said{saidWords()}},
		"AccountSafety": agentclient.AccountSafety{RecoveryHere: true, Identity: "2Ws…",
			NextIdentity: &agentclient.KeyChange{Identity: "k9P…", DueAt: at(24)}, Address: "recipient@example.org", Escrow: "escrow.example", FrozenAt: at(21), Recovery: true,
			Changes: []agentclient.AccountChange{{ID: "kQ3…", Kind: "address", Subject: "recipient@example.org", AskedAt: at(20), DueAt: at(30)}}},
		"Phrase": agentclient.Say("send.other-price", "Writing to {To} costs {Cost} now, which is not what you agreed to.",
			"To", "author@example.net", "Cost", cost)[0],
		"Value": agentclient.Value{Text: "author@example.net", Money: &cost, Time: &now, Seconds: &seconds, Number: &number,
			Said: agentclient.Said{{ID: "what.mailbox", Text: "The mailbox"}}},
	}
}
