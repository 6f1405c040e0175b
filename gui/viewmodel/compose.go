package viewmodel

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"earnest/agentclient"
)

// lookupDelay lets a person finish typing an address before its price is asked:
// lookups are counted by the escrow.
const lookupDelay = 600 * time.Millisecond

// draft is the mail being written.
type draft struct {
	to, subject, body string
	files             []agentclient.Attachment
	option            int // index in the options of the only recipient
	prices            map[string]agentclient.Price
	priceErr          map[string]string
	asking            map[string]bool
	turn              int // of typing in the address field
	sending           bool
	errTo, errSubject string
	err               string
	short             bool // the money does not reach: offer the top-up
}

// Draft is the page of writing.
type Draft struct {
	To, Subject, Body  string
	Files              []File
	Price              string   // "€0.25", or the sum for several recipients
	PriceText          string   // what happens to the money
	PriceTone          Tone     // Against where there is no price
	Options            []string // ways to pay, where there is a choice
	Option             int
	ErrTo, ErrSubject  string
	Error              string
	MayTopUp, Sending  bool
	Submit             string // the button's words
	Ready              bool   // every recipient's price is known
	AskingPrice, Blank bool
}

// recipients splits the address field.
func recipients(to string) []string {
	var list []string
	for _, a := range strings.FieldsFunc(to, func(r rune) bool { return strings.ContainsRune(",; \t\n", r) }) {
		if a = strings.Trim(a, "<>"); a != "" && !slices.ContainsFunc(list, func(b string) bool { return strings.EqualFold(a, b) }) {
			list = append(list, a)
		}
	}
	return list
}

func addressLike(a string) bool {
	local, domain, ok := strings.Cut(a, "@")
	return ok && local != "" && domain != "" && !strings.Contains(domain, "@") &&
		!strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".")
}

// Write turns to the page of writing; what was typed there is still there.
func (m *Model) Write() { m.Show(PageWrite) }

// SetTo keeps the recipients as typed, and asks for their prices once the
// typing rests.
func (m *Model) SetTo(to string) {
	m.mu.Lock()
	if m.draft.to == to {
		m.mu.Unlock()
		return
	}
	m.draft.to, m.draft.option = to, 0
	m.draft.errTo, m.draft.err, m.draft.short = "", "", false
	m.draft.turn++
	turn := m.draft.turn
	m.mu.Unlock()
	m.changed()
	m.do(func(ctx context.Context) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookupDelay):
		}
		m.mu.Lock()
		stale := m.draft.turn != turn
		m.mu.Unlock()
		if !stale {
			m.lookup(ctx)
		}
	})
}

// SetSubject, SetBody and SetOption keep what was typed and chosen.
func (m *Model) SetSubject(s string) {
	m.quiet(func() { m.draft.subject, m.draft.errSubject = s, "" })
}

// SetBody keeps the text as typed.
func (m *Model) SetBody(s string) { m.quiet(func() { m.draft.body = s }) }

