package viewmodel

import (
	"math/big"
	"time"

	"earnest/agentclient"
)

// chart is what of the money's past is drawn.
type chart struct {
	months   bool
	currency string
}

// chartSpans is how many weeks or months are drawn.
const chartSpans = 12

// ChartBar is an amount in one span of time. Part is its share of the largest.
type ChartBar struct {
	Label  string
	Amount string // empty where it is nothing
	Part   float32
}

// ChartRow is one kind over time.
type ChartRow struct {
	Name  string
	Total string
	Tone  Tone
	Bars  []ChartBar
}

// ChartView is the part of the page of money that draws its past.
type ChartView struct {
	Spans      []string // by weeks, by months
	Span       int
	Currencies []string
	Currency   int
	Rows       []ChartRow
	Words      string // the same as a sentence
	Empty      Empty  // in its place where nothing happened
	Show       bool
}

// Chart sums what was held, what came back and what was forfeited.
func (m *Model) Chart() ChartView {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := ChartView{Spans: []string{m.say.T("chart.weeks"), m.say.T("chart.months")}}
	if m.chart.months {
		v.Span = 1
	}
	all := m.movedCurrencies()
	var money agentclient.Money
	for i, c := range all {
		if i == 0 || c.Currency == m.chart.currency {
			v.Currency, money = i, c
		}
		v.Currencies = append(v.Currencies, m.say.currencyWords(c.Currency, c.Unit))
	}
	if len(v.Currencies) < 2 {
		v.Currencies = nil
	}
	begins := m.spanBegins()
	sums := m.chartSums(money.Currency, begins)
	if sums == nil {
		v.Empty = m.chartEmpty()
		return v
	}
	v.Show = true
	digits := m.purse.scaleOf(money.Currency)
	if digits == mostScale {
		digits = scale(money.Amount)
	}
	text := func(r *big.Rat) agentclient.Money {
		return agentclient.Money{Amount: r.FloatString(digits), Currency: money.Currency, Unit: money.Unit}
	}
	most := new(big.Rat)
	for _, row := range sums {
		for _, sum := range row {
			if sum.Cmp(most) > 0 {
				most = sum
			}
		}
	}
	for i, kind := range []string{agentclient.MoveHold, agentclient.MoveRefund, agentclient.MoveForfeit} {
		row := ChartRow{Name: m.say.T("chart.row." + kind), Tone: []Tone{Waits, Good, Against}[i]}
		total := new(big.Rat)
		for k, sum := range sums[i] {
			bar := ChartBar{Label: m.spanLabel(begins[k])}
			if sum.Sign() > 0 {
				bar.Amount = m.say.decimal(text(sum).Amount)
				part, _ := new(big.Rat).Quo(sum, most).Float32()
				bar.Part = part
			}
			total.Add(total, sum)
			row.Bars = append(row.Bars, bar)
		}
		row.Total = m.say.money(text(total))
		v.Rows = append(v.Rows, row)
	}
	v.Words = m.chartWords(v, sums[0], begins, text)
	return v
}

func (m *Model) chartEmpty() Empty {
	switch {
	case !m.statement.loaded && m.statement.loadErr != nil:
		return Empty{Title: m.say.T("statement.fault"), Text: m.say.again(m.statement.loadErr)}
	case !m.statement.loaded:
		return m.notYet()
	}
	return Empty{Title: m.say.T("chart.empty.title"), Text: m.say.T("chart.empty.text")}
}

// spanBegins are the beginnings of the spans, the oldest first, and the end of the
// last.
func (m *Model) spanBegins() []time.Time {
	now := midnight(m.now().In(m.say.loc))
	begins := make([]time.Time, chartSpans+1)
	for i := range begins {
		back := chartSpans - 1 - i
		if m.chart.months {
			begins[i] = time.Date(now.Year(), now.Month()-time.Month(back), 1, 0, 0, 0, 0, now.Location())
		} else {
			monday := now.AddDate(0, 0, -(int(now.Weekday())+6)%7)
			begins[i] = monday.AddDate(0, 0, -7*back)
		}
	}
	return begins
}

// chartSums adds up held, returned and forfeited in each span; nil where all is
// nothing.
func (m *Model) chartSums(currency string, begins []time.Time) [][]*big.Rat {
	row := map[string]int{agentclient.MoveHold: 0, agentclient.MoveRefund: 1, agentclient.MoveForfeit: 2}
	sums := make([][]*big.Rat, len(row))
	for i := range sums {
		sums[i] = make([]*big.Rat, chartSpans)
		for k := range sums[i] {
			sums[i][k] = new(big.Rat)
		}
	}
	some := false
	for _, move := range m.statement.moves {
		i, counts := row[move.Kind]
		value, ok := amount(move.Amount.Amount)
		if !counts || !ok || move.Amount.Currency != currency || move.Time.Before(begins[0]) {
			continue
		}
		for k := chartSpans - 1; k >= 0; k-- {
			if !move.Time.Before(begins[k]) && move.Time.Before(begins[k+1]) {
				sums[i][k].Add(sums[i][k], value)
				some = some || value.Sign() > 0
			}
		}
	}
	if !some {
		return nil
	}
	return sums
}

func (m *Model) spanLabel(begin time.Time) string {
	month := m.say.T("date.month." + begin.Month().String())
	if !m.chart.months {
		return m.say.T("chart.week", "Day", begin.Day(), "Month", month)
	}
	if begin.Month() == time.January {
		return begin.Format("2006")
	}
	return month
}

// chartWords says what the chart shows: for who cannot see it.
func (m *Model) chartWords(v ChartView, held []*big.Rat, begins []time.Time, text func(*big.Rat) agentclient.Money) string {
	best := 0
	for k, sum := range held {
		if sum.Cmp(held[best]) > 0 {
			best = k
		}
	}
	id := "chart.words.weeks"
	if m.chart.months {
		id = "chart.words.months"
	}
	words := m.say.N(id, chartSpans, "Held", v.Rows[0].Total, "Back", v.Rows[1].Total, "Lost", v.Rows[2].Total)
	if held[best].Sign() > 0 {
		most := m.say.money(text(held[best]))
		if m.chart.months {
			words += " " + m.say.T("chart.most.month", "Amount", most, "When", m.say.T("date.month."+begins[best].Month().String()))
		} else {
			words += " " + m.say.T("chart.most.week", "Amount", most, "When", v.Rows[0].Bars[best].Label)
		}
	}
	return words
}

// SetChartSpan draws by weeks (0) or by months (1).
func (m *Model) SetChartSpan(i int) {
	m.mu.Lock()
	same := m.chart.months == (i == 1)
	m.mu.Unlock()
	if !same {
		m.update(func() { m.chart.months = i == 1 })
	}
}

// SetChartCurrency draws another currency.
func (m *Model) SetChartCurrency(i int) {
	m.update(func() {
		if all := m.movedCurrencies(); i >= 0 && i < len(all) {
			m.chart.currency = all[i].Currency
		}
	})
}
