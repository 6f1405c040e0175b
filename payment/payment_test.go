package payment

import (
	"math"
	"strings"
	"testing"
)

func TestParseAmount(t *testing.T) {
	for _, c := range []struct {
		text  string
		scale uint8
		want  Amount
		ok    bool
	}{
		{"0.25", 2, 25, true},
		{"0.2", 2, 20, true},
		{"5", 2, 500, true},
		{"007", 0, 7, true},
		{"0", 8, 0, true},
		{"999999999999999", 0, 999999999999999, true},
		{"92233720368.54775799", 8, math.MaxInt64 - 8, true},
		{"92233720368.54775808", 8, 0, false},
		{"999999999999999.99999999", 8, 0, false},
		{"0.250", 2, 0, false}, // more digits than the scale, even if zero
		{"1.0", 0, 0, false},
		{"1.", 2, 0, false},
		{".5", 2, 0, false},
		{"-1", 2, 0, false},
		{"+1", 2, 0, false},
		{"1e2", 2, 0, false},
		{"1,5", 2, 0, false},
		{"1 5", 2, 0, false},
		{"", 2, 0, false},
		{"1234567890123456", 0, 0, false},
		{"٣", 0, 0, false}, // a digit, but not an ASCII one
		{"1", 9, 0, false},
	} {
		got, err := ParseAmount(c.text, c.scale)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("ParseAmount(%q, %d) = %d, %v; want %d, %t", c.text, c.scale, got, err, c.want, c.ok)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		a     Amount
		scale uint8
		want  string
	}{
		{25, 2, "0.25"}, {-25, 2, "-0.25"}, {0, 2, "0.00"}, {500, 2, "5.00"}, {7, 0, "7"},
		{1, 8, "0.00000001"}, {math.MaxInt64, 8, "92233720368.54775807"}, {math.MinInt64, 2, "-92233720368547758.08"},
	} {
		if got := c.a.Format(c.scale); got != c.want {
			t.Errorf("Amount(%d).Format(%d) = %q, want %q", c.a, c.scale, got, c.want)
		}
	}
}

func currencies() []Currency {
	return []Currency{{Name: "escrow.example", Scale: 2, Unit: "EUR"}, {Name: "points.example"}}
}

func TestParseOption(t *testing.T) {
	for text, want := range map[string]string{
		"0.25":                           "ESCROW/1 escrow.example 0.25",
		"ESCROW/1 escrow.example 0.25":   "ESCROW/1 escrow.example 0.25",
		"ESCROW/1  ESCROW.example  1":    "ESCROW/1 escrow.example 1.00",
		"ESCROW/1 points.example 3":      "ESCROW/1 points.example 3",
		"LCP/1.0 points.example 3":       "LCP/1.0 points.example 3",
		"ESCROW/1 points.example 3.5":    "",
		"ESCROW/1 unknown.example 3":     "",
		"ESCROW escrow.example 0.25":     "",
		"ESCROW/1 escrow.example 0":      "",
		"ESCROW/1 escrow.example":        "",
		"ESCROW/1 escrow.example 1 txid": "",
		"":                               "",
		"-1":                             "",
	} {
		got, err := ParseOption(text, currencies())
		if want == "" {
			if err == nil {
				t.Errorf("ParseOption(%q) = %q, want an error", text, got)
			}
		} else if err != nil || got.String() != want {
			t.Errorf("ParseOption(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	if _, err := ParseOption("1", nil); err == nil {
		t.Error("an option without currencies was taken")
	}
}

func TestParseInstruction(t *testing.T) {
	const good = "LCP/1.0 bank.example 0.25 0123456789abcdef exp=1790000000 payee=abc unit=EUR"
	in, err := ParseInstruction(strings.ReplaceAll(good, " ", "   "))
	if err != nil || in.String() != good || len(in.Params) != 3 || in.Params[0] != (Param{"exp", "1790000000"}) {
		t.Fatalf("%+v, %v", in, err)
	}
	for _, bad := range []string{
		"", "LCP/1.0 bank.example 0.25", "LCP bank.example 0.25 x", "LCP/1.0.0 bank.example 0.25 x", "LCP/ bank.example 0.25 x",
		"LCP/1234 bank.example 1 x", strings.Repeat("L", 17) + "/1 bank.example 1 x", "LCP/1 bänk.example 1 x", "LCP/1 b -1 x",
		"LCP/1 b 1. x", "LCP/1 b 1 x!", "LCP/1 b 1 " + strings.Repeat("x", 65), "LCP/1 b 1 x exp", "LCP/1 b 1 x =1", "LCP/1 b 1 x e2=1",
		"LCP/1 b 1 x exp=", "LCP/1 b 1 x exp=\x01", "LCP/1 b\t1 1 x", "LCP/1 b 1 x " + strings.Repeat("e", 17) + "=1",
		"LCP/1 " + strings.Repeat("b", 256) + " 1 x", "LCP/1 b 1 x\r\nRSET",
	} {
		if in, err := ParseInstruction(bad); err == nil {
			t.Errorf("ParseInstruction(%q) = %+v, want an error", bad, in)
		}
	}
}

func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"0.25", "5", "92233720368.54775807", "007", "1.", "-1"} {
		f.Add(seed, uint8(2))
		f.Add(seed, uint8(8))
	}
	f.Fuzz(func(t *testing.T, text string, scale uint8) {
		amount, err := ParseAmount(text, scale)
		if err != nil {
			return
		}
		if amount < 0 {
			t.Fatalf("ParseAmount(%q, %d) = %d", text, scale, amount)
		}
		written := amount.Format(scale)
		if again, err := ParseAmount(written, scale); err != nil && len(written) < 16 || err == nil && again != amount {
			t.Fatalf("%q became %d, was written as %q and read as %d, %v", text, amount, written, again, err)
		}
	})
}

func FuzzParseInstruction(f *testing.F) {
	f.Add("LCP/1.0 bank.example 0.25 0123456789abcdef exp=1790000000 payee=abc")
	f.Add("ESCROW/1 escrow.example 5 x")
	f.Add("A/1 b 1  c  d=e=f")
	f.Fuzz(func(t *testing.T, line string) {
		in, err := ParseInstruction(line)
		if err != nil {
			return
		}
		written := in.String()
		if strings.ContainsAny(written, "\r\n\x00") {
			t.Fatalf("an instruction breaks its line: %q", written)
		}
		again, err := ParseInstruction(written)
		if err != nil || again.String() != written {
			t.Fatalf("%q was written as %q and read as %q, %v", line, written, again, err)
		}
	})
}

func FuzzParseOption(f *testing.F) {
	f.Add("0.25")
	f.Add("ESCROW/1 escrow.example 0.25")
	f.Add("LCP/1.0 points.example 3")
	f.Fuzz(func(t *testing.T, text string) {
		option, err := ParseOption(text, currencies())
		if err != nil {
			return
		}
		if err := option.Check(); err != nil {
			t.Fatalf("%q gives an option that does not pass its own check: %v", text, err)
		}
		again, err := ParseOption(option.String(), currencies())
		if err != nil || again != option {
			t.Fatalf("%q was written as %q and read as %+v, %v", text, option, again, err)
		}
	})
}
