// Package mail builds and reads MIME. Building is strict: CRLF, 7-bit, folded,
// no way to inject a header. Reading is tolerant: what a stranger's program
// sends is read as far as it can be, within limits, and never fetches anything.
package mail

import (
	"errors"
	"fmt"
	"time"
)

// Limits. A mail has at most MaxData bytes of text and attachments, so that
// sealed (base64 inside, base64 outside) it stays under MaxRaw, which is also
// what is read at most.
const (
	MaxData  = 25 << 20
	MaxInner = 40 << 20 // the MIME entity inside the encryption
	MaxRaw   = 56 << 20 // a whole mail as submitted or fetched
	MaxText  = 4 << 20  // the text of a mail, decoded; the rest is cut off
)

const (
	maxDepth       = 24   // of nested multiparts
	maxParts       = 1000 // of one mail
	maxFields      = 1000 // of one header
	maxHeaderBytes = 512 << 10
	maxAddressList = 64 << 10
	maxMessageID   = 900
)

// What can be wrong with a mail. They are tested with errors.Is.
var (
	// ErrNotEncrypted: this is no PGP/MIME mail; it is not ours.
	ErrNotEncrypted = errors.New("the mail is not PGP/MIME")
	// ErrMixed: there is something beside the one encrypted part.
	ErrMixed = errors.New("the mail has other content beside its encrypted part, so it was not opened")
	// ErrTooLarge: beyond the limits above.
	ErrTooLarge = errors.New("the mail is too large")
	// ErrMalformed: the MIME tree cannot be read.
	ErrMalformed = errors.New("the mail is malformed")
	// ErrNotSigned: no multipart/signed with an OpenPGP signature.
	ErrNotSigned = errors.New("the mail is not signed by PGP/MIME")
	// ErrAddress: an address cannot be written in a mail.
	ErrAddress = errors.New("the address cannot be used in a mail")
	// ErrField: a header field cannot be written in a mail.
	ErrField = errors.New("the header field cannot be used in a mail")
)

// Letter is a mail to build.
type Letter struct {
	From, FromName, To string // addresses without brackets
	Subject            string
	Date               time.Time
	MessageID          string // with or without <>; see [NewMessageID]
	InReplyTo          string
	References         []string
	Text               string
	Attachments        []Attachment
}

// Attachment is a file of a mail.
type Attachment struct {
	Name, Type string
	Data       []byte
}

// Field is a header field, unencoded.
type Field struct{ Name, Value string }

// Content is what a person reads of a mail.
type Content struct {
	Header Header
	Text   string // lines end with \n; no control characters
	// FromHTML: Text, or a part of it, was made from HTML, for want of plain text.
	FromHTML bool
	// Blocks is Text with its headings, lists and links, where FromHTML.
	Blocks      []Block
	Attachments []Attachment
	// Incomplete: a part could not be read, or a limit was reached.
	Incomplete bool
}

// size is what MaxData bounds.
func (l Letter) size() int {
	n := len(l.Text)
	for _, a := range l.Attachments {
		n += len(a.Data)
	}
	return n
}

func (l Letter) checkSize() error {
	if n := l.size(); n > MaxData {
		return fmt.Errorf("%w: text and attachments are %d MB and may be %d MB together; nothing was sent and nothing was paid. Send the file another way, or a smaller one",
			ErrTooLarge, (n+1<<20-1)>>20, MaxData>>20)
	}
	return nil
}
