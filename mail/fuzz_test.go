package mail_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"earnest/mail"
)

// checkShown: nothing that is shown to a person may obey as a terminal code or
// turn the writing direction.
func checkShown(t *testing.T, what, s string, lines bool) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Errorf("%s is no UTF-8: %q", what, s)
	}
	for _, r := range s {
		if lines && (r == '\n' || r == '\t') {
			continue
		}
		if unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
			t.Errorf("%s has %U: %q", what, r, s)
		}
	}
}

func checkHeader(t *testing.T, h mail.Header) {
	t.Helper()
	for what, s := range map[string]string{"From": h.From, "FromName": h.FromName, "To": h.To, "Subject": h.Subject,
		"MessageID": h.MessageID, "InReplyTo": h.InReplyTo, "Get": h.Get("Subject")} {
		checkShown(t, what, s, false)
	}
	if h.From != "" && h.Count("From") != 1 {
		t.Errorf("From %q of %d fields", h.From, h.Count("From"))
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := mail.Read(raw)
		if err != nil {
			return
		}
		checkHeader(t, c.Header)
		checkShown(t, "text", c.Text, true)
		size := 0
		for _, a := range c.Attachments {
			checkShown(t, "file name", a.Name, false)
			if a.Name == "" || strings.ContainsAny(a.Name, `/\`) || a.Name == "." || a.Name == ".." {
				t.Errorf("file name %q", a.Name)
			}
			size += len(a.Data)
		}
		if size > len(raw)+3 {
			t.Errorf("%d bytes of attachments in %d bytes of mail", size, len(raw))
		}
	})
}

func FuzzReadHeader(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := mail.ReadHeader(raw)
		if err != nil {
			return
		}
		checkHeader(t, h)
		if h.From == "" || h.Date.IsZero() || h.MessageID == "" {
			return
		}
		// What was read can be written again, and is then read the same.
		l := mail.Letter{From: h.From, FromName: h.FromName, To: "b@c.example", Subject: h.Subject, Date: h.Date, MessageID: h.MessageID}
		built, err := mail.Build(l)
		if err != nil {
			return // an address that we do not write
		}
		again, err := mail.ReadHeader(built)
		if err != nil || again.Subject != h.Subject || again.FromName != h.FromName || again.MessageID != h.MessageID {
			t.Errorf("%v: %q became %q, %q became %q", err, h.Subject, again.Subject, h.FromName, again.FromName)
		}
	})
}

func FuzzEncryptedPart(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		message, err := mail.EncryptedPart(raw)
		if err != nil {
			if message != nil {
				t.Error("an error and a message")
			}
			return
		}
		if message[0]&0x80 == 0 && (!bytes.HasPrefix(message, []byte("-----BEGIN PGP MESSAGE-----")) || bytes.Count(message, []byte("-----BEGIN PGP MESSAGE-----")) != 1) {
			t.Errorf("%q", message)
		}
	})
}

// seeds are small mails of the kinds that the readers tell apart.
func seeds() [][]byte {
	l := letter()
	l.Subject, l.Text = "Größe", "Grüße\n"
	plain := must(mail.Build(l))
	l.Attachments = []mail.Attachment{{Name: "größe.bin", Type: "image/png", Data: []byte{1, 2, 3}}}
	return [][]byte{
		plain,
		must(mail.Build(l)),
		crlf(encHeader + control + octets + armored + "\n--b--\n"),
		crlf("From: \"=?utf-8?q?J?=\" <a@b.example>\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nx\n--b\nContent-Type: text/html; charset=iso-8859-1\n\n<a href=\"https://a.example\">x</a>\n--b--\n"),
		crlf("From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment; filename*0*=utf-8''%C3; filename*1=x\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 c\n#0V%T\n`\nend\n--b--\n"),
		[]byte("no header"),
	}
}
