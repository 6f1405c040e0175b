package openpgp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"earnest/escrow"
	"earnest/mail"
)

// Opened is a mail that was decrypted, whose integrity was checked and whose
// signature is the buyer's.
type Opened struct {
	// Inner is the signed MIME entity: give it to [mail.Read].
	Inner []byte
	// Header is the protected one where Protected is true, else the outer one,
	// which nobody signed.
	Header    mail.Header
	Protected bool
	// Stamp is nil in a mail of a stock OpenPGP program.
	Stamp *Stamp
	Proof escrow.ArrivalProof
}

// Open decrypts with the key of that name and checks that the verification
// certificate signed. It releases nothing before all of it is read and checked.
// Errors: [ErrNotForKey], [*Damaged], [ErrUnsigned], [ErrBadSignature],
// [mail.ErrTooLarge].
func (k *Keys) Open(ctx context.Context, s Sealed, name string, verification Certificate) (Opened, error) {
	own, err := k.load(ctx, name)
	if err != nil {
		return Opened{}, err
	}
	signer, err := verification.parsed()
	if err != nil {
		return Opened{}, fmt.Errorf("read the buyer's certificate: %w", err)
	}
	named := s.names(own)
	if !named && s.Hidden == 0 {
		return Opened{}, ErrNotForKey
	}
	at := k.now().Add(clockSkew)
	message, body, err := decrypt(s, signer, own, named, at)
	if err != nil {
		return Opened{}, err
	}
	var proof escrow.ArrivalProof
	if message.IsSigned {
		proof, err = proofOf(message, signer)
	} else {
		body, proof, err = openSigned(body, signer, at)
	}
	if err != nil {
		return Opened{}, err
	}
	opened := Opened{Inner: body, Header: s.Header, Proof: proof}
	header, err := mail.ReadHeader(body)
	if err != nil {
		return Opened{}, err
	}
	opened.Stamp = stampOf(header)
	if header.Protected() {
		opened.Header, opened.Protected = header, true
	}
	return opened, nil
}

// names reports whether the mail names one of the key's own ids.
func (s Sealed) names(own *pgp.Entity) bool {
	return slices.ContainsFunc(own.Subkeys, func(k pgp.Subkey) bool { return slices.Contains(s.KeyIDs, k.PublicKey.KeyId) }) ||
		slices.Contains(s.KeyIDs, own.PrimaryKey.KeyId)
}

// decrypt reads the message to its end, where go-crypto checks integrity and
// signature.
func decrypt(s Sealed, signer, own *pgp.Entity, named bool, at time.Time) (*pgp.MessageDetails, []byte, error) {
	r, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	// The signer comes first: keys are looked up by id, and an id is a hint.
	message, err := pgp.ReadMessage(r, pgp.EntityList{signer, own}, nil, config(at))
	switch {
	case errors.Is(err, pgperrors.ErrKeyIncorrect) && !named:
		return nil, nil, ErrNotForKey
	case err != nil:
		return nil, nil, damage(err)
	case !message.IsEncrypted || message.DecryptedWith.Entity != own:
		return nil, nil, mail.ErrNotEncrypted
	}
	var body bytes.Buffer
	body.Grow(min(len(s.message), mail.MaxInner) + bytes.MinRead)
	if _, err := body.ReadFrom(io.LimitReader(message.UnverifiedBody, mail.MaxInner+1)); err != nil {
		return nil, nil, damage(err)
	}
	if body.Len() > mail.MaxInner {
		return nil, nil, fmt.Errorf("open the mail: it unpacks to more than %d MB: %w", mail.MaxInner>>20, mail.ErrTooLarge)
	}
	return message, body.Bytes(), nil
}

