package viewmodel

import (
	"math/big"
	"slices"
	"strings"

	"earnest/agentclient"
)

// mostOptions is how many ways to pay an offer has room for.
const mostOptions = 16

const (
	systemEscrow = "ESCROW/1" // the only one whose amount is set here
	daySeconds   = 24 * 60 * 60
)

type freeKind int

const (
	freeNone freeKind = iota
	freeCount
	freeAlways
)

// priceForm is a price being changed.
type priceForm struct {
	rows        []priceRow
	next        int // the key of the next row
	decide      int64
	free        freeKind
	freeText    string
	beneficiary string // its id
	tell        bool
	public      bool

	base    agentclient.Price // as it was when the form was made
	touched bool
	edits   int
	busy    bool
	err     said
	done    said

	errOptions, errDecide, errFree, errBeneficiary said
}

// priceRow is one way to pay.
type priceRow struct {
	key      int
	currency string
	text     string // as the agent writes it; as the person did where typed
	typed    bool
	fixed    string // the instruction of another system, which stays as it is
	err      said
}

func newPriceForm(p agentclient.Price, currencies []agentclient.Money) *priceForm {
	f := &priceForm{base: p, decide: p.DecideWithin, tell: p.TellRead, public: p.Public}
	for _, o := range p.Options {
		system, _, _ := strings.Cut(strings.TrimSpace(o.Instruction), " ")
		r := priceRow{currency: o.Price.Currency, text: o.Price.Amount}
		if system != systemEscrow && system != "" {
			r.fixed = o.Instruction
		}
		f.add(r)
	}
	if len(f.rows) == 0 {
		r := priceRow{}
		if len(currencies) > 0 {
			r.currency = currencies[0].Currency
		}
		f.add(r)
		f.tell = true // as an offer is made where nothing is said
	}
	if f.decide == 0 {
		f.decide = p.DecideMost
	}
	for i, b := range p.Beneficiaries {
		if b.Name == p.Beneficiary || i == 0 { // the first gets it where nothing is said
			f.beneficiary = b.ID
		}
	}
	switch n, always, ok := p.FreeAfter.Count(); {
	case !ok || always: // an empty one means always
		f.free, f.freeText = freeAlways, "3"
	case n == 0:
		f.free, f.freeText = freeNone, "3"
	default:
		f.free, f.freeText = freeCount, string(p.FreeAfter)
	}
	return f
}

func (f *priceForm) add(r priceRow) {
	r.key = f.next
	f.next++
	f.rows = append(slices.Clone(f.rows), r)
}

func (f *priceForm) row(key int) *priceRow {
	for i := range f.rows {
		if f.rows[i].key == key {
			return &f.rows[i]
		}
	}
	return nil
}

// blame puts the agent's words beside what they are about.
func (f *priceForm) blame(field string, words said) {
	switch field {
	case "options":
		f.errOptions = words
	case "decideWithin":
		f.errDecide = words
	case "freeAfter":
		f.errFree = words
	case "beneficiary":
		f.errBeneficiary = words
	default:
		f.err = words
	}
}

// decideSpans are the deadlines to choose among: those that the escrow allows, its
// own, and the one that holds.
func decideSpans(p agentclient.Price) []int64 {
	var all []int64
	for _, days := range []int64{1, 3, 7, 14} {
		if p.DecideMost == 0 || days*daySeconds < p.DecideMost {
			all = append(all, days*daySeconds)
		}
	}
	for _, further := range []int64{p.DecideWithin, p.DecideMost} {
		if further > 0 && !slices.Contains(all, further) {
			all = append(all, further)
		}
	}
	slices.Sort(all)
	return all
}

// shownAmount is a row's amount as the field has it.
func (m *Model) shownAmount(r *priceRow) string {
	if r.typed {
		return r.text
	}
	return m.say.decimal(r.text)
}

func (m *Model) unitOf(currency string) string {
	for _, c := range m.purse.currencies() {
		if c.Currency == currency {
			return c.Unit
		}
	}
	return ""
}

// plain is a row's amount as the agent takes it, or what is wrong with it.
func (m *Model) plain(r *priceRow) (plain string, fault said) {
	plain = r.text
	if r.typed || r.text == "" {
		plain, fault = m.say.typedAmount(r.text, m.purse.scaleOf(r.currency), m.unitOf(r.currency))
	}
	if fault == nil && zero(plain) {
		fault = says("price.zero")
	}
	return plain, fault
}

// sliderAt is the place of a row's slider; -1 where it has none.
func (m *Model) sliderAt(r *priceRow) int {
	if r.fixed != "" || m.purse.scaleOf(r.currency) < 2 {
		return -1
	}
	plain, fault := m.plain(r)
	value, ok := amount(plain)
	if fault != nil {
		value, ok = amount(r.text) // what can be read keeps its place
	}
	if !ok || value.Sign() <= 0 {
		return 0
	}
	return nearest(value)
}

