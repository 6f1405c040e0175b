package viewmodel

import (
	"math/big"
	"strings"

	"earnest/agentclient"
)

// amount reads decimal text exactly; it is never a float. A decimal comma is
// taken for a point, as people in half of Europe type it.
func amount(s string) (*big.Rat, bool) {
	s = strings.Replace(strings.TrimSpace(s), ",", ".", 1)
	whole, fraction, dotted := strings.Cut(s, ".")
	if !digits(whole) || len(whole) > 15 || dotted && (!digits(fraction) || len(fraction) > 8) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// sumOf adds two amounts of one currency.
func sumOf(a, b agentclient.Money) agentclient.Money {
	if a.Amount == "" {
		return b
	}
	x, okX := amount(a.Amount)
	y, okY := amount(b.Amount)
	if !okX || !okY {
		return a
	}
	a.Amount = new(big.Rat).Add(x, y).FloatString(max(scale(a.Amount), scale(b.Amount)))
	return a
}

// short tells whether have is less than need.
func short(have, need agentclient.Money) bool {
	x, okX := amount(have.Amount)
	y, okY := amount(need.Amount)
	return okX && okY && x.Cmp(y) < 0
}

func scale(s string) int {
	_, fraction, _ := strings.Cut(s, ".")
	return len(fraction)
}
