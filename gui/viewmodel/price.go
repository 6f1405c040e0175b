package viewmodel

import (
	"context"
	"slices"
	"strings"

	"earnest/agentclient"
)

// PriceTab is a part of the page of prices.
type PriceTab int

// The parts.
const (
	PriceNow PriceTab = iota
	PriceCard
	PriceAnswer
	PricePast
)

// ownPrice is the prices of the own inboxes and the changes being typed.
type ownPrice struct {
	price   agentclient.Price // of the first account
	prices  map[string]agentclient.Price
	loaded  bool
	loadErr said
	tab     PriceTab
	account string // whose price is shown; the first's where empty
	forms   map[string]*priceForm
	answers map[string]*answerForm
	past    map[string][]agentclient.PriceChange
	pastErr said
	stale   bool // past
}

// put takes over a price that was read or set.
func (o *ownPrice) put(p agentclient.Price, first bool) {
	if first {
		o.price = p
	}
	o.prices = set(o.prices, key(p.Address), p)
	o.loaded, o.loadErr = true, nil
	if f := o.forms[key(p.Address)]; f != nil && !f.touched {
		fresh := newPriceForm(p, nil)
		fresh.busy, fresh.done = f.busy, f.done
		o.forms[key(p.Address)] = fresh
	}
}

func (o *ownPrice) first(say speech) string {
	if len(o.price.Options) == 0 {
		return ""
	}
	return say.money(o.price.Options[0].Price)
}

// ownAddress is whose price is shown.
func (m *Model) ownAddress() string {
	if len(m.status.Accounts) == 0 {
		return m.own.price.Address
	}
	return m.chosen(m.own.account)
}

// ownForm is the price that is shown, and what is typed into its form.
func (m *Model) ownForm() (agentclient.Price, *priceForm) {
	k := key(m.ownAddress())
	price := m.own.prices[k]
	f := m.own.forms[k]
	if f == nil {
		f = newPriceForm(price, m.purse.currencies())
		if m.own.forms == nil {
			m.own.forms = map[string]*priceForm{}
		}
		m.own.forms[k] = f
	}
	if len(f.rows) == 1 && f.rows[0].currency == "" { // made before any currency was known
		if all := m.purse.currencies(); len(all) > 0 {
			f.rows[0].currency = all[0].Currency
		}
	}
	return price, f
}

// ShowPrice turns to a part of the page of prices.
func (m *Model) ShowPrice(tab PriceTab) {
	m.update(func() { m.own.tab = tab })
	m.turnPrice(PagePrice)
}

// SetPriceAccount shows the price of another own address.
func (m *Model) SetPriceAccount(i int) {
	m.update(func() { m.own.account = m.accountAt(i) })
	m.mu.Lock()
	m.own.stale = true
	m.mu.Unlock()
	m.turnPrice(PagePrice)
}

// typing changes the form of the price that is shown.
func (m *Model) typing(change func(*priceForm)) {
	m.update(func() {
		_, f := m.ownForm()
		f.touched, f.done, f.err = true, nil, nil
		f.edits++
		change(f)
	})
}

// SetAmount keeps the amount of a row as typed.
func (m *Model) SetAmount(row int, text string) {
	m.mu.Lock()
	_, f := m.ownForm()
	r := f.row(row)
	same := r == nil || m.shownAmount(r) == text
	m.mu.Unlock()
	if !same {
		m.typing(func(f *priceForm) {
			r := f.row(row)
			r.text, r.typed, r.err, f.errOptions = text, true, nil, nil
		})
	}
}

// Slide takes the common price at a place of a row's slider. The place where the
// slider stands already leaves a typed price as it is.
func (m *Model) Slide(row, place int) {
	m.mu.Lock()
	_, f := m.ownForm()
	at := -1
	r := f.row(row)
	if r != nil {
		at = m.sliderAt(r)
	}
	m.mu.Unlock()
	if r == nil || place < 0 || place >= len(commonPrices()) || at == place {
		return
	}
	m.typing(func(f *priceForm) {
		r := f.row(row)
		r.text, r.typed, r.err, f.errOptions = commonPrices()[place], false, nil, nil
	})
}

// SetRowCurrency pays a row in another currency, by its index in the view's list.
func (m *Model) SetRowCurrency(row, i int) {
	m.typing(func(f *priceForm) {
		if all := m.purse.currencies(); i >= 0 && i < len(all) && f.row(row) != nil {
			f.row(row).currency, f.row(row).err, f.errOptions = all[i].Currency, nil, nil
		}
	})
}

// AddOption adds a way to pay behind the others.
func (m *Model) AddOption() {
	m.typing(func(f *priceForm) {
		if len(f.rows) >= mostOptions {
			return
		}
		currency := ""
		for i, c := range m.purse.currencies() {
			unused := !slices.ContainsFunc(f.rows, func(r priceRow) bool { return r.currency == c.Currency })
			if i == 0 || unused {
				currency = c.Currency
			}
			if unused {
				break
			}
		}
		f.add(priceRow{currency: currency})
	})
}

// RemoveOption takes a way to pay away; the last one stays.
func (m *Model) RemoveOption(row int) {
	m.typing(func(f *priceForm) {
		if len(f.rows) > 1 {
			f.rows = slices.DeleteFunc(slices.Clone(f.rows), func(r priceRow) bool { return r.key == row })
			f.errOptions = nil
		}
	})
}

