package openpgp_test

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/mail"
)

func entityOf(t testing.TB, raw []byte) *pgp.Entity {
	t.Helper()
	var r io.Reader = bytes.NewReader(raw)
	if bytes.HasPrefix(raw, []byte("-----")) {
		r = must(armor.Decode(r)).Body
	}
	return must(pgp.ReadEntity(packet.NewReader(r)))
}

// binaryMessage is the OpenPGP message of a mail, without armor.
func binaryMessage(t testing.TB, raw []byte) []byte {
	t.Helper()
	block := must(armor.Decode(bytes.NewReader(must(mail.EncryptedPart(raw)))))
	return must(io.ReadAll(block.Body))
}

// wrap makes a mail of an OpenPGP message.
func wrap(t testing.TB, message []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := must(armor.EncodeWithChecksumOption(&b, pgp.MessageType, nil, true))
	if _, err := w.Write(message); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return must(mail.WrapEncrypted(outerFields(), b.Bytes()))
}

// TestTamperedMailIsNeverShown changes every byte of a sealed mail, and cuts it
// at many lengths. A few bytes of the packets' framing say nothing: changed, they
// give the same mail or none.
func TestTamperedMailIsNeverShown(t *testing.T) {
	p := newPair(t)
	message := binaryMessage(t, p.seal(t))
	original := must(p.open(t.Context(), wrap(t, message)))
	keyPacket := 2 + int(message[1]) // one encrypted session key with a short length
	if message[0] != 0xc0|1 || message[keyPacket] != 0xc0|18 {
		t.Fatalf("the message begins with %x, then %x", message[:2], message[keyPacket])
	}
	framing := 0
	check := func(what string, changed []byte, dataRegion bool) {
		opened, err := p.open(t.Context(), wrap(t, changed))
		if err == nil && bytes.Equal(opened.Inner, original.Inner) && bytes.Equal(opened.Proof.Digest, original.Proof.Digest) {
			framing++
			return
		}
		var damaged *openpgp.Damaged
		isDamaged := errors.As(err, &damaged)
		allowed := isDamaged || errors.Is(err, openpgp.ErrBadSignature) ||
			!dataRegion && (errors.Is(err, openpgp.ErrNotForKey) || errors.Is(err, mail.ErrNotEncrypted) || errors.Is(err, mail.ErrMalformed))
		if !allowed || opened.Inner != nil || opened.Header.From != "" || opened.Proof.Digest != nil {
			t.Errorf("%s: %v, released %d bytes", what, err, len(opened.Inner))
		}
	}
	for i := range message {
		changed := bytes.Clone(message)
		changed[i] ^= 1 << (i % 8)
		// After the headers of the two packets: what encryption and MDC cover.
		check(fmt.Sprintf("byte %d changed", i), changed, i > keyPacket+4)
	}
	if framing > 5 {
		t.Errorf("%d of %d bytes change nothing", framing, len(message))
	}
	framing = 0
	for n := 1; n < len(message); n += 7 {
		check(fmt.Sprintf("cut at %d", n), message[:n], false)
	}
	if framing > 0 {
		t.Error("a cut mail opens")
	}
}

// TestMessageWithoutIntegrityProtection: type 9, which gpg calls "no MDC".
func TestMessageWithoutIntegrityProtection(t *testing.T) {
	p := newPair(t)
	recipient := entityOf(t, p.recipient.Raw)
	key, _ := recipient.EncryptionKey(time.Now(), nil)
	session, iv := make([]byte, 32), make([]byte, aes.BlockSize)
	_, _ = rand.Read(session)
	_, _ = rand.Read(iv)
	var message, signed bytes.Buffer
	signer := entityOf(t, p.vault.items["alice"])
	w := must(pgp.SignWithParams(&signed, []*pgp.Entity{signer}, &pgp.SignParams{}))
	_, _ = io.WriteString(w, stockInner)
	_ = w.Close()
	if err := packet.SerializeEncryptedKey(&message, key.PublicKey, packet.CipherAES256, session, nil); err != nil {
		t.Fatal(err)
	}
	stream, prefix := packet.NewOCFBEncrypter(must(aes.NewCipher(session)), iv, packet.OCFBResync)
	body := make([]byte, signed.Len())
	stream.XORKeyStream(body, signed.Bytes())
	body = append(bytes.Clone(prefix), body...)
	message.Write([]byte{0xc0 | 9, 0xff, 0, 0, byte(len(body) >> 8), byte(len(body))})
	message.Write(body)
	// The message is a good one otherwise.
	sloppy := &packet.Config{InsecureAllowUnauthenticatedMessages: true}
	read := must(pgp.ReadMessage(bytes.NewReader(message.Bytes()), pgp.EntityList{entityOf(t, p.vault.items["bob"]), signer}, nil, sloppy))
	if text, err := io.ReadAll(read.UnverifiedBody); err != nil || string(text) != stockInner || read.SignatureError != nil {
		t.Fatalf("the control does not open: %v %v", err, read.SignatureError)
	}
	_, err := p.open(t.Context(), wrap(t, message.Bytes()))
	var damaged *openpgp.Damaged
	if !errors.As(err, &damaged) || !strings.Contains(damaged.Reason, "protection") {
		t.Errorf("%v", err)
	}
}

