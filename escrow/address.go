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

// maxAddress is 64 octets of local part and 255 of domain (RFC 5321 section
// 4.5.3.1), and the @ between.
const maxAddress = 320

// ParseAddress brings an address into the compared form.
func ParseAddress(typed string) (Address, error) {
	at := strings.LastIndexByte(typed, '@')
	if at <= 0 || at == len(typed)-1 || len(typed) > maxAddress || !utf8.ValidString(typed) {
		return "", Errorf(Invalid, "that is not an e-mail address")
	}
	// NFC before the check: it turns U+037E into a semicolon. NFC after
	// lower-casing: that can make letters that compose, such as T and ẗ.
	local, domain := norm.NFC.String(strings.ToLower(norm.NFC.String(typed[:at]))), typed[at+1:]
	for _, r := range local {
		if unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`<>()[],;:\"@`, r) {
			return "", Errorf(Invalid, "that is not an e-mail address that Earnest can use")
		}
	}
	if strings.HasPrefix(domain, "[") {
		return "", Errorf(Invalid, "an address needs a domain, not an address literal")
	}
	labels, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", Errorf(Invalid, "the domain of that address is malformed")
	}
	if _, err := netip.ParseAddr(labels); err == nil {
		return "", Errorf(Invalid, "an address needs a domain, not a number")
	}
	if len(local)+len("@")+len(labels) > maxAddress {
		return "", Errorf(Invalid, "that address is too long")
	}
	for label := range strings.SplitSeq(labels, ".") {
		// RFC 1035 section 2.3.4. A dot at the end would be a second spelling.
		if label == "" || len(label) > 63 {
			return "", Errorf(Invalid, "the domain of that address is malformed")
		}
	}
	return Address(local + "@" + strings.ToLower(labels)), nil
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
