package realmail

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	netmail "net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"golang.org/x/net/dns/dnsmessage"

	"earnest/agentclient"
	"earnest/internal/sandbox"
	"earnest/test/programs"
)

// TestK17_AStrangerIsAnsweredOnRealServers has a stranger write by swaks, over
// Postfix and Dovecot, to an address made exclusive by the command line. The
// agent asks a DNS of the test's, and answers with a null sender.
func TestK17_AStrangerIsAnsweredOnRealServers(t *testing.T) {
	dir, err := os.MkdirTemp("", "erx")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := programs.Build(filepath.Join(dir, "bin")); err != nil {
		t.Fatal(err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dns := startNames(t, map[string]string{
		"_dmarc.example.org.":        "v=DMARC1; p=reject; adkim=s",
		"s1._domainkey.example.org.": "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public),
	})
	s, err := sandbox.Start(t.Context(), sandbox.Options{Dir: dir, Programs: filepath.Join(dir, "bin"), Terms: sandbox.LongTerms,
		Keyring: "memory", Provider: Start(t, "recipient", "sender", "stranger"), Env: []string{"EARNEST_DNS=" + dns}})
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	if err := s.Prepare(ctx); err != nil {
		t.Fatal(err)
	}
	stranger, err := s.Provider.Mailbox("stranger")
	if err != nil {
		t.Fatal(err)
	}

	swaks(ctx, t, s, stranger, private, "Before")
	time.Sleep(2 * time.Second) // mailboxes count in whole seconds
	words := filepath.Join(dir, "words.txt")
	if err := os.WriteFile(words, []byte("Ich lese zuerst, was ein Pfand hat: Grüße!\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var price agentclient.Price
	earnest(ctx, t, s, s.Recipient, &price, "price", "exclusive", "on", "--answer-file", words)
	if !price.Exclusive || !strings.Contains(price.AnswerText, "Grüße!") {
		t.Errorf("the price says %+v", price)
	}
	_, wrong, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	swaks(ctx, t, s, stranger, wrong, "Forged")
	if got := inboxOf(ctx, t, s, stranger); len(got) != 0 {
		t.Fatalf("answered although nothing is proven:\n%s", got[0])
	}
	swaks(ctx, t, s, stranger, private, "Proven")
	eventually(t, "the answer is with the stranger", func() bool { return len(inboxOf(ctx, t, s, stranger)) > 0 })
	swaks(ctx, t, s, stranger, private, "Once more")
	time.Sleep(3 * time.Second)

	answers := inboxOf(ctx, t, s, stranger)
	if len(answers) != 1 {
		t.Fatalf("%d answers", len(answers))
	}
	answer, err := netmail.ReadMessage(bytes.NewReader(answers[0]))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Return-Path": "<>", "Auto-Submitted": "auto-replied", "From": s.Recipient.Address,
		"To": stranger.Address, "In-Reply-To": "<proven@example.org>"} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if bytes.Contains(answers[0], []byte("Words of a stranger")) {
		t.Errorf("the answer quotes:\n%s", answers[0])
	}
	t.Logf("the stranger has\n%s", answers[0])
	earnest(ctx, t, s, s.Recipient, &price, "price", "show")
	if price.Answered != 1 {
		t.Errorf("%d are said to be answered", price.Answered)
	}
}

func inboxOf(ctx context.Context, t *testing.T, s *sandbox.System, m sandbox.Mailbox) [][]byte {
	t.Helper()
	mails, err := s.Provider.(Provider).Inbox(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	return mails
}

// swaks has a mail, signed with the key, submitted by the stranger, and
// waits until it is in the recipient's mailbox.
func swaks(ctx context.Context, t *testing.T, s *sandbox.System, from sandbox.Mailbox, key ed25519.PrivateKey, subject string) {
	t.Helper()
	id := strings.ToLower(strings.ReplaceAll(subject, " ", "-"))
	raw := fmt.Sprintf("From: Stranger <%s>\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@example.org>\r\n\r\nWords of a stranger.\r\n",
		from.Address, s.Recipient.Address, subject, time.Now().Format(time.RFC1123Z), id)
	var signed bytes.Buffer
	err := dkim.Sign(&signed, strings.NewReader(raw), &dkim.SignOptions{Domain: "example.org", Selector: "s1", Signer: key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID"}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "mail.eml")
	if err := os.WriteFile(file, bytes.ReplaceAll(signed.Bytes(), []byte("\r\n"), []byte("\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(s.Provider.(Provider).Postfix.SubmissionAddr)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(ctx, "swaks", "--server", host, "--port", port, "--tls", "--auth", "PLAIN",
		"--auth-user", from.User, "--auth-password", from.Password, "--from", from.Address, "--to", s.Recipient.Address, "--data", "@"+file).CombinedOutput()
	if err != nil {
		t.Fatalf("swaks: %v: %s", err, out)
	}
	eventually(t, "the mail is delivered", func() bool {
		for _, mail := range inboxOf(ctx, t, s, s.Recipient.Mailbox) {
			if bytes.Contains(mail, []byte("<"+id+"@example.org>")) {
				return true
			}
		}
		return false
	})
}

// startNames is a DNS with these TXT records and no other.
func startNames(t *testing.T, records map[string]string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		packet := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(packet[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Additionals = true, nil
			text, known := records[strings.ToLower(q.Name.String())]
			switch {
			case known && q.Type == dnsmessage.TypeTXT:
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body: &dnsmessage.TXTResource{TXT: []string{text}}}}
			case !known:
				m.RCode = dnsmessage.RCodeNameError
			}
			if answer, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}
