package viewmodel

import (
	"html"
	"strings"

	"earnest/agentclient"
)

// Card is what to give to people who want to write: a link that programs know,
// and the same with a sentence around it for a signature and for a web page.
type Card struct {
	Link string // earnest:ADDRESS?escrow=HOST&fp=IDENTITY
	Text string
	HTML string
}

// CardOf is the card of an own address; the first account's where it is empty.
// The price is said where it is known.
func (m *Model) CardOf(address string) Card {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cardOf(address)
}

func (m *Model) cardOf(address string) Card {
	for _, a := range m.status.Accounts {
		if a.Card == "" || address != "" && !strings.EqualFold(a.Address, address) {
			continue
		}
		link, own := line(a.Card), line(a.Address)
		c := Card{Link: link, Text: m.say.T("start.card.text", "Address", own) + "\n" + link}
		anchor := `<a href="` + html.EscapeString(link) + `">` + html.EscapeString(own) + `</a>`
		c.HTML = "<p>" + m.say.T("start.card.text", "Address", anchor) + "</p>"
		if price := m.cardPrice(own); price != "" {
			c.Text = m.say.T("start.card.text-priced", "Address", own, "Price", price) + "\n" + link
			c.HTML = "<p>" + m.say.T("start.card.text-priced", "Address", anchor, "Price", html.EscapeString(price)) + "</p>"
		}
		return c
	}
	return Card{}
}

// cardPrice is what it costs to write to the address, where that was heard.
func (m *Model) cardPrice(address string) string {
	known := func(p agentclient.Price) string {
		if len(p.Options) == 0 || !strings.EqualFold(p.Address, address) {
			return ""
		}
		return m.say.money(p.Options[0].Price)
	}
	if price := known(m.own.prices[key(address)]); price != "" {
		return price
	}
	return known(m.setups.price.set)
}
