package openpgp_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"earnest/crypto/openpgp"
	"earnest/mail"
)

func entityConfig() *packet.Config {
	return &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519}
}

func publicBytes(t testing.TB, e *pgp.Entity) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := e.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGeneratedKey(t *testing.T) {
	p := newPair(t)
	c := p.recipient
	if !c.CanSign || !c.CanEncrypt || len(c.KeyIDs) != 1 || len(c.Fingerprint) != 40 || c.Fingerprint != strings.ToLower(c.Fingerprint) || c.UserID != "bob@example.org" {
		t.Errorf("%+v", c)
	}
	if p.sender.UserID != "Alice Example <alice@example.com>" {
		t.Errorf("user id %q", p.sender.UserID)
	}
	if n := len(p.vault.items["bob"]); n > openpgp.MaxSecret {
		t.Errorf("the secret has %d bytes", n)
	}
	e := entityOf(t, c.Raw)
	midnight := p.now.Truncate(24 * time.Hour).Add(-24 * time.Hour)
	subkey := e.Subkeys[0]
	for what, at := range map[string]time.Time{
		"key": e.PrimaryKey.CreationTime, "subkey": subkey.PublicKey.CreationTime,
		"binding": subkey.Bindings[0].Packet.CreationTime, "user id": e.Identities["bob@example.org"].SelfCertifications[0].Packet.CreationTime,
	} {
		if !at.Equal(midnight) {
			t.Errorf("%s is dated %s", what, at)
		}
	}
	self := e.Identities["bob@example.org"].SelfCertifications[0].Packet
	if e.PrimaryKey.Version != 4 || e.PrimaryKey.PubKeyAlgo != 22 || subkey.PublicKey.PubKeyAlgo != 18 || self.PreferredSymmetric[0] != uint8(packet.CipherAES256) {
		t.Errorf("version %d, algorithms %d and %d, ciphers %v", e.PrimaryKey.Version, e.PrimaryKey.PubKeyAlgo, subkey.PublicKey.PubKeyAlgo, self.PreferredSymmetric)
	}
	if err := c.Usable(p.now.AddDate(50, 0, 0)); err != nil {
		t.Errorf("it expires: %v", err)
	}
	if fingerprint, err := (openpgp.Certificates{Now: func() time.Time { return p.now }}).Check(c.Raw); err != nil || fingerprint != c.Fingerprint {
		t.Errorf("the escrow would not take it: %v", err)
	}
}

func TestSecretStaysInTheVault(t *testing.T) {
	p := newPair(t)
	private := entityOf(t, p.vault.items["bob"])
	if private.PrivateKey == nil || private.Subkeys[0].PrivateKey == nil {
		t.Fatal("the vault holds no private key")
	}
	if e := entityOf(t, p.recipient.Raw); e.PrivateKey != nil || e.Subkeys[0].PrivateKey != nil {
		t.Error("the certificate holds the private key")
	}
	raw := p.seal(t)
	if err := p.keys.Destroy(t.Context(), "bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.open(t.Context(), raw); err == nil {
		t.Error("the mail opens with a destroyed key")
	}
}

