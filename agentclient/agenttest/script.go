package agenttest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"earnest/agentclient"
	"earnest/payment"
)

// Fail makes every call of the method (a name of [agentclient.Agent], such as
// "Send") fail with err until it is called again with nil.
func (a *Agent) Fail(method string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fails[method] = err
}

// Hold makes every call of the method wait until release is called.
func (a *Agent) Hold(method string) (release func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	gate := make(chan struct{})
	a.gates[method] = gate
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.gates[method] == gate {
			delete(a.gates, method)
			close(gate)
		}
	}
}

// Refuse makes a mail to several fail for that one of them, saying why in words.
func (a *Agent) Refuse(to, why string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refuse[to] = why
}

// ChangeSent changes a sent mail and tells it. It panics if there is no such mail.
func (a *Agent) ChangeSent(id string, change func(*agentclient.Sent)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	sent, err := a.sentMail(id)
	if err != nil {
		panic("agenttest: no sent mail " + id)
	}
	change(sent)
	a.emit(agentclient.EventSent, sent.ID, sent.State)
}

// AddSent puts mails before those that were sent, and tells nothing.
func (a *Agent) AddSent(mails ...agentclient.Sent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent = append(slices.Clone(mails), a.sent...)
}

// Calls lists the methods called so far.
func (a *Agent) Calls() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}

// Password is the one that an account was added with.
func (a *Agent) Password(address string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.passwords[address]
}

// SetStatus changes the status, accounts included, and tells it.
func (a *Agent) SetStatus(change func(*agentclient.Status)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status.Accounts = slices.Clone(a.status.Accounts)
	change(&a.status)
	a.emit(agentclient.EventStatus, "", "")
}

// SetOffer sets what it costs to write to an address: options as [agentclient.SetPrice]
// takes them. No options takes the offer away. It panics on a malformed option.
func (a *Agent) SetOffer(address string, options ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.offers, strings.ToLower(address))
	if len(options) == 0 {
		return
	}
	price, err := a.price(address, options)
	if err != nil {
		panic(fmt.Sprintf("agenttest: offer of %s: %v", address, err))
	}
	if price, err = answers(agentclient.SetPrice{}, price, price); err != nil {
		panic(fmt.Sprintf("agenttest: offer of %s: %v", address, err))
	}
	a.offers[strings.ToLower(address)] = price
}

// ChangeOffer changes what is said of an address. It panics if it has no offer.
func (a *Agent) ChangeOffer(address string, change func(*agentclient.Price)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	price, ok := a.offers[strings.ToLower(address)]
	if !ok {
		panic("agenttest: no offer of " + address)
	}
	change(&price)
	a.offers[strings.ToLower(address)] = price
}

// SetBalance sets the money at an escrow in a currency of that name, such as
// SetBalance("escrow.example", "EUR", "4.75", "0.50"), and tells it. The first
// purse is escrow.example; others are added behind it. It panics on malformed amounts.
func (a *Agent) SetBalance(escrow, unit, available, held string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.purse(escrow)
	if p.escrow != escrow {
		p = &purse{escrow: escrow, currency: payment.Currency{Name: escrow, Scale: 2}}
		a.purses = append(a.purses, p)
	}
	p.currency.Unit = unit
	p.available, p.held = parsed(available), parsed(held)
	a.emit(agentclient.EventBalance, "", "")
}

// AddVoucher makes a voucher that can be redeemed once.
func (a *Agent) AddVoucher(code, worth string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.vouchers[code] = parsed(worth)
}

// parsed is an amount that a test wrote.
func parsed(text string) payment.Amount {
	n, err := payment.ParseAmount(text, 2)
	if err != nil {
		panic(fmt.Sprintf("agenttest: amount %q: %v", text, err))
	}
	return n
}

// AddMail has a paid mail come in, newest first, and tells it. Empty fields
// that every mail has are filled: ids, to, price, times, state, beneficiary.
// It returns the mail's id.
func (a *Agent) AddMail(m agentclient.Message) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	m = a.filled(m)
	a.mails = slices.Insert(a.mails, 0, m)
	a.sortMails()
	a.emit(agentclient.EventMail, m.ID, m.State)
	return m.ID
}

// AddMails has many mails come in at once, and tells it once.
func (a *Agent) AddMails(mails []agentclient.Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range mails {
		a.mails = append(a.mails, a.filled(m))
	}
	a.sortMails()
	a.emit(agentclient.EventMail, "", "")
}

func (a *Agent) sortMails() {
	slices.SortStableFunc(a.mails, func(x, y agentclient.Message) int { return y.At.Compare(x.At) })
}

