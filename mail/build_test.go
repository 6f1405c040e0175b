package mail_test

import (
	"bytes"
	"errors"
	netmail "net/mail"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"earnest/mail"
)

func letter() mail.Letter {
	return mail.Letter{
		From: "alice@example.com", FromName: "Alice", To: "bob@example.org", Subject: "Hello",
		Date: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), MessageID: "<id@example.com>", Text: "Hi Bob\n",
	}
}

// checkWire checks what every built entity must be: CRLF, 7-bit, lines of at most
// 998 octets, and of 78 in the header where it can be folded.
func checkWire(t interface{ Errorf(string, ...any) }, raw []byte) {
	if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) || bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\r")) {
		t.Errorf("a bare CR or LF in\n%q", raw)
	}
	header := true
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		header = header && len(line) > 0
		if len(line) > 998 || header && len(line) > 78 && bytes.Count(line, []byte(" ")) > 2 {
			t.Errorf("a line of %d: %q", len(line), line)
		}
		for word := range bytes.FieldsSeq(line) { // RFC 2047 section 2
			if header && bytes.HasPrefix(word, []byte("=?")) && len(word) > 75 {
				t.Errorf("an encoded-word of %d: %q", len(word), word)
			}
		}
		for _, c := range line {
			if c >= 0x7f || c < ' ' {
				t.Errorf("octet %#x in %q", c, line)
			}
		}
	}
}

