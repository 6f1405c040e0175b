package app_test

import (
	"errors"
	"io"
	"log/slog"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrow"
)

// relay keeps what it is given.
type relay struct {
	from string
	to   []string
	took chan string // the mail, once it is whole
	// refuse refuses all recipients; cut ends the connection instead of answering
	// the final dot.
	refuse, cut bool
	conn        *smtp.Conn
}

func (r *relay) NewSession(c *smtp.Conn) (smtp.Session, error) {
	r.conn = c
	return r, nil
}
func (r *relay) Reset()        {}
func (r *relay) Logout() error { return nil }
func (r *relay) Mail(from string, _ *smtp.MailOptions) error {
	r.from = "<" + from + ">"
	return nil
}
func (r *relay) Rcpt(to string, _ *smtp.RcptOptions) error {
	if r.refuse {
		return &smtp.SMTPError{Code: 450, Message: "not now"}
	}
	r.to = append(r.to, to)
	return nil
}
func (r *relay) Data(body io.Reader) error {
	raw, err := io.ReadAll(body)
	r.took <- string(raw)
	if r.cut {
		r.conn.Conn().Close()
	}
	return err
}

// listen runs the relay until the test ends, and returns its address.
func (r *relay) listen(t *testing.T) string {
	t.Helper()
	server := smtp.NewServer(r)
	server.Domain = "localhost"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return "smtp://" + listener.Addr().String()
}

// TestTokenMail goes through the whole escrow: claim, mail, proof. The mail is
// automatic in every respect, carries what the agent looks for, and tells a
// person who did not ask for it that nothing needs doing.
func TestTokenMail(t *testing.T) {
	r := &relay{took: make(chan string, 1)}
	ready, _ := start(t, app.Config{DataDir: t.TempDir(), Name: "escrow.example", Relay: r.listen(t)})
	c := client(t, ready, nil)
	open(t, c)
	const nonce = "nonce-of-the-agent-1"
	if err := c.ClaimAddress(t.Context(), escrow.AddressClaim{Address: "Ann@Mail.example", Nonce: nonce}); err != nil {
		t.Fatal(err)
	}
	raw := <-r.took
	if r.from != "<>" || len(r.to) != 1 || r.to[0] != "Ann@mail.example" {
		t.Errorf("envelope: from %q to %q", r.from, r.to)
	}
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"From": "<escrow@escrow.example>", "To": "<Ann@Mail.example>", "Auto-Submitted": "auto-generated", "Earnest-Claim": nonce,
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, err := m.Header.Date(); err != nil || m.Header.Get("Message-ID") == "" {
		t.Errorf("date or message id: %v", err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil || !strings.Contains(string(text), "nothing that you need to do") || !strings.Contains(string(text), "ann@mail.example") {
		t.Errorf("text: %s, %v", text, err)
	}
	token := m.Header.Get("Earnest-Token")
	if strings.Contains(string(text), token) {
		t.Error("the text shows the token, which is for the program")
	}
	proven, err := c.ProveAddress(t.Context(), escrow.AddressProof{Address: "ann@mail.example", Nonce: nonce, Token: token})
	if err != nil || len(proven.Addresses) != 1 {
		t.Errorf("proof: %+v, %v", proven, err)
	}
}

func TestWithoutARelayNoAddressIsClaimed(t *testing.T) {
	ready, _ := start(t, app.Config{DataDir: t.TempDir()})
	c := client(t, ready, nil)
	open(t, c)
	// The second as the first: a mail that was not sent does not count.
	for _, nonce := range []string{"nonce-of-the-agent-1", "nonce-of-the-agent-2"} {
		err := c.ClaimAddress(t.Context(), escrow.AddressClaim{Address: "ann@mail.example", Nonce: nonce})
		if !errors.Is(err, escrow.Unavailable) {
			t.Errorf("claim: %v", err)
		}
	}
}

// TestOnlyAMailThatCannotArriveIsForgotten: what the relay refused may be asked
// for again; a mail whose fate nobody knows counts as sent.
func TestOnlyAMailThatCannotArriveIsForgotten(t *testing.T) {
	for name, tt := range map[string]struct {
		relay *relay
		words string
		again escrow.Code
	}{
		"refused":           {&relay{refuse: true}, "could not send the mail", escrow.Unavailable},
		"silence after dot": {&relay{cut: true, took: make(chan string, 2)}, "does not know whether the mail", escrow.Limited},
	} {
		ready, _ := start(t, app.Config{DataDir: t.TempDir(), NoTLS: true, Relay: tt.relay.listen(t)})
		c := client(t, ready, nil)
		open(t, c)
		claim := escrow.AddressClaim{Address: "ann@mail.example", Nonce: "nonce-of-the-agent-1"}
		if err := c.ClaimAddress(t.Context(), claim); !errors.Is(err, escrow.Unavailable) || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s: %v", name, err)
		}
		claim.Nonce = "nonce-of-the-agent-2"
		if err := c.ClaimAddress(t.Context(), claim); !errors.Is(err, tt.again) {
			t.Errorf("%s: asked again: %v, want %s", name, err, tt.again)
		}
		c.Close()
	}
}

// A relay's refusal quotes the address that somebody claimed: it is no business of
// whoever reads the log.
func TestTheLogNamesNoAddress(t *testing.T) {
	var out strings.Builder
	app.Logger(&out, slog.LevelInfo).Warn("token mail was not sent", "error", errors.New("550 5.1.1 <anna@mail.example>: user unknown"))
	if text := out.String(); strings.Contains(text, "anna") || !strings.Contains(text, "550 5.1.1 <address>: user unknown") {
		t.Errorf("the log: %s", text)
	}
}
