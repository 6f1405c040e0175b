package origin_test

import (
	"encoding/base64"
	"errors"
	"net/mail"
	"strings"
	"testing"

	"earnest/agent/origin"
)

const owner = "mail.shop.example"

// hostile asks whether a mail passes that its domain has really signed.
func hostile(t *testing.T, z *zone, raw string) error {
	t.Helper()
	z.records["_dmarc."+owner] = []string{"v=DMARC1; p=none"}
	return origin.Check(t.Context(), z, []byte(raw), owner, "To", "Date")
}

// Somebody with a mailbox at the domain gets a mail of his own signed, and hides
// what is signed of it from all but the check of signatures. Whom he names instead
// would get the answer.
func TestK17_AHiddenFieldProvesNothing(t *testing.T) {
	for name, hide := range map[string]func(string) string{
		"from": func(raw string) string {
			return "From: victim@mail.shop.example\r\n" + strings.Replace(raw, "From: Ann", "From : Ann", 1)
		},
		"from, by a tab": func(raw string) string {
			return "From: victim@mail.shop.example\r\n" + strings.Replace(raw, "From: Ann", "From\t: Ann", 1)
		},
		"to": func(raw string) string {
			return "To: carol@mail.example\r\n" + strings.Replace(raw, "To: bob", "To : bob", 1)
		},
		"date": func(raw string) string {
			return "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n" + strings.Replace(raw, "Date: Sun", "Date : Sun", 1)
		},
		"a second from":           func(raw string) string { return "From: victim@mail.shop.example\r\n" + raw },
		"a line that is no field": func(raw string) string { return "Hello\r\n" + raw },
		"a field without a name":  func(raw string) string { return ": Hello\r\n" + raw },
		"a line of spaces":        func(raw string) string { return "X: y\r\n \r\n" + raw },
		"folded before all":       func(raw string) string { return " folded\r\n" + raw },
		"a bare carriage return":  func(raw string) string { return "X: y\rFrom: victim@mail.shop.example\r\n" + raw },
		"a header without an end": func(string) string { return "From: ann@mail.shop.example" },
	} {
		t.Run(name, func(t *testing.T) {
			z := &zone{records: map[string][]string{}}
			raw := hide(signed(t, z, letter, owner, "From", "To", "Date"))
			if read, err := mail.ReadMessage(strings.NewReader(raw)); err == nil {
				t.Logf("others read From %q, To %q", read.Header["From"], read.Header["To"])
			}
			if err := hostile(t, z, raw); !errors.Is(err, origin.ErrUnproven) {
				t.Errorf("it passes: %v", err)
			}
		})
	}
}

// The work of a check grows with the square of some things that strangers write.
// Such a mail is let be before anything is asked.
func TestK17_WhatIsHardToCheckIsNotChecked(t *testing.T) {
	long := make([]string, 3000)
	for i := range long {
		long[i] = "from"
	}
	for name, make := range map[string]func(*testing.T, *zone) string{
		"many names in a signature": func(t *testing.T, z *zone) string {
			return signed(t, z, letter, owner, append([]string{"From", "To", "Date"}, long...)...)
		},
		"many fields": func(t *testing.T, z *zone) string {
			return signed(t, z, strings.Repeat("A: b\r\n", 600)+letter, owner, "From", "To", "Date")
		},
		"a long header": func(t *testing.T, z *zone) string {
			return signed(t, z, "A: b\r\n"+strings.Repeat(" c\r\n", 20_000)+letter, owner, "From", "To", "Date")
		},
	} {
		t.Run(name, func(t *testing.T) {
			z := &zone{records: map[string][]string{}}
			if err := hostile(t, z, make(t, z)); !errors.Is(err, origin.ErrUnproven) {
				t.Errorf("it passes: %v", err)
			}
			if len(z.asked) > 0 {
				t.Errorf("%q were asked for", z.asked)
			}
		})
	}
}

// What real mails have is not too much: many fields, and long signatures.
func TestK17_LargeHonestHeadersPass(t *testing.T) {
	z := &zone{records: map[string][]string{}}
	received := "Received: from a.example by b.example\r\n\t" + strings.Repeat("x", 300) + "; Sun, 22 Nov 2026 10:00:00 +0000\r\n"
	names := strings.Fields(strings.Repeat("from to date subject cc reply-to ", 20))
	raw := signed(t, z, strings.Repeat(received, 100)+letter, owner, append([]string{"From", "To", "Date"}, names...)...)
	if err := hostile(t, z, raw); err != nil {
		t.Error(err)
	}
}

func TestK17_StrangeKeysProveNothing(t *testing.T) {
	const selector = "s1._domainkey." + owner
	for name, change := range map[string]func(string) string{
		"a record of a megabyte":  func(r string) string { return "n=" + strings.Repeat("x", 1<<20) + "; " + r },
		"one longer than any key": func(r string) string { return r + "; n=" + strings.Repeat("x", 5000) },
		"a domain that tries out": func(r string) string { return r + "; t=s : y" },
		"a key taken back":        func(string) string { return "v=DKIM1; k=ed25519; p=" },
		"a short key": func(string) string {
			return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(make([]byte, 31))
		},
		"no key":    func(string) string { return "v=DKIM1; p=AAAA" },
		"no record": func(string) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			z := &zone{records: map[string][]string{}}
			raw := signed(t, z, letter, owner, "From", "To", "Date")
			z.records[selector] = []string{change(z.records[selector][0])}
			if err := hostile(t, z, raw); !errors.Is(err, origin.ErrUnproven) {
				t.Errorf("it passes: %v", err)
			}
		})
	}
	z := &zone{records: map[string][]string{}}
	raw := signed(t, z, letter, owner, "From", "To", "Date")
	z.records[selector][0] += "; t=s; n=yes; s=email"
	if err := hostile(t, z, raw); err != nil {
		t.Errorf("an honest key with flags: %v", err)
	}
}
