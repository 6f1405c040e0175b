package openpgp_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"earnest/crypto/openpgp"
	"earnest/mail"
)

// TestK6_StockToolsReadOurMail: what we seal is decrypted and verified by gpg
// 2.2 and by Sequoia, and the real subject is in what they print.
func TestK6_StockToolsReadOurMail(t *testing.T) {
	p := newPair(t)
	g := newGnuPG(t)
	g.run(p.vault.items["bob"], "--import")
	g.run([]byte(p.sender.Armor()), "--import")
	for extra := range 4 { // armor of each length modulo 3: gpg 2.2 needs its checksum
		l := letter(p.now)
		l.Text += strings.Repeat("x", extra)
		raw := must(p.keys.Seal(t.Context(), openpgp.SealRequest{Letter: l, Stamp: stamp(), To: p.recipient, SignWith: "alice"}))
		if !bytes.Contains(raw, []byte("\r\nSubject: [...]\r\n")) || bytes.Contains(raw, []byte("Earnest-Bond")) {
			t.Error("the subject or the stamp is outside of the encryption")
		}
		message := must(mail.EncryptedPart(raw))
		for _, tool := range []struct {
			name string
			read func() ([]byte, string)
		}{
			{"gpg", func() ([]byte, string) { return g.run(message, "--decrypt") }},
			{"sqop", func() ([]byte, string) {
				files := map[string][]byte{"key": p.vault.items["bob"], "cert": p.sender.Raw}
				out := sqop(t, message, files, "decrypt", "--verify-with", "cert", "--verifications-out", "verified", "key")
				return out, "sqop " + strings.ToLower(string(files["verified"]))
			}},
		} {
			inner, status := tool.read()
			if tool.name == "gpg" && (!strings.Contains(status, "GOODSIG") || !strings.Contains(status, "VALIDSIG "+strings.ToUpper(p.sender.Fingerprint)) ||
				!strings.Contains(status, "DECRYPTION_OKAY") || !strings.Contains(status, "DECRYPTION_INFO 2 9")) {
				t.Errorf("gpg's status: %s", status)
			}
			if tool.name == "sqop" && !strings.Contains(status, p.sender.Fingerprint) {
				t.Errorf("sqop verified: %q", status)
			}
			content, err := mail.Read(inner)
			if err != nil {
				t.Fatal(err)
			}
			if content.Header.Subject != l.Subject || content.Text != l.Text {
				t.Errorf("%s printed subject %q, text %q", tool.name, content.Header.Subject, content.Text)
			}
			if !bytes.Contains(inner, []byte("HP-Outer: Subject: [...]\r\n")) || !bytes.Contains(inner, []byte(`hp="cipher"`)) {
				t.Errorf("no header protection in %s", inner)
			}
		}
	}
}

// outerFields are what a stock sender's mail has outside.
func outerFields() []mail.Field {
	return []mail.Field{{Name: "From", Value: "Carol <carol@example.net>"}, {Name: "To", Value: "bob@example.org"},
		{Name: "Subject", Value: "..."}, {Name: "Date", Value: "Sun, 22 Nov 2026 10:00:00 +0000"}, {Name: "Message-ID", Value: "<1@example.net>"}}
}

const stockInner = "Content-Type: text/plain; charset=utf-8\r\n\r\nHallo Bob, ein geheimer Satz.\r\n"

// thunderbirdInner has protected headers in the form that Thunderbird writes.
const thunderbirdInner = "Content-Type: multipart/mixed; boundary=\"----b\";\r\n protected-headers=\"v1\"; hp=\"cipher\"\r\n" +
	"From: Carol <carol@example.net>\r\nTo: bob@example.org\r\nSubject: Wirklich\r\nMessage-ID: <1@example.net>\r\n\r\n" +
	"------b\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nHallo Bob, ein geheimer Satz.\r\n------b--\r\n"

