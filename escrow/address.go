package escrow

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Address is an e-mail address in the form in which addresses are compared:
// domain in lower-case A-labels, local part NFC and lower-cased. The address as
// typed is kept apart, for delivery.
type Address string

// ParseAddress brings an address into the compared form.
func ParseAddress(typed string) (Address, error) {
	at := strings.LastIndexByte(typed, '@')
	if at <= 0 || at == len(typed)-1 || len(typed) > 320 || !utf8.ValidString(typed) {
		return "", Errorf(Invalid, "that is not an e-mail address")
	}
	local, domain := typed[:at], typed[at+1:]
	for _, r := range local {
		if unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`<>()[],;:\"@`, r) {
			return "", Errorf(Invalid, "that is not an e-mail address that Earnest can use")
		}
	}
	if strings.HasPrefix(domain, "[") {
		return "", Errorf(Invalid, "an address needs a domain, not an address literal")
	}
	if _, err := netip.ParseAddr(domain); err == nil {
		return "", Errorf(Invalid, "an address needs a domain, not a number")
	}
	labels, err := idna.Lookup.ToASCII(domain)
	if err != nil || labels == "" {
		return "", Errorf(Invalid, "the domain of that address is malformed")
	}
	return Address(strings.ToLower(norm.NFC.String(local)) + "@" + strings.ToLower(labels)), nil
}

// Valid reports whether the address is in the compared form.
func (a Address) Valid() bool {
	parsed, err := ParseAddress(string(a))
	return err == nil && parsed == a
}

// Folded is the address with what many providers ignore taken out: a plus-tag
// and the dots of the local part. It is used for limits, never for matching.
func (a Address) Folded() Address {
	local, domain, _ := strings.Cut(string(a), "@")
	local, _, _ = strings.Cut(local, "+")
	return Address(strings.ReplaceAll(local, ".", "") + "@" + domain)
}

// Domain is the part after the @.
func (a Address) Domain() string {
	_, domain, _ := strings.Cut(string(a), "@")
	return domain
}

// MixedScript reports letters of more than one script in the address: a sign of
// a look-alike, which a window marks.
func (a Address) MixedScript() bool {
	unicodeDomain, err := idna.Lookup.ToUnicode(a.Domain())
	if err != nil {
		unicodeDomain = a.Domain()
	}
	local, _, _ := strings.Cut(string(a), "@")
	var seen string
	for _, r := range local + unicodeDomain {
		if !unicode.IsLetter(r) {
			continue
		}
		script := scriptOf(r)
		if seen == "" {
			seen = script
		} else if script != seen {
			return true
		}
	}
	return false
}

func scriptOf(r rune) string {
	for _, script := range []string{"Latin", "Cyrillic", "Greek", "Armenian", "Cherokee"} {
		if unicode.Is(unicode.Scripts[script], r) {
			return script
		}
	}
	return "other"
}

// SaltedHash is how receipts name an address: only who holds the salt can tell
// whose it is.
func (a Address) SaltedHash(salt string) string { return Hash([]byte(salt + "\x00" + string(a))) }
