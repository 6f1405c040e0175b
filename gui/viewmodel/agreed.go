package viewmodel

import (
	"context"
	"slices"
	"strings"

	"earnest/agentclient"
)

// terms is what a person saw of one recipient when they chose to send: the price
// they agree to. Any other is not paid.
type terms struct {
	price  agentclient.Price
	pays   bool
	option agentclient.Option // the way to pay, if it costs something
}

// instruction is what is agreed to, as the agent takes it: empty for free.
func (t terms) instruction() string {
	if !t.pays {
		return ""
	}
	return t.option.Instruction
}

func (m *Model) termsOf(d *draft, to string, price agentclient.Price) terms {
	t := terms{price: price, pays: m.pays(d, to, price)}
	if t.pays {
		t.option, _ = m.way(d, to)
	}
	return t
}

// free is what goes free from the draft's account. An offer tells it of one own
// address; where there are several, the people tell it of each.
func (m *Model) free(d *draft, to string, price agentclient.Price) agentclient.Free {
	if len(m.status.Accounts) < 2 || !m.folk.loaded {
		if goesFree(price) && (price.From == "" || strings.EqualFold(price.From, m.account(d))) {
			return price.Free
		}
		return agentclient.FreeNone
	}
	from := m.account(d)
	for _, p := range m.folk.list {
		own := p.Account == "" || strings.EqualFold(p.Account, from)
		if own && (strings.EqualFold(p.Address, to) || strings.EqualFold(p.Address, price.Address)) && some(p.FreeThere) {
			return p.FreeThere
		}
	}
	return agentclient.FreeNone
}

// several tells that there are several own addresses.
func (m *Model) several() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.status.Accounts) > 1
}

// some tells that a mail or more goes free.
func some(free agentclient.Free) bool {
	n, always, ok := free.Count()
	return ok && (always || n > 0)
}

// payable tells that the offer names what the mail takes: a way to pay, or none
// where it goes free.
func (m *Model) payable(d *draft, to string, price agentclient.Price) bool {
	return len(price.Options) > 0 || !m.pays(d, to, price)
}

// changedSince says beside a recipient what was seen of it, where that no longer
// holds, and why it is not free where it was said to be.
func (m *Model) changedSince(d *draft, to string, price agentclient.Price) (text string, changed bool) {
	pays := m.pays(d, to, price)
	if was, ok := d.was[key(to)]; ok {
		same := func(o agentclient.Option) bool { return o.Instruction == was.option.Instruction }
		switch {
		case was.pays && pays && !slices.ContainsFunc(price.Options, same):
			text = m.say.T("write.was", "Amount", m.say.money(was.option.Price))
		case !was.pays && pays:
			text = m.say.T("write.was-free")
		}
	}
	changed = text != ""
	if goesFree(price) && !some(m.free(d, to, price)) {
		text = strings.TrimSpace(text + " " + m.say.T("write.free.elsewhere", "From", line(m.account(d))))
	}
	return text, changed
}

// refusedPrice: the price is another than the one agreed to, so it is asked for
// anew and shown before anything is paid.
func (m *Model) refusedPrice(d *draft) {
	m.offers.known, m.offers.faults = nil, nil
	d.choice, d.was = nil, d.asked
	m.do(m.loadPeople)
	m.do(func(context.Context) { m.askNow() })
}
