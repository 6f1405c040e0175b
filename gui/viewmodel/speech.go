package viewmodel

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"earnest/agentclient"
	"earnest/gui/words"
)

// speech is how the window says things: in its language, and with the clock and
// the place of the one who reads.
type speech struct {
	words.Words
	now func() time.Time
	loc *time.Location
}

// money is an amount as people write it: €0.25 or 0,25 €, with the currency's
// unit or name where there is no sign for it.
func (s speech) money(m agentclient.Money) string {
	if m.Amount == "" {
		return ""
	}
	signs := map[string]string{"EUR": "€", "USD": "$", "GBP": "£"}
	value := s.decimal(m.Amount)
	sign, known := signs[m.Unit]
	switch {
	case known && s.Language == words.German:
		return value + "\u00a0" + sign
	case known:
		return sign + value
	case m.Unit == "":
		return value + " " + line(m.Currency)
	}
	return value + " " + line(m.Unit)
}

// decimal is an amount's number as people write it.
func (s speech) decimal(amount string) string {
	point, value := ".", line(amount)
	if s.Language == words.German {
		point = ","
	}
	if whole, rest, dotted := strings.Cut(value, "."); digits(whole) {
		value = grouped(whole)
		if dotted {
			value += point + rest
		}
	}
	return value
}

// grouped sets a thin space between thousands, from five digits on.
func grouped(whole string) string {
	if len(whole) < 5 {
		return whole
	}
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteRune('\u202f')
		}
		b.WriteRune(digit)
	}
	return b.String()
}

// left says how much time is left, and whether that is little.
func (s speech) left(d time.Duration) (string, bool) {
	switch n, unit := agentclient.Left(d); {
	case unit == 24*time.Hour:
		return s.N("time.days", n), d < 24*time.Hour
	case unit == time.Hour:
		return s.N("time.hours", n), true
	case d <= 0:
		return s.T("time.up"), true
	case n == 0:
		return s.T("time.under-a-minute"), true
	default:
		return s.N("time.minutes", n), true
	}
}

// span says a length of time that was set by a person: 14 days, 36 hours.
func (s speech) span(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d <= 0:
		return ""
	case d%(24*time.Hour) == 0:
		return s.N("time.days", int(d/(24*time.Hour)))
	case d >= 2*time.Hour:
		return s.N("time.hours", int((d+time.Hour/2)/time.Hour))
	case d >= 2*time.Minute:
		return s.N("time.minutes", int(d/time.Minute))
	}
	return s.N("time.seconds", int(d/time.Second))
}

// countdown is the only thing in the window that counts seconds: an undo.
func countdown(d time.Duration) string {
	s := max(0, int((d+time.Second-1)/time.Second))
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

func (s speech) clock(t time.Time) string { return t.In(s.loc).Format("15:04") }

func (s speech) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return s.Date(t.In(s.loc), s.now().In(s.loc))
}

// at is the time today, else the day.
func (s speech) at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	local, now := t.In(s.loc), s.now().In(s.loc)
	if local.Year() == now.Year() && local.YearDay() == now.YearDay() {
		return s.clock(t)
	}
	return s.day(t)
}

// moment is the day and the time.
func (s speech) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	clock := s.clock(t)
	if s.at(t) == clock {
		return s.T("time.today", "Clock", clock)
	}
	return s.day(t) + " " + clock
}

// full is a moment as one who reads it elsewhere and later needs it: with the year
// and the zone.
func (s speech) full(t time.Time) string {
	local := t.In(s.loc)
	zone := "UTC"
	if _, offset := local.Zone(); offset != 0 {
		zone += local.Format("-07:00")
	}
	return s.T("date.full", "Weekday", s.T("date.weekday."+local.Weekday().String()), "Day", local.Day(),
		"Month", s.T("date.month."+local.Month().String()), "Year", local.Year(), "Clock", s.clock(t), "Zone", zone)
}

// hour is a moment that is told to the hour only, as a sender hears of arrival
// and reading: it says the whole hour, since its beginning may lie before what
// went before.
func (s speech) hour(t time.Time) string {
	if t.IsZero() || !t.Equal(t.Truncate(time.Hour)) {
		return s.moment(t)
	}
	return s.moment(t) + "–" + s.clock(t.Add(time.Hour))
}

// step is the time of a receipt.
func (s speech) step(r agentclient.Receipt) string {
	switch r.Event {
	case sentArrived, "arrived_late", "read":
		return s.hour(r.Time)
	}
	return s.moment(r.Time)
}

// failure says in words what went wrong, with what it means and what to do.
func (s speech) failure(err error) string {
	if err == nil {
		return ""
	}
	if own, ok := errors.AsType[*refusal](err); ok {
		return s.again(own.said)
	}
	f, ok := errors.AsType[*agentclient.Failure](err)
	if !ok {
		return line(sentence(err.Error()))
	}
	if f.Say == nil {
		return line(f.Error())
	}
	return line(s.agent(f.Said(), ""))
}

func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

func codeOf(err error) string {
	if f, ok := errors.AsType[*agentclient.Failure](err); ok {
		return f.Code
	}
	return ""
}

// fieldOf is the field of the request that a failure blames.
func fieldOf(err error) string {
	if f, ok := errors.AsType[*agentclient.Failure](err); ok {
		return f.Field
	}
	return ""
}

func (s speech) size(n int64) string {
	switch {
	case n < 1000:
		return s.N("size.bytes", int(n))
	case n < 1_000_000:
		return s.T("size.kilobytes", "N", (n+500)/1000)
	}
	megabytes := strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64)
	if s.Language == words.German {
		megabytes = strings.Replace(megabytes, ".", ",", 1)
	}
	return s.T("size.megabytes", "N", megabytes)
}
