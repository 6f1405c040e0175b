package agenttest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"earnest/agentclient"
	"earnest/payment"
)

const (
	deliverWithin = 30 * 24 * time.Hour
	decideWithin  = 14 * 24 * time.Hour
)

// Price implements [agentclient.Agent].
func (a *Agent) Price(ctx context.Context, address string) (agentclient.Price, error) {
	if err := a.begin(ctx, "Price"); err != nil {
		return agentclient.Price{}, err
	}
	defer a.mu.Unlock()
	if address == "" {
		if len(a.status.Accounts) == 0 {
			return agentclient.Price{}, failure(agentclient.CodeNoAccount, "No account is set up.")
		}
		address = a.status.Accounts[0].Address
	}
	price, err := a.offer(address)
	own := slices.ContainsFunc(a.status.Accounts, func(c agentclient.Account) bool { return strings.EqualFold(c.Address, address) })
	if !own { // what only the owner of a price sees
		price.FreeAfter, price.Beneficiaries, price.DecideMost = "", nil, 0
		price.Exclusive, price.Answer, price.AnswerText, price.Answered = false, "", "", 0
	}
	return price, err
}

func (a *Agent) offer(address string) (agentclient.Price, error) {
	if err := a.otherIdentity(address); err != nil {
		return agentclient.Price{}, err
	}
	price, ok := a.offers[strings.ToLower(address)]
	if p := a.person(address); !ok && p != nil { // as with the escrow away
		return agentclient.Price{Address: address, Connected: true, Free: p.FreeThere, From: a.named(p)}, nil
	}
	if !ok {
		return agentclient.Price{}, failure("no_offer", "Nobody set a price for that address here.")
	}
	price.Options = slices.Clone(price.Options)
	if p := a.person(address); p != nil {
		price.Connected, price.Free, price.From = true, p.FreeThere, a.named(p)
	}
	return price, nil
}

// NameNoAccount has prices no longer say which account their free mails are for, as
// agents did before there was a word for it.
func (a *Agent) NameNoAccount() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unnamed = true
}

func (a *Agent) named(p *agentclient.Person) string {
	if a.unnamed {
		return ""
	}
	return p.Account
}

// SetPrice implements [agentclient.Agent].
func (a *Agent) SetPrice(ctx context.Context, req agentclient.SetPrice) (agentclient.Price, error) {
	if err := a.begin(ctx, "SetPrice"); err != nil {
		return agentclient.Price{}, err
	}
	defer a.mu.Unlock()
	if req.Address == "" && len(a.status.Accounts) > 0 {
		req.Address = a.status.Accounts[0].Address
	}
	if req.Address == "" {
		return agentclient.Price{}, failure(agentclient.CodeNoAccount, "No account is set up.")
	}
	old := a.offers[strings.ToLower(req.Address)]
	if onlyAnswers(req) {
		return a.setAnswer(req, old)
	}
	if len(req.Options) == 0 {
		for _, option := range old.Options {
			req.Options = append(req.Options, option.Instruction)
		}
	}
	price, err := a.price(req.Address, req.Options)
	if err != nil {
		return agentclient.Price{}, failure(agentclient.CodeUsage, "That is not a price: "+err.Error()+".")
	}
	price.FreeAfter, price.Public, price.TellRead = old.FreeAfter, old.Public, true
	if old.Address != "" {
		price.TellRead, price.Beneficiary, price.DecideWithin = old.TellRead, old.Beneficiary, old.DecideWithin
	}
	if req.FreeAfter != "" {
		price.FreeAfter = req.FreeAfter
	}
	if req.TellRead != nil {
		price.TellRead = *req.TellRead
	}
	if req.Public != nil {
		price.Public = *req.Public
	}
	if req.DecideWithin != 0 {
		price.DecideWithin = req.DecideWithin
	}
	for _, b := range price.Beneficiaries {
		if b.ID == req.Beneficiary {
			price.Beneficiary = b.Name
		}
	}
	answering, err := answers(req, old, price)
	if err != nil {
		return agentclient.Price{}, err
	}
	a.offers[strings.ToLower(req.Address)] = answering
	a.history = slices.Insert(a.history, 0, agentclient.PriceChange{Time: a.now(), Price: price})
	a.emit(agentclient.EventPrice, "", "")
	return answering, nil
}

