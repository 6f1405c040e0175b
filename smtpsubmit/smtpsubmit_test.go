package smtpsubmit_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"earnest/internal/mailhost"
	"earnest/smtpsubmit"
)

const bob, alice = "bob@example.org", "alice@example.org"

func start(t *testing.T, opts mailhost.Options) *mailhost.Host {
	t.Helper()
	h, err := mailhost.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	for _, name := range []string{alice, bob} {
		login, _, _ := strings.Cut(name, "@")
		if err := h.AddUser(login, login+" secret", name); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func config(h *mailhost.Host) smtpsubmit.Config {
	return smtpsubmit.Config{
		Addr: h.SubmissionsAddr, TLSConfig: h.TLSConfig(), User: "alice",
		Password: func(context.Context) (string, error) { return "alice secret", nil },
		Timeout:  5 * time.Second, FinalTimeout: 5 * time.Second,
	}
}

func mailTo(to ...string) smtpsubmit.Envelope { return smtpsubmit.Envelope{From: alice, To: to} }

func inbox(t *testing.T, h *mailhost.Host) [][]byte {
	t.Helper()
	mails, err := h.Messages(t.Context(), "bob", mailhost.Inbox)
	if err != nil {
		t.Fatal(err)
	}
	return mails
}

func failure(t *testing.T, err error) *smtpsubmit.Error {
	t.Helper()
	e, ok := errors.AsType[*smtpsubmit.Error](err)
	if !ok {
		t.Fatalf("got %v, want a *smtpsubmit.Error", err)
	}
	return e
}

// A mail with lines that begin with dots, an empty line at the end, and one of
// 998 octets.
func trickyMail() []byte {
	return []byte("From: alice@example.org\r\nSubject: dots\r\n\r\n.\r\n..two\r\n" +
		strings.Repeat("x", 998) + "\r\n.last\r\n\r\n")
}

func TestSubmitKeepsEveryByte(t *testing.T) {
	h := start(t, mailhost.Options{})
	implicit, upgrade, relay := config(h), config(h), config(h)
	upgrade.TLS, upgrade.Addr = smtpsubmit.StartTLS, h.SubmissionAddr
	relay.TLS, relay.Addr, relay.User = smtpsubmit.Plain, h.RelayAddr, ""
	for name, cfg := range map[string]smtpsubmit.Config{"implicit TLS": implicit, "STARTTLS": upgrade, "relay": relay} {
		before := len(inbox(t, h))
		for _, from := range []string{alice, ""} {
			env := mailTo(bob)
			env.From = from
			if err := smtpsubmit.Submit(t.Context(), cfg, env, trickyMail()); err != nil {
				t.Fatalf("%s from %q: %v", name, from, err)
			}
		}
		mails := inbox(t, h)
		if len(mails) != before+2 || !bytes.Equal(mails[before], trickyMail()) {
			t.Errorf("%s: %d mails came, want 2 with the same bytes", name, len(mails)-before)
		}
	}
}

func TestRefusalsSayWhatBecameOfTheMail(t *testing.T) {
	type want struct {
		stage                smtpsubmit.Stage
		code                 int
		permanent, uncertain bool
		delivered            int
		cause                error
	}
	for name, c := range map[string]struct {
		opts   mailhost.Options
		fault  mailhost.Fault
		change func(*smtpsubmit.Config, *mailhost.Host)
		env    smtpsubmit.Envelope
		raw    []byte
		want   want
	}{
		"for now":             {fault: mailhost.RefuseForNow, want: want{stage: smtpsubmit.StageFinal, code: 451}},
		"for good":            {fault: mailhost.RefuseForGood, want: want{stage: smtpsubmit.StageFinal, code: 550, permanent: true}},
		"cut, delivered":      {fault: mailhost.CutDelivered, want: want{stage: smtpsubmit.StageFinal, uncertain: true, delivered: 1}},
		"cut, lost":           {fault: mailhost.CutLost, want: want{stage: smtpsubmit.StageFinal, uncertain: true}},
		"unknown recipient":   {env: mailTo("nobody@example.org"), want: want{stage: smtpsubmit.StageRcpt, code: 550, permanent: true}},
		"one unknown of two":  {env: mailTo(bob, "nobody@example.org"), want: want{stage: smtpsubmit.StageRcpt, code: 550, permanent: true}},
		"nobody":              {env: smtpsubmit.Envelope{From: alice}, want: want{stage: smtpsubmit.StageRcpt, permanent: true}},
		"line break smuggled": {env: mailTo("bob@example.org>\r\nRSET"), want: want{stage: smtpsubmit.StageMail, permanent: true}},
		"foreign sender":      {env: smtpsubmit.Envelope{From: bob, To: []string{bob}}, want: want{stage: smtpsubmit.StageMail, code: 553, permanent: true}},
		"too large": {opts: mailhost.Options{MaxMail: 500},
			want: want{stage: smtpsubmit.StageMail, permanent: true, cause: smtpsubmit.ErrTooLarge}},
		"wrong password": {change: func(c *smtpsubmit.Config, _ *mailhost.Host) {
			c.Password = func(context.Context) (string, error) { return "wrong", nil }
		}, want: want{stage: smtpsubmit.StageLogin, code: 535, cause: smtpsubmit.ErrLogin}},
		"no password": {change: func(c *smtpsubmit.Config, _ *mailhost.Host) {
			c.Password = func(context.Context) (string, error) { return "", io.ErrClosedPipe }
		}, want: want{stage: smtpsubmit.StageLogin, cause: io.ErrClosedPipe}},
		"login in the clear": {change: func(c *smtpsubmit.Config, h *mailhost.Host) {
			c.TLS, c.Addr = smtpsubmit.Plain, h.SubmissionAddr
		}, want: want{stage: smtpsubmit.StageLogin, cause: smtpsubmit.ErrInsecure}},
		"server without STARTTLS": {change: func(c *smtpsubmit.Config, h *mailhost.Host) {
			c.TLS, c.Addr = smtpsubmit.StartTLS, h.RelayAddr
		}, want: want{stage: smtpsubmit.StageTLS, cause: smtpsubmit.ErrInsecure}},
	} {
		t.Run(name, func(t *testing.T) {
			h := start(t, c.opts)
			h.SetFault(c.fault, 1)
			cfg := config(h)
			if c.change != nil {
				c.change(&cfg, h)
			}
			env := c.env
			if env.From == "" && env.To == nil {
				env = mailTo(bob)
			}
			e := failure(t, smtpsubmit.Submit(t.Context(), cfg, env, trickyMail()))
			got := want{e.Stage, e.Code, e.Permanent, e.Uncertain, len(inbox(t, h)), nil}
			if c.want.cause != nil && errors.Is(e, c.want.cause) {
				got.cause = c.want.cause
			}
			if got != c.want {
				t.Errorf("got %+v (%v), want %+v", got, e, c.want)
			}
		})
	}
}

func TestCertificateFaultsStayRecognisable(t *testing.T) {
	h := start(t, mailhost.Options{CertNotAfter: time.Now().Add(-time.Hour)})
	for _, c := range []struct {
		mode smtpsubmit.TLSMode
		addr string
	}{{smtpsubmit.Implicit, h.SubmissionsAddr}, {smtpsubmit.StartTLS, h.SubmissionAddr}} {
		cfg := config(h)
		cfg.TLS, cfg.Addr = c.mode, c.addr
		e := failure(t, smtpsubmit.Check(t.Context(), cfg))
		fault, ok := errors.AsType[x509.CertificateInvalidError](e)
		if !ok || fault.Reason != x509.Expired || e.Stage != smtpsubmit.StageTLS || e.Permanent {
			t.Errorf("mode %v: got %v at %s, want an expired certificate", c.mode, e, e.Stage)
		}
	}
	h = start(t, mailhost.Options{})
	for _, c := range []struct {
		mode smtpsubmit.TLSMode
		addr string
	}{{smtpsubmit.Implicit, h.SubmissionsAddr}, {smtpsubmit.StartTLS, h.SubmissionAddr}} {
		cfg := config(h)
		cfg.TLS, cfg.Addr, cfg.TLSConfig = c.mode, c.addr, nil
		e := failure(t, smtpsubmit.Check(t.Context(), cfg))
		if _, ok := errors.AsType[x509.UnknownAuthorityError](e); !ok {
			t.Errorf("mode %v: got %v, want an unknown authority", c.mode, e)
		}
	}
}

func TestCheckSendsNothing(t *testing.T) {
	h := start(t, mailhost.Options{})
	if err := smtpsubmit.Check(t.Context(), config(h)); err != nil {
		t.Fatal(err)
	}
	if n := len(inbox(t, h)); n != 0 {
		t.Errorf("%d mails came, want none", n)
	}
}

func TestCancelEndsAWaitingSubmission(t *testing.T) {
	addr, _ := scripted(t, "")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := smtpsubmit.Submit(ctx, smtpsubmit.Config{Addr: addr, TLS: smtpsubmit.Plain}, mailTo(bob), trickyMail())
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
		t.Errorf("got %v after %v, want the end of the context at once", err, time.Since(began))
	}
}

func TestSilenceAfterTheFinalDotIsUncertain(t *testing.T) {
	addr, _ := scripted(t, "220 hi", "250-hi\r\n250 8BITMIME", "250 ok", "250 ok", "354 go")
	cfg := smtpsubmit.Config{Addr: addr, TLS: smtpsubmit.Plain, FinalTimeout: 100 * time.Millisecond}
	e := failure(t, smtpsubmit.Submit(t.Context(), cfg, mailTo(bob), trickyMail()))
	if !e.Uncertain || e.Permanent || e.Stage != smtpsubmit.StageFinal {
		t.Errorf("got %+v, want uncertain", e)
	}
}

func TestInternationalMail(t *testing.T) {
	raw := []byte("From: alice@example.org\r\nSubject: hi\r\n\r\nhi\r\n")
	for name, c := range map[string]struct {
		ehlo, to, raw string
		said          string
		cause         error
	}{
		"ascii needs nothing":       {"250 8BITMIME", bob, string(raw), "MAIL FROM:<alice@example.org> BODY=8BITMIME", nil},
		"domain as A-label":         {"250 8BITMIME", "bob@bücher.example", string(raw), "RCPT TO:<bob@xn--bcher-kva.example>", nil},
		"local part with SMTPUTF8":  {"250-8BITMIME\r\n250 SMTPUTF8", "jürgen@example.org", string(raw), "MAIL FROM:<alice@example.org> BODY=8BITMIME SMTPUTF8", nil},
		"header with SMTPUTF8":      {"250-8BITMIME\r\n250 SMTPUTF8", bob, "Subject: ü\r\n\r\nx\r\n", "MAIL FROM:<alice@example.org> BODY=8BITMIME SMTPUTF8", nil},
		"local part without it":     {"250 8BITMIME", "jürgen@example.org", string(raw), "", smtpsubmit.ErrNoUTF8},
		"body alone needs 8BITMIME": {"250 8BITMIME", bob, "Subject: x\r\n\r\nü\r\n", "MAIL FROM:<alice@example.org> BODY=8BITMIME", nil},
	} {
		t.Run(name, func(t *testing.T) {
			addr, said := scripted(t, "220 hi", "250-hi\r\n"+c.ehlo, "250 ok", "250 ok", "354 go", "250 taken", "221 bye")
			cfg := smtpsubmit.Config{Addr: addr, TLS: smtpsubmit.Plain, Timeout: 2 * time.Second}
			err := smtpsubmit.Submit(t.Context(), cfg, mailTo(c.to), []byte(c.raw))
			if !errors.Is(err, c.cause) {
				t.Fatalf("got %v, want %v", err, c.cause)
			}
			if c.cause == nil && !slices.Contains(said(), c.said) {
				t.Errorf("client said %q, want %q among it", said(), c.said)
			}
		})
	}
}

func TestErrorsKeepAddressesOutOfTheLog(t *testing.T) {
	h := start(t, mailhost.Options{})
	err := smtpsubmit.Submit(t.Context(), config(h), mailTo("secret-person@example.org"), trickyMail())
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "error", failure(t, err))
	if strings.Contains(out.String(), "example.org") || !strings.Contains(out.String(), "550") {
		t.Errorf("log line is %q, want the code and no address", out.String())
	}
}

