package agenttest

import (
	"strings"

	"earnest/agentclient"
)

// freeTo is the connection over which a mail goes free; nil where it does not. A
// connection is of one own address, and the others pay.
func (a *Agent) freeTo(mail agentclient.Compose, to string) *agentclient.Person {
	from := a.from(mail)
	for i := range a.people {
		p := &a.people[i]
		if strings.EqualFold(p.Address, to) && (p.Account == "" || strings.EqualFold(p.Account, from)) && p.FreeThere != agentclient.FreeNone && !mail.Paid {
			return p
		}
	}
	return nil
}

func (a *Agent) from(mail agentclient.Compose) string {
	if mail.From == "" && len(a.status.Accounts) > 0 {
		return a.status.Accounts[0].Address
	}
	return mail.From
}

// asAgreed refuses a mail that costs anything else than was agreed to.
func (a *Agent) asAgreed(mail agentclient.Compose) error {
	a.agreed, a.sentFrom = append(a.agreed, mail.Agreed), mail.From
	if n := len(mail.Agreed); n > 0 && n != len(mail.To) {
		return failure(agentclient.CodeUsage, "What was agreed to is not said for each recipient.")
	}
	for i, agreed := range mail.Agreed {
		to := mail.To[i]
		price, err := a.offer(to)
		n := max(mail.Option, 1)
		if err != nil || a.freeTo(mail, to) != nil || n > len(price.Options) || price.Options[n-1].Instruction == agreed {
			continue // what else is wrong with it is said by the sending
		}
		cost := price.Options[n-1].Price
		refusal := agentclient.Refuse("quote_expired",
			agentclient.Say("send.other-price", "Writing to {To} costs {Cost} now, which is not what you agreed to.", "To", to, "Cost", cost),
			agentclient.Say("nothing.paid-or-sent", "Nothing was paid and nothing was sent."),
			agentclient.Say("send.look-at-price", "Look at the price, then send again."))
		if agreed == "" {
			return refusal.Saying(agentclient.Say("send.not-free", "No mail goes free from {From} to {To} now: it costs {Cost}.", "From", a.from(mail), "To", to, "Cost", cost),
				nil, agentclient.Say("send.with-bond", "If you want to pay that, send it with a bond: earnest send --paid"))
		}
		return refusal
	}
	return nil
}

// From is the own address that was named with the last mail that was to be sent.
func (a *Agent) From() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sentFrom
}

// Agreed is what was agreed to with each mail that was to be sent, in their order.
func (a *Agent) Agreed() [][]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([][]string{}, a.agreed...)
}