// TestK6_WeReadStockMail: gpg and sqop sign and encrypt to a key of ours; we
// open, verify, and the proof stands.
func TestK6_WeReadStockMail(t *testing.T) {
	p := newPair(t)
	g := newGnuPG(t)
	g.run([]byte(p.recipient.Armor()), "--import")
	g.run(nil, "--quick-generate-key", "Carol <carol@example.net>", "future-default", "default", "2y")
	g.run(nil, "--quick-generate-key", "Rita <rita@example.net>", "rsa2048", "default", "2y")
	g.run(nil, "--quick-add-key", fingerprintOf(g, "rita@example.net"), "rsa2048", "encr", "2y")
	g.run(nil, "--quick-generate-key", "Nina <nina@example.net>", "nistp256", "default", "2y")
	other, _ := g.run(nil, "--export", "rita@example.net")
	for _, sender := range []string{"carol@example.net", "rita@example.net", "nina@example.net"} {
		exported, _ := g.run(nil, "--armor", "--export", sender)
		certificate, err := openpgp.ParseCertificate(exported)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []struct {
			name    string
			args    []string
			inner   string
			hidden  int
			split   bool // RFC 3156 section 6.1
			subject string
		}{
			{name: "plain", inner: stockInner, subject: "..."},
			{name: "thunderbird", inner: thunderbirdInner, subject: "Wirklich"},
			{name: "no MIME inside", inner: "Hallo Bob, ein geheimer Satz.\n", subject: "..."},
			{name: "hidden", inner: stockInner, args: []string{"--throw-keyids"}, hidden: 1, subject: "..."},
			{name: "also to others, hidden", inner: stockInner, args: []string{"--throw-keyids", "-r", "rita@example.net"}, hidden: 2, subject: "..."},
			{name: "text mode", inner: strings.ReplaceAll(stockInner, "\r\n", "\n"), args: []string{"--textmode"}, subject: "..."},
			{name: "section 6.1", inner: stockInner, split: true, subject: "..."},
			{name: "section 6.1, LF", inner: strings.ReplaceAll(thunderbirdInner, "\r\n", "\n"), split: true, subject: "Wirklich"},
		} {
			t.Run(sender+"/"+form.name, func(t *testing.T) {
				g := gnupg{t, g.home}
				args := append([]string{"--armor", "-u", sender, "-r", p.recipient.Fingerprint, "--encrypt"}, form.args...)
				plain := form.inner
				if form.split {
					signature, _ := g.run([]byte(strings.ReplaceAll(strings.ReplaceAll(plain, "\r\n", "\n"), "\n", "\r\n")), "--armor", "-u", sender, "--detach-sign")
					plain = fmt.Sprintf("Content-Type: multipart/signed; micalg=pgp-sha256; protocol=\"application/pgp-signature\"; boundary=\"s\"\n\n--s\n%s\n--s\nContent-Type: application/pgp-signature\n\n%s\n--s--\n", plain, signature)
				} else {
					args = append(args, "--sign")
				}
				message, _ := g.run([]byte(plain), args...)
				raw := must(mail.WrapEncrypted(outerFields(), message))
				sealed, err := openpgp.Inspect(raw)
				if err != nil {
					t.Fatal(err)
				}
				if sealed.Hidden != form.hidden || sealed.Header.From != "carol@example.net" {
					t.Errorf("Inspect: %d hidden, from %q", sealed.Hidden, sealed.Header.From)
				}
				opened, err := p.keys.Open(t.Context(), sealed, "bob", certificate)
				if err != nil {
					t.Fatal(err)
				}
				if opened.Header.Subject != form.subject || opened.Protected != (form.subject == "Wirklich") || opened.Stamp != nil {
					t.Errorf("subject %q, protected %v, stamp %v", opened.Header.Subject, opened.Protected, opened.Stamp)
				}
				if text := must(mail.Read(opened.Inner)).Text; strings.TrimSpace(text) != "Hallo Bob, ein geheimer Satz." {
					t.Errorf("text %q", text)
				}
				if err := openpgp.VerifyArrival(certificate.Raw, opened.Proof); err != nil {
					t.Error(err)
				}
				if sender != "rita@example.net" && openpgp.VerifyArrival(must(openpgp.ParseCertificate(other)).Raw, opened.Proof) == nil {
					t.Error("the proof verifies with another's certificate")
				}
				if _, err := p.keys.Open(t.Context(), sealed, "alice", certificate); !errors.Is(err, openpgp.ErrNotForKey) {
					t.Errorf("with another key: %v", err)
				}
				if _, err := p.keys.Open(t.Context(), sealed, "bob", p.sender); !errors.Is(err, openpgp.ErrBadSignature) {
					t.Errorf("with another's certificate: %v", err)
				}
			})
		}
	}
	t.Run("unsigned", func(t *testing.T) {
		message, _ := gnupg{t, g.home}.run([]byte(stockInner), "--armor", "-r", p.recipient.Fingerprint, "--encrypt")
		if _, err := p.open(t.Context(), must(mail.WrapEncrypted(outerFields(), message))); !errors.Is(err, openpgp.ErrUnsigned) {
			t.Error(err)
		}
	})
}

