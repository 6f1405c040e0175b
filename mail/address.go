package mail

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// addrSpec writes an address for a header: the domain in A-labels (RFC 5890), the
// local part as it is, or quoted (RFC 5322 section 3.4.1). Local parts that
// escrow.ParseAddress refuses are refused here too.
func addrSpec(address string) (string, error) {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 || at == len(address)-1 || len(address) > 320 {
		return "", fmt.Errorf("an address is name@domain: %w", ErrAddress)
	}
	local, domain := address[:at], address[at+1:]
	labels, err := idna.Lookup.ToASCII(domain)
	if err != nil || labels == "" || !isPrintable(labels) || strings.ContainsAny(labels, " <>()[],;:\\\"@") {
		return "", fmt.Errorf("the domain is malformed: %w", ErrAddress)
	}
	if !isPrintable(local) {
		return "", fmt.Errorf("the part before the @ must be ASCII: %w", ErrAddress)
	}
	if strings.ContainsAny(local, "()<>@,;:\\\"[] ") {
		return "", fmt.Errorf("the part before the @ has a space or a special character: %w", ErrAddress)
	}
	if strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		local = quote(local) // some providers gave out such addresses
	}
	return local + "@" + strings.ToLower(labels), nil
}

// mailbox writes a name and an address.
func mailbox(name, address string) (string, error) {
	spec, err := addrSpec(address)
	if err != nil {
		return "", err
	}
	if name = encodePhrase(name); name == "" {
		return spec, nil
	}
	return name + " <" + spec + ">", nil
}

// NewMessageID makes a Message-ID, with its brackets, in the domain of from. It
// is random: nothing of the machine or the moment is in it.
func NewMessageID(from string) string {
	domain := "earnest.invalid"
	if spec, err := addrSpec(from); err == nil {
		domain = spec[strings.LastIndexByte(spec, '@')+1:]
	}
	var random [20]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	return "<" + strings.ToLower(base32.StdEncoding.EncodeToString(random[:])) + "@" + domain + ">"
}

// messageID brings an id into the form with brackets, or returns "".
func messageID(s string) string {
	s = strings.TrimSpace(s)
	s = strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
	if s == "" || len(s) > maxMessageID || !isPrintable(s) || strings.ContainsAny(s, " <>") {
		return ""
	}
	return "<" + s + ">"
}