func TestBuildHeader(t *testing.T) {
	long := strings.Repeat("Ein sehr langer Betreff über Größe und Maß ", 30)
	for name, test := range map[string]struct {
		change func(*mail.Letter)
		want   func(mail.Header) bool
	}{
		"plain": {func(l *mail.Letter) {}, func(h mail.Header) bool {
			return h.Subject == "Hello" && h.From == "alice@example.com" && h.FromName == "Alice"
		}},
		"long subject":     {func(l *mail.Letter) { l.Subject = long }, func(h mail.Header) bool { return h.Subject == strings.TrimSpace(long) }},
		"one long word":    {func(l *mail.Letter) { l.Subject = strings.Repeat("x", 3000) }, func(h mail.Header) bool { return len(h.Subject) == 3000 }},
		"emoji":            {func(l *mail.Letter) { l.Subject = "👩‍👩‍👧 日本語の件名" }, func(h mail.Header) bool { return h.Subject == "👩‍👩‍👧 日本語の件名" }},
		"looks encoded":    {func(l *mail.Letter) { l.Subject = "=?utf-8?q?x?=" }, func(h mail.Header) bool { return h.Subject == "=?utf-8?q?x?=" }},
		"empty":            {func(l *mail.Letter) { l.Subject, l.FromName = "", "" }, func(h mail.Header) bool { return h.Subject == "" && h.FromName == "" && h.From != "" }},
		"injected subject": {func(l *mail.Letter) { l.Subject = "a\r\nBcc: evil@example.com\r\n\r\nbody" }, func(h mail.Header) bool { return h.Get("Bcc") == "" && h.Subject == "a Bcc: evil@example.com body" }},
		"injected name":    {func(l *mail.Letter) { l.FromName = "a\nBcc: evil@example.com" }, func(h mail.Header) bool { return h.Get("Bcc") == "" && h.FromName == "a Bcc: evil@example.com" }},
		"quoted name":      {func(l *mail.Letter) { l.FromName = `Doe, "J" \ <x@y>` }, func(h mail.Header) bool { return h.FromName == `Doe, "J" \ <x@y>` && h.From == "alice@example.com" }},
		"turned name":      {func(l *mail.Letter) { l.FromName = "bob\u202Egro.elpmaxe" }, func(h mail.Header) bool { return h.FromName == "bobgro.elpmaxe" }},
		"IDN":              {func(l *mail.Letter) { l.To = "bob@Bücher.example" }, func(h mail.Header) bool { return h.To == "bob@xn--bcher-kva.example" }},
		"two dots":         {func(l *mail.Letter) { l.To = "john..doe@example.org" }, func(h mail.Header) bool { return h.To == "john..doe@example.org" || h.To == `"john..doe"@example.org` }},
		"foreign ids":      {func(l *mail.Letter) { l.InReplyTo, l.References = "b@x", []string{"<a@x>", "bad id\r\nX: y", "b@x"} }, func(h mail.Header) bool { return h.InReplyTo == "<b@x>" && len(h.References) == 2 && h.Get("X") == "" }},
		"many references": {func(l *mail.Letter) {
			for range 200 {
				l.References = append(l.References, mail.NewMessageID("x@example.com"))
			}
		}, func(h mail.Header) bool { return len(h.References) == 20 }},
	} {
		l := letter()
		test.change(&l)
		raw, err := mail.Build(l)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkWire(t, raw)
		h, err := mail.ReadHeader(raw)
		if err != nil || !test.want(h) {
			t.Errorf("%s: %v, %+v", name, err, h)
		}
		if _, err := netmail.ReadMessage(bytes.NewReader(raw)); err != nil {
			t.Errorf("%s: net/mail cannot read it: %v", name, err)
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*mail.Letter)
		extra  []mail.Field
		want   error
	}{
		"address injection":   {func(l *mail.Letter) { l.To = "bob@example.org\r\nBcc: evil@example.com" }, nil, mail.ErrAddress},
		"address list":        {func(l *mail.Letter) { l.To = "bob@example.org, eve@example.org" }, nil, mail.ErrAddress},
		"space in address":    {func(l *mail.Letter) { l.To = "john doe@example.org" }, nil, mail.ErrAddress},
		"no address":          {func(l *mail.Letter) { l.From = "" }, nil, mail.ErrAddress},
		"address not ASCII":   {func(l *mail.Letter) { l.To = "böb@example.org" }, nil, mail.ErrAddress},
		"no message id":       {func(l *mail.Letter) { l.MessageID = "" }, nil, mail.ErrField},
		"message id injected": {func(l *mail.Letter) { l.MessageID = "<a@b>\r\nX: y" }, nil, mail.ErrField},
		"no date":             {func(l *mail.Letter) { l.Date = time.Time{} }, nil, mail.ErrField},
		"field name":          {func(l *mail.Letter) {}, []mail.Field{{Name: "X: y\r\nZ", Value: "v"}}, mail.ErrField},
		"field value":         {func(l *mail.Letter) {}, []mail.Field{{Name: "X-A", Value: "v\r\nBcc: evil@example.com"}}, mail.ErrField},
		"endless word":        {func(l *mail.Letter) {}, []mail.Field{{Name: "X-A", Value: strings.Repeat("v", 2000)}}, mail.ErrField},
		"too large":           {func(l *mail.Letter) { l.Text = strings.Repeat("x", mail.MaxData+1) }, nil, mail.ErrTooLarge},
	} {
		l := letter()
		test.change(&l)
		if raw, err := mail.Build(l, test.extra...); !errors.Is(err, test.want) {
			t.Errorf("%s: %v\n%s", name, err, raw)
		}
	}
}

