package payment

import (
	"fmt"
	"strings"
)

// SystemEscrow is the system of a bond held at an escrow.
const SystemEscrow = "ESCROW/1"

// Option is one way to pay that a recipient accepts.
type Option struct {
	System   string `json:"system"`
	Currency string `json:"currency"`
	Amount   Amount `json:"amount"`
	Scale    uint8  `json:"scale"`
}

// Check reports what makes the option unusable.
func (o Option) Check() error {
	switch {
	case !isSystem(o.System):
		return fmt.Errorf("system %q is not like %s", o.System, SystemEscrow)
	case o.Scale > MaxScale:
		return fmt.Errorf("scale %d is over %d", o.Scale, MaxScale)
	case o.Amount <= 0:
		return fmt.Errorf("the amount must be more than zero")
	}
	return Currency{Name: o.Currency, Scale: o.Scale}.Check()
}

// String is the option as an instruction without a txid, such as
// "ESCROW/1 escrow.example 0.25".
func (o Option) String() string {
	return o.System + " " + o.Currency + " " + o.Amount.Format(o.Scale)
}

// ParseOption reads an option written as an instruction without a txid. The
// currencies are those that the escrow deals in: they give the scale. The short
// form "0.25" takes the first of them.
func ParseOption(text string, currencies []Currency) (Option, error) {
	fields := strings.Fields(text)
	if len(currencies) == 0 {
		return Option{}, fmt.Errorf("no currencies are known yet")
	}
	if len(fields) == 1 {
		fields = []string{SystemEscrow, currencies[0].Name, fields[0]}
	}
	if len(fields) != 3 {
		return Option{}, fmt.Errorf("an option is written as %q or just %q", SystemEscrow+" "+currencies[0].Name+" 0.25", "0.25")
	}
	for _, currency := range currencies {
		if !strings.EqualFold(currency.Name, fields[1]) {
			continue
		}
		amount, err := ParseAmount(fields[2], currency.Scale)
		if err != nil {
			return Option{}, err
		}
		option := Option{System: fields[0], Currency: currency.Name, Amount: amount, Scale: currency.Scale}
		return option, option.Check()
	}
	return Option{}, fmt.Errorf("the escrow does not deal in %q", fields[1])
}

// isSystem: system = 1*16(ALPHA / DIGIT / "-") "/" 1*3DIGIT ["." 1*3DIGIT].
func isSystem(s string) bool {
	name, version, ok := strings.Cut(s, "/")
	if !ok || name == "" || len(name) > 16 || !tokenChars(name, "-") {
		return false
	}
	major, minor, dotted := strings.Cut(version, ".")
	return digits(major, 3) && (!dotted || digits(minor, 3))
}

func tokenChars(s, extra string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(extra, c) >= 0) {
			return false
		}
	}
	return true
}
