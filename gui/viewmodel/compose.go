package viewmodel

import (
	"context"
	"slices"
	"strings"
	"time"

	"earnest/agentclient"
)

// draft is a mail being written. It stays the same object from the first letter
// until it is sent or set aside, however often it is kept.
type draft struct {
	id            string // of the agent; empty before it was kept once
	from          string // own address; the first account's where empty
	to            []string
	typing        string // in the address field
	subject, body string
	inReplyTo     string
	files         []agentclient.Attachment
	cards         map[string]string // address: the identity on the card it was taken from
	choice        map[string]int    // address: the option's index, from 1
	paid          map[string]bool   // address: with a bond though it could go free

	keep    keeping
	sending bool
	waiting bool             // it is sent as soon as its price is known (automatic)
	asked   map[string]terms // address: with what the agent was last asked to send
	was     map[string]terms // the same, where the agent refused it
	preview preview

	errTo, errSubject, errFiles said
	err                         said
	short, limited              bool // offer the top-up; offer the limits
}

// clear takes back what the last attempt to send said.
func (d *draft) clear() {
	d.err, d.short, d.limited, d.waiting, d.was = nil, false, false, false, nil
}

// blank tells that nothing was typed.
func (d *draft) blank() bool {
	return len(d.to) == 0 && strings.TrimSpace(d.typing+d.subject+d.body) == "" && len(d.files) == 0
}

// Draft is the page of writing.
type Draft struct {
	From          []string // own addresses, where there are several
	Sender        int
	To            string // in the address field
	Recipients    []Recipient
	Subject, Body string
	Files         []File
	FilesNote     string // how much they are together
	Price         string // "€0.25", or the sum for several recipients
	PriceText     string // what there is to say about all of it
	PriceTone     Tone

	ErrTo, ErrSubject, ErrFiles string
	Error                       string
	MayTopUp, MayLimits         bool
	Sending                     bool
	Submit                      string // the button's words
	Ready                       bool   // every recipient's price is known
	Blank                       bool
	Kept                        string // when it was kept last, or why it was not
	KeptTone                    Tone
	Preview                     bool // the dry run is shown in its place
}

// Recipient is one to whom the mail goes, with what that costs.
type Recipient struct {
	Address  string
	Typing   bool // it still stands in the field
	Cost     string
	CostTone Tone
	Text     string // the offer in words
	Tone     Tone
	Ways     []string // to pay, where there is a choice
	Way      int
	MayPay   bool // it is free, and a bond can be put down all the same
	Paid     bool
	PaidText string
	Retry    bool // the offer could not be had: ask again
	// Alarm: there is another fingerprint than before. Print is what is typed as the
	// new one.
	Alarm      bool
	Print      string
	PrintFault string
	PrintBusy  bool
}

// Write turns to the page of writing; what was typed there is still there.
func (m *Model) Write() {
	m.mu.Lock()
	was := m.shown()
	if was != PageWrite {
		m.desk.came = was
	}
	m.mu.Unlock()
	m.Show(PageWrite)
	m.do(m.loadBalances)
	m.do(m.loadLimits)
}

// WriteNew sets aside what is being written and begins another mail.
func (m *Model) WriteNew() {
	m.SetAside()
	m.Write()
}

// WriteTo begins a mail, such as an answer. What was being written is kept as a
// draft.
func (m *Model) WriteTo(to, subject, body, inReplyTo string) {
	m.SetAside()
	m.update(func() {
		m.draft.add(bareAddress(to))
		m.draft.subject, m.draft.body, m.draft.inReplyTo = subject, body, inReplyTo
	})
	m.Write()
	m.askNow()
}

// edit changes the draft and has it kept. While it is being sent nothing is
// changed: what is typed then would be lost with it.
func (m *Model) edit(change func(*draft)) {
	m.mu.Lock()
	if m.draft.sending {
		m.mu.Unlock()
		return
	}
	change(m.draft)
	m.touch(m.draft)
	m.mu.Unlock()
	m.changed()
}

// SetSubject keeps the subject as typed.
func (m *Model) SetSubject(s string) {
	m.quiet(func(d *draft) bool {
		fault := d.errSubject != nil
		d.subject, d.errSubject = s, nil
		return fault
	})
}

// SetBody keeps the text as typed.
func (m *Model) SetBody(s string) {
	m.quiet(func(d *draft) bool { d.body = s; return false })
}

// quiet changes what only its own field shows; nothing is drawn anew for it
// unless change says so.
func (m *Model) quiet(change func(*draft) bool) {
	m.mu.Lock()
	d := m.draft
	if d.sending {
		m.mu.Unlock()
		return
	}
	first := d.blank()
	subject, body := d.subject, d.body
	draw := change(d)
	if d.subject != subject || d.body != body {
		m.touch(d)
	}
	draw = draw || first != d.blank()
	m.mu.Unlock()
	if draw {
		m.changed()
	}
}