// scripted is a server that says the given replies, one after each line that
// it hears (the first at once; after "354" it reads a whole mail), then falls
// silent. It tells what it heard.
func scripted(t *testing.T, replies ...string) (addr string, said func() []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var lines []string
	var served sync.WaitGroup
	served.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		for _, reply := range replies {
			if reply == "" {
				break
			}
			fmt.Fprintf(conn, "%s\r\n", reply)
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				line = strings.TrimRight(line, "\r\n")
				mu.Lock()
				lines = append(lines, line)
				mu.Unlock()
				if !strings.HasPrefix(reply, "354") || line == "." {
					break
				}
			}
		}
		_, _ = io.Copy(io.Discard, in)
	})
	t.Cleanup(func() {
		l.Close()
		served.Wait()
	})
	return l.Addr().String(), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(lines)
	}
}

// Automatic mail has a null sender, so that nothing comes back for it (RFC 3834).
func TestK17_ANullSenderIsSaidAsSuch(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	said := make(chan string, 10)
	go func() {
		defer close(said)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "220 hi\r\n")
		lines := bufio.NewScanner(conn)
		for lines.Scan() {
			switch line := lines.Text(); {
			case strings.HasPrefix(line, "MAIL"):
				said <- line
				fmt.Fprint(conn, "550 no more is wanted\r\n")
			default:
				fmt.Fprint(conn, "250 ok\r\n")
			}
		}
	}()
	cfg := smtpsubmit.Config{Addr: l.Addr().String(), TLS: smtpsubmit.Plain, Timeout: 5 * time.Second}
	err = smtpsubmit.Submit(t.Context(), cfg, smtpsubmit.Envelope{To: []string{bob}}, trickyMail())
	if e := failure(t, err); e.Stage != smtpsubmit.StageMail {
		t.Fatal(err)
	}
	if line := <-said; !strings.HasPrefix(line, "MAIL FROM:<>") {
		t.Errorf("the server was told %q", line)
	}
}
