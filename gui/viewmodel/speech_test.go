package viewmodel

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"earnest/agentclient"
	"earnest/gui/words"
)

func TestTextFromOutsideIsMadeHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                             "plain",
		"gnp\u202etxt.exe":                  "gnp\ufffdtxt.exe",
		"a\u2066b\u2069c":                   "a\ufffdb\ufffdc",
		"\u200fright\u200e":                 "\ufffdright\ufffd",
		"zero\u200bwidth\ufeff":             "zero\ufffdwidth\ufffd",
		"bell\x07 esc\x1b[31m":              "bell\ufffd esc\ufffd[31m",
		"two\nlines\tand  spaces":           "two lines and spaces",
		"line\u2028separator":               "line separator",
		"tag\U000E0041":                     "tag\ufffd",
		"blank\u3164letter":                 "blank\ufffdletter",
		"family \U0001F468\u200d\U0001F469": "family \U0001F468\u200d\U0001F469",
		"z" + strings.Repeat("\u0300", 40):  "z" + strings.Repeat("\u0300", maxMarks),
		"bad\xffutf8":                       "bad\ufffdutf8",
	} {
		if got := line(in); got != want {
			t.Errorf("line(%q) = %q, want %q", in, got, want)
		}
	}
	if n := utf8.RuneCountInString(line(strings.Repeat("長", 5000))); n != maxLine {
		t.Errorf("a long line has %d letters", n)
	}
	if got, cut := text("a\r\nb\u202ec\x00\n\n", 0); got != "a\nb\ufffdc\ufffd" || cut {
		t.Errorf("text: %q", got)
	}
	if got, cut := text(strings.Repeat("ä", firstBytes), 0); !cut || len(got) > firstBytes || !utf8.ValidString(got) {
		t.Errorf("a long text: %d bytes, cut %v", len(got), cut)
	}
}

func TestALongMailDoesNotFreezeTheWindow(t *testing.T) {
	hostile := strings.Repeat("\n.", 100_000)
	for more := range mostMore + 1 {
		got, cut := text(hostile, more)
		if n := strings.Count(got, "\n") + 1; n != firstLines<<more || !cut {
			t.Errorf("%d times more: %d lines, cut %v", more, n, cut)
		}
	}
	if got, cut := text(strings.Repeat("x\n", firstLines), 0); cut || strings.Count(got, "\n") != firstLines-1 {
		t.Error("a text that just fits is cut")
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\u202eb")
	f.Add("x\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range line(s) {
			if r < ' ' || (r >= 0x7f && r < 0xa0) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
				t.Fatalf("line(%q) keeps %U", s, r)
			}
		}
	})
}

func TestMoneyIsExact(t *testing.T) {
	for in, want := range map[agentclient.Money]string{
		{Amount: "0.25", Currency: "escrow.example", Unit: "EUR"}:     "€0.25",
		{Amount: "1234.50", Currency: "escrow.example", Unit: "USD"}:  "$1234.50",
		{Amount: "12345.50", Currency: "escrow.example", Unit: "EUR"}: "€12\u202f345.50",
		{Amount: "3", Currency: "coin.example"}:                       "3 coin.example",
		{Amount: "3", Currency: "coin.example", Unit: "points"}:       "3 points",
	} {
		if got := (speech{Words: words.In(words.English)}).money(in); got != want {
			t.Errorf("money %+v = %q, want %q", in, got, want)
		}
	}
	sum := agentclient.Money{}
	for range 3 {
		sum = sumOf(sum, agentclient.Money{Amount: "0.10", Currency: "c"})
	}
	if sum.Amount != "0.30" {
		t.Errorf("three times 0.10 is %s", sum.Amount)
	}
	if !short(agentclient.Money{Amount: "0.1"}, agentclient.Money{Amount: "0.25"}) || short(agentclient.Money{Amount: "0.250"}, agentclient.Money{Amount: "0.25"}) {
		t.Error("amounts are compared wrongly")
	}
}

func TestTimeIsSaidInTheOneUnitThatMatters(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "time is up", 30 * time.Second: "under a minute", 90 * time.Second: "1 minute", 59 * time.Minute: "59 minutes",
		90 * time.Minute: "1 hour", 23 * time.Hour: "23 hours", 24 * time.Hour: "1 day", 6*24*time.Hour + time.Hour: "6 days",
		14*24*time.Hour - 20*time.Minute: "14 days", 13*24*time.Hour + 12*time.Hour: "13 days",
	} {
		got, little := speech{Words: words.In(words.English)}.left(d)
		if got != want || little != (d < 24*time.Hour) {
			t.Errorf("left %s = %q, %v; want %q", d, got, little, want)
		}
	}
	for d, want := range map[time.Duration]string{10 * time.Minute: "10:00", 9*time.Minute + 57*time.Second + 1: "9:58", 500 * time.Millisecond: "0:01", 0: "0:00"} {
		if got := countdown(d); got != want {
			t.Errorf("countdown(%s) = %q, want %q", d, got, want)
		}
	}
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	c := speech{words.In(words.English), func() time.Time { return now }, time.UTC}
	if got := c.moment(now.Add(-time.Hour)) + "|" + c.moment(now.AddDate(0, 0, 6)) + "|" + c.day(now.AddDate(1, 0, 0)); got != "today 09:00|Sat 28 Nov 10:00|22 Nov 2027" {
		t.Errorf("dates: %s", got)
	}
}
