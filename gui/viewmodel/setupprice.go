package viewmodel

import (
	"context"
	"encoding/json"
	"math/big"
	"slices"

	"earnest/agentclient"
)

// suggestedPrice keeps a seller of addresses away and no student.
const suggestedPrice = "0.25"

// setupPrice is the price being set for a new account.
type setupPrice struct {
	text  string
	typed bool // by the person: it stays as it is
	busy  bool
	err   said
	set   agentclient.Price // as it was set
}

// commonPrices are what the slider offers; every other price can be typed.
func commonPrices() []string {
	return []string{"0.05", "0.10", "0.25", "0.50", "1.00", "2.00", "5.00"}
}

// SetupPriceView is the page of the new account's price.
type SetupPriceView struct {
	Address string
	Text    string
	Unit    string // behind the field
	At      int    // the slider's place, of Places
	Places  int
	Preview string // what strangers will see
	Hint    string
	Error   string
	Busy    bool
}

func (m *Model) setupPrice() SetupPriceView {
	p := &m.setups.price
	v := SetupPriceView{Address: line(m.setups.made), Text: m.shownSetupPrice(), Error: m.say.again(p.err), Busy: p.busy, Places: len(commonPrices())}
	money := agentclient.Money{Unit: "EUR"}
	for _, b := range m.purse.balances {
		money = b.Available
		break
	}
	if v.Unit = money.Unit; v.Unit == "" {
		v.Unit = line(money.Currency)
	}
	plain, fault := m.setupAmount()
	value, ok := amount(plain)
	if fault != nil || !ok {
		// What can be read keeps its place, also before the currency is known.
		if value, ok := amount(p.text); ok && value.Sign() > 0 {
			v.At = nearest(value)
		}
		return v
	}
	v.At = nearest(value)
	money.Amount = plain
	v.Preview = m.say.T("start.price.preview", "Address", v.Address, "Price", m.say.money(money))
	if value.Cmp(big.NewRat(5, 1)) > 0 {
		v.Hint = m.say.T("start.price.high")
	}
	return v
}

// nearest is the place of the common price that is nearest by proportion.
func nearest(value *big.Rat) int {
	best, place := new(big.Rat), 0
	for i, s := range commonPrices() {
		common, _ := amount(s)
		far := new(big.Rat).Quo(common, value)
		if far.Cmp(big.NewRat(1, 1)) < 0 {
			far.Inv(far)
		}
		if i == 0 || far.Cmp(best) < 0 {
			best, place = far, i
		}
	}
	return place
}

// setupAmount is the typed price as the agent takes it, or what is wrong with it.
func (m *Model) setupAmount() (plain string, fault said) {
	unit, currency := "EUR", ""
	if len(m.purse.balances) > 0 {
		unit, currency = m.purse.balances[0].Available.Unit, m.purse.balances[0].Available.Currency
	}
	plain, fault = m.say.typedAmount(m.setups.price.text, m.purse.scaleOf(currency), unit)
	if fault == nil && zero(plain) {
		return "", says("start.fault.price-zero")
	}
	return plain, fault
}

// SetSetupPrice keeps the price as typed.
func (m *Model) SetSetupPrice(text string) {
	m.mu.Lock()
	same := m.shownSetupPrice() == text
	m.mu.Unlock()
	if !same {
		m.putSetupPrice(text, true)
	}
}

func (m *Model) putSetupPrice(text string, typed bool) {
	m.update(func() { m.setups.price.text, m.setups.price.typed, m.setups.price.err = text, typed, nil })
}

// shownSetupPrice is the price as the field has it.
func (m *Model) shownSetupPrice() string {
	if p := m.setups.price; p.typed {
		return p.text
	}
	return m.say.decimal(m.setups.price.text)
}

// SlideSetupPrice takes the common price at a place of the slider. The place
// where the slider stands already leaves a typed price as it is.
func (m *Model) SlideSetupPrice(place int) {
	m.mu.Lock()
	plain, fault := m.setupAmount()
	m.mu.Unlock()
	value, ok := amount(plain)
	if place < 0 || place >= len(commonPrices()) || fault == nil && ok && nearest(value) == place {
		return
	}
	m.putSetupPrice(commonPrices()[place], false)
}

// SaveSetupPrice sets the price of the new account.
func (m *Model) SaveSetupPrice() {
	m.mu.Lock()
	p, address := &m.setups.price, m.setups.made
	if p.busy {
		m.mu.Unlock()
		return
	}
	text, fault := m.setupAmount()
	p.busy, p.err = fault == nil, fault
	busy := p.busy
	m.mu.Unlock()
	m.changed()
	if !busy {
		return
	}
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		price, err := m.agent.SetPrice(ctx, agentclient.SetPrice{Address: address, Options: []string{text}})
		m.update(func() {
			p.busy = false
			if err != nil {
				p.err = fails(err)
				return
			}
			p.set, m.setups.stage = price, SetupCard
		})
		if err == nil {
			m.do(m.loadPrice)
		}
	})
}

// EndSetup leaves the set-up: the price comes later, or the card was seen.
func (m *Model) EndSetup() {
	m.update(func() {
		s := &m.setups
		m.page = PageSettings
		if s.first {
			m.page = PageWaiting
		}
		s.stage, s.first, s.made = SetupForm, false, ""
	})
}

// resume is what is kept of a set-up between two starts: never the password.
type resume struct {
	Stage  SetupStage       `json:"stage"`
	First  bool             `json:"first,omitempty"`
	Made   string           `json:"made,omitempty"`
	Price  string           `json:"price,omitempty"`
	Typed  map[Field]string `json:"typed,omitempty"`
	Manual bool             `json:"manual,omitempty"`
}

func resumable() []Field {
	return []Field{FieldAddress, FieldUser, FieldIMAP, FieldSMTP, FieldEscrow}
}

// Resume is where the set-up stands, for the next start; empty where none is
// under way.
func (m *Model) Resume() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, f := &m.setups, m.setups.forms[""]
	r := resume{Stage: s.stage, First: s.first, Made: s.made, Manual: f.manual}
	switch s.stage {
	case SetupTrial, SetupKeys:
		r.Stage = SetupForm
	case SetupPrice:
		r.Price = s.price.text
	}
	for _, field := range resumable() {
		if typed, ok := f.values[field]; ok && typed != "" {
			if r.Typed == nil {
				r.Typed = map[Field]string{}
			}
			r.Typed[field] = typed
		}
	}
	if r.Stage == SetupForm && r.Typed == nil {
		return ""
	}
	note, err := json.Marshal(r)
	if err != nil {
		return ""
	}
	return string(note)
}

// GoOn takes up the set-up that Resume wrote at the last start. It counts once.
func (m *Model) GoOn(note string) {
	var r resume
	m.mu.Lock()
	s := &m.setups
	if s.resumed || note == "" || json.Unmarshal([]byte(note), &r) != nil {
		s.resumed = true
		m.mu.Unlock()
		return
	}
	s.resumed = true
	f := s.forms[""]
	for field, typed := range r.Typed {
		if slices.Contains(resumable(), field) {
			f.values[field] = typed
		}
	}
	f.manual = r.Manual
	if r.Stage == SetupPrice || r.Stage == SetupCard {
		s.stage, s.first, s.made, s.price = r.Stage, r.First, r.Made, setupPrice{text: r.Price}
	}
	m.mu.Unlock()
	m.changed()
	m.lookUp(f, lookRest)
}
