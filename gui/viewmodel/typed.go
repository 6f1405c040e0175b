package viewmodel

import (
	"strings"
	"unicode"

	"earnest/agentclient"
)

const (
	mostWhole  = 15 // digits before the point that the protocol has room for
	mostDigits = 18 // in all: more do not fit into a currency's smallest unit
)

// typedAmount reads an amount as people type it: with a decimal point or comma,
// with spaces or marks between thousands, with the currency's sign, in the digits
// of any script. What comes back is plain: "1000.50". A text that could mean two
// amounts, such as 1,000 in a currency of two digits, is refused and not guessed.
func (s speech) typedAmount(typed string, scale int, unit string) (plain string, fault said) {
	text := bare(typed, unit)
	shown := line(typed)
	switch {
	case text == "":
		return "", says("amount.empty")
	case strings.HasPrefix(text, "-"):
		if _, fault := s.typedAmount(text[1:], scale, ""); fault == nil {
			return "", says("amount.negative")
		}
		return "", says("amount.not", "Text", shown)
	}
	whole, fraction, ok := parts(text)
	switch {
	case !ok:
		return "", says("amount.not", "Text", shown)
	case len(fraction) > scale:
		return "", saysN("amount.digits", scale)
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if len(whole) > mostWhole || len(whole)+scale > mostDigits {
		return "", says("amount.large")
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return whole, nil
}

// bare takes the currency's sign and the outer spaces away and writes every digit
// and mark in its ASCII form.
func bare(typed, unit string) string {
	text := strings.Map(plainRune, strings.TrimSpace(typed))
	for _, sign := range []string{unit, strings.ToLower(unit), "€", "$", "£"} {
		if sign == "" {
			continue
		}
		if rest, ok := strings.CutPrefix(text, sign); ok {
			return strings.TrimSpace(rest)
		}
		if rest, ok := strings.CutSuffix(text, sign); ok {
			return strings.TrimSpace(rest)
		}
	}
	return text
}

func plainRune(r rune) rune {
	switch {
	case r == '٫' || r == '，': // decimal marks of Arabic and of wide letters
		return ','
	case r == '．':
		return '.'
	case r == '−' || r == '–' || r == '－':
		return '-'
	case r == '\'' || r == '’' || r == '٬' || unicode.IsSpace(r):
		return ' '
	case r < 0x80:
		return r
	}
	if n, ok := digitOf(r); ok {
		return '0' + n
	}
	return r
}

// digitOf is the value of a decimal digit of any script: they come in rows of ten
// that begin with zero.
func digitOf(r rune) (rune, bool) {
	for _, row := range unicode.Nd.R16 {
		if uint16(min(r, 0xFFFF)) >= row.Lo && r <= rune(row.Hi) {
			return (r - rune(row.Lo)) % 10, true
		}
	}
	for _, row := range unicode.Nd.R32 {
		if uint32(r) >= row.Lo && uint32(r) <= row.Hi {
			return (r - rune(row.Lo)) % 10, true
		}
	}
	return 0, false
}

// parts splits a number at its decimal mark: the last point or comma, unless that
// mark stands several times and so only divides thousands.
func parts(text string) (whole, fraction string, ok bool) {
	whole = text
	if at := strings.LastIndexAny(text, ".,"); at >= 0 && strings.Count(text, text[at:at+1]) == 1 {
		whole, fraction = text[:at], text[at+1:]
		if !digits(fraction) || strings.Contains(text[:at], " ") && strings.ContainsAny(text[:at], ".,") {
			return "", "", false
		}
	}
	mark := strings.Trim(whole, "0123456789")
	if mark == "" {
		return whole, fraction, digits(whole)
	}
	// One kind of mark between groups of three.
	groups := strings.Split(whole, mark[:1])
	for i, group := range groups {
		if !digits(group) || i > 0 && len(group) != 3 || i == 0 && len(group) > 3 {
			return "", "", false
		}
	}
	return strings.Join(groups, ""), fraction, true
}

// zero tells that a plain amount is nothing.
func zero(plain string) bool { return strings.Trim(plain, "0.") == "" }

// currencyWords names a currency where a person chooses or types: by its unit, and
// by who stands for it.
func (s speech) currencyWords(currency, unit string) string {
	if unit == "" {
		return line(currency)
	}
	return s.T("currency.at", "Unit", line(unit), "Currency", line(currency))
}

// currencies are those that money is held in, each once, as the balances name them.
func (p *purse) currencies() []agentclient.Money {
	var all []agentclient.Money
	known := map[string]bool{}
	for _, b := range p.balances {
		if !known[b.Available.Currency] {
			known[b.Available.Currency] = true
			all = append(all, b.Available)
		}
	}
	return all
}

// scaleOf is how many digits a currency has behind the point: agents write amounts
// with all of them. One that is not known gets what every currency may have.
func (p *purse) scaleOf(currency string) int {
	for _, m := range p.currencies() {
		if m.Currency == currency {
			return scale(m.Amount)
		}
	}
	return mostScale
}

const mostScale = 8