// SetSender chooses the own address to write from.
func (m *Model) SetSender(i int) {
	m.edit(func(d *draft) {
		if i >= 0 && i < len(m.status.Accounts) {
			d.from = m.status.Accounts[i].Address
			d.clear()
		}
	})
}

// Draft shows the mail being written, with the price before anything else.
func (m *Model) Draft() Draft {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.draft
	v := Draft{To: d.typing, Subject: d.subject, Body: d.body, ErrTo: m.say.again(d.errTo), ErrSubject: m.say.again(d.errSubject),
		ErrFiles: m.say.again(d.errFiles), Error: m.say.again(d.err), MayTopUp: d.short, MayLimits: d.limited, Sending: d.sending,
		Blank: d.blank(), Preview: d.preview.open}
	if len(m.status.Accounts) > 1 {
		v.From, v.Sender = m.accounts(d.from)
	}
	all := d.all()
	for i, to := range all {
		v.Recipients = append(v.Recipients, m.recipient(d, to, i >= len(d.to), len(all) == 1))
	}
	v.Files, v.FilesNote = m.filesOf(d)
	m.sumUp(d, &v)
	v.Kept, v.KeptTone = m.keptWords(d)
	return v
}

// sumUp says what all of it costs, and what the button does.
func (m *Model) sumUp(d *draft, v *Draft) {
	v.Submit = m.say.T("write.send")
	costs, known := m.costs(d)
	automatic := m.prefs.settings.Model == agentclient.ModelAutomatic
	switch {
	case len(v.Recipients) == 0:
		v.PriceText, v.PriceTone = m.say.T("write.price.first"), Muted
	case !known:
	case len(costs) == 0:
		v.Ready, v.Submit = true, m.say.T("write.send-free")
	default:
		v.Ready, v.Price = true, m.amounts(costs)
		v.PriceText, v.PriceTone = m.leftAfter(d, costs)
		limit, over := m.overLimit(costs)
		switch {
		case over:
			v.PriceText, v.PriceTone, v.MayLimits = m.say.again(limit), Against, true
		case v.PriceTone == Against:
			v.MayTopUp = true
		case len(v.Recipients) == 1 && len(v.Recipients[0].Ways) > 0:
			v.PriceText = "" // each way says it by itself
		case automatic:
			v.PriceText, v.PriceTone = m.say.T("write.automatic", "Amount", v.Price), Muted
		}
		v.Submit = m.say.T("write.send-for", "Amount", v.Price)
	}
	if automatic && v.Price != "" && v.PriceTone != Against {
		v.Submit = m.say.T("write.send")
	}
	if d.sending {
		v.Submit = m.say.T("write.sending")
	}
}

// leftAfter says what is left of the money, or that it does not reach.
func (m *Model) leftAfter(d *draft, costs []agentclient.Money) (string, Tone) {
	var left []string
	for _, need := range sums(costs) {
		have, ok := m.balance(d, need.Currency)
		switch {
		case !ok:
			return "", Muted
		case short(have, need):
			return m.say.T("write.short", "Amount", m.say.money(need), "Have", m.say.money(have)), Against
		}
		left = append(left, m.say.money(lessBy(have, need)))
	}
	text := left[0]
	for _, l := range left[1:] {
		text = m.say.T("write.and", "First", text, "Second", l)
	}
	if len(d.all()) > 1 {
		return m.say.N("write.total", len(costs), "Left", text), Muted
	}
	return m.say.T("write.left", "Left", text), Muted
}

// recipient tells one recipient's offer; alone it says all of it.
func (m *Model) recipient(d *draft, to string, typing, alone bool) Recipient {
	k := key(to)
	r := Recipient{Address: line(to), Typing: typing, Tone: Muted}
	price, known := m.offers.known[k]
	switch {
	case !addressLike(to):
		r.Text, r.Tone = m.say.T("write.no-address", "Text", line(to)), Against
	case m.offers.faults[k] != nil:
		r.Text, r.Tone, r.Retry = m.say.again(m.offers.faults[k]), Against, true
		if f, ok := m.offers.faults[k].alarm(); ok {
			m.alarmed(f, k, &r)
		}
	case !known:
		r.Text = m.say.T("write.asking")
	case !m.payable(d, to, price):
		r.Text, r.Tone, r.Retry = m.say.T("write.no-offer", "Who", line(to)), Against, true
	default:
		m.offered(d, to, price, alone, &r)
	}
	return r
}