func TestParseCertificateRefuses(t *testing.T) {
	p := newPair(t)
	revoked := must(pgp.NewEntity("Rev", "", "rev@example.com", entityConfig()))
	if err := revoked.Revoke(packet.KeyRetired, "", entityConfig()); err != nil {
		t.Fatal(err)
	}
	v6 := entityConfig()
	v6.V6Keys, v6.Algorithm = true, packet.PubKeyAlgoEd25519
	large := entityConfig()
	large.SignatureNotations = []*packet.Notation{{Name: "n@example.com", Value: bytes.Repeat([]byte("x"), 9000), IsHumanReadable: true}}
	weak := &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 1024, MinRSABits: 1024}
	for want, raw := range map[string][]byte{
		"private key":    p.vault.items["bob"],
		"revoked":        publicBytes(t, revoked),
		"version 4":      publicBytes(t, must(pgp.NewEntity("Six", "", "six@example.com", v6))),
		"may have 8192":  publicBytes(t, must(pgp.NewEntity("Large", "", "large@example.com", large))),
		"more than one":  append(bytes.Clone(p.recipient.Raw), p.sender.Raw...),
		"too large":      make([]byte, 2<<20),
		"neither sign":   publicBytes(t, must(pgp.NewEntity("Weak", "", "weak@example.com", weak))),
		"cannot be read": []byte("hello"),
	} {
		_, err := openpgp.ParseCertificate(raw)
		if !errors.Is(err, openpgp.ErrCertificate) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// TestForgedSubkeyIsLeftOut: an escrow or a keyserver cannot add a key of its own
// to encrypt to.
func TestForgedSubkeyIsLeftOut(t *testing.T) {
	victim := must(pgp.NewEntity("Victim", "", "v@example.com", entityConfig()))
	attacker := must(pgp.NewEntity("Attacker", "", "a@example.com", entityConfig()))
	honest := must(openpgp.ParseCertificate(publicBytes(t, victim)))
	victim.Subkeys = append(victim.Subkeys, attacker.Subkeys...)
	parsed, err := openpgp.ParseCertificate(publicBytes(t, victim))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(parsed.Raw, honest.Raw) {
		t.Error("the foreign subkey stayed")
	}
}

func TestExpiry(t *testing.T) {
	config := entityConfig()
	config.KeyLifetimeSecs = 3600
	e := must(pgp.NewEntity("Brief", "", "brief@example.com", config))
	c := must(openpgp.ParseCertificate(publicBytes(t, e)))
	now := time.Now()
	if err := c.Usable(now.Add(time.Minute)); err != nil {
		t.Error(err)
	}
	later := now.Add(2 * time.Hour)
	if err := c.Usable(later); !errors.Is(err, openpgp.ErrCertificate) {
		t.Errorf("expired: %v", err)
	}
	if _, err := (openpgp.Certificates{Now: func() time.Time { return later }}).Check(c.Raw); !errors.Is(err, openpgp.ErrCertificate) {
		t.Errorf("the escrow takes an expired one: %v", err)
	}
	p := newPair(t)
	p.now = later
	_, err := p.keys.Seal(t.Context(), openpgp.SealRequest{Letter: letter(later), To: c, SignWith: "alice"})
	if !errors.Is(err, openpgp.ErrCertificate) {
		t.Errorf("sealed to an expired one: %v", err)
	}
}

// TestMailOpensAfterTheCertificateExpired: what counts is when it was signed.
func TestMailOpensAfterTheCertificateExpired(t *testing.T) {
	p := newPair(t)
	config := entityConfig()
	config.KeyLifetimeSecs = 3600
	e := must(pgp.NewEntity("Brief", "", "brief@example.com", config))
	c := must(openpgp.ParseCertificate(publicBytes(t, e)))
	var message bytes.Buffer
	w := must(pgp.Encrypt(&message, []*pgp.Entity{entityOf(t, p.recipient.Raw)}, nil, []*pgp.Entity{e}, nil, nil))
	_, _ = w.Write([]byte(stockInner))
	_ = w.Close()
	sealed := must(openpgp.Inspect(wrap(t, message.Bytes())))
	p.now = p.now.AddDate(0, 1, 0)
	opened, err := p.keys.Open(t.Context(), sealed, "bob", c)
	if err != nil {
		t.Fatal(err)
	}
	if err := openpgp.VerifyArrival(c.Raw, opened.Proof); err != nil {
		t.Error(err)
	}
}

func TestCheckWantsMinimised(t *testing.T) {
	e := must(pgp.NewEntity("Two", "", "two@example.com", entityConfig()))
	if err := e.AddUserId("Other", "", "other@example.com", entityConfig()); err != nil {
		t.Fatal(err)
	}
	raw := publicBytes(t, e)
	if _, err := (openpgp.Certificates{Now: time.Now}).Check(raw); err == nil || !strings.Contains(err.Error(), "not minimised") {
		t.Errorf("%v", err)
	}
	if _, err := (openpgp.Certificates{Now: time.Now}).Check(must(openpgp.ParseCertificate(raw)).Raw); err != nil {
		t.Error(err)
	}
}

func TestLargeLetters(t *testing.T) {
	p := newPair(t)
	l := letter(p.now)
	l.Attachments = []mail.Attachment{{Name: "film.mp4", Type: "video/mp4", Data: make([]byte, 50<<20)}}
	_, err := p.keys.Seal(t.Context(), openpgp.SealRequest{Letter: l, Stamp: stamp(), To: p.recipient, SignWith: "alice"})
	if !errors.Is(err, mail.ErrTooLarge) || !strings.Contains(err.Error(), "nothing was paid") {
		t.Errorf("50 MB: %v", err)
	}
	l.Attachments[0].Data = l.Attachments[0].Data[:mail.MaxData-len(l.Text)]
	raw, err := p.keys.Seal(t.Context(), openpgp.SealRequest{Letter: l, Stamp: stamp(), To: p.recipient, SignWith: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := p.open(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	content, err := mail.Read(opened.Inner)
	if err != nil || len(content.Attachments) != 1 || len(content.Attachments[0].Data) != len(l.Attachments[0].Data) {
		t.Errorf("the largest letter: %v, %d attachments; outside %d, inside %d bytes", err, len(content.Attachments), len(raw), len(opened.Inner))
	}
}

func TestManyRecipients(t *testing.T) {
	p := newPair(t)
	message := binaryMessage(t, p.seal(t))
	first := message[:2+int(message[1])]
	many := append(bytes.Repeat(first, openpgp.MaxRecipients), message...)
	_, err := openpgp.Inspect(wrap(t, many))
	var damaged *openpgp.Damaged
	if !errors.As(err, &damaged) || !strings.Contains(damaged.Reason, fmt.Sprint(openpgp.MaxRecipients)) {
		t.Errorf("%v", err)
	}
}

// TestOpenTogether: one certificate, used by many at once (run with -race).
func TestOpenTogether(t *testing.T) {
	p := newPair(t)
	raw := p.seal(t)
	done := make(chan error)
	for range 8 {
		go func() {
			opened, err := p.open(t.Context(), raw)
			if err == nil {
				err = openpgp.VerifyArrival(p.sender.Raw, opened.Proof)
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
