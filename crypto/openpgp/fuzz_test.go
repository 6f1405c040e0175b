package openpgp_test

import (
	"bytes"
	"crypto"
	"io"
	"os"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"earnest/crypto/openpgp"
	"earnest/mail"
)

// fixed is a pair whose keys are in testdata, so that a corpus means the same in
// every run. They open nothing but these tests.
func fixed(t testing.TB) *pair {
	t.Helper()
	p := &pair{vault: &vault{items: map[string][]byte{}}, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	p.keys = openpgp.NewKeys(p.vault, func() time.Time { return p.now })
	for name, certificate := range map[string]*openpgp.Certificate{"alice": &p.sender, "bob": &p.recipient} {
		key, err := os.ReadFile("testdata/" + name + ".asc")
		if err != nil {
			t.Fatal(err)
		}
		p.vault.items[name] = key
		*certificate = must(openpgp.ParseCertificate(publicBytes(t, entityOf(t, key))))
	}
	return p
}

// encrypt wraps packets into an integrity-protected message to bob: the fuzzer
// gets behind the encryption, as anybody who knows the certificate does.
func encrypt(t testing.TB, p *pair, packets []byte) []byte {
	t.Helper()
	key, _ := entityOf(t, p.recipient.Raw).EncryptionKey(p.now, nil)
	session := make([]byte, 32)
	var b bytes.Buffer
	if err := packet.SerializeEncryptedKey(&b, key.PublicKey, packet.CipherAES256, session, nil); err != nil {
		t.Fatal(err)
	}
	w := must(packet.SerializeSymmetricallyEncrypted(&b, packet.CipherAES256, false, packet.CipherSuite{}, session, nil))
	_, _ = w.Write(packets)
	_ = w.Close()
	return b.Bytes()
}

// fuzzConfig signs without salt: the same seed in every process of the fuzzer.
func fuzzConfig(p *pair) *packet.Config {
	salted := false
	return &packet.Config{DefaultHash: crypto.SHA256, NonDeterministicSignaturesViaNotation: &salted, Time: func() time.Time { return p.now }}
}

// signedPackets are an inner message as packets, signed by alice.
func signedPackets(t testing.TB, p *pair, inner string) []byte {
	t.Helper()
	var b bytes.Buffer
	config := fuzzConfig(p)
	w := must(pgp.SignWithParams(&b, []*pgp.Entity{entityOf(t, p.vault.items["alice"])}, &pgp.SignParams{Config: config}))
	_, _ = io.WriteString(w, inner)
	_ = w.Close()
	return b.Bytes()
}

const fuzzInner = "Content-Type: text/plain; hp=\"cipher\"\r\nFrom: alice@example.com\r\n\r\nHello\r\n"

// section61 is a multipart/signed inside the encryption, as literal data.
func section61(t testing.TB, p *pair) []byte {
	t.Helper()
	var signature, b bytes.Buffer
	config := fuzzConfig(p)
	if err := pgp.ArmoredDetachSign(&signature, []*pgp.Entity{entityOf(t, p.vault.items["alice"])}, bytes.NewReader([]byte(fuzzInner)), &pgp.SignParams{Config: config}); err != nil {
		t.Fatal(err)
	}
	w := must(packet.SerializeLiteral(nopCloser{&b}, true, "", 0))
	_, _ = io.WriteString(w, "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=s\r\n\r\n--s\r\n"+
		fuzzInner+"\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\n"+signature.String()+"\r\n--s--\r\n")
	_ = w.Close()
	return b.Bytes()
}

// FuzzOpen: whatever is encrypted to us, nothing comes out but what alice signed.
func FuzzOpen(f *testing.F) {
	p := fixed(f)
	f.Add(signedPackets(f, p, fuzzInner))
	f.Add(compressed(f, signedPackets(f, p, fuzzInner)))
	f.Add(section61(f, p))
	f.Fuzz(func(t *testing.T, packets []byte) {
		opened, err := p.open(t.Context(), wrap(t, encrypt(t, p, packets)))
		if err != nil {
			if opened.Inner != nil || opened.Proof.Signature != nil {
				t.Error("an error and content")
			}
			return
		}
		if string(opened.Inner) != fuzzInner {
			t.Errorf("opened %q, which alice did not sign", opened.Inner)
		}
		if err := openpgp.VerifyArrival(p.sender.Raw, opened.Proof); err != nil {
			t.Errorf("it opens, and its proof is none: %v", err)
		}
	})
}

// FuzzInspect: whatever stands in the encrypted part.
func FuzzInspect(f *testing.F) {
	p := fixed(f)
	message := encrypt(f, p, signedPackets(f, p, fuzzInner))
	f.Add(message)
	f.Add(must(mail.EncryptedPart(wrap(f, message))))
	f.Fuzz(func(t *testing.T, body []byte) {
		raw, err := mail.WrapEncrypted(outerFields(), body)
		if err != nil {
			return
		}
		sealed, err := openpgp.Inspect(raw)
		if err != nil {
			return
		}
		if len(sealed.KeyIDs)+sealed.Hidden > openpgp.MaxRecipients {
			t.Errorf("%d recipients", len(sealed.KeyIDs)+sealed.Hidden)
		}
		opened, err := p.keys.Open(t.Context(), sealed, "bob", p.sender)
		if err == nil && string(opened.Inner) != fuzzInner {
			t.Errorf("opened %q", opened.Inner)
		}
	})
}

// FuzzVerifyArrival: no bytes prove an arrival but alice's signature with its digest.
func FuzzVerifyArrival(f *testing.F) {
	p := fixed(f)
	proof := must(p.open(f.Context(), wrap(f, encrypt(f, p, signedPackets(f, p, fuzzInner))))).Proof
	f.Add(p.sender.Raw, proof.Signature, proof.Digest)
	f.Fuzz(func(t *testing.T, certificate, signature, digest []byte) {
		changed := proof
		changed.Signature, changed.Digest = signature, digest
		err := openpgp.VerifyArrival(p.sender.Raw, changed)
		if err == nil && !bytes.Equal(digest, proof.Digest) {
			t.Errorf("%x is taken as proof of %x", signature, digest)
		}
		parsed, err := openpgp.ParseCertificate(certificate)
		if err != nil {
			return
		}
		again, err := openpgp.ParseCertificate(parsed.Raw)
		if err != nil || !bytes.Equal(again.Raw, parsed.Raw) {
			t.Errorf("minimising twice changes it: %v", err)
		}
		_ = openpgp.VerifyArrival(certificate, changed)
	})
}