func (a *Agent) price(address string, options []string) (agentclient.Price, error) {
	price := agentclient.Price{
		Address: address, Beneficiary: "Example Escrow Society", TellRead: true,
		DecideWithin: int64(decideWithin.Seconds()), DeliverWithin: int64(deliverWithin.Seconds()),
		DecideMost: int64(decideWithin.Seconds()),
		FreeAfter:  agentclient.FreeAlways,
		Beneficiaries: []agentclient.Beneficiary{{ID: "company", Name: "Example Escrow Society"},
			{ID: "charity", Name: "Example Library Fund"}, {ID: "burned", Name: "nobody: it is burned"}},
	}
	var currencies []payment.Currency
	for _, p := range a.purses {
		currencies = append(currencies, p.currency)
	}
	for i, text := range options {
		option, err := payment.ParseOption(text, currencies)
		if err != nil {
			return agentclient.Price{}, err
		}
		p := a.purse(option.Currency)
		price.Options = append(price.Options, agentclient.Option{Index: i + 1, Instruction: option.String(), Price: p.money(option.Amount)})
	}
	if len(price.Options) == 0 {
		return agentclient.Price{}, fmt.Errorf("it has no options")
	}
	return price, nil
}

func (a *Agent) purse(currency string) *purse {
	for _, p := range a.purses {
		if p.currency.Name == currency {
			return p
		}
	}
	return a.purses[0]
}

// hold takes the price of an option from what is available.
func (a *Agent) hold(to string, option int) (agentclient.Price, agentclient.Money, error) {
	price, err := a.offer(to)
	if err != nil {
		return price, agentclient.Money{}, err
	}
	if option == 0 {
		option = 1
	}
	if option < 0 || option > len(price.Options) {
		return price, agentclient.Money{}, failure(agentclient.CodeUsage, fmt.Sprintf("The recipient has %d ways to pay.", len(price.Options)))
	}
	money := price.Options[option-1].Price
	p := a.purse(money.Currency)
	amount, err := payment.ParseAmount(money.Amount, p.currency.Scale)
	if err != nil {
		return price, money, fmt.Errorf("price of %s: %w", to, err)
	}
	if amount > p.available {
		return price, money, agentclient.Refuse("insufficient_funds",
			agentclient.Say("escrow.costs", "This costs {Cost} and you have {Have}.", "Cost", money, "Have", p.money(p.available)),
			agentclient.Say("escrow.insufficient-funds.means", "Nothing was sent; your text is kept."),
			agentclient.Say("escrow.insufficient-funds.do", "Top up, then send again."))
	}
	if limit := a.limits[p.currency.Name]; limit.PerMail != "" && amount > parsed(limit.PerMail) {
		return price, money, agentclient.Fail(agentclient.CodeLimit)
	}
	p.available -= amount
	p.held += amount
	a.move(p, agentclient.MoveHold, amount, &agentclient.Sent{To: to})
	a.emit(agentclient.EventBalance, "", "")
	return price, money, nil
}

