package viewmodel

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"earnest/agentclient"
)

// money is an amount as people write it: €0.25, or 0.25 with the currency's
// unit or name where there is no sign for it.
func money(m agentclient.Money) string {
	if m.Amount == "" {
		return ""
	}
	value := line(m.Amount)
	if whole, rest, dotted := strings.Cut(value, "."); digits(whole) {
		value = grouped(whole)
		if dotted {
			value += "." + rest
		}
	}
	switch m.Unit {
	case "EUR":
		return "€" + value
	case "USD":
		return "$" + value
	case "GBP":
		return "£" + value
	case "":
		return value + " " + line(m.Currency)
	}
	return value + " " + line(m.Unit)
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

// left says how much time is left, in the one unit that matters, and whether
// that is little.
func left(d time.Duration) (string, bool) {
	switch {
	case d <= 0:
		return "time is up", true
	case d < time.Minute:
		return "under a minute", true
	case d < time.Hour:
		return count(int(d/time.Minute), "minute"), true
	case d < 24*time.Hour:
		return count(int(d/time.Hour), "hour"), true
	}
	return count(int(d/(24*time.Hour)), "day"), false
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// span says a length of time that was set by a person: 14 days, 36 hours.
func span(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d <= 0:
		return ""
	case d%(24*time.Hour) == 0:
		return count(int(d/(24*time.Hour)), "day")
	case d >= 2*time.Hour:
		return count(int((d+time.Hour/2)/time.Hour), "hour")
	case d >= 2*time.Minute:
		return count(int(d/time.Minute), "minute")
	}
	return count(int(d/time.Second), "second")
}

// countdown is the only thing in the window that counts seconds: an undo.
func countdown(d time.Duration) string {
	s := max(0, int((d+time.Second-1)/time.Second))
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// words of dates.
type calendar struct {
	now func() time.Time
	loc *time.Location
}

func (c calendar) day(t time.Time) string {
	t, now := t.In(c.loc), c.now().In(c.loc)
	switch {
	case t.IsZero():
		return ""
	case t.Year() != now.Year():
		return t.Format("2 Jan 2006")
	}
	return t.Format("Mon 2 Jan")
}

// at is the time today, else the day.
func (c calendar) at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	local, now := t.In(c.loc), c.now().In(c.loc)
	if local.Year() == now.Year() && local.YearDay() == now.YearDay() {
		return local.Format("15:04")
	}
	return c.day(t)
}

// moment is the day and the time.
func (c calendar) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	clock := t.In(c.loc).Format("15:04")
	if c.at(t) == clock {
		return "today " + clock
	}
	return c.day(t) + " " + clock
}

// failure says in words what went wrong, with what it means and what to do.
func failure(err error) string {
	if err == nil {
		return ""
	}
	if f, ok := errors.AsType[*agentclient.Failure](err); ok {
		return line(f.Error())
	}
	return line(sentence(err.Error()))
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

func size(n int64) string {
	switch {
	case n < 1000:
		return count(int(n), "byte")
	case n < 1_000_000:
		return fmt.Sprintf("%d kB", (n+500)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