func (m *Model) offered(d *draft, to string, price agentclient.Price, alone bool, r *Recipient) {
	there := m.free(d, to, price)
	free := some(there)
	r.MayPay, r.Paid = free && len(price.Options) > 0, d.paid[key(to)]
	if card := d.cards[key(to)]; card != "" && price.Identity != "" && card != price.Identity {
		r.Text, r.Tone = m.say.T("write.other-identity", "Who", line(to)), Against
	}
	add := func(s string) {
		if s != "" {
			r.Text = strings.TrimSpace(r.Text + " " + s)
		}
	}
	if r.MayPay {
		r.PaidText = m.say.T("write.bond", "Amount", m.say.money(price.Options[0].Price))
	}
	if free && !r.Paid {
		r.Cost, r.CostTone = m.say.T("write.free"), Good
		if n, always, _ := there.Count(); always {
			add(m.say.T("write.free.always"))
		} else {
			add(m.say.N("write.free.count", n))
		}
		return
	}
	way, ways := m.way(d, to)
	r.Cost = m.say.money(way.Price)
	since, changed := m.changedSince(d, to, price)
	if add(since); changed {
		r.Tone = Against
	}
	if price.Connected && !goesFree(price) && !free {
		add(m.say.T("write.free.none"))
	}
	if m.prefs.settings.Model == agentclient.ModelSingle && len(ways) > 0 {
		add(m.say.T("write.other-currency", "Currency", line(m.prefs.settings.Currency)))
	}
	add(m.terms(to, price, way.Price, alone))
	if len(ways) > 1 {
		for i, o := range ways {
			r.Ways = append(r.Ways, m.wayWords(d, o, ways))
			if o.Index == way.Index {
				r.Way = i
			}
		}
	}
}

// wayWords is an option as it is listed: what it costs, where, and what is left.
func (m *Model) wayWords(d *draft, o agentclient.Option, all []agentclient.Option) string {
	amount := m.say.money(o.Price)
	place := line(o.Price.Currency)
	if slices.ContainsFunc(all, func(p agentclient.Option) bool { return p.Index != o.Index && p.Price == o.Price }) {
		place = line(o.Instruction) // two ways to pay the same
	}
	have, ok := m.balance(d, o.Price.Currency)
	switch {
	case !ok:
		return m.say.T("write.way", "Amount", amount, "Place", place)
	case short(have, o.Price):
		return m.say.T("write.way.short", "Amount", amount, "Place", place, "Have", m.say.money(have))
	}
	return m.say.T("write.way.left", "Amount", amount, "Place", place, "Left", m.say.money(lessBy(have, o.Price)))
}

// arrivesBy is the latest moment that counts as an arrival on that day: escrows tell
// the hour only, rounded up, which at the end of the day is the next one.
func arrivesBy(now time.Time) time.Time {
	end := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location())
	if whole := end.Truncate(time.Hour); whole.Before(end) {
		return whole.Add(time.Hour)
	}
	return end
}

// terms says what happens to the money, before it is paid.
func (m *Model) terms(to string, price agentclient.Price, amount agentclient.Money, alone bool) string {
	span := m.say.span(price.DecideWithin)
	if !alone {
		return m.say.T("write.terms.short", "Span", span, "Beneficiary", m.whoGets(price.Beneficiary))
	}
	latest := m.say.day(arrivesBy(m.now().In(m.say.loc)).Add(time.Duration(price.DecideWithin) * time.Second))
	parts := []string{
		m.say.T("write.terms.held", "Amount", m.say.money(amount), "Who", line(to), "Day", latest),
		m.say.T("write.terms.reject", "Beneficiary", m.whoGets(price.Beneficiary)),
	}
	if price.TellRead {
		parts = append(parts, m.say.T("write.terms.read"))
	} else {
		parts = append(parts, m.say.T("write.terms.unread"))
	}
	switch known := m.acquainted(to); {
	case price.Connected:
	case known:
		parts = append(parts, m.say.T("write.terms.known"))
	default:
		parts = append(parts, m.say.T("write.terms.new"))
	}
	return strings.Join(parts, " ")
}

// acquainted tells that one accepted a mail from here before.
func (m *Model) acquainted(to string) bool {
	return slices.ContainsFunc(m.out.mails, func(s agentclient.Sent) bool {
		return s.State == sentAccepted && strings.EqualFold(s.To, to)
	})
}

// LeaveWriting goes back to where the person came from; the draft is kept.
func (m *Model) LeaveWriting() {
	m.mu.Lock()
	back := m.desk.came
	m.mu.Unlock()
	if back == "" || back == PageWrite {
		back = PageWaiting
	}
	m.Show(back)
}

// after does a task when some time has passed. It does not count as being under
// way before.
func (m *Model) after(wait time.Duration, task func(context.Context)) {
	time.AfterFunc(wait, func() { m.do(task) })
}