// quiet changes what only its own field shows.
func (m *Model) quiet(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// SetOption chooses a way to pay, from 0.
func (m *Model) SetOption(i int) {
	m.mu.Lock()
	same := m.draft.option == i
	m.mu.Unlock()
	if !same {
		m.update(func() { m.draft.option, m.draft.err, m.draft.short = i, "", false })
	}
}

// Attach adds a file to the draft.
func (m *Model) Attach(name, kind string, data []byte) {
	m.update(func() {
		m.draft.files = append(slices.Clone(m.draft.files),
			agentclient.Attachment{Name: name, Type: kind, Size: int64(len(data)), Data: data})
	})
}

// AttachFailed says why a file could not be attached.
func (m *Model) AttachFailed(err error) {
	m.update(func() { m.draft.err = "The file could not be attached. " + m.say.failure(err) })
}

// Detach removes the n-th file.
func (m *Model) Detach(n int) {
	m.update(func() {
		if n < len(m.draft.files) {
			m.draft.files = slices.Delete(slices.Clone(m.draft.files), n, n+1)
		}
	})
}

// lookup asks for the prices that are not known yet.
func (m *Model) lookup(ctx context.Context) {
	var ask []string
	m.update(func() {
		for _, to := range recipients(m.draft.to) {
			key := strings.ToLower(to)
			if _, known := m.draft.prices[key]; !known && !m.draft.asking[key] && addressLike(to) {
				ask = append(ask, to)
				m.draft.asking = set(m.draft.asking, key, true)
				m.draft.priceErr = without(m.draft.priceErr, key)
			}
		}
	})
	for _, to := range ask {
		m.do(func(ctx context.Context) { m.lookupOne(ctx, to) })
	}
}

func (m *Model) lookupOne(ctx context.Context, to string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	price, err := m.agent.Price(ctx, to)
	if err == nil && len(price.Options) == 0 {
		err = &agentclient.Failure{Code: "no_offer", Happened: to + " has not set a price."}
	}
	m.update(func() {
		key := strings.ToLower(to)
		m.draft.asking = set(m.draft.asking, key, false)
		if err != nil {
			m.draft.priceErr = with(m.draft.priceErr, key, m.say.failure(err))
			return
		}
		m.draft.prices = set(m.draft.prices, key, price)
	})
}

func set[V any](old map[string]V, key string, value V) map[string]V {
	m := make(map[string]V, len(old)+1)
	for k, v := range old {
		m[k] = v
	}
	m[key] = value
	return m
}

// Draft shows the mail being written, with the price before anything else.
func (m *Model) Draft() Draft {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := &m.draft
	v := Draft{To: d.to, Subject: d.subject, Body: d.body, ErrTo: d.errTo, ErrSubject: d.errSubject, Error: d.err,
		MayTopUp: d.short, Sending: d.sending, Submit: "Send", Option: d.option}
	for i, a := range d.files {
		v.Files = append(v.Files, File{N: i, Name: named(a.Name), Size: m.say.size(a.Size)})
	}
	to := recipients(d.to)
	costs, fault, asking := m.costs(to)
	v.AskingPrice, v.Blank = asking, len(to) == 0
	switch {
	case len(to) == 0:
		v.PriceText, v.PriceTone = "Type an address, and its price is shown here before you write.", Muted
	case fault != "":
		v.PriceText, v.PriceTone = fault, Against
	case asking:
		v.PriceText, v.PriceTone = "Asking for the price…", Muted
	case len(costs) == 0:
		v.PriceText, v.PriceTone = "The price is shown here once the address is complete.", Muted
	default:
		v.Ready = true
		v.Price = m.total(costs)
		v.PriceText, v.PriceTone = m.promise(to), Muted
		v.Submit = "Send for " + v.Price
	}
	if d.sending {
		v.Submit = "Sending…"
	}
	if len(to) == 1 {
		for _, option := range d.prices[strings.ToLower(to[0])].Options {
			label := m.say.money(option.Price) + "  at " + line(option.Price.Currency)
			if slices.Contains(v.Options, label) {
				label = line(option.Instruction) // two ways to pay the same
			}
			v.Options = append(v.Options, label)
		}
		if v.Option >= len(v.Options) {
			v.Option = 0
		}
		if len(v.Options) < 2 {
			v.Options = nil
		}
	}
	return v
}

// costs is what each recipient costs. The fault is the first reason why one
// cannot be written to.
func (m *Model) costs(to []string) (costs []agentclient.Money, fault string, asking bool) {
	for _, a := range to {
		key := strings.ToLower(a)
		price, known := m.draft.prices[key]
		switch {
		case m.draft.priceErr[key] != "":
			fault = m.draft.priceErr[key]
			if len(to) > 1 {
				fault = line(a) + ": " + fault
			}
			return nil, fault, false
		case m.draft.asking[key]:
			asking = true
		case known:
			costs = append(costs, m.chosen(price, len(to)).Price)
		}
	}
	if len(costs) < len(to) {
		costs = nil
	}
	return costs, "", asking
}

// chosen is the option that is paid by. Only a single recipient's can be
// chosen, and one that an offer has no longer is the first.
func (m *Model) chosen(price agentclient.Price, recipients int) agentclient.Option {
	if recipients == 1 && m.draft.option < len(price.Options) {
		return price.Options[m.draft.option]
	}
	return price.Options[0]
}

// sums adds up amounts by currency.
func sums(costs []agentclient.Money) []agentclient.Money {
	var all []agentclient.Money
	for _, c := range costs {
		i := slices.IndexFunc(all, func(m agentclient.Money) bool { return m.Currency == c.Currency })
		if i < 0 {
			all = append(all, c)
			continue
		}
		all[i] = sumOf(all[i], c)
	}
	return all
}

func (m *Model) total(costs []agentclient.Money) string {
	var parts []string
	for _, sum := range sums(costs) {
		parts = append(parts, m.say.money(sum))
	}
	return strings.Join(parts, " and ")
}

// promise says what happens to the money, before it is paid.
func (m *Model) promise(to []string) string {
	price := m.draft.prices[strings.ToLower(to[0])]
	who, they := line(to[0]), "reads"
	s := "is held when you send, and comes back unless " + who + " rejects your mail"
	if len(to) > 1 {
		s = fmt.Sprintf("is held when you send, for %d mails with a bond each. Each comes back unless its recipient rejects the mail", len(to))
	}
	if price.Beneficiary != "" && len(to) == 1 {
		s += "; then it goes to " + line(price.Beneficiary)
	}
	s += "."
	if within := m.say.span(price.DecideWithin); within != "" && len(to) == 1 {
		s += " If nothing is decided within " + within + ", it comes back too."
	}
	if len(to) == 1 && !price.TellRead {
		s += " You are told when it arrives; not whether " + who + " " + they + " it."
	}
	return s
}
