package mail

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"
)

// Build makes a MIME entity of the letter with all its headers and the extra
// ones: CRLF, 7-bit, folded.
func Build(l Letter, extra ...Field) ([]byte, error) {
	fields, err := l.fields()
	if err != nil {
		return nil, err
	}
	return build(l, fields, extra, "")
}

// BuildProtected makes the entity that goes inside the encryption, with header
// protection (RFC 9788), and the header fields that go outside: the same, but
// for the subject. The extra fields are only inside.
func BuildProtected(l Letter, extra ...Field) (inner []byte, outer []Field, err error) {
	inside, err := l.fields()
	if err != nil {
		return nil, nil, err
	}
	protection := make([]Field, 0, len(inside))
	for _, f := range inside {
		// RFC 9788 section 3.2.1, hcp_baseline: the subject becomes [...].
		if f.Name == "Subject" {
			f.Value = "[...]"
		}
		outer = append(outer, f)
		protection = append(protection, Field{"HP-Outer", f.Name + ": " + f.Value})
	}
	inner, err = build(l, append(inside, protection...), extra, `; hp="cipher"`)
	return inner, outer, err
}

// WrapEncrypted makes the mail to submit of outer fields and an armored OpenPGP
// message (RFC 3156 section 4).
func WrapEncrypted(outer []Field, armored []byte) ([]byte, error) {
	boundary := newBoundary()
	var b bytes.Buffer
	b.Grow(len(armored) + len(armored)/32 + 4096)
	for _, f := range outer {
		if err := writeField(&b, f); err != nil {
			return nil, err
		}
	}
	b.WriteString("MIME-Version: 1.0\r\n")
	b.WriteString("Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";\r\n boundary=\"" + boundary + "\"\r\n\r\n")
	b.WriteString("This is an OpenPGP/MIME encrypted message (RFC 3156).\r\n")
	b.WriteString("--" + boundary + "\r\nContent-Type: application/pgp-encrypted\r\nContent-Description: PGP/MIME version identification\r\n\r\nVersion: 1\r\n\r\n")
	b.WriteString("--" + boundary + "\r\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\r\n" +
		"Content-Description: OpenPGP encrypted message\r\nContent-Disposition: inline; filename=\"encrypted.asc\"\r\n\r\n")
	for line := range bytes.Lines(armored) {
		b.Write(bytes.TrimRight(line, "\r\n"))
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return b.Bytes(), nil
}

// fields are the encoded header fields of a letter, in the usual order.
func (l Letter) fields() ([]Field, error) {
	from, err := mailbox(l.FromName, l.From)
	if err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	to, err := mailbox("", l.To)
	if err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	id := messageID(l.MessageID)
	if id == "" {
		return nil, fmt.Errorf("message id: %w", ErrField)
	}
	if l.Date.IsZero() {
		return nil, fmt.Errorf("date: %w", ErrField)
	}
	fields := []Field{
		{"From", from}, {"To", to}, {"Subject", encodeText(l.Subject)},
		{"Date", l.Date.Format(time.RFC1123Z)}, {"Message-ID", id},
	}
	// Ids of other people's mails may be anything; one that cannot be written
	// must not stop a reply.
	if reply := messageID(l.InReplyTo); reply != "" {
		fields = append(fields, Field{"In-Reply-To", reply})
	}
	if references := referenceList(l.References); references != "" {
		fields = append(fields, Field{"References", references})
	}
	return fields, nil
}

// referenceList keeps the first and the last ones of a long list, as RFC 5537
// section 3.4.4 does.
func referenceList(ids []string) string {
	var out []string
	for _, id := range ids {
		if id = messageID(id); id != "" {
			out = append(out, id)
		}
	}
	if len(out) > 20 {
		out = append(out[:1], out[len(out)-19:]...)
	}
	return strings.Join(out, " ")
}

func build(l Letter, fields, extra []Field, protected string) ([]byte, error) {
	if err := l.checkSize(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Grow(l.size()*7/5 + 8192)
	for _, f := range fields {
		if err := writeField(&b, f); err != nil {
			return nil, err
		}
	}
	for _, f := range extra {
		if isPrintable(f.Value) {
			f.Value = strings.TrimSpace(f.Value)
		} else if strings.ContainsAny(f.Value, "\r\n\x00") {
			return nil, fmt.Errorf("header %q: %w", cleanLine(f.Name), ErrField)
		} else {
			f.Value = encodeText(f.Value)
		}
		if err := writeField(&b, f); err != nil {
			return nil, err
		}
	}
	b.WriteString("MIME-Version: 1.0\r\n")
	if len(l.Attachments) == 0 {
		writeText(&b, l.Text, protected)
		return b.Bytes(), nil
	}
	boundary := newBoundary()
	b.WriteString("Content-Type: multipart/mixed; boundary=\"" + boundary + "\"" + protected + "\r\n\r\n")
	b.WriteString("--" + boundary + "\r\n")
	writeText(&b, l.Text, "")
	for _, a := range l.Attachments {
		b.WriteString("\r\n--" + boundary + "\r\n")
		if err := writeAttachment(&b, a); err != nil {
			return nil, err
		}
	}
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return b.Bytes(), nil
}

// newBoundary is random, so that no content can contain it, and has "=_", which
// neither base64 nor quoted-printable writes (RFC 2045 section 6.7).
func newBoundary() string {
	var random [15]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	return "=_" + hex.EncodeToString(random[:])
}

// writeText writes the text part: as it is, quoted-printable, or base64 where
// that is shorter.
func writeText(b *bytes.Buffer, text, protected string) {
	text = cleanText(text)
	plain, other, column := true, 0, 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		column++
		if c == '\n' {
			column = 0
		}
		if c >= 0x80 {
			other++
		}
		if c >= 0x80 || c == '\t' || column > 76 {
			plain = false
		}
	}
	// Some transports change "From " and "." at a line's start and spaces at its end.
	if strings.HasPrefix(text, "From ") || strings.Contains(text, "\nFrom ") || strings.Contains(text, " \n") ||
		strings.HasSuffix(text, " ") || strings.HasPrefix(text, ".") || strings.Contains(text, "\n.") {
		plain = false
	}
	encoding := "quoted-printable"
	switch {
	case plain:
		encoding = "7bit"
	case other > len(text)/3:
		encoding = "base64"
	}
	b.WriteString("Content-Type: text/plain; charset=\"utf-8\"" + protected + "\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n")
	text = strings.ReplaceAll(text, "\n", "\r\n")
	switch encoding {
	case "7bit":
		b.WriteString(text)
	case "base64":
		writeBase64(b, []byte(text))
	default:
		w := quotedprintable.NewWriter(b)
		_, _ = w.Write([]byte(text)) // a bytes.Buffer does not fail
		_ = w.Close()
	}
}

func writeAttachment(b *bytes.Buffer, a Attachment) error {
	kind, _, err := mime.ParseMediaType(a.Type)
	major, minor, _ := strings.Cut(kind, "/")
	// A message or multipart may not be base64 (RFC 2046), and would be taken
	// apart by readers: it travels as bytes.
	if err != nil || !isToken(major) || !isToken(minor) || major == "multipart" || major == "message" {
		kind = "application/octet-stream"
	}
	if err := writeField(b, Field{"Content-Type", kind}); err != nil {
		return err
	}
	disposition := "attachment"
	if name := cleanName(a.Name); name != "" {
		disposition += "; " + encodeParam("filename", name)
	}
	if err := writeField(b, Field{"Content-Disposition", disposition}); err != nil {
		return err
	}
	b.WriteString("Content-Transfer-Encoding: base64\r\n\r\n")
	writeBase64(b, a.Data)
	return nil
}

// writeBase64 writes lines of 76 characters (RFC 2045 section 6.8).
func writeBase64(b *bytes.Buffer, data []byte) {
	const perLine = 57
	var line [76]byte
	for len(data) > 0 {
		n := min(perLine, len(data))
		base64.StdEncoding.Encode(line[:], data[:n])
		b.Write(line[:base64.StdEncoding.EncodedLen(n)])
		b.WriteString("\r\n")
		data = data[n:]
	}
}
