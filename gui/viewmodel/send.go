package viewmodel

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"

	"earnest/agentclient"
)

// Send buys the bonds and sends the mail. Everything typed is checked again
// here, and is kept until the agent has taken it over.
func (m *Model) Send() {
	m.mu.Lock()
	d := m.draft
	if d.sending {
		m.mu.Unlock()
		return
	}
	seen, ok := m.checked(d)
	if ok {
		d.sending = true
		d.preview = preview{turn: d.preview.turn}
	}
	m.mu.Unlock()
	m.changed()
	if ok {
		m.do(func(ctx context.Context) { m.send(ctx, d, seen) })
	}
}

// checked holds the draft against all that is asked of a mail, and says beside
// the field what is missing. The prices are those that the person has seen;
// where they pay automatically, they need not have.
func (m *Model) checked(d *draft) (seen map[string]terms, ok bool) {
	d.clear()
	d.errTo, d.errSubject = nil, nil
	if a := bareAddress(d.typing); addressLike(a) {
		d.add(a)
		d.typing = ""
	}
	bad := slices.IndexFunc(d.to, func(a string) bool { return !addressLike(a) })
	switch {
	case strings.TrimSpace(d.typing) != "":
		d.errTo = says("write.no-address", "Text", line(d.typing))
	case len(d.to) == 0:
		d.errTo = says("write.nobody")
	case bad >= 0:
		d.errTo = says("write.no-address", "Text", line(d.to[bad]))
	}
	if strings.TrimSpace(d.subject) == "" {
		d.errSubject = says("write.no-subject")
	}
	if d.errTo != nil || d.errSubject != nil {
		return nil, false
	}
	for _, to := range d.to {
		price, known := m.offers.known[key(to)]
		switch {
		case m.offers.faults[key(to)] != nil, known && !m.payable(d, to, price):
			d.errTo = says("write.not-all", "Who", line(to))
		case known:
			seen = set(seen, key(to), m.termsOf(d, to, price))
		case m.prefs.settings.Model != agentclient.ModelAutomatic:
			d.errTo = says("write.unseen")
			m.do(func(context.Context) { m.askNow() })
		}
	}
	return seen, d.errTo == nil
}

// send asks for every offer once more: what is paid is what was seen, and the
// agent is told what that is. Then each group of recipients who are paid alike
// becomes one request.
func (m *Model) send(ctx context.Context, d *draft, seen map[string]terms) {
	d.keep.gate <- struct{}{} // a draft that is being kept has no id yet
	defer func() { <-d.keep.gate }()
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	var groups []agentclient.Compose
	ready := m.freshOffers(ctx, d, seen) && m.afford(ctx, d)
	if ready { // the agent takes it out of the drafts with the same stroke that pays
		m.keepHeld(ctx, d)
	}
	m.update(func() {
		if d.sending = ready; ready {
			groups = m.groups(d, seen)
		}
	})
	if !ready {
		m.notSent(d, false)
		return
	}
	var all []agentclient.Sent
	most := len(d.to)
	for i, mail := range groups {
		if i < len(groups)-1 {
			mail.Draft = "" // it goes with its last recipient
		}
		sent, err := m.agent.Send(ctx, mail)
		went, why := m.wentOut(mail, sent, err)
		all = append(all, went...)
		if err != nil || why != nil {
			m.update(func() { m.sendFailed(d, all, most, why, err) })
			break
		}
		m.update(func() {
			d.drop(went, mail.To)
			d.keep.turn++
		})
		if i < len(groups)-1 { // a window killed now does not pay them again
			m.keepHeld(ctx, d)
		}
	}
	m.finish(d, all)
	m.do(m.loadSent)
	m.do(m.loadBalances)
	m.do(m.loadDrafts)
	m.do(m.loadLimits)
}