func TestK6_WeReadSequoiasMail(t *testing.T) {
	p := newPair(t)
	key := sqop(t, nil, nil, "generate-key", "Sven <sven@example.net>")
	cert := sqop(t, key, nil, "extract-cert")
	certificate, err := openpgp.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	if !certificate.CanSign || !certificate.CanEncrypt {
		t.Errorf("%+v", certificate)
	}
	// Its signing subkey and its binding's own signature both are in use here.
	message := sqop(t, []byte(stockInner), map[string][]byte{"key": key, "to": p.recipient.Raw}, "encrypt", "--sign-with", "key", "to")
	sealed := must(openpgp.Inspect(must(mail.WrapEncrypted(outerFields(), message))))
	opened, err := p.keys.Open(t.Context(), sealed, "bob", certificate)
	if err != nil {
		t.Fatal(err)
	}
	if err := openpgp.VerifyArrival(certificate.Raw, opened.Proof); err != nil {
		t.Error(err)
	}
}

// TestMinimisedCertificateWorksInGnuPG: what goes to the escrow is still a
// certificate for everybody, without other people's signatures and user ids.
func TestMinimisedCertificateWorksInGnuPG(t *testing.T) {
	g := newGnuPG(t)
	g.run(nil, "--quick-generate-key", "Carol <carol@example.net>", "future-default", "default", "never")
	g.run(nil, "--quick-generate-key", "Friend <friend@example.net>", "future-default", "default", "never")
	g.run(nil, "--quick-add-uid", "carol@example.net", "Carol at work <carol@work.example>")
	g.run(nil, "-u", "friend@example.net", "--quick-sign-key", fingerprintOf(g, "carol@example.net"))
	exported, _ := g.run(nil, "--export", "carol@example.net")
	certificate, err := openpgp.ParseCertificate(exported)
	if err != nil {
		t.Fatal(err)
	}
	again, err := openpgp.ParseCertificate(certificate.Raw)
	if err != nil || !bytes.Equal(again.Raw, certificate.Raw) {
		t.Errorf("minimising twice changes it: %v", err)
	}
	if armored, err := openpgp.ParseCertificate([]byte(certificate.Armor())); err != nil || !bytes.Equal(armored.Raw, certificate.Raw) {
		t.Errorf("armor changes it: %v", err)
	}
	packets, _ := g.run(certificate.Raw, "--list-packets")
	if n := strings.Count(string(packets), ":user ID packet:"); n != 1 {
		t.Errorf("%d user ids", n)
	}
	if n := strings.Count(string(packets), ":signature packet:"); n != 2 { // user id, encryption subkey
		t.Errorf("%d signatures in\n%s", n, packets)
	}
	fresh := newGnuPG(t)
	fresh.run(certificate.Raw, "--import")
	fresh.run([]byte("x"), "--armor", "-r", certificate.Fingerprint, "--encrypt")
}

func fingerprintOf(g gnupg, user string) string {
	listing, _ := g.run(nil, "--with-colons", "--fingerprint", user)
	for line := range strings.Lines(string(listing)) {
		if strings.HasPrefix(line, "fpr:") {
			return strings.Split(line, ":")[9]
		}
	}
	g.t.Fatal("gpg knows no such key")
	return ""
}
