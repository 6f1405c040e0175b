package localapi

import (
	"time"

	"earnest/agentclient"
)

// moneyForms are the forms about prices and money.
func moneyForms(at func(day int) time.Time, euro func(amount string) agentclient.Money) map[string]any {
	yes := true
	price := agentclient.Price{Address: "recipient@example.org", Options: []agentclient.Option{{Index: 1,
		Instruction: "ESCROW/1 escrow.example 0.25", Price: euro("0.25")}}, Beneficiary: "Example Escrow Society", Identity: "2Ws…",
		TellRead: true, Public: true, DecideWithin: 604800, DeliverWithin: 2592000, Connected: true, Free: "3", From: "recipient@example.org", FreeAfter: agentclient.FreeAlways,
		Beneficiaries: []agentclient.Beneficiary{{ID: "company", Name: "Example Escrow Society"}}, DecideMost: 1209600,
		Exclusive: true, Answer: "I read what comes with a bond first.", AnswerText: "I read what comes with a bond first.\n\n…", Answered: 3,
		Mute: "words", SayMute: saidWords()}
	answer := "I read what comes with a bond first."
	return map[string]any{
		"Price": price,
		"SetPrice": agentclient.SetPrice{Address: "recipient@example.org", Options: []string{"0.25", "ESCROW/1 escrow.example 1.00"},
			Beneficiary: "company", FreeAfter: "3", TellRead: &yes, Public: &yes, DecideWithin: 604800, Exclusive: &yes, Answer: &answer},
		"PriceChange": agentclient.PriceChange{Time: at(22), Price: agentclient.Price{Address: price.Address, Options: price.Options,
			Beneficiary: price.Beneficiary, Identity: price.Identity, DecideWithin: 1209600, DeliverWithin: 2592000}},
		"Balance": agentclient.Balance{Account: "recipient@example.org", Escrow: "escrow.example", Available: euro("4.75"), Held: euro("0.50"), ByCard: true, CardHold: 1_209_600,
			LeastPayout: euro("5.00")},
		"Redeem": agentclient.Redeem{Account: "recipient@example.org", Voucher: "…"},
		"Movement": agentclient.Movement{Account: "recipient@example.org", Escrow: "escrow.example", N: 7, Time: at(22), Kind: agentclient.MoveHold,
			Amount: euro("0.25"), Available: euro("4.75"), Held: euro("0.25"), Bond: "01939f…", With: "author@example.net", Subject: "Your book",
			Ground: agentclient.GroundOperator, Reason: "an apology for Tuesday", SayReason: saidWords()},
		"Limit":    agentclient.Limit{Currency: "escrow.example", Unit: "EUR", PerMail: "1.00", PerDay: "5.00", Spent: "0.25", AtEscrow: true},
		"SetLimit": agentclient.SetLimit{Currency: "escrow.example", PerMail: "1.00", PerDay: "5.00"},
		"Receipts": agentclient.Receipts{Bond: "01939f…", Quote: "eyJ…", Receipts: []string{"eyJ…"}, Outages: []string{"eyJ…"},
			Steps:    []agentclient.Receipt{{N: 1, Event: "paid", Money: "held", Time: at(20)}},
			Verified: false, Fault: "receipt 2: it does not name the receipt before it", SayFault: saidWords(), ReceiptKey: "2Ws…", KeyPinned: true},
	}
}