// filled is the mail with what every mail has.
func (a *Agent) filled(m agentclient.Message) agentclient.Message {
	if m.ID == "" {
		m.ID = a.id("mail")
	}
	if m.Free {
		return a.filledFree(m)
	}
	if m.Bond == "" {
		m.Bond = a.id("bond")
	}
	if m.To == "" && len(a.status.Accounts) > 0 {
		m.To = a.status.Accounts[0].Address
	}
	if m.Price == (agentclient.Money{}) {
		m.Price = a.purses[0].money(25)
	}
	if m.At.IsZero() {
		m.At = a.now()
	}
	if m.Date.IsZero() {
		m.Date = m.At
	}
	if m.State == "" {
		m.State = "waiting"
	}
	if m.DecideBy.IsZero() && m.State != "held" {
		m.DecideBy = m.At.Add(decideWithin)
	}
	if m.Beneficiary == "" {
		m.Beneficiary = "Example Escrow Society"
	}
	if m.Checks == nil && m.State != "held" && m.State != "damaged" {
		m.Checks = []string{"signed by the certificate that the bond was bought with", "From and To are those of the bond"}
	}
	for i := range m.Attachments {
		m.Attachments[i].Size = int64(len(m.Attachments[i].Data))
	}
	a.receipt(m.Bond, "paid", "held")
	a.receipt(m.Bond, "arrived", "")
	return m
}

// filledFree is the same for a mail that comes over a connection: with no bond.
func (a *Agent) filledFree(m agentclient.Message) agentclient.Message {
	if m.To == "" && len(a.status.Accounts) > 0 {
		m.To = a.status.Accounts[0].Address
	}
	if m.At.IsZero() {
		m.At = a.now()
	}
	if m.Date.IsZero() {
		m.Date = m.At
	}
	if m.State == "" {
		m.State = "accepted"
	}
	if m.Checks == nil && m.State == "accepted" {
		m.Checks = []string{"encrypted to the key of your connection with its sender, and signed with theirs"}
	}
	return m
}

// ChangeMail changes a mail and tells it. It panics if there is no such mail.
func (a *Agent) ChangeMail(id string, change func(*agentclient.Message)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, err := a.mail(id)
	if err != nil {
		panic("agenttest: no mail " + id)
	}
	change(m)
	a.emit(agentclient.EventMail, m.ID, m.State)
}

// MoveSent takes a sent mail on to a state, as the other side or the escrow
// would, with the money and times that belong to it, and tells it. It panics if
// there is no such mail.
func (a *Agent) MoveSent(id, state string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	sent, err := a.sentMail(id)
	if err != nil {
		panic("agenttest: no sent mail " + id)
	}
	now := a.now()
	sent.State = state
	switch state {
	case "arrived":
		sent.ArrivedAt, sent.DecideBy = now, now.Add(decideWithin)
		a.receipt(sent.Bond, "arrived", "")
	case "accepted", "expired", "withdrawn", "rejected", "failed":
		sent.EndedAt = now
		p := a.purse(sent.Price.Currency)
		price := parsed(sent.Price.Amount)
		if sent.Money == "held" {
			p.held -= price
			sent.Money = "forfeited"
			if state != "rejected" {
				p.available += price
				sent.Money = "refunded"
			}
			kind := map[string]string{"refunded": agentclient.MoveRefund, "forfeited": agentclient.MoveForfeit}[sent.Money]
			a.move(p, kind, price, sent)
			a.receipt(sent.Bond, state, sent.Money)
			a.emit(agentclient.EventBalance, "", "")
		}
	}
	a.emit(agentclient.EventSent, sent.ID, sent.State)
}

// SetReceipts replaces the receipts of a bond.
func (a *Agent) SetReceipts(receipts agentclient.Receipts) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.receipts[receipts.Bond] = receipts
}

// SetChecks replaces what the doctor says.
func (a *Agent) SetChecks(checks ...agentclient.Check) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.checks = checks
}

// Tick brings about what time has brought, such as the end of an undo.
func (a *Agent) Tick() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance()
}

func (a *Agent) receipt(bond, event, money string) {
	r := a.receipts[bond]
	r.Bond, r.Quote, r.Verified, r.ReceiptKey, r.KeyPinned = bond, "quote-of-"+bond, true, "receipt-key", true
	step := agentclient.Receipt{N: int64(len(r.Steps)) + 1, Event: event, Money: money, Time: a.now().Truncate(time.Second)}
	r.Steps = append(slices.Clone(r.Steps), step)
	r.Receipts = append(slices.Clone(r.Receipts), fmt.Sprintf("receipt-%d-of-%s", step.N, bond))
	a.receipts[bond] = r
}
