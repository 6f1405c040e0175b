// Package payment says what a price is: an amount in a currency, an option that
// a recipient accepts, and the instruction line that carries one on a wire.
// It is pure: standard library only.
package payment

import (
	"fmt"
	"math"
	"strings"
)

// MaxScale is the largest number of decimal digits that a currency may have.
const MaxScale = 8

// Amount counts a currency's smallest unit. It is never a float.
type Amount int64

// Currency is money that an issuer stands for: its name (a domain, as on the
// PAYMENT wire), how many decimal digits its amounts have, and the unit that
// people know it by, which is only shown.
type Currency struct {
	Name  string `json:"name"`
	Scale uint8  `json:"scale"`
	Unit  string `json:"unit,omitempty"`
}

// Check reports what makes the currency unusable.
func (c Currency) Check() error {
	if !vchars(c.Name, 255) {
		return fmt.Errorf("currency name must be 1 to 255 visible ASCII characters")
	}
	if c.Scale > MaxScale {
		return fmt.Errorf("scale %d is over %d", c.Scale, MaxScale)
	}
	return nil
}

// ParseAmount reads decimal text with no more digits than the scale, such as
// "0.25" at scale 2, into smallest units. It accepts no sign, exponent or
// separator: amount = 1*15DIGIT ["." 1*8DIGIT].
func ParseAmount(text string, scale uint8) (Amount, error) {
	if scale > MaxScale {
		return 0, fmt.Errorf("scale %d is over %d", scale, MaxScale)
	}
	whole, fraction, dotted := strings.Cut(text, ".")
	if !digits(whole, 15) || (dotted && !digits(fraction, MaxScale)) {
		return 0, fmt.Errorf("an amount is digits with an optional point, such as 0.25")
	}
	// Zeros beyond the scale change nothing, but an amount of a currency has no
	// more digits than its scale: two spellings of one price would be two prices.
	if len(fraction) > int(scale) {
		return 0, fmt.Errorf("the amount has %d decimal digits, the currency has %d", len(fraction), scale)
	}
	fraction += strings.Repeat("0", int(scale)-len(fraction))
	var n int64
	for _, digit := range whole + fraction {
		if n > (math.MaxInt64-9)/10 {
			return 0, fmt.Errorf("the amount is too large")
		}
		n = n*10 + int64(digit-'0')
	}
	return Amount(n), nil
}

// Format writes the amount as decimal text with exactly scale digits.
func (a Amount) Format(scale uint8) string {
	sign, n := "", uint64(a)
	if a < 0 {
		sign, n = "-", -uint64(a)
	}
	text := fmt.Sprintf("%0*d", int(scale)+1, n)
	if scale == 0 {
		return sign + text
	}
	point := len(text) - int(scale)
	return sign + text[:point] + "." + text[point:]
}

func digits(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func vchars(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