// damage says in words what go-crypto found. It finds a wrong integrity code as
// a parse error, so as to be no oracle.
func damage(err error) error {
	if unsupported, ok := errors.AsType[pgperrors.UnsupportedError](err); ok {
		if unsupported == "message is not integrity protected" {
			return &Damaged{Reason: "it has no protection against changes"}
		}
		return &Damaged{Reason: "it uses a form of OpenPGP that is not understood"}
	}
	if errors.Is(err, pgperrors.ErrKeyIncorrect) {
		return &Damaged{Reason: "its key does not open it"}
	}
	return &Damaged{Reason: "it was changed on its way, or is incomplete"}
}

// proofOf takes the signature that verified, and what it signs. A nil
// SignatureError alone proves nothing.
func proofOf(message *pgp.MessageDetails, signer *pgp.Entity) (escrow.ArrivalProof, error) {
	if !message.IsSigned || !message.IsVerified || message.SignatureError != nil || message.Signature == nil ||
		message.SignedBy == nil || message.SignedBy.Entity != signer || message.SelectedCandidate == nil {
		return escrow.ArrivalProof{}, ErrBadSignature
	}
	// Verification has written the trailer into the hash: this is the digest.
	digest := message.SelectedCandidate.Hash.Sum(nil)
	// The escrow takes less than go-crypto does. What it would not take as proof
	// is not opened either.
	if err := checkForm(message.Signature, digest); err != nil {
		return escrow.ArrivalProof{}, fmt.Errorf("%w (%w)", ErrBadSignature, err)
	}
	var b bytes.Buffer
	if err := message.Signature.Serialize(&b); err != nil || b.Len() > maxSignature {
		return escrow.ArrivalProof{}, fmt.Errorf("%w (%w)", ErrBadSignature, ErrProof)
	}
	return escrow.ArrivalProof{Signature: b.Bytes(), Digest: digest}, nil
}

// openSigned checks a multipart/signed inside the encryption (RFC 3156 section
// 6.1) and returns what it signs.
func openSigned(body []byte, signer *pgp.Entity, at time.Time) ([]byte, escrow.ArrivalProof, error) {
	signed, signature, err := mail.SignedPart(body)
	if errors.Is(err, mail.ErrNotSigned) {
		return nil, escrow.ArrivalProof{}, ErrUnsigned
	}
	if err != nil {
		return nil, escrow.ArrivalProof{}, fmt.Errorf("%w (%w)", ErrBadSignature, err)
	}
	if binary, err := dearmorSignature(signature); err == nil {
		signature = binary
	}
	candidates := [][]byte{signed}
	// RFC 3156 section 5: the signature is over CRLF, whatever a program wrote.
	if crlf := toCRLF(signed); !bytes.Equal(crlf, signed) {
		candidates = append(candidates, crlf)
	}
	for _, candidate := range candidates {
		message, err := pgp.VerifyDetachedSignatureReader(pgp.EntityList{signer},
			bytes.NewReader(candidate), bytes.NewReader(signature), config(at))
		if err != nil {
			return nil, escrow.ArrivalProof{}, fmt.Errorf("%w (%w)", ErrBadSignature, err)
		}
		if _, err := io.Copy(io.Discard, message.UnverifiedBody); err != nil {
			return nil, escrow.ArrivalProof{}, fmt.Errorf("%w (%w)", ErrBadSignature, err)
		}
		if proof, err := proofOf(message, signer); err == nil {
			return candidate, proof, nil
		}
	}
	return nil, escrow.ArrivalProof{}, ErrBadSignature
}

func dearmorSignature(text []byte) ([]byte, error) {
	block, err := armor.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if block.Type != pgp.SignatureType {
		return nil, errors.New("no signature")
	}
	return io.ReadAll(io.LimitReader(block.Body, maxSignature+1))
}

func toCRLF(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/40)
	for line := range bytes.Lines(b) {
		content := bytes.TrimRight(line, "\r\n")
		out = append(out, content...)
		if len(content) < len(line) {
			out = append(out, '\r', '\n')
		}
	}
	return out
}
