package viewmodel

import (
	"slices"
	"strings"

	"earnest/agentclient"
)

// PriceOption is one way to pay, as the form shows it.
type PriceOption struct {
	Key         int
	Text        string
	Unit        string // of the field
	Currencies  []string
	Currency    int
	Slider      int // its place, of Places; -1: there is none
	Places      int
	Fixed       string // another system's instruction: shown, not changed
	Hint, Error string
	First, Last bool
}

// PricePreview is what strangers will see.
type PricePreview struct {
	Price string
	Or    string // the further ways to pay
	Text  string
}

// PastPrice is a price as it was from a time on.
type PastPrice struct {
	When  string
	Price string
	Lines []string // what changed with it
}

// OwnPrice is the page of the inbox's price.
type OwnPrice struct {
	Tab      PriceTab
	Loaded   bool
	LoadErr  string
	Accounts []string // where there are several
	Account  int
	Address  string
	Now      string // the price that holds; empty where there is none

	Options      []PriceOption
	MayAdd       bool
	OptionsError string

	Decide           []string
	DecideAt         int
	DecideKnown      bool
	DecideError      string
	Free             []string
	FreeAt           int
	FreeCounted      bool
	FreeText         string
	FreeError        string
	Beneficiaries    []string
	Beneficiary      int
	BeneficiaryError string
	TellRead, Public bool

	Preview PricePreview
	Changes []string // what saving changes
	From    string   // and from when
	Else    string   // it was changed elsewhere meanwhile
	Changed bool
	Busy    bool
	Error   string
	Done    string

	Past      []PastPrice
	PastEmpty string
	Card      Card
	CardHint  string // why there is none yet
}

// OwnPrice shows what it costs to write here, and the change being typed.
func (m *Model) OwnPrice() OwnPrice {
	m.mu.Lock()
	defer m.mu.Unlock()
	price, f := m.ownForm()
	v := OwnPrice{Tab: m.own.tab, Loaded: m.own.loaded, LoadErr: m.say.again(m.own.loadErr), Address: line(m.ownAddress()), Now: m.say.prices(price),
		MayAdd: len(f.rows) < mostOptions, OptionsError: m.say.again(f.errOptions), DecideError: m.say.again(f.errDecide), FreeError: m.say.again(f.errFree), BeneficiaryError: m.say.again(f.errBeneficiary),
		TellRead: f.tell, Public: f.public, Busy: f.busy, Error: m.say.again(f.err), Done: m.say.again(f.done)}
	if len(m.status.Accounts) > 1 {
		v.Accounts, v.Account = m.accounts(m.ownAddress())
	}
	for i := range f.rows {
		o := m.option(&f.rows[i])
		o.First, o.Last = i == 0, i == len(f.rows)-1
		v.Options = append(v.Options, o)
	}
	m.policy(&v, price, f)
	v.Changed = m.differs(price, f)
	if w, ok := m.formed(price, f); ok {
		v.Preview = m.preview(w)
		if v.Changed {
			v.Changes = m.say.changes(price, w)
			v.From = m.say.T("price.from")
		}
	}
	if f.touched && len(m.say.changes(f.base, price)) > 0 {
		v.Else = m.say.T("price.else", "Price", m.say.prices(price))
	}
	v.Past, v.PastEmpty = m.past()
	if v.Card = m.cardOf(m.ownAddress()); v.Card.Link == "" {
		v.CardHint = m.say.T("price.card.none")
	}
	return v
}

func (m *Model) option(r *priceRow) PriceOption {
	o := PriceOption{Key: r.key, Text: m.shownAmount(r), Unit: m.say.currencyWords(r.currency, m.unitOf(r.currency)),
		Slider: m.sliderAt(r), Places: len(commonPrices()), Error: m.say.again(r.err), Fixed: line(r.fixed)}
	if r.err == nil {
		o.Hint = m.hint(r)
	}
	if r.fixed == "" && o.Hint == "" && r.err == nil && r.typed && strings.TrimSpace(r.text) != "" {
		_, fault := m.plain(r)
		o.Error = m.say.again(fault)
	}
	all := m.purse.currencies()
	for i, c := range all {
		o.Currencies = append(o.Currencies, m.say.currencyWords(c.Currency, c.Unit))
		if c.Currency == r.currency {
			o.Currency = i
		}
	}
	known := slices.ContainsFunc(all, func(c agentclient.Money) bool { return c.Currency == r.currency })
	if len(all) < 2 && (known || r.currency == "") || r.fixed != "" {
		o.Currencies = nil
	}
	return o
}

