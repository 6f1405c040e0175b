package origin_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"earnest/agent/origin"
)

// zone is a DNS of TXT records; one that holds trouble does not answer.
type zone struct {
	records map[string][]string
	trouble string

	mu    sync.Mutex
	asked []string
}

func (z *zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.asked = append(z.asked, name)
	if z.trouble != "" && strings.Contains(name, z.trouble) {
		return nil, &net.DNSError{Err: "no answer", Name: name, IsTimeout: true, IsTemporary: true}
	}
	if found, ok := z.records[name]; ok {
		return found, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

const letter = "From: Ann <ann@mail.shop.example>\r\nTo: bob@mail.example\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\nSubject: Hello\r\n\r\nHow are you?\r\n"

// signed signs a mail for a domain and lists the signer's key in the zone.
func signed(t *testing.T, z *zone, raw, domain string, fields ...string) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	z.records["s1._domainkey."+domain] = []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}
	var b bytes.Buffer
	err = dkim.Sign(&b, strings.NewReader(raw), &dkim.SignOptions{Domain: domain, Selector: "s1", Signer: private, HeaderKeys: fields,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestK17_OnlyTheDomainsOwnSignatureProvesAMail(t *testing.T) {
	const domain, owner = "mail.shop.example", "shop.example"
	all := []string{"From", "To", "Date", "Subject"}
	one := func(z *zone) string { return signed(t, z, letter, domain, all...) }
	for name, c := range map[string]struct {
		policy map[string]string // by domain
		mail   func(*zone) string
		passes bool
	}{
		"signed by the domain":               {map[string]string{domain: "v=DMARC1; p=none"}, one, true},
		"policy of the organisation":         {map[string]string{owner: "v=DMARC1; p=reject"}, one, true},
		"signed by the organisation":         {map[string]string{owner: "v=DMARC1; p=reject"}, func(z *zone) string { return signed(t, z, letter, owner, all...) }, true},
		"signed by a sister":                 {map[string]string{owner: "v=DMARC1; p=reject; adkim=r"}, func(z *zone) string { return signed(t, z, letter, "out.shop.example", all...) }, true},
		"strict, signed by the domain":       {map[string]string{domain: "v=DMARC1; p=none; adkim=s"}, one, true},
		"strict, signed by the organisation": {map[string]string{domain: "v=DMARC1; p=none; adkim=s"}, func(z *zone) string { return signed(t, z, letter, owner, all...) }, false},
		"no policy":                          {nil, one, false},
		"policy of nobody's kind":            {map[string]string{domain: "v=spf1 -all"}, one, false},
		"malformed policy":                   {map[string]string{domain: "v=DMARC1; p=maybe"}, one, false},
		"not signed":                         {map[string]string{domain: "v=DMARC1; p=none"}, func(*zone) string { return letter }, false},
		"signed by a stranger":               {map[string]string{domain: "v=DMARC1; p=none"}, func(z *zone) string { return signed(t, z, letter, "evil.example", all...) }, false},
		"signed by a stranger of like name": {map[string]string{domain: "v=DMARC1; p=none"}, func(z *zone) string {
			return signed(t, z, letter, "notshop.example", all...)
		}, false},
		"body changed": {map[string]string{domain: "v=DMARC1; p=none"}, func(z *zone) string {
			return strings.Replace(one(z), "How are you?", "Pay me.", 1)
		}, false},
		"recipient changed": {map[string]string{domain: "v=DMARC1; p=none"}, func(z *zone) string {
			return strings.Replace(one(z), "To: bob@", "To: eve@", 1)
		}, false},
		"recipient not signed": {map[string]string{domain: "v=DMARC1; p=none"}, func(z *zone) string { return signed(t, z, letter, domain, "From", "Date") }, false},
		"date not signed":      {map[string]string{domain: "v=DMARC1; p=none"}, func(z *zone) string { return signed(t, z, letter, domain, "From", "To") }, false},
		"another's word for it": {map[string]string{domain: "v=DMARC1; p=none"}, func(*zone) string {
			return "Authentication-Results: mail.example; dkim=pass header.d=mail.shop.example; dmarc=pass\r\nReceived-SPF: pass\r\n" + letter
		}, false},
		"beside a stranger's signature": {map[string]string{domain: "v=DMARC1; p=none"}, func(z *zone) string {
			return signed(t, z, one(z), "evil.example", all...)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			z := &zone{records: map[string][]string{}}
			for domain, policy := range c.policy {
				z.records["_dmarc."+domain] = []string{policy}
			}
			err := origin.Check(t.Context(), z, []byte(c.mail(z)), domain, "To", "Date")
			if c.passes && err != nil || !c.passes && !errors.Is(err, origin.ErrUnproven) {
				t.Errorf("the check says %v, want it to pass: %v", err, c.passes)
			}
			for _, name := range z.asked {
				if !strings.HasSuffix(name, "."+owner) {
					t.Errorf("%s was asked for, a name that a stranger chose", name)
				}
			}
		})
	}
}

func TestK17_TwoPoliciesAreNone(t *testing.T) {
	z := &zone{records: map[string][]string{"_dmarc.mail.shop.example": {"v=DMARC1; p=none", "v=DMARC1; p=reject"}}}
	raw := signed(t, z, letter, "mail.shop.example", "From", "To", "Date")
	if err := origin.Check(t.Context(), z, []byte(raw), "mail.shop.example"); !errors.Is(err, origin.ErrUnproven) {
		t.Errorf("two policies: %v", err)
	}
}

func TestK17_NamesThatDoNotAnswerAreTriedLater(t *testing.T) {
	for _, trouble := range []string{"_dmarc", "_domainkey"} {
		z := &zone{records: map[string][]string{"_dmarc.mail.shop.example": {"v=DMARC1; p=none"}}, trouble: trouble}
		raw := signed(t, z, letter, "mail.shop.example", "From", "To", "Date")
		if err := origin.Check(t.Context(), z, []byte(raw), "mail.shop.example"); err == nil || errors.Is(err, origin.ErrUnproven) {
			t.Errorf("%s does not answer: %v", trouble, err)
		}
	}
}

func TestK17_FewSignaturesAreLookedAt(t *testing.T) {
	z := &zone{records: map[string][]string{"_dmarc.mail.shop.example": {"v=DMARC1; p=none"}}}
	raw := letter
	for range 50 {
		raw = signed(t, z, raw, "mail.shop.example", "From", "To", "Date")
	}
	if err := origin.Check(t.Context(), z, []byte(raw), "mail.shop.example"); err != nil && !errors.Is(err, origin.ErrUnproven) {
		t.Error(err)
	}
	keys := slices.DeleteFunc(z.asked, func(name string) bool { return !strings.Contains(name, "_domainkey") })
	if len(keys) > 4 {
		t.Errorf("%d keys were asked for, of one mail", len(keys))
	}
}

// A signature of a part of the body lets anybody write the rest (RFC 6376 section
// 8.2). It is made by hand here, as the library makes none.
func TestK17_ASignatureOfAPartOfTheBodyProvesNothing(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	z := &zone{records: map[string][]string{"_dmarc.mail.shop.example": {"v=DMARC1; p=none"},
		"s1._domainkey.mail.shop.example": {"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}}}
	byHand := func(tag, body string) []byte {
		sum := sha256.Sum256([]byte(body))
		field := "v=1; a=ed25519-sha256; c=relaxed/simple; d=mail.shop.example; s=s1; h=From:To:Date;" + tag +
			" bh=" + base64.StdEncoding.EncodeToString(sum[:]) + "; b="
		data := sha256.Sum256([]byte("from:Ann <ann@mail.shop.example>\r\nto:bob@mail.example\r\n" +
			"date:Sun, 22 Nov 2026 10:00:00 +0000\r\ndkim-signature:" + field))
		return []byte("DKIM-Signature: " + field + base64.StdEncoding.EncodeToString(ed25519.Sign(private, data[:])) + "\r\n" + letter)
	}
	if err := origin.Check(t.Context(), z, byHand("", "How are you?\r\n"), "mail.shop.example", "To", "Date"); err != nil {
		t.Errorf("signed whole: %v", err)
	}
	if err := origin.Check(t.Context(), z, byHand(" l=5;", "How a"), "mail.shop.example", "To", "Date"); !errors.Is(err, origin.ErrUnproven) {
		t.Errorf("signed in part: %v", err)
	}
}