// MoveOption moves a way to pay up (-1) or down (1): the first is what is offered first.
func (m *Model) MoveOption(row, by int) {
	m.typing(func(f *priceForm) {
		i := slices.IndexFunc(f.rows, func(r priceRow) bool { return r.key == row })
		if to := i + by; i >= 0 && to >= 0 && to < len(f.rows) {
			f.rows = slices.Clone(f.rows)
			f.rows[i], f.rows[to] = f.rows[to], f.rows[i]
		}
	})
}

// SetDecide, SetFreeKind, SetBeneficiary choose by the index in the view's lists.
func (m *Model) SetDecide(i int) {
	m.typing(func(f *priceForm) {
		if all := decideSpans(m.own.prices[key(m.ownAddress())]); i >= 0 && i < len(all) {
			f.decide, f.errDecide = all[i], nil
		}
	})
}

// SetFreeKind chooses whether an accept lets its sender write further.
func (m *Model) SetFreeKind(i int) {
	m.typing(func(f *priceForm) { f.free, f.errFree = freeKind(i), nil })
}

// SetFreeCount keeps the number of free mails as typed.
func (m *Model) SetFreeCount(text string) {
	m.mu.Lock()
	_, f := m.ownForm()
	same := f.freeText == text
	m.mu.Unlock()
	if !same {
		m.typing(func(f *priceForm) { f.freeText, f.errFree = text, nil })
	}
}

// SetBeneficiary chooses who gets what is forfeited.
func (m *Model) SetBeneficiary(i int) {
	m.typing(func(f *priceForm) {
		if all := m.own.prices[key(m.ownAddress())].Beneficiaries; i >= 0 && i < len(all) {
			f.beneficiary, f.errBeneficiary = all[i].ID, nil
		}
	})
}

// SetTellRead chooses whether senders are told that their mail was read.
func (m *Model) SetTellRead(yes bool) { m.typing(func(f *priceForm) { f.tell = yes }) }

// SetPublic chooses whether anybody is told the price.
func (m *Model) SetPublic(yes bool) { m.typing(func(f *priceForm) { f.public = yes }) }

// UndoPrice takes back what was changed and not saved.
func (m *Model) UndoPrice() {
	m.update(func() { delete(m.own.forms, key(m.ownAddress())) })
}

// SavePrice sets the price as the form has it.
func (m *Model) SavePrice() {
	var req agentclient.SetPrice
	var edits int
	fine := false
	m.update(func() {
		price, f := m.ownForm()
		if f.busy {
			return
		}
		if req, fine = m.check(price, f); !fine {
			return
		}
		req.Address = m.ownAddress()
		f.busy, f.err, f.done = true, nil, nil
		edits = f.edits
	})
	if fine {
		m.do(func(ctx context.Context) { m.savePrice(ctx, req, edits) })
	}
}

func (m *Model) savePrice(ctx context.Context, req agentclient.SetPrice, edits int) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	price, err := m.agent.SetPrice(ctx, req)
	m.update(func() {
		k := key(req.Address)
		f := m.own.forms[k]
		if f == nil { // its changes were taken back meanwhile
			f = newPriceForm(m.own.prices[k], m.purse.currencies())
			m.own.forms = set(m.own.forms, k, f)
		}
		f.busy = false
		if err != nil {
			f.blame(fieldOf(err), fails(err))
			return
		}
		// The answer to a change says less than the answer to a question.
		known := m.own.prices[k]
		if len(price.Beneficiaries) == 0 {
			price.Beneficiaries = known.Beneficiaries
		}
		f.touched = f.edits != edits // typed since: that is kept
		m.own.put(price, m.isFirst(req.Address))
		m.own.stale = true
		_, f = m.ownForm()
		f.done = says("price.saved", "Price", worded(func(s speech) string { return s.prices(price) }), "Clock", clocked(m.now()))
	})
	m.turnPrice(PagePrice)
}

func (m *Model) isFirst(address string) bool {
	return address == "" || len(m.status.Accounts) == 0 || strings.EqualFold(m.accountAt(0), address)
}

// loadPrice asks for the prices of all own addresses.
func (m *Model) loadPrice(ctx context.Context) {
	m.reload(ctx, &m.loads.price, func(ctx context.Context) error {
		m.mu.Lock()
		var addresses []string // before the status is read, there are none
		for _, a := range m.status.Accounts {
			addresses = append(addresses, a.Address)
		}
		m.mu.Unlock()
		for _, address := range addresses {
			price, err := m.agent.Price(ctx, address)
			if codeOf(err) == "no_offer" {
				price, err = agentclient.Price{Address: address}, nil
			}
			if err != nil {
				m.update(func() { m.own.loadErr = fails(err) })
				return m.unlessNoAccount(err)
			}
			m.update(func() {
				m.own.put(price, m.isFirst(price.Address))
				m.own.stale = true
			})
		}
		m.turnPrice(m.Page())
		return nil
	})
}

// turnPrice asks for the history of prices when it is looked at.
func (m *Model) turnPrice(p Page) {
	m.mu.Lock()
	ask := p == PagePrice && m.own.tab == PricePast && m.own.stale
	if ask {
		m.own.stale = false
	}
	m.mu.Unlock()
	if ask {
		m.do(m.loadPast)
	}
}

func (m *Model) loadPast(ctx context.Context) {
	m.reload(ctx, &m.loads.past, func(ctx context.Context) error {
		m.mu.Lock()
		address := m.ownAddress()
		m.mu.Unlock()
		past, err := m.agent.PriceHistory(ctx, address)
		if err != nil {
			m.update(func() { m.own.pastErr = fails(err) })
			return m.unlessNoAccount(err)
		}
		m.update(func() {
			m.own.past = set(m.own.past, key(address), past)
			m.own.pastErr = nil
		})
		return nil
	})
}