func TestBuildProtected(t *testing.T) {
	l := letter()
	l.Subject, l.InReplyTo, l.References = "Geheim, größer", "<r@x>", []string{"<q@x>", "<r@x>"}
	inner, outer, err := mail.BuildProtected(l, mail.Field{Name: "Earnest-Bond", Value: "b1"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := mail.WrapEncrypted(outer, []byte("-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n"))
	if err != nil {
		t.Fatal(err)
	}
	checkWire(t, raw)
	checkWire(t, inner)
	inside, outside := must(mail.ReadHeader(inner)), must(mail.ReadHeader(raw))
	if !inside.Protected() || outside.Protected() || inside.Subject != l.Subject || outside.Subject != "[...]" {
		t.Errorf("inside %q (%v), outside %q (%v)", inside.Subject, inside.Protected(), outside.Subject, outside.Protected())
	}
	for _, name := range []string{"From", "To", "Date", "Message-ID", "In-Reply-To", "References"} {
		if inside.Get(name) == "" || inside.Get(name) != outside.Get(name) {
			t.Errorf("%s: inside %q, outside %q", name, inside.Get(name), outside.Get(name))
		}
	}
	if outside.Get("Earnest-Bond") != "" || inside.Get("Earnest-Bond") != "b1" {
		t.Error("the stamp is not inside only")
	}
	said := inside.Confidential() // what the sender says stood outside
	if len(said) != len(outer) {
		t.Fatalf("%d HP-Outer fields for %d", len(said), len(outer))
	}
	for i, f := range said {
		if f.Name != outer[i].Name || f.Value != outer[i].Value {
			t.Errorf("HP-Outer %v, outside %v", f, outer[i])
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestNewMessageID(t *testing.T) {
	a, b := mail.NewMessageID("alice@Bücher.example"), mail.NewMessageID("alice@bücher.example")
	if a == b || !strings.HasSuffix(a, "@xn--bcher-kva.example>") || !strings.HasPrefix(a, "<") {
		t.Errorf("%s %s", a, b)
	}
	if id := mail.NewMessageID("nonsense\r\n"); !strings.HasSuffix(id, "@earnest.invalid>") {
		t.Error(id)
	}
}

// line generates what survives as one line: any letters, single spaces.
func line() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]{0,200}`), rapid.StringOfN(rapid.RuneFrom(nil, unicode.Han, unicode.Cyrillic, unicode.Arabic, unicode.So), 0, 150, -1)).Draw(t, "line")
		s = strings.Map(func(r rune) rune {
			if !unicode.IsGraphic(r) || unicode.IsSpace(r) && r != ' ' {
				return -1
			}
			return r
		}, s)
		return strings.Join(strings.Fields(s), " ")
	})
}

// text generates a body with \n ends.
func text() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		lines := rapid.SliceOfN(rapid.OneOf(line(), rapid.SampledFrom([]string{"", ".", "From here", "--", "-- ", " ", "a ", "=41", "--=_x", "\t"})), 0, 12).Draw(t, "lines")
		return strings.Join(lines, "\n")
	})
}

// TestRoundTrip: what was built is read again as it was.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := letter()
		l.Subject, l.FromName, l.Text = line().Draw(t, "subject"), line().Draw(t, "name"), text().Draw(t, "text")
		for range rapid.IntRange(0, 3).Draw(t, "attachments") {
			name := strings.NewReplacer("/", "", `\`, "", "<", "", ">", "", ":", "", `"`, "", "|", "", "?", "", "*", "").Replace(line().Draw(t, "file"))
			name = strings.Trim(strings.Join(strings.Fields(name), " "), ". ")
			if len(name) > 100 || name == "" {
				name = "größe.bin"
			}
			l.Attachments = append(l.Attachments, mail.Attachment{
				Name: name, Type: rapid.SampledFrom([]string{"text/plain", "image/png", "application/x-y", "text/html"}).Draw(t, "type"),
				Data: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data"),
			})
		}
		raw, err := mail.Build(l)
		if err != nil {
			t.Fatal(err)
		}
		checkWire(t, raw)
		c, err := mail.Read(raw)
		if err != nil {
			t.Fatal(err)
		}
		if c.Header.Subject != l.Subject || c.Header.FromName != l.FromName || c.Header.From != l.From || !c.Header.Date.Equal(l.Date) {
			t.Errorf("header %+v of %q, %q", c.Header, l.Subject, l.FromName)
		}
		if c.Text != l.Text || c.FromHTML || c.Incomplete {
			t.Errorf("text %q, was %q (%v, %v)", c.Text, l.Text, c.FromHTML, c.Incomplete)
		}
		if len(c.Attachments) != len(l.Attachments) {
			t.Fatalf("%d attachments, were %d", len(c.Attachments), len(l.Attachments))
		}
		for i, a := range c.Attachments {
			if want := l.Attachments[i]; a.Name != want.Name || a.Type != want.Type || !bytes.Equal(a.Data, want.Data) {
				t.Errorf("attachment %q %s %d, was %q %s %d", a.Name, a.Type, len(a.Data), want.Name, want.Type, len(want.Data))
			}
		}
	})
}