// freshOffers asks for the offers again and tells whether they are those that
// were seen.
func (m *Model) freshOffers(ctx context.Context, d *draft, seen map[string]terms) bool {
	same := true
	if m.several() { // who goes free from which own address
		if list, err := m.agent.People(ctx); err == nil {
			m.update(func() { m.folk.put(list) })
		}
	}
	for _, to := range d.to {
		price, err := m.offerOf(ctx, to)
		m.update(func() {
			m.learn(to, price, err)
			was, known := seen[key(to)]
			switch {
			case err != nil:
				same = false
				d.err = says("write.offer-failed", "Who", line(to), "Why", fails(err))
			case known && !m.sameTerms(d, to, was, price):
				same = false
				d.was = seen
				d.err = says("write.offer-changed", "Who", line(to))
			}
		})
		if err != nil {
			return false
		}
	}
	return same
}

// sameTerms tells whether a mail is paid as was seen. Where it goes free, how
// many are left and what it would cost is no matter; nor is whether an escrow
// answers that is not needed.
func (m *Model) sameTerms(d *draft, to string, seen terms, is agentclient.Price) bool {
	if !seen.pays {
		return !m.pays(d, to, is)
	}
	was := seen.price
	was.Free, is.Free = "", ""
	return reflect.DeepEqual(was, is)
}

// afford tells whether balance and limits reach, by what is known just now.
func (m *Model) afford(ctx context.Context, d *draft) bool {
	balances, err := m.agent.Balances(ctx)
	limits, errLimits := m.agent.Limits(ctx)
	ok := true
	m.update(func() {
		if err == nil {
			m.purse.balances, m.purse.loaded = balances, true
		}
		if errLimits == nil {
			m.limits.put(limits, m.say)
		}
		costs, _ := m.costs(d)
		if text, over := m.overLimit(costs); over {
			ok, d.err, d.limited = false, text.and(says("write.nothing-sent")), true
			return
		}
		for _, need := range sums(costs) {
			if have, known := m.balance(d, need.Currency); known && short(have, need) {
				ok, d.short = false, true
				d.err = says("write.short", "Amount", need, "Have", have).and(says("write.nothing-sent"))
				return
			}
		}
	})
	return ok
}

// groups puts recipients together who are paid by the same option. Each is paid
// as was seen; automatically, as it is now.
func (m *Model) groups(d *draft, seen map[string]terms) (groups []agentclient.Compose) {
	d.asked = nil
	for _, to := range d.to {
		mail := d.compose([]string{to})
		mail.From = m.account(d)
		price := m.offers.known[key(to)]
		agreed, ok := seen[key(to)]
		if !ok || m.prefs.settings.Model == agentclient.ModelAutomatic {
			agreed = m.termsOf(d, to, price)
		}
		d.asked = set(d.asked, key(to), agreed)
		mail.Option, mail.Paid = agreed.option.Index, agreed.pays && some(m.free(d, to, price))
		mail.Agreed = []string{agreed.instruction()}
		i := slices.IndexFunc(groups, func(g agentclient.Compose) bool { return g.Option == mail.Option && g.Paid == mail.Paid })
		if i < 0 {
			groups = append(groups, mail)
			continue
		}
		groups[i].To = append(groups[i].To, to)
		groups[i].Agreed = append(groups[i].Agreed, agreed.instruction())
	}
	return groups
}

// wentOut sorts out who has a mail on its way, and why the others do not.
func (m *Model) wentOut(mail agentclient.Compose, sent []agentclient.Sent, err error) (went []agentclient.Sent, why said) {
	for i, s := range sent {
		if s.ID != "" && s.State != sentFailed {
			went = append(went, s)
			continue
		}
		who := s.To
		if who == "" && i < len(mail.To) {
			who = mail.To[i]
		}
		if s.Error != "" {
			why = why.and(says("write.refused-for", "Who", line(who), "Why", worded(func(say speech) string { return line(say.agent(s.SayError, s.Error)) })))
		}
	}
	if err == nil && why == nil && len(went) < len(sent) {
		why = says("write.refused")
	}
	return went, why
}

