package mail

import (
	"bytes"
	"fmt"
	"strings"
)

const (
	armorBegin = "-----BEGIN PGP MESSAGE-----"
	armorEnd   = "-----END PGP MESSAGE-----"
)

// EncryptedPart returns the OpenPGP message of a PGP/MIME mail (RFC 3156 section
// 4), armored or binary as it was sent. Anything beside it is refused: content
// that the encryption does not cover could pose as covered.
//
// Inline PGP, and an encrypted mail attached to another, are [ErrNotEncrypted].
func EncryptedPart(raw []byte) ([]byte, error) {
	if len(raw) > MaxRaw {
		return nil, ErrTooLarge
	}
	header, err := ReadHeader(raw)
	if err != nil {
		return nil, err
	}
	// Most mails are not encrypted and need no tree.
	kind, params := mediaType(header.raw("Content-Type"))
	if !strings.HasPrefix(kind, "multipart/") {
		return nil, ErrNotEncrypted
	}
	count := maxParts
	root, err := readPart(raw, 0, &count)
	if err != nil {
		return nil, err
	}
	if kind != "multipart/encrypted" {
		if containsEncrypted(root) {
			return nil, ErrMixed
		}
		return nil, ErrNotEncrypted
	}
	if protocol := strings.ToLower(params["protocol"]); protocol != "application/pgp-encrypted" &&
		(protocol != "" || len(root.children) == 0 || root.children[0].kind != "application/pgp-encrypted") {
		return nil, ErrNotEncrypted
	}
	if header.Count("Content-Type") != 1 || len(root.children) > 2 {
		return nil, ErrMixed
	}
	if len(root.children) != 2 || root.children[0].kind != "application/pgp-encrypted" {
		return nil, fmt.Errorf("encrypted part: %w", ErrMalformed)
	}
	control, content := root.children[0], root.children[1]
	if content.kind != "application/octet-stream" {
		return nil, fmt.Errorf("encrypted part: %w", ErrMalformed)
	}
	// The control part says "Version: 1" and nothing else (RFC 3156 section 4).
	for line := range bytes.Lines(control.body) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && !bytes.HasPrefix(bytes.ToLower(line), []byte("version:")) {
			return nil, ErrMixed
		}
	}
	body, _ := decodeBody(content.body, content.header.raw("Content-Transfer-Encoding"))
	return onlyMessage(body)
}

func containsEncrypted(p *part) bool {
	if p.kind == "multipart/encrypted" && strings.EqualFold(p.params["protocol"], "application/pgp-encrypted") {
		return true
	}
	for _, child := range p.children {
		if containsEncrypted(child) {
			return true
		}
	}
	return false
}

// onlyMessage checks that there is one message and nothing around it.
func onlyMessage(body []byte) ([]byte, error) {
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 {
		return nil, fmt.Errorf("encrypted part is empty: %w", ErrMalformed)
	}
	if body[0]&0x80 != 0 { // binary: RFC 4880 section 4.2
		return body, nil
	}
	if !bytes.HasPrefix(body, []byte(armorBegin)) {
		if bytes.Contains(body, []byte(armorBegin)) {
			return nil, ErrMixed
		}
		return nil, fmt.Errorf("encrypted part holds no OpenPGP message: %w", ErrMalformed)
	}
	if bytes.Count(body, []byte(armorBegin)) > 1 {
		return nil, ErrMixed
	}
	end := bytes.Index(body, []byte(armorEnd))
	if end < 0 {
		return nil, fmt.Errorf("encrypted part ends too early: %w", ErrMalformed)
	}
	end += len(armorEnd)
	if len(bytes.TrimSpace(body[end:])) > 0 {
		return nil, ErrMixed
	}
	return body[:end], nil
}

// SignedPart returns what a multipart/signed with an OpenPGP signature signs,
// byte for byte, and the signature (RFC 3156 section 5), armored or binary.
func SignedPart(raw []byte) (signed, signature []byte, err error) {
	header, err := ReadHeader(raw)
	if err != nil {
		return nil, nil, err
	}
	kind, params := mediaType(header.raw("Content-Type"))
	if kind != "multipart/signed" || !strings.EqualFold(params["protocol"], "application/pgp-signature") {
		return nil, nil, ErrNotSigned
	}
	_, body, err := splitHeader(raw)
	if err != nil {
		return nil, nil, err
	}
	pieces, _ := splitMultipart(body, params["boundary"])
	if len(pieces) != 2 {
		return nil, nil, fmt.Errorf("signed mail: %w", ErrMalformed)
	}
	fields, content, err := splitHeader(pieces[1])
	if err != nil {
		return nil, nil, err
	}
	h := Header{fields: fields}
	if kind, _ := mediaType(h.raw("Content-Type")); kind != "application/pgp-signature" {
		return nil, nil, fmt.Errorf("signed mail: %w", ErrMalformed)
	}
	signature, _ = decodeBody(content, h.raw("Content-Transfer-Encoding"))
	return pieces[0], signature, nil
}