func (m *Model) policy(v *OwnPrice, price agentclient.Price, f *priceForm) {
	v.DecideKnown = f.decide > 0
	for i, span := range decideSpans(price) {
		words := m.say.span(span)
		if span == price.DecideMost {
			words = m.say.T("price.decide.most", "Span", words)
		}
		v.Decide = append(v.Decide, words)
		if span == f.decide {
			v.DecideAt = i
		}
	}
	v.Free = []string{m.say.T("price.free.none"), m.say.T("price.free.count"), m.say.T("price.free.always")}
	v.FreeAt, v.FreeCounted, v.FreeText = int(f.free), f.free == freeCount, f.freeText
	for i, b := range price.Beneficiaries {
		v.Beneficiaries = append(v.Beneficiaries, line(b.Name))
		if b.ID == f.beneficiary {
			v.Beneficiary = i
		}
	}
}

// preview is the offer in the words in which it is shown to who writes.
func (m *Model) preview(w agentclient.Price) PricePreview {
	if len(w.Options) == 0 {
		return PricePreview{}
	}
	p := PricePreview{Price: m.say.money(w.Options[0].Price), Text: m.terms(m.ownAddress(), w, w.Options[0].Price, true)}
	var more []string
	for _, o := range w.Options[1:] {
		more = append(more, m.say.money(o.Price))
	}
	if len(more) > 0 {
		p.Or = m.say.T("price.preview.or", "Prices", strings.Join(more, ", "))
	}
	return p
}

// past lists what the price was.
func (m *Model) past() ([]PastPrice, string) {
	list, loaded := m.own.past[key(m.ownAddress())]
	switch {
	case !loaded && m.own.pastErr != nil:
		return nil, m.say.again(m.own.pastErr)
	case !loaded:
		return nil, m.notYet().Title
	case len(list) == 0:
		return nil, m.say.T("price.past.empty")
	}
	var past []PastPrice
	for i, c := range list {
		one := PastPrice{When: m.say.moment(c.Time), Price: m.say.prices(c.Price)}
		if i+1 < len(list) {
			one.Lines = m.say.changes(list[i+1].Price, c.Price)
		} else {
			one.Lines = []string{m.say.T("price.past.first")}
		}
		past = append(past, one)
	}
	return past, ""
}

// prices are the amounts of all ways to pay: "€0.25 or 2.00 TOKEN".
func (s speech) prices(p agentclient.Price) string {
	var all []string
	for _, o := range p.Options {
		all = append(all, s.money(o.Price))
	}
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return s.T("list.or", "List", strings.Join(all[:len(all)-1], ", "), "Last", all[len(all)-1])
}

// changes says what differs between two prices of an address.
func (s speech) changes(old, is agentclient.Price) []string {
	var all []string
	if !sameWays(old, is) {
		switch was, now := s.prices(old), s.prices(is); {
		case was == "":
			all = append(all, s.T("price.change.first", "New", now))
		case was == now:
			all = append(all, s.T("price.change.ways"))
		default:
			all = append(all, s.T("price.change.price", "Old", was, "New", now))
		}
	}
	if old.DecideWithin != is.DecideWithin && is.DecideWithin > 0 && old.DecideWithin > 0 {
		all = append(all, s.T("price.change.decide", "Old", s.span(old.DecideWithin), "New", s.span(is.DecideWithin)))
	}
	if freeOf(old) != freeOf(is) {
		switch n, always, _ := freeOf(is).Count(); {
		case always:
			all = append(all, s.T("price.change.free-always"))
		default:
			all = append(all, s.N("price.change.free", n))
		}
	}
	if old.Beneficiary != is.Beneficiary && old.Beneficiary != "" {
		all = append(all, s.T("price.change.beneficiary", "Old", line(old.Beneficiary), "New", line(is.Beneficiary)))
	}
	if old.TellRead != is.TellRead && len(old.Options) > 0 {
		if is.TellRead {
			all = append(all, s.T("price.change.tell"))
		} else {
			all = append(all, s.T("price.change.tell-not"))
		}
	}
	if old.Public != is.Public {
		if is.Public {
			all = append(all, s.T("price.change.public"))
		} else {
			all = append(all, s.T("price.change.public-not"))
		}
	}
	return all
}

// freeOf is what an accept gives; where nothing is said, it is always.
func freeOf(p agentclient.Price) agentclient.Free {
	if p.FreeAfter == agentclient.FreePolicy {
		return agentclient.FreeAlways
	}
	return p.FreeAfter
}

// sameWays tells that two prices have the same ways to pay in the same order.
func sameWays(a, b agentclient.Price) bool {
	return slices.EqualFunc(a.Options, b.Options, func(x, y agentclient.Option) bool {
		p, okP := amount(x.Price.Amount)
		q, okQ := amount(y.Price.Amount)
		return x.Price.Currency == y.Price.Currency && okP && okQ && p.Cmp(q) == 0
	})
}