// Send implements [agentclient.Agent]: the mail is submitted at once.
func (a *Agent) Send(ctx context.Context, mail agentclient.Compose) ([]agentclient.Sent, error) {
	if err := a.begin(ctx, "Send"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	if len(mail.To) == 0 {
		return nil, failure(agentclient.CodeUsage, "The mail has no recipient.")
	}
	if err := a.asAgreed(mail); err != nil {
		return nil, err
	}
	list := []agentclient.Sent{}
	for _, to := range mail.To {
		now := a.now()
		if why := a.refuse[to]; why != "" && len(mail.To) > 1 {
			list = append(list, agentclient.Sent{ID: a.id("sent"), To: to, Subject: mail.Subject, At: now, State: "failed", Money: "none", Error: why})
			continue
		}
		if p := a.freeTo(mail, to); p != nil {
			if n, always, _ := p.FreeThere.Count(); !always {
				p.FreeThere = agentclient.FreeMails(n - 1)
			}
			sent := agentclient.Sent{ID: a.id("sent"), To: to, Subject: mail.Subject, At: now, State: "submitted",
				Money: "none", SubmittedAt: now, Free: true}
			p.Sent, p.Last = p.Sent+1, now
			a.sent = slices.Insert(a.sent, 0, sent)
			a.emit(agentclient.EventSent, sent.ID, sent.State)
			list = append(list, sent)
			continue
		}
		price, money, err := a.hold(to, mail.Option)
		if err != nil {
			return nil, err
		}
		sent := agentclient.Sent{
			ID: a.id("sent"), Bond: a.id("bond"), To: to, Subject: mail.Subject, Price: money, At: now,
			State: "submitted", Money: "held", Beneficiary: price.Beneficiary,
			SubmittedAt: now, DeliverBy: now.Add(deliverWithin),
		}
		a.sent = slices.Insert(a.sent, 0, sent)
		a.receipt(sent.Bond, "paid", "held")
		a.emit(agentclient.EventSent, sent.ID, sent.State)
		list = append(list, sent)
	}
	a.dropDraft(mail.Draft)
	return list, nil
}

// Sent implements [agentclient.Agent].
func (a *Agent) Sent(ctx context.Context) ([]agentclient.Sent, error) {
	if err := a.begin(ctx, "Sent"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	return append([]agentclient.Sent{}, a.sent...), nil
}

// SentByID implements [agentclient.Agent].
func (a *Agent) SentByID(ctx context.Context, id string) (agentclient.Sent, error) {
	if err := a.begin(ctx, "SentByID"); err != nil {
		return agentclient.Sent{}, err
	}
	defer a.mu.Unlock()
	sent, err := a.sentMail(id)
	if err != nil {
		return agentclient.Sent{}, err
	}
	return *sent, nil
}

// Withdraw implements [agentclient.Agent].
func (a *Agent) Withdraw(ctx context.Context, id string) (agentclient.Sent, error) {
	if err := a.begin(ctx, "Withdraw"); err != nil {
		return agentclient.Sent{}, err
	}
	defer a.mu.Unlock()
	sent, err := a.sentMail(id)
	if err != nil {
		return agentclient.Sent{}, err
	}
	if sent.State != "paid" && sent.State != "submitted" {
		return agentclient.Sent{}, failure(agentclient.CodeState, "The mail is "+sent.State+", so it cannot be withdrawn.")
	}
	sent.State = "withdrawing"
	a.emit(agentclient.EventSent, sent.ID, sent.State)
	return *sent, nil
}

// Buy implements [agentclient.Agent].
func (a *Agent) Buy(ctx context.Context, req agentclient.BuyKey) (agentclient.Bought, error) {
	if err := a.begin(ctx, "Buy"); err != nil {
		return agentclient.Bought{}, err
	}
	defer a.mu.Unlock()
	_, money, err := a.hold(req.To, req.Option)
	if err != nil {
		return agentclient.Bought{}, err
	}
	bought := agentclient.Bought{
		Bond: a.id("bond"), To: req.To, Price: money, Fingerprint: a.id("fingerprint"),
		Key:       "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + a.id("key") + "\n-----END PGP PUBLIC KEY BLOCK-----\n",
		DeliverBy: a.now().Add(deliverWithin),
	}
	a.receipt(bought.Bond, "paid", "held")
	return bought, nil
}

func (a *Agent) sentMail(id string) (*agentclient.Sent, error) {
	for i := range a.sent {
		if a.sent[i].ID == id {
			return &a.sent[i], nil
		}
	}
	return nil, failure(agentclient.CodeNotFound, "There is no such mail.")
}
