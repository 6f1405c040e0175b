package viewmodel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"earnest/agentclient"
)

// Send buys the bonds and sends the mail. Everything typed is checked again
// here, and is kept until the agent has taken it over.
func (m *Model) Send() {
	m.mu.Lock()
	d := &m.draft
	if d.sending {
		m.mu.Unlock()
		return
	}
	to := recipients(d.to)
	d.errTo, d.errSubject, d.err, d.short = "", "", "", false
	switch bad := slices.IndexFunc(to, func(a string) bool { return !addressLike(a) }); {
	case len(to) == 0:
		d.errTo = "Type an address to write to."
	case bad >= 0:
		d.errTo = fmt.Sprintf("“%s” is not an address.", line(to[bad]))
	}
	if strings.TrimSpace(d.subject) == "" {
		d.errSubject = "A stranger decides by the subject: type one."
	}
	costs, fault, _ := m.costs(to)
	if d.errTo == "" && fault == "" && len(costs) == 0 {
		d.errTo = "Its price is not known yet; it is being asked for. Nothing is sent before you have seen it."
		m.do(m.lookup)
	}
	if d.errTo != "" || d.errSubject != "" || fault != "" {
		m.mu.Unlock()
		m.changed()
		return
	}
	mail := agentclient.Compose{To: to, Subject: d.subject, Body: d.body, Attachments: d.files}
	if len(to) == 1 {
		mail.Option = m.chosen(m.draft.prices[strings.ToLower(to[0])], 1).Index
	}
	d.sending = true
	m.mu.Unlock()
	m.changed()
	m.do(func(ctx context.Context) { m.send(ctx, mail, costs) })
}

func (m *Model) send(ctx context.Context, mail agentclient.Compose, costs []agentclient.Money) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if words := m.lacking(ctx, costs); words != "" {
		m.update(func() { m.draft.sending, m.draft.err, m.draft.short = false, words, true })
		return
	}
	sent, err := m.agent.Send(ctx, mail)
	m.update(func() {
		m.draft.sending = false
		if err != nil {
			m.sendFailed(mail, sent, err)
			return
		}
		m.draft = draft{prices: m.draft.prices}
		m.page, m.out.reading = PageSent, true
		m.out.fresh = "Paid and on its way."
		if len(sent) > 0 {
			m.out.selected = sent[0].ID
			m.out.mails = append(slices.Clone(sent), m.out.mails...)
		}
	})
	m.do(m.loadSent)
	m.do(m.loadBalances)
}

// sendFailed keeps the text, and takes those out of the recipients who have
// their mail, so that sending again pays nobody twice.
func (m *Model) sendFailed(mail agentclient.Compose, sent []agentclient.Sent, err error) {
	kept := "Nothing was sent; your text is kept."
	if len(sent) > 0 {
		rest := slices.DeleteFunc(slices.Clone(mail.To), func(a string) bool {
			return slices.ContainsFunc(sent, func(s agentclient.Sent) bool { return strings.EqualFold(s.To, a) })
		})
		kept = fmt.Sprintf("%s of %d went out; the others still stand above, and your text is kept.", m.say.N("write.mails", len(sent)), len(mail.To))
		m.draft.to = strings.Join(rest, ", ")
	}
	words := m.say.failure(err)
	if f, ok := errors.AsType[*agentclient.Failure](err); !ok || f.Means == "" || len(sent) > 0 {
		words += " " + kept
	}
	m.draft.err, m.draft.short = words, codeOf(err) == "insufficient_funds"
	// A price that changed meanwhile is shown anew before anything is paid.
	if c := codeOf(err); c == "quote_expired" || c == "no_offer" || c == "sold_out" {
		m.draft.prices = nil
		m.do(m.lookup)
	}
}

// lacking says how much is missing, by balances asked for just now.
func (m *Model) lacking(ctx context.Context, costs []agentclient.Money) string {
	balances, err := m.agent.Balances(ctx)
	if err != nil {
		return "" // the agent says it better when it is asked to pay
	}
	m.update(func() { m.purse.balances, m.purse.loaded = balances, true })
	for _, need := range sums(costs) {
		for _, b := range balances {
			if b.Available.Currency == need.Currency && short(b.Available, need) {
				return fmt.Sprintf("This costs %s and you have %s. Nothing was sent; your text is kept.", m.say.money(need), m.say.money(b.Available))
			}
		}
	}
	return ""
}