// drop takes those out of the recipients who have their mail, so that sending
// again pays nobody twice.
func (d *draft) drop(went []agentclient.Sent, asked []string) {
	all := len(went) == len(asked)
	d.to = slices.DeleteFunc(slices.Clone(d.to), func(a string) bool {
		return all && slices.Contains(asked, a) ||
			slices.ContainsFunc(went, func(s agentclient.Sent) bool { return strings.EqualFold(s.To, a) })
	})
}

// sendFailed says what happened to whom, of so many at most. It does not say that
// nothing was sent where that is not known.
func (m *Model) sendFailed(d *draft, went []agentclient.Sent, most int, why said, err error) {
	d.drop(went, nil)
	if f, ok := errors.AsType[*agentclient.Failure](err); ok && f.Code == "quote_expired" {
		err = onlyHappened(f) // the new price says the rest
	}
	if text := fails(err); text != nil {
		why = text
	}
	if len(went) > 0 {
		why = why.and(says("write.part", "Sent", len(went), "All", most))
	}
	switch f, ok := errors.AsType[*agentclient.Failure](err); {
	case err != nil && (!ok || f.Code == agentclient.CodeInternal):
		why = why.and(says("write.unsure"))
	case len(went) > 0:
	case !ok || f.Means == "" || f.Means == agentclient.Fail(agentclient.CodeNoAgent).Means: // it was not reached
		why = why.and(says("write.nothing-sent"))
	}
	d.short, d.limited = codeOf(err) == "insufficient_funds", codeOf(err) == agentclient.CodeLimit
	switch fieldOf(err) {
	case "to":
		d.errTo = why
	case "subject":
		d.errSubject = why
	case "attachments":
		d.errFiles = why
	default:
		d.err = why
	}
	// A price that changed meanwhile is shown anew before anything is paid.
	if c := codeOf(err); c == "quote_expired" || c == "no_offer" || c == "sold_out" {
		m.refusedPrice(d)
	}
}

// onlyHappened leaves the rest of a failure away.
func onlyHappened(f *agentclient.Failure) *agentclient.Failure {
	short := &agentclient.Failure{Code: f.Code, Field: f.Field, Happened: f.Happened}
	if f.Say != nil {
		short.Say = &agentclient.FailureSaid{Happened: f.Say.Happened}
	}
	return short
}

// notSent says what became of a draft that was not sent, or not to all. One that
// did not change is not kept again: should its mail have gone out all the same,
// it must not come back.
func (m *Model) notSent(d *draft, changed bool) {
	m.update(func() {
		if changed {
			m.touch(d)
		}
		if m.draft != d { // the person writes another one meanwhile
			if d.keep.turn != d.keep.kept {
				m.desk.unkept = append(m.desk.unkept, d)
				m.keepIn(d, keepDelay)
			}
			about := d.subject
			m.desk.notice = says("drafts.not-sent", "Subject", worded(func(s speech) string { return subject(s, about) }), "Why", d.err.and(d.errTo).and(d.errSubject).and(d.errFiles))
		}
	})
}

// finish shows what is on its way, if the person still looks at this mail.
func (m *Model) finish(d *draft, went []agentclient.Sent) {
	rest := false
	m.update(func() {
		d.sending, rest = false, len(d.to) > 0
		for _, s := range slices.Backward(went) {
			m.out.put(s)
		}
		if len(went) > 0 {
			m.out.justSent(m, went)
		}
		if rest {
			return
		}
		d.keep.over = true
		m.desk.drafts = slices.DeleteFunc(slices.Clone(m.desk.drafts), func(k agentclient.Draft) bool { return k.ID == d.id })
		if m.draft != d {
			return
		}
		m.draft = newDraft()
		m.offers.known, m.offers.faults = nil, nil
		if m.page == PageWrite {
			m.page, m.out.reading = PageSent, true
		}
	})
	if rest {
		m.notSent(d, len(went) > 0)
	}
}
