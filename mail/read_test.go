package mail_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"earnest/mail"
)

// crlf writes a mail as it travels.
func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func TestReadTolerates(t *testing.T) {
	mixed := "From: a@b.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHello\n--b\n"
	for name, test := range map[string]struct {
		raw        string
		text       string
		files      string // names and contents
		incomplete bool
		fromHTML   bool
	}{
		"plain":                    {raw: "From: a@b.example\n\nHello\n", text: "Hello\n"},
		"no header at all":         {raw: "Hello Bob\nsecond line: yes\n", text: "Hello Bob\nsecond line: yes\n"},
		"text with a colon":        {raw: "Note: bring the book\n\nBob\n", text: "Note: bring the book\n\nBob\n"},
		"header only":              {raw: "From: a@b.example\nSubject: x", text: ""},
		"line that is no field":    {raw: "From: a@b.example\nthis is no field\nContent-Type: text/plain\n\nHello", text: "Hello"},
		"mbox line":                {raw: "From a@b Sun Nov 22\nFrom: a@b.example\n\nHello", text: "Hello"},
		"no final boundary":        {raw: mixed + "Content-Type: application/x-a; name=f.bin\nContent-Transfer-Encoding: base64\n\nAAEC", text: "Hello", files: "f.bin=\x00\x01\x02", incomplete: true},
		"bad base64":               {raw: mixed + "Content-Disposition: attachment; filename=f.txt\nContent-Transfer-Encoding: base64\n\nSGVs*bG8=!\n--b--\n", text: "Hello", files: "f.txt=Hello", incomplete: true},
		"base64 in two":            {raw: "From: a@b.example\nContent-Transfer-Encoding: base64\n\nSGVs\nbG8=\nIQ==\n", text: "Hello!"},
		"base64 cut":               {raw: "From: a@b.example\nContent-Transfer-Encoding: base64\n\nSGVsbG8", text: "Hello"},
		"broken quoted-printable":  {raw: "From: a@b.example\nContent-Transfer-Encoding: quoted-printable\n\na=3Db=ZZ=4=\nc=", text: "a=b=ZZ=4c"},
		"uuencode":                 {raw: mixed + "Content-Disposition: attachment; filename=cat.txt\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 cat.txt\n#0V%T\n`\nend\n--b--\n", text: "Hello", files: "cat.txt=Cat"},
		"uuencode cut":             {raw: mixed + "Content-Disposition: attachment; filename=cat.txt\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 cat.txt\n#0V%T\n--b--\n", text: "Hello", files: "cat.txt=Cat", incomplete: true},
		"latin-1":                  {raw: "From: a@b.example\nContent-Type: text/plain; charset=iso-8859-1\n\nGr\xfc\xdfe", text: "Grüße"},
		"unknown charset":          {raw: "From: a@b.example\nContent-Type: text/plain; charset=x-martian\n\nGr\xfc\xdfe", text: "Grüße"},
		"UTF-8 said to be unknown": {raw: "From: a@b.example\nContent-Type: text/plain; charset=x-martian\n\nGrüße", text: "Grüße"},
		"wrong UTF-8":              {raw: "From: a@b.example\nContent-Type: text/plain; charset=utf-8\n\nGr\xfc\xdfe", text: "Gr\uFFFDe"},
		"japanese":                 {raw: "From: a@b.example\nContent-Type: text/plain; charset=iso-2022-jp\n\n\x1b$B$3$s\x1b(B", text: "こん"},
		"escape sequences":         {raw: "From: a@b.example\n\na\x1b[31mb\x00c\x07\u202Ed", text: "a[31mbcd"},
		"alternative":              {raw: "From: a@b.example\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: text/html\n\n<b>html</b>\n--b--\n", text: "plain"},
		"alternative, empty plain": {raw: "From: a@b.example\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<b>html</b>\n--b--\n", text: "html", fromHTML: true},
		"HTML and a footer":        {raw: "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<b>html</b>\n--b\n\nfooter\n--b--\n", text: "html\n\nfooter", fromHTML: true},
		"no boundary parameter":    {raw: "From: a@b.example\nContent-Type: multipart/mixed\n\nHello", text: "Hello", incomplete: true},
		"boundary never comes":     {raw: "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\nHello", text: "Hello", incomplete: true},
		"broken parameters":        {raw: "From: a@b.example\nContent-Type: multipart/mixed; boundary=b; boundary=c; =; x\n\n--b\n\nHello\n--b--", text: "Hello"},
		"inner boundary is longer": {raw: "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\nHello\n--bb--\n--b--", text: "Hello"},
		"inner never closed":       {raw: "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nHello\n--b\nContent-Type: image/png\n\nP\n--b--", text: "Hello", files: "attachment-1.png=P", incomplete: true},
		"attached mail":            {raw: mixed + "Content-Type: message/rfc822\n\nFrom: x@y.example\n\ninner\n--b--\n", text: "Hello", files: "attachment-1.eml=From: x@y.example\r\n\r\ninner"},
		"path as file name":        {raw: mixed + "Content-Disposition: attachment; filename=\"../../.ssh/authorized_keys\"\n\nx\n--b--\n", text: "Hello", files: "authorized_keys=x"},
		"windows path":             {raw: mixed + "Content-Disposition: attachment; filename=\"C:\\\\a\\\\b?.txt\"\n\nx\n--b--\n", text: "Hello", files: "b_.txt=x"},
		"encoded file name":        {raw: mixed + "Content-Type: text/plain; name=\"=?utf-8?b?w7wudHh0?=\"\nContent-Disposition: attachment\n\nx\n--b--\n", text: "Hello", files: "ü.txt=x"},
		"RFC 2231 file name":       {raw: mixed + "Content-Disposition: attachment; filename*0*=utf-8''%C3%BC; filename*1=.txt\n\nx\n--b--\n", text: "Hello", files: "ü.txt=x"},
		"signed":                   {raw: "From: a@b.example\nContent-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"\n\n--b\n\nHello\n--b\nContent-Type: application/pgp-signature\n\nxx\n--b--\n", text: "Hello"},
		"legacy display":           {raw: "From: a@b.example\nContent-Type: text/plain; hp-legacy-display=1\n\nSubject: real\n\nHello", text: "Hello"},
		"flowed":                   {raw: "From: a@b.example\nContent-Type: text/plain; format=flowed\n\na long \nline\n  indented\n", text: "a long line\n indented\n"},
	} {
		for ending, raw := range map[string][]byte{"CRLF": crlf(test.raw), "LF": []byte(test.raw)} {
			c, err := mail.Read(raw)
			if err != nil {
				t.Errorf("%s, %s: %v", name, ending, err)
				continue
			}
			var files []string
			for _, a := range c.Attachments {
				files = append(files, a.Name+"="+string(a.Data))
			}
			got := strings.ReplaceAll(strings.Join(files, "|"), "\r\n", "\n")
			if c.Text != test.text || got != strings.ReplaceAll(test.files, "\r\n", "\n") || c.Incomplete != test.incomplete || c.FromHTML != test.fromHTML {
				t.Errorf("%s, %s: text %q, files %q, incomplete %v, html %v", name, ending, c.Text, got, c.Incomplete, c.FromHTML)
			}
		}
	}
}

func TestReadHeaderOddities(t *testing.T) {
	for name, test := range map[string]struct {
		raw  string
		want func(mail.Header) bool
	}{
		"two From":            {"From: a@b.example\nFrom: c@d.example\n", func(h mail.Header) bool { return h.From == "" }},
		"two in From":         {"From: a@b.example, c@d.example\n", func(h mail.Header) bool { return h.From == "" }},
		"address in the name": {"From: \"victim@bank.example\" <evil@x.example>\n", func(h mail.Header) bool { return h.From == "evil@x.example" }},
		"two in brackets":     {"From: <victim@bank.example> <evil@x.example>\n", func(h mail.Header) bool { return h.From == "" }},
		"unquoted name":       {"From: Doe, Inc. @ Home <a@b.example>\n", func(h mail.Header) bool { return h.From == "a@b.example" }},
		"encoded in quotes":   {"From: \"=?utf-8?q?J=C3=B6rg?=\" <a@b.example>\n", func(h mail.Header) bool { return h.FromName == "Jörg" && h.From == "a@b.example" }},
		"raw latin-1":         {"From: a@b.example\nSubject: Gr\xfc\xdfe\n", func(h mail.Header) bool { return h.Subject == "Grüße" }},
		"unknown charset":     {"From: a@b.example\nSubject: =?x-martian?q?Gr=FC=DFe?=\n", func(h mail.Header) bool { return h.Subject == "Grüße" }},
		"newline encoded":     {"From: a@b.example\nSubject: =?utf-8?q?a=0D=0ABcc:_x?=\n", func(h mail.Header) bool { return h.Subject == "a Bcc: x" && h.Get("Bcc") == "" }},
		"folded":              {"From: a@b.example\nSubject: one\n two\n\tthree\n", func(h mail.Header) bool { return h.Subject == "one two three" }},
		"recipients":          {"To: A <a@x.example>, b@x.example\nCc: c@x.example\n", func(h mail.Header) bool { return h.To == "a@x.example" && len(h.Recipients) == 3 }},
		"ids":                 {"Message-ID: <1@x>\nReferences: <a@x>\n <b@x>\nIn-Reply-To: see <b@x>\n", func(h mail.Header) bool { return h.MessageID == "<1@x>" && len(h.References) == 2 }},
		"bad date":            {"From: a@b.example\nDate: yesterday\n", func(h mail.Header) bool { return h.Date.IsZero() }},
		"good date":           {"Date: Sun, 22 Nov 2026 10:00:00 +0100 (CET)\n", func(h mail.Header) bool { return h.Date.Unix() == 1795338000 }},
		"group":               {"From: undisclosed-recipients:;\n", func(h mail.Header) bool { return h.From == "" }},
	} {
		h, err := mail.ReadHeader(crlf(test.raw + "\nbody"))
		if err != nil || !test.want(h) {
			t.Errorf("%s: %v %+v", name, err, h)
		}
	}
	if _, err := mail.ReadHeader(bytes.Repeat([]byte("X-Long: y\r\n"), 5000)); !errors.Is(err, mail.ErrTooLarge) {
		t.Errorf("5,000 fields: %v", err)
	}
}

func TestHTMLBecomesSafeText(t *testing.T) {
	for source, want := range map[string]string{
		`<p>Hello <b>Bob</b></p><p>next</p>`:                                  "Hello Bob\n\nnext",
		`<a href="https://evil.example/x?y=1">https://bank.example</a>`:       "https://bank.example <https://evil.example/x?y=1>",
		`<a href="https://a.example/">https://a.example/</a>`:                 "https://a.example/",
		`<a href="javascript:alert(1)">click</a>`:                             "click",
		`<a href="https://a.example/&#x202e;gpj.exe">x</a>`:                   "x <https://a.example/%E2%80%AEgpj.exe>",
		`<a href="https://a.example"><img src="https://t.example/p.gif"></a>`: "<https://a.example>",
		`<img src="https://track.example/p.gif" alt="Logo">`:                  "[Logo]",
		`<script>steal()</script><style>p{}</style>seen`:                      "seen",
		`<head><title>t</title><body>seen`:                                    "seen",
		`a<br>b<br/>c`:                                                        "a\nb\nc",
		`<ul><li>one<li>two</ul>`:                                             "- one\n- two",
		`<pre>a  b` + "\n" + `c</pre>`:                                        "a  b\nc",
		`one` + "\n" + `  two`:                                                "one two",
		`&lt;b&gt; &amp; &euro;`:                                              "<b> & €",
		`<table><tr><td>a<td>b<tr><td>c</table>`:                              "a b\nc",
		`<div>unclosed <i>tags <a href=https://a.example>x`:                   "unclosed tags x <https://a.example>",
	} {
		c, err := mail.Read(crlf("From: a@b.example\nContent-Type: text/html; charset=utf-8\n\n" + source))
		if err != nil || c.Text != want || !c.FromHTML {
			t.Errorf("%s\n got %q\nwant %q (%v)", source, c.Text, want, err)
		}
	}
}

func TestReadLimits(t *testing.T) {
	deep := "From: a@b.example\n"
	for i := range 100 {
		deep += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	many := "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 5000) + "--b--\n"
	for name, raw := range map[string]string{"deep": deep, "many": many} {
		if _, err := mail.Read(crlf(raw)); !errors.Is(err, mail.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := mail.Read(make([]byte, mail.MaxRaw+1)); !errors.Is(err, mail.ErrTooLarge) {
		t.Errorf("large: %v", err)
	}
	c, err := mail.Read(crlf("From: a@b.example\n\n" + strings.Repeat("ü", mail.MaxText)))
	if err != nil || len(c.Text) > mail.MaxText || !c.Incomplete {
		t.Errorf("long text: %v, %d bytes, incomplete %v", err, len(c.Text), c.Incomplete)
	}
}

const (
	armored   = "-----BEGIN PGP MESSAGE-----\n\nhF4D\n=AAAA\n-----END PGP MESSAGE-----\n"
	control   = "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n"
	octets    = "--b\nContent-Type: application/octet-stream; name=encrypted.asc\n\n"
	encHeader = "From: a@b.example\nMIME-Version: 1.0\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n"
)

func TestEncryptedPart(t *testing.T) {
	for name, test := range map[string]struct {
		raw  string
		want error // nil: the message
	}{
		"good":                    {encHeader + control + octets + armored + "\n--b--\n", nil},
		"no final boundary":       {encHeader + control + octets + armored, nil},
		"preamble":                {encHeader + "This is an OpenPGP/MIME encrypted message.\n" + control + octets + armored + "\n--b--\n", nil},
		"no protocol":             {strings.Replace(encHeader, "protocol=\"application/pgp-encrypted\"; ", "", 1) + control + octets + armored + "--b--\n", nil},
		"base64 on the way":       {encHeader + control + "--b\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\nLS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0tCgpoRjRECj1BQUFBCi0tLS0tRU5EIFBHUCBNRVNTQUdFLS0tLS0K\n--b--\n", nil},
		"plain":                   {"From: a@b.example\n\nHello", mail.ErrNotEncrypted},
		"inline":                  {"From: a@b.example\n\n" + armored, mail.ErrNotEncrypted},
		"S/MIME":                  {"From: a@b.example\nContent-Type: application/pkcs7-mime\n\nx", mail.ErrNotEncrypted},
		"other protocol":          {strings.Replace(encHeader, "pgp-encrypted", "x-other", 1) + control + octets + armored + "--b--\n", mail.ErrNotEncrypted},
		"attached to another":     {"From: a@b.example\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: message/rfc822\n\n" + encHeader + control + octets + armored + "--b--\n--m--\n", mail.ErrNotEncrypted},
		"list footer":             {"From: a@b.example\nContent-Type: multipart/mixed; boundary=m\n\n--m\n" + strings.TrimPrefix(encHeader, "From: a@b.example\nMIME-Version: 1.0\n") + control + octets + armored + "--b--\n--m\n\nfooter\n--m--\n", mail.ErrMixed},
		"third part":              {encHeader + control + octets + armored + "\n--b\n\nplain\n--b--\n", mail.ErrMixed},
		"second encrypted part":   {encHeader + control + octets + armored + "\n" + octets + armored + "--b--\n", mail.ErrMixed},
		"second message in it":    {encHeader + control + octets + armored + armored + "--b--\n", mail.ErrMixed},
		"text before the message": {encHeader + control + octets + "read this\n" + armored + "--b--\n", mail.ErrMixed},
		"text after the message":  {encHeader + control + octets + armored + "read this\n--b--\n", mail.ErrMixed},
		"text in the control":     {encHeader + "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\nread this\n" + octets + armored + "--b--\n", mail.ErrMixed},
		"two content types":       {"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n" + encHeader + control + octets + armored + "--b--\n", mail.ErrMixed},
		"one part":                {encHeader + control + "--b--\n", mail.ErrMalformed},
		"cut":                     {encHeader + control + octets + armored[:40], mail.ErrMalformed},
		"empty":                   {encHeader + control + octets + "\n--b--\n", mail.ErrMalformed},
		"parts exchanged":         {encHeader + octets + armored + "\n" + control + "--b--\n", mail.ErrMalformed},
	} {
		message, err := mail.EncryptedPart(crlf(test.raw))
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if test.want == nil && strings.TrimSpace(strings.ReplaceAll(string(message), "\r\n", "\n")) != strings.TrimSpace(armored) {
			t.Errorf("%s: %q", name, message)
		}
		if test.want != nil && message != nil {
			t.Errorf("%s: released %q", name, message)
		}
	}
}

func TestSignedPartIsExact(t *testing.T) {
	signed := "Content-Type: text/plain\r\n\r\ntwo spaces  \r\n\r\n"
	raw := "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\r\n\r\n--b\r\n" + signed + "\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nSIG\r\n--b--\r\n"
	got, signature, err := mail.SignedPart([]byte(raw))
	if err != nil || string(got) != signed || string(signature) != "SIG" {
		t.Errorf("%q %q %v", got, signature, err)
	}
	if _, _, err := mail.SignedPart([]byte("From: a@b.example\r\n\r\nx")); !errors.Is(err, mail.ErrNotSigned) {
		t.Error(err)
	}
	third := strings.Replace(raw, "--b--", "--b\r\n\r\nmore\r\n--b--", 1)
	if _, _, err := mail.SignedPart([]byte(third)); !errors.Is(err, mail.ErrMalformed) {
		t.Error(err)
	}
}
