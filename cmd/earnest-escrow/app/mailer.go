package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"

	"earnest/escrowserver"
	"earnest/smtpsubmit"
)

// relayTimeout is how long one reply of the relay may take: an agent waits.
const relayTimeout = 10 * time.Second

// relayConfig reads where token mails go. An empty relay gives none.
func relayConfig(c Config) (smtpsubmit.Config, error) {
	if c.Relay == "" {
		return smtpsubmit.Config{}, nil
	}
	u, err := url.Parse(c.Relay)
	if err != nil || u.Hostname() == "" || u.Path != "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return smtpsubmit.Config{}, errors.New("smtp-relay: write it like smtps://user@mail.example:465 or smtp://127.0.0.1:25")
	}
	if _, ok := u.User.Password(); ok {
		return smtpsubmit.Config{}, errors.New("smtp-relay: a password in the address would show in the list of processes; name a file with --smtp-password-file")
	}
	relay := smtpsubmit.Config{User: u.User.Username(), Hello: mailDomain(c.Name), Timeout: relayTimeout, FinalTimeout: relayTimeout}
	port := "587"
	switch {
	case u.Scheme == "smtps":
		relay.TLS, port = smtpsubmit.Implicit, "465"
	case loopback(u.Hostname()):
		relay.TLS, port = smtpsubmit.Plain, "25"
	default:
		relay.TLS = smtpsubmit.StartTLS
	}
	if u.Port() != "" {
		port = u.Port()
	}
	relay.Addr = net.JoinHostPort(u.Hostname(), port)
	if relay.User != "" {
		if c.RelayPasswordFile == "" {
			return smtpsubmit.Config{}, errors.New("smtp-relay: a user needs --smtp-password-file")
		}
		relay.Password = func(context.Context) (string, error) {
			text, err := os.ReadFile(c.RelayPasswordFile)
			return strings.TrimRight(string(text), "\r\n"), err
		}
	}
	return relay, nil
}

// mailer sends token mails through the relay.
type mailer struct {
	relay  smtpsubmit.Config
	sender string
	now    func() time.Time
}

func newMailer(c Config) (*mailer, error) {
	relay, err := relayConfig(c)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if c.RelayCAFile != "" {
		text, err := os.ReadFile(c.RelayCAFile)
		if err != nil {
			return nil, fmt.Errorf("%w: smtp-ca: %w", ErrConfig, err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%w: smtp-ca: %s holds no certificate", ErrConfig, c.RelayCAFile)
		}
		relay.TLSConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &mailer{relay: relay, sender: c.TokenSender, now: c.Now}, nil
}

// notSent marks an error after which the relay certainly does not have the
// mail: the escrow then does not count it against the address.
type notSent struct{ error }

func (notSent) NotSent() bool   { return true }
func (e notSent) Unwrap() error { return e.error }

// SendToken mails the token that proves an address.
func (m *mailer) SendToken(ctx context.Context, to string, t escrowserver.TokenMail) error {
	if m.relay.Addr == "" {
		return notSent{errors.New("no mail relay is set; start the escrow with --smtp-relay")}
	}
	raw, err := tokenMail(m.sender, to, t, m.now())
	if err != nil {
		return notSent{err}
	}
	// The null sender: a mail that cannot be delivered must not come back as one
	// more (RFC 5321 section 4.5.5, RFC 3834 section 3.3).
	err = smtpsubmit.Submit(ctx, m.relay, smtpsubmit.Envelope{To: []string{to}}, raw)
	if failure, ok := errors.AsType[*smtpsubmit.Error](err); ok && !failure.Uncertain {
		return notSent{err}
	}
	return err
}

// tokenText is for a person who did not ask for it: it says what this is and
// that nothing needs doing.
const tokenText = `This mail is for a program, not for you: there is nothing that you need to do.

Somebody, most likely your own Earnest program, told the escrow %[1]s
that the address %[2]s is theirs. Earnest lets people put a refundable
price on mail from strangers; this mail proves that whoever asked can read
your inbox.

If you use Earnest: your program finds this mail and answers it by itself.
You can delete it afterwards.

If you do not: somebody mistyped an address, or tried yours. Delete this
mail. Without it they can do nothing with your address, and the token in it
ends on %[3]s. Please do not pass it on.

%[1]s sends at most one such mail an hour to an address, and five a day.
`

// tokenMail writes the mail.
func tokenMail(sender, to string, t escrowserver.TokenMail, now time.Time) ([]byte, error) {
	for _, text := range []string{sender, to, t.Escrow, t.Nonce, t.Token} {
		if strings.ContainsFunc(text, unicode.IsControl) {
			return nil, errors.New("token mail: a header would contain a control character")
		}
	}
	var b bytes.Buffer
	for _, header := range [][2]string{
		{"From", "<" + sender + ">"},
		{"To", "<" + to + ">"},
		{"Subject", mime.QEncoding.Encode("utf-8", "Proof of address for the escrow "+t.Escrow)},
		{"Date", now.UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + rand.Text() + "@" + mailDomain(t.Escrow) + ">"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834 section 5
		{"Earnest-Claim", t.Nonce},
		{"Earnest-Token", t.Token},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		b.WriteString(header[0] + ": " + header[1] + "\r\n")
	}
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	text := fmt.Sprintf(tokenText, t.Escrow, t.Address, t.Expires.UTC().Format("2 January 2006 15:04 UTC"))
	_, err := body.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("token mail: %w", err)
	}
	return b.Bytes(), nil
}
