package viewmodel

import (
	"testing"
	"time"

	"earnest/gui/words"
)

func TestAmountsAreReadAsPeopleTypeThem(t *testing.T) {
	say := speech{Words: words.In(words.English), now: time.Now, loc: time.UTC}
	for typed, want := range map[string]string{
		"0.25": "0.25", "0,25": "0.25", " 0.25 ": "0.25", "€0.25": "0.25", "0,25 €": "0.25", "0.25 EUR": "0.25", "eur 3": "3",
		"1": "1", "007": "7", "1 000,50": "1000.50", "1.000,50": "1000.50", "1,000.50": "1000.50", "1’000.5": "1000.5",
		"1.000.000": "1000000", "1\u202f234\u202f567.89": "1234567.89", "12\u00a0345": "12345",
		"٠٫٢٥": "0.25", "०.५०": "0.50", "０．２５": "0.25", "𝟎.𝟕𝟓": "0.75", "0": "0", "0.00": "0.00",
	} {
		if got, fault := say.typedAmount(typed, 2, "EUR"); got != want || fault != nil {
			t.Errorf("%q is read as %q, %q; want %q", typed, got, say.again(fault), want)
		}
	}
	for typed, want := range map[string]string{
		"": "Type an amount", "   ": "Type an amount", "€": "Type an amount",
		"free": "“free” is not an amount", "1e3": "not an amount", "0.25.5": "not an amount", "1,2,3": "not an amount", ".5": "not an amount",
		"5.": "not an amount", "1 00": "not an amount", "12 34.00": "not an amount", "0x10": "not an amount", "1.000,50,1": "not an amount",
		"½": "not an amount", "五": "not an amount", "+1": "not an amount", "--1": "not an amount", "0.25\u202e": "not an amount",
		"-1": "not less than nothing", "−0,25": "not less than nothing", "€-5": "not less than nothing",
		"1,000": "2 digits", "0.123456789": "2 digits", "0.250": "2 digits",
		"9999999999999999": "more than any escrow", "99999999999999999999999999999999": "more than any escrow",
	} {
		got, fault := say.typedAmount(typed, 2, "EUR")
		if (&stage{T: t}).has("fault of "+typed, say.again(fault), want); got != "" {
			t.Errorf("%q is read as %q", typed, got)
		}
	}
	if _, fault := say.typedAmount("1.5", 0, ""); fault == nil {
		t.Error("a currency without digits took some")
	}
	if got, fault := say.typedAmount("1,000", 3, ""); got != "1.000" || fault != nil {
		t.Errorf("at three digits 1,000 is read as %q, %q", got, say.again(fault))
	}
}

func FuzzTypedAmount(f *testing.F) {
	for _, seed := range []string{"0,25", "1.000,50", "٠٫٢٥", "-1", "1 000", "’", "€"} {
		f.Add(seed)
	}
	say := speech{Words: words.In(words.English), now: time.Now, loc: time.UTC}
	f.Fuzz(func(t *testing.T, typed string) {
		plain, fault := say.typedAmount(typed, 2, "EUR")
		if (plain == "") == (fault == nil) {
			t.Fatalf("%q: %q, %q", typed, plain, say.again(fault))
		}
		if plain == "" {
			return
		}
		if _, ok := amount(plain); !ok || scale(plain) > 2 {
			t.Fatalf("%q is read as %q", typed, plain)
		}
		if again, fault := say.typedAmount(plain, 2, "EUR"); again != plain || fault != nil {
			t.Fatalf("%q read twice is %q, %q", typed, again, say.again(fault))
		}
	})
}