func TestOtherContentBesideTheMessage(t *testing.T) {
	p := newPair(t)
	raw := p.seal(t)
	message := binaryMessage(t, raw)
	var literal bytes.Buffer
	w := must(packet.SerializeLiteral(nopCloser{&literal}, true, "", 0))
	_, _ = io.WriteString(w, "Content-Type: text/plain\r\n\r\nnot encrypted")
	_ = w.Close()
	for name, changed := range map[string][]byte{
		"plaintext packet before": append(bytes.Clone(literal.Bytes()), message...),
		"plaintext packet after":  append(bytes.Clone(message), literal.Bytes()...),
		"second message after":    append(bytes.Clone(message), message...),
		"only plaintext":          literal.Bytes(),
	} {
		opened, err := p.open(t.Context(), wrap(t, changed))
		var damaged *openpgp.Damaged
		if !errors.As(err, &damaged) && !errors.Is(err, mail.ErrNotEncrypted) || opened.Inner != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// forge puts the value of a signature into a packet that says it signs a document.
func forge(t testing.TB, s *packet.Signature, digest []byte) escrow.ArrivalProof {
	t.Helper()
	var b bytes.Buffer
	if err := s.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	raw := b.Bytes()
	header := 2
	if raw[1] >= 192 {
		header = 3
	}
	raw[header+1] = byte(packet.SigTypeBinary)
	return escrow.ArrivalProof{Signature: raw, Digest: digest}
}

// TestSelfSignatureIsNoProof: a recipient knows the buyer's certificate, with
// signatures and all that they sign in it. None of them proves an arrival.
func TestSelfSignatureIsNoProof(t *testing.T) {
	p := newPair(t)
	e := entityOf(t, p.vault.items["alice"])
	for _, identity := range e.Identities {
		s := identity.SelfCertifications[0].Packet
		h := must(s.PrepareVerify())
		_ = e.PrimaryKey.SerializeForHash(h)
		_, _ = h.Write(append([]byte{0xb4, 0, 0, 0, byte(len(identity.Name))}, identity.Name...))
		checkForged(t, p, e, s, h.Sum, func(b []byte) { _, _ = h.Write(b) })
	}
	s := e.Subkeys[0].Bindings[0].Packet
	h := must(s.PrepareVerify())
	_ = e.PrimaryKey.SerializeForHash(h)
	_ = e.Subkeys[0].PublicKey.SerializeForHash(h)
	checkForged(t, p, e, s, h.Sum, func(b []byte) { _, _ = h.Write(b) })
}

// TestCertificationIsNoProof: what the buyer signed that is no document.
func TestCertificationIsNoProof(t *testing.T) {
	p := newPair(t)
	alice := entityOf(t, p.vault.items["alice"])
	friend := must(pgp.NewEntity("Friend", "", "friend@example.net", entityConfig()))
	name := "Friend <friend@example.net>"
	if err := friend.SignIdentity(name, alice, nil); err != nil {
		t.Fatal(err)
	}
	s := friend.Identities[name].OtherCertifications[0].Packet
	h := must(s.PrepareVerify())
	_ = friend.PrimaryKey.SerializeForHash(h)
	_, _ = h.Write(append([]byte{0xb4, 0, 0, 0, byte(len(name))}, name...))
	_, _ = h.Write(s.HashSuffix)
	digest := h.Sum(nil)
	if s.HashTag != [2]byte(digest[:2]) {
		t.Fatal("the test computes another digest than the signature has")
	}
	var raw bytes.Buffer
	_ = s.Serialize(&raw)
	if err := openpgp.VerifyArrival(p.sender.Raw, escrow.ArrivalProof{Signature: raw.Bytes(), Digest: digest}); !errors.Is(err, openpgp.ErrProof) {
		t.Errorf("%v", err)
	}
}

func checkForged(t *testing.T, p *pair, e *pgp.Entity, s *packet.Signature, sum func([]byte) []byte, write func([]byte)) {
	t.Helper()
	write(s.HashSuffix)
	digest := sum(nil)
	if s.HashTag != [2]byte(digest[:2]) {
		t.Fatal("the test computes another digest than the signature has")
	}
	var asItIs bytes.Buffer
	_ = s.Serialize(&asItIs)
	if err := openpgp.VerifyArrival(p.sender.Raw, escrow.ArrivalProof{Signature: asItIs.Bytes(), Digest: digest}); !errors.Is(err, openpgp.ErrProof) {
		t.Errorf("the self-signature as it is: %v", err)
	}
	err := openpgp.VerifyArrival(p.sender.Raw, forge(t, s, digest))
	if !errors.Is(err, openpgp.ErrProof) || !strings.Contains(err.Error(), "certificate, not a mail") {
		t.Errorf("the self-signature dressed up as a document's: %v", err)
	}
}

func TestBadProofs(t *testing.T) {
	p := newPair(t)
	proof := must(p.open(t.Context(), p.seal(t))).Proof
	if err := openpgp.VerifyArrival(p.sender.Raw, proof); err != nil {
		t.Fatal(err)
	}
	sha1 := bytes.Clone(proof.Signature)
	sha1[5] = 2
	other := must(p.keys.Generate(t.Context(), "mallory", "alice@example.com"))
	for name, bad := range map[string]struct {
		cert  []byte
		proof escrow.ArrivalProof
	}{
		"another certificate":   {other.Raw, proof},
		"another digest":        {p.sender.Raw, escrow.ArrivalProof{Signature: proof.Signature, Digest: flip(proof.Digest, 9)}},
		"a short digest":        {p.sender.Raw, escrow.ArrivalProof{Signature: proof.Signature, Digest: proof.Digest[:32]}},
		"no digest":             {p.sender.Raw, escrow.ArrivalProof{Signature: proof.Signature}},
		"no signature":          {p.sender.Raw, escrow.ArrivalProof{Digest: proof.Digest}},
		"a changed signature":   {p.sender.Raw, escrow.ArrivalProof{Signature: flip(proof.Signature, len(proof.Signature)-3), Digest: proof.Digest}},
		"another hash named":    {p.sender.Raw, escrow.ArrivalProof{Signature: sha1, Digest: proof.Digest}},
		"two signatures":        {p.sender.Raw, escrow.ArrivalProof{Signature: append(bytes.Clone(proof.Signature), proof.Signature...), Digest: proof.Digest}},
		"something after it":    {p.sender.Raw, escrow.ArrivalProof{Signature: append(bytes.Clone(proof.Signature), 0), Digest: proof.Digest}},
		"a certificate instead": {p.sender.Raw, escrow.ArrivalProof{Signature: p.sender.Raw, Digest: proof.Digest}},
		"far too large":         {p.sender.Raw, escrow.ArrivalProof{Signature: make([]byte, 1<<20), Digest: proof.Digest}},
	} {
		if err := openpgp.VerifyArrival(bad.cert, bad.proof); !errors.Is(err, openpgp.ErrProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := openpgp.VerifyArrival([]byte("no certificate"), proof); !errors.Is(err, openpgp.ErrCertificate) {
		t.Errorf("no certificate: %v", err)
	}
}

func flip(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 4
	return b
}

// TestProofCountsOnce: the part of a signature packet that it does not cover can
// be rewritten by anybody; the proof keeps its name.
func TestProofCountsOnce(t *testing.T) {
	p := newPair(t)
	proof := must(p.open(t.Context(), p.seal(t))).Proof
	// A v4 packet with a one-byte length: hashed subpackets from 8, then the
	// unhashed ones (RFC 4880 section 5.2.3). One more of those, private use.
	header := 2
	if proof.Signature[1] >= 192 {
		header = 3
	}
	body := proof.Signature[header:]
	unhashed := 6 + int(body[4])<<8 + int(body[5])
	length := int(body[unhashed])<<8 + int(body[unhashed+1])
	more := []byte{3, 101, 7, 7}
	rewritten := append(bytes.Clone(body[:unhashed]), byte((length+len(more))>>8), byte(length+len(more)))
	rewritten = append(append(rewritten, body[unhashed+2:unhashed+2+length]...), more...)
	rewritten = append(rewritten, body[unhashed+2+length:]...)
	packetBytes := []byte{0xc0 | 2, 0xff, 0, 0, byte(len(rewritten) >> 8), byte(len(rewritten))}
	again := escrow.ArrivalProof{Signature: append(packetBytes, rewritten...), Digest: proof.Digest}
	if bytes.Equal(again.Signature, proof.Signature) {
		t.Fatal("nothing was rewritten")
	}
	if err := openpgp.VerifyArrival(p.sender.Raw, again); err != nil {
		t.Fatalf("the rewritten packet does not verify, so it shows nothing: %v", err)
	}
	if again.Hash() != proof.Hash() {
		t.Error("one mail gives two proofs")
	}
}

func TestWeakHashIsNotTaken(t *testing.T) {
	p := newPair(t)
	g := newGnuPG(t)
	g.run([]byte(p.recipient.Armor()), "--import")
	g.run(nil, "--quick-generate-key", "Rita <rita@example.net>", "rsa2048", "default", "never")
	exported, _ := g.run(nil, "--export", "rita@example.net")
	certificate := must(openpgp.ParseCertificate(exported))
	message, _ := g.run([]byte(stockInner), "--armor", "--digest-algo", "SHA1", "-u", "rita@example.net", "-r", p.recipient.Fingerprint, "--sign", "--encrypt")
	sealed := must(openpgp.Inspect(must(mail.WrapEncrypted(outerFields(), message))))
	if _, err := p.keys.Open(t.Context(), sealed, "bob", certificate); !errors.Is(err, openpgp.ErrBadSignature) {
		t.Error(err)
	}
}

// TestForwardedMailIsNotTaken: a mail that the buyer signed for somebody else,
// encrypted anew to the recipient's key.
func TestForwardedMailIsNotTaken(t *testing.T) {
	p := newPair(t)
	alice, carol := entityOf(t, p.vault.items["alice"]), must(p.keys.Generate(t.Context(), "carol", "carol@example.net"))
	var message bytes.Buffer
	w := must(pgp.EncryptWithParams(&message, []*pgp.Entity{entityOf(t, carol.Raw)}, []*pgp.Entity{entityOf(t, p.recipient.Raw)},
		&pgp.EncryptParams{Signers: []*pgp.Entity{alice}, Config: &packet.Config{DefaultHash: crypto.SHA256}}))
	_, _ = io.WriteString(w, stockInner)
	_ = w.Close()
	if _, err := p.open(t.Context(), wrap(t, message.Bytes())); !errors.Is(err, openpgp.ErrBadSignature) {
		t.Error(err)
	}
}

// TestDecompressionBomb: more zeros than the limit, in a few KB.
func TestDecompressionBomb(t *testing.T) {
	p := newPair(t)
	for megabytes, want := range map[int]error{1: nil, mail.MaxInner>>20 + 1: mail.ErrTooLarge, mail.MaxInner>>20 + 100: mail.ErrTooLarge} {
		packets := compressed(t, signedPackets(t, p, stockInner+strings.Repeat("\x00", megabytes<<20)))
		raw := wrap(t, encrypt(t, p, packets))
		if len(raw) > 1<<20 {
			t.Fatalf("%d bytes: it does not unpack to anything", len(raw))
		}
		if _, err := p.open(t.Context(), raw); !errors.Is(err, want) {
			t.Errorf("%d KB that unpack to %d MB: %v", len(raw)>>10, megabytes, err)
		}
	}
	// A compressed packet in a compressed packet, and so on.
	packets := signedPackets(t, p, stockInner)
	for range 40 {
		packets = compressed(t, packets)
	}
	_, err := p.open(t.Context(), wrap(t, encrypt(t, p, packets)))
	var damaged *openpgp.Damaged
	if !errors.As(err, &damaged) {
		t.Errorf("40 layers: %v", err)
	}
}

func compressed(t testing.TB, packets []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := must(packet.SerializeCompressed(nopCloser{&b}, packet.CompressionZLIB, nil))
	_, _ = w.Write(packets)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSignedByTheRecipient: the one-time key itself is in the ring, to decrypt.
func TestSignedByTheRecipient(t *testing.T) {
	p := newPair(t)
	raw := must(p.keys.Seal(t.Context(), openpgp.SealRequest{Letter: letter(p.now), To: p.recipient, SignWith: "bob"}))
	if _, err := p.open(t.Context(), raw); !errors.Is(err, openpgp.ErrBadSignature) {
		t.Error(err)
	}
}