// hint says what a price will do, where that may surprise.
func (m *Model) hint(r *priceRow) string {
	plain, fault := m.plain(r)
	value, ok := amount(plain)
	if fault != nil || !ok || !slices.Contains([]string{"EUR", "USD", "GBP", "CHF"}, m.unitOf(r.currency)) {
		return ""
	}
	switch {
	case value.Cmp(big.NewRat(5, 1)) > 0:
		return m.say.T("price.hint.high")
	case value.Cmp(big.NewRat(1, 20)) < 0:
		return m.say.T("price.hint.low")
	}
	return ""
}

// check reads the form into a request and puts each fault beside its field.
func (m *Model) check(price agentclient.Price, f *priceForm) (agentclient.SetPrice, bool) {
	var req agentclient.SetPrice
	fine := true
	f.errOptions, f.errFree, f.errDecide, f.errBeneficiary = nil, nil, nil, nil
	for i := range f.rows {
		r := &f.rows[i]
		if r.fixed != "" {
			req.Options = append(req.Options, r.fixed)
			continue
		}
		plain, fault := m.plain(r)
		option := strings.TrimSpace(systemEscrow + " " + r.currency + " " + plain)
		if r.currency == "" {
			option = plain
		}
		if fault == nil && slices.Contains(req.Options, option) {
			fault = says("price.twice")
		}
		r.err = fault
		fine = fine && fault == nil
		req.Options = append(req.Options, option)
	}
	free, fault := m.freeTyped(f)
	if fault != nil {
		f.errFree, fine = fault, false
	}
	wanted := f.wanted(price, free)
	if wanted.FreeAfter != price.FreeAfter {
		req.FreeAfter = wanted.FreeAfter
	}
	if wanted.Beneficiary != price.Beneficiary {
		req.Beneficiary = f.beneficiary
	}
	if wanted.DecideWithin != price.DecideWithin {
		req.DecideWithin = wanted.DecideWithin
	}
	if f.tell != price.TellRead || len(price.Options) == 0 {
		req.TellRead = &wanted.TellRead
	}
	if f.public != price.Public {
		req.Public = &wanted.Public
	}
	return req, fine
}

// freeTyped is how many free mails the form gives with an accept.
func (m *Model) freeTyped(f *priceForm) (agentclient.Free, said) {
	switch f.free {
	case freeNone:
		return agentclient.FreeNone, nil
	case freeAlways:
		return agentclient.FreeAlways, nil
	}
	plain, fault := m.say.typedAmount(f.freeText, 0, "")
	free := agentclient.Free(plain)
	if n, _, ok := free.Count(); fault != nil || !ok || n == 0 {
		return "", says("price.free.fault", "Most", worded(func(s speech) string { return s.decimal(string(agentclient.FreeMails(agentclient.MaxFree))) }))
	}
	return free, nil
}

// wanted is the price with the form's policy; its options are not touched.
func (f *priceForm) wanted(price agentclient.Price, free agentclient.Free) agentclient.Price {
	w := price
	if f.decide > 0 {
		w.DecideWithin = f.decide
	}
	w.TellRead, w.Public = f.tell, f.public
	if free != "" && (free != agentclient.FreeAlways || price.FreeAfter != agentclient.FreePolicy) {
		w.FreeAfter = free
	}
	for _, b := range price.Beneficiaries {
		if b.ID == f.beneficiary {
			w.Beneficiary = b.Name
		}
	}
	return w
}

// formed is the price as the form would make it; not ok where an amount is no
// amount yet.
func (m *Model) formed(price agentclient.Price, f *priceForm) (agentclient.Price, bool) {
	free, fault := m.freeTyped(f)
	w := f.wanted(price, free)
	w.Options = nil
	for i := range f.rows {
		r := &f.rows[i]
		plain, bad := m.plain(r)
		if bad != nil && r.fixed == "" {
			return w, false
		}
		o := agentclient.Option{Index: i + 1, Instruction: r.fixed, Price: agentclient.Money{
			Amount: padded(plain, m.purse.scaleOf(r.currency)), Currency: r.currency, Unit: m.unitOf(r.currency)}}
		if r.fixed != "" {
			for _, old := range price.Options {
				if old.Instruction == r.fixed {
					o.Price = old.Price
				}
			}
		}
		w.Options = append(w.Options, o)
	}
	return w, fault == nil
}

// padded writes an amount with all of its currency's digits.
func padded(plain string, digits int) string {
	value, ok := amount(plain)
	if !ok || digits == mostScale {
		return plain
	}
	return value.FloatString(digits)
}

// differs tells that saving would change something.
func (m *Model) differs(price agentclient.Price, f *priceForm) bool {
	if !f.touched {
		return false
	}
	w, ok := m.formed(price, f)
	return !ok || len(m.say.changes(price, w)) > 0
}
