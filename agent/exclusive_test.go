package agent_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"earnest/agent"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/internal/mailhost"
	"earnest/smtpsubmit"
)

// strangers is a world with a domain that signs its mails, and notes what is sent
// to whom.
type strangers struct {
	*world
	key ed25519.PrivateKey

	mu    sync.Mutex
	away  bool                  // the DNS does not answer
	slow  chan struct{}         // if set, it answers once this is closed
	sent  []string              // to whom, of what had a null sender
	fails []error               // what the next submissions come to
	hold  func(context.Context) // if set, a submission waits in it
}

const shop = "shop.example"

func newStrangers(t *testing.T, terms escrow.Terms) (*strangers, *person) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	s := &strangers{world: newWorld(t, terms), key: key}
	s.dns, s.outside = s, nullSenders{s.world, s}
	p := s.join("recipient", "1.00")
	s.price(p, "0.25")
	return s, p
}

// LookupTXT is the DNS.
func (s *strangers) LookupTXT(ctx context.Context, name string) ([]string, error) {
	s.mu.Lock()
	away, slow := s.away, s.slow
	s.mu.Unlock()
	if slow != nil {
		select {
		case <-slow:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	switch {
	case away:
		return nil, &net.DNSError{Err: "no answer", Name: name, IsTimeout: true, IsTemporary: true}
	case name == "_dmarc."+shop, name == "_dmarc.mail.example":
		return []string{"v=DMARC1; p=reject"}, nil
	case name == "s1._domainkey."+shop, name == "s1._domainkey.mail.example":
		return []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(s.key.Public().(ed25519.PublicKey))}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// nullSenders notes what is submitted with a null sender.
type nullSenders struct {
	agent.Outside
	s *strangers
}

func (n nullSenders) Submit(ctx context.Context, server agent.Server, from, to string, raw []byte) error {
	if from != "" {
		return n.Outside.Submit(ctx, server, from, to, raw)
	}
	n.s.mu.Lock()
	n.s.sent = append(n.s.sent, to)
	var fails error
	if len(n.s.fails) > 0 {
		fails, n.s.fails = n.s.fails[0], n.s.fails[1:]
	}
	hold := n.s.hold
	n.s.mu.Unlock()
	if hold != nil {
		hold(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if fails != nil {
		return fails
	}
	return n.Outside.Submit(ctx, server, from, to, raw)
}

func (s *strangers) answered() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

func (s *strangers) exclusive(p *person, on bool) agentclient.Price {
	s.t.Helper()
	return s.setPrice(p, agentclient.SetPrice{Exclusive: &on})
}

// letter is an ordinary mail of a stranger, signed by the domain.
func (s *strangers) letter(from, to string) []byte {
	s.t.Helper()
	raw := fmt.Sprintf("From: Somebody <%s>\r\nTo: %s\r\nDate: %s\r\nMessage-ID: <%d@%s>\r\nSubject: My secret plan\r\n\r\nThe words of the stranger.\r\n",
		from, to, s.now().Format(time.RFC1123Z), time.Now().UnixNano(), shop)
	var b bytes.Buffer
	must(s.t, dkim.Sign(&b, strings.NewReader(raw), &dkim.SignOptions{Domain: from[strings.LastIndexByte(from, '@')+1:], Selector: "s1", Signer: s.key,
		HeaderKeys: []string{"From", "To", "Date", "Subject", "Message-ID"}}))
	return append([]byte("Return-Path: <"+from+">\r\n"), b.Bytes()...)
}

func (s *strangers) writes(from string, p *person) {
	s.t.Helper()
	must(s.t, s.mail.Deliver(p.address, s.letter(from, p.address)))
}

// are waits until just those were answered, and no other mail is looked at.
func (s *strangers) are(p *person, want ...string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%v are answered", want), func() bool { return len(s.answered()) >= len(want) })
	marker := "marker-" + fmt.Sprint(time.Now().UnixNano()) + "@" + shop
	s.writes(marker, p)
	eventually(s.t, "a later mail is answered", func() bool { return slices.Contains(s.answered(), marker) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = slices.DeleteFunc(s.sent, func(to string) bool { return to == marker })
	if !slices.Equal(s.sent, want) {
		s.t.Errorf("answered were %v, want %v", s.sent, want)
	}
}

func TestK17_AStrangerIsToldHowToSendGuaranteedMail(t *testing.T) {
	t.Parallel()
	s, p := newStrangers(t, escrow.Terms{})
	must(t, s.mail.AddUser("ann", "pw ann", "ann@"+shop))
	s.exclusive(p, true)
	words := "Grüß Gott, ich lese zuerst, was ein Pfand hat."
	price := s.setPrice(p, agentclient.SetPrice{Answer: &words})
	if !price.Exclusive || price.Answer != words || price.Answered != 0 {
		t.Errorf("the price says %+v", price)
	}
	raw := s.letter("ann@"+shop, p.address)
	must(t, s.mail.Deliver(p.address, raw))
	var got [][]byte
	eventually(t, "the answer is in the stranger's mailbox", func() bool {
		var err error
		got, err = s.mail.Messages(t.Context(), "ann", mailhost.Inbox)
		must(t, err)
		return len(got) > 0
	})
	answer, err := netmail.ReadMessage(bytes.NewReader(got[0]))
	must(t, err)
	original, err := netmail.ReadMessage(bytes.NewReader(raw))
	must(t, err)
	id := original.Header.Get("Message-Id")
	for name, want := range map[string]string{"From": p.address, "To": "ann@" + shop, "Auto-Submitted": "auto-replied",
		"Subject": "Auto: how to send mail that is read for sure", "In-Reply-To": id, "References": id} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	kind, parameters, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	must(t, err)
	if kind != "text/plain" || !strings.EqualFold(parameters["charset"], "utf-8") {
		t.Errorf("the answer is %s, %v", kind, parameters)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(answer.Body))
	must(t, err)
	text := strings.ReplaceAll(string(body), "\r\n", "\n")
	status, err := p.Status(t.Context())
	must(t, err)
	for _, want := range []string{words, "automatic answer", "€0.25", "comes back to you unless the mail is rejected", "14 days",
		"the escrow's company account", status.Accounts[0].Card, "earnest send --to " + p.address} {
		if !strings.Contains(text, want) {
			t.Errorf("the answer does not say %q:\n%s", want, text)
		}
	}
	if strings.TrimSpace(text) != strings.TrimSpace(price.AnswerText) {
		t.Errorf("the price shows\n%s\nbut sent was\n%s", price.AnswerText, text)
	}
	for _, quoted := range []string{"words of the stranger", "secret plan", "Somebody"} {
		if bytes.Contains(got[0], []byte(quoted)) {
			t.Errorf("the answer repeats %q", quoted)
		}
	}
	own, err := p.Price(t.Context(), "")
	must(t, err)
	if own.Answered != 1 {
		t.Errorf("%d are said to be answered", own.Answered)
	}
	inbox, err := s.mail.Messages(t.Context(), p.address, mailhost.Inbox)
	must(t, err)
	flags, err := s.mail.Flags(t.Context(), p.address, mailhost.Inbox)
	must(t, err)
	if !bytes.Equal(inbox[len(inbox)-1], raw) || len(flags[len(flags)-1]) != 0 {
		t.Errorf("the mail was touched: %v\n%s", flags, inbox[len(inbox)-1])
	}
}

func TestK17_OffByDefaultAndOnlyNewMail(t *testing.T) {
	t.Parallel()
	s, p := newStrangers(t, escrow.Terms{})
	if own, err := p.Price(t.Context(), ""); err != nil || own.Exclusive || own.AnswerText == "" {
		t.Errorf("before: %+v, %v", own, err)
	}
	s.writes("early@"+shop, p)
	time.Sleep(1100 * time.Millisecond) // mailboxes count in whole seconds
	s.exclusive(p, true)
	s.writes("ann@"+shop, p)
	s.are(p, "ann@"+shop)
	// Old mail comes as new: it was answered, or is from before.
	must(t, s.mail.Renumber(t.Context(), p.address, "INBOX"))
	s.are(p, "ann@"+shop)
	must(t, s.mail.DeliverTo(p.address, mailhost.Junk, s.letter("junk@"+shop, p.address)))
	must(t, s.mail.DeliverTo(p.address, mailhost.Archive, s.letter("archive@"+shop, p.address)))
	time.Sleep(1500 * time.Millisecond) // both are looked at every second
	s.are(p, "ann@"+shop)
	s.exclusive(p, false)
	s.writes("late@"+shop, p)
	time.Sleep(time.Second)
	if got := s.answered(); len(got) != 1 {
		t.Errorf("switched off, answered were %v", got)
	}
}

func TestK17_ASenderIsAnsweredOnceInSevenDays(t *testing.T) {
	t.Parallel()
	s, p := newStrangers(t, escrow.Terms{})
	s.exclusive(p, true)
	s.writes("ann@"+shop, p)
	s.are(p, "ann@"+shop)
	s.writes("a.nn+news@"+shop, p)
	s.writes("Ann@"+shop, p)
	s.are(p, "ann@"+shop)
	p.stop()
	s.start(p)
	s.writes("ann@"+shop, p)
	s.are(p, "ann@"+shop)
	s.pass(7*24*time.Hour - time.Hour)
	s.writes("ann@"+shop, p)
	s.are(p, "ann@"+shop)
	s.pass(2 * time.Hour)
	s.writes("ann@"+shop, p)
	s.are(p, "ann@"+shop, "ann@"+shop)
}

func TestK17_AFloodIsAnsweredToACap(t *testing.T) {
	t.Parallel()
	s, p := newStrangers(t, escrow.Terms{})
	s.exclusive(p, true)
	for i := range 30 {
		s.writes(fmt.Sprintf("flood%d@%s", i, shop), p)
	}
	eventually(t, "twenty are answered", func() bool { return len(s.answered()) >= 20 })
	s.writes("late@"+shop, p)
	time.Sleep(2 * time.Second)
	if got := s.answered(); len(got) != 20 {
		t.Errorf("%d were answered in an hour: %v", len(got), got)
	}
	for day := range 6 {
		s.pass(time.Hour + time.Minute)
		for i := range 21 {
			s.writes(fmt.Sprintf("hour%d-%d@%s", day, i, shop), p)
		}
		want := min(20*(day+2), 100)
		eventually(t, fmt.Sprintf("%d are answered", want), func() bool { return len(s.answered()) >= want })
	}
	time.Sleep(time.Second)
	if got := s.answered(); len(got) != 100 {
		t.Errorf("%d were answered in a day", len(got))
	}
}

func TestK17_ACrashLosesAnAnswerButDoublesNone(t *testing.T) {
	t.Parallel()
	s, p := newStrangers(t, escrow.Terms{})
	s.exclusive(p, true)
	s.hold = func(ctx context.Context) { <-ctx.Done() }
	s.writes("ann@"+shop, p)
	eventually(t, "the answer is being handed over", func() bool { return len(s.answered()) == 1 })
	p.stop() // nobody knows whether the server has it
	s.mu.Lock()
	s.hold = nil
	s.mu.Unlock()
	s.start(p)
	s.are(p, "ann@"+shop)
	s.writes("ann@"+shop, p)
	s.are(p, "ann@"+shop)
}

func TestK17_WhatWaitsSurvivesARestart(t *testing.T) {
	t.Parallel()
	s, p := newStrangers(t, escrow.Terms{})
	s.exclusive(p, true)
	s.slow = make(chan struct{})
	s.writes("ann@"+shop, p)
	// The mailbox does not wait for the DNS: a paid mail comes through meanwhile.
	sender := s.join("sender", "1.00")
	s.write(sender, p, "Paid")
	p.stop()
	s.mu.Lock()
	close(s.slow)
	s.slow = nil
	s.mu.Unlock()
	s.start(p)
	s.are(p, "ann@"+shop)
}

func TestK17_AnAnswerThatWasSurelyNotTakenIsTriedAgain(t *testing.T) {
	t.Parallel()
	s, p := newStrangers(t, escrow.Terms{})
	s.exclusive(p, true)
	s.fails = []error{&smtpsubmit.Error{Stage: smtpsubmit.StageRcpt, Code: 451, Err: errors.New("later")},
		&smtpsubmit.Error{Stage: smtpsubmit.StageFinal, Uncertain: true, Err: errors.New("lost")},
		&smtpsubmit.Error{Stage: smtpsubmit.StageMail, Code: 550, Permanent: true, Err: errors.New("never")}}
	for i, name := range []string{"later@", "uncertain@", "never@"} {
		s.writes(name+shop, p)
		eventually(t, name+" was tried", func() bool { return len(s.answered()) == i+1 })
	}
	s.pass(11 * time.Minute)
	s.writes("wake@"+shop, p)
	s.are(p, "later@"+shop, "uncertain@"+shop, "never@"+shop, "later@"+shop, "wake@"+shop)
}

func TestK17_NobodyUnprovenIsAnswered(t *testing.T) {
	t.Parallel()
	s, p := newStrangers(t, escrow.Terms{})
	s.exclusive(p, true)
	raw := s.letter("ann@"+shop, p.address)
	for name, forged := range map[string][]byte{
		"another sender": bytes.ReplaceAll(raw, []byte("ann@"), []byte("eve@")),
		"another body":   bytes.Replace(raw, []byte("The words"), []byte("Other words"), 1),
		"no signature":   []byte(strings.Replace(string(raw), "DKIM-Signature:", "X-Signature:", 1)),
		"no policy":      bytes.ReplaceAll(raw, []byte("@"+shop), []byte("@other.example")),
		"replayed":       bytes.Replace(s.letter("ann@"+shop, "friend@"+shop), []byte("\r\nTo: "), []byte("\r\nCc: "+p.address+"\r\nTo: "), 1),
	} {
		if bytes.Equal(forged, raw) {
			t.Fatalf("%s is the same mail", name)
		}
		must(t, s.mail.Deliver(p.address, forged))
	}
	s.are(p)
}

func TestK17_TheNamesAreAskedAgainWhenTheyDidNotAnswer(t *testing.T) {
	t.Parallel()
	s, p := newStrangers(t, escrow.Terms{})
	s.exclusive(p, true)
	s.away = true
	s.writes("ann@"+shop, p)
	time.Sleep(time.Second)
	s.mu.Lock()
	s.away = false
	s.mu.Unlock()
	s.pass(11 * time.Minute)
	s.writes("ben@"+shop, p) // wakes what waits
	eventually(t, "both are answered", func() bool { return len(s.answered()) == 2 })
}

func TestK17_WhoIsKnownIsNotAnswered(t *testing.T) {
	t.Parallel()
	s, p := newStrangers(t, escrow.Terms{})
	sender, other := s.join("sender", "1.00"), s.join("other", "1.00")
	s.price(other, "0.25")
	s.exclusive(p, true)
	s.write(sender, p, "Paid") // has a bond with us
	s.write(p, other, "Ours")  // we wrote there
	for _, known := range []*person{sender, other} {
		s.writes(known.address, p)
	}
	s.writes("stranger@mail.example", p)
	s.are(p, "stranger@mail.example")
}

func TestK17_OnlyWithAPriceAndWithWordsThatAMailCanHave(t *testing.T) {
	t.Parallel()
	s := newWorld(t, escrow.Terms{})
	p := s.join("recipient", "1.00")
	yes, no := true, false
	words := "Some words."
	refused := func(what string, req agentclient.SetPrice, field string) {
		t.Helper()
		_, err := p.SetPrice(t.Context(), req)
		failure, ok := errors.AsType[*agentclient.Failure](err)
		if !ok || failure.Code != agentclient.CodeUsage || failure.Field != field {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("no price", agentclient.SetPrice{Exclusive: &yes}, "exclusive")
	s.price(p, "0.25")
	for _, bad := range []string{strings.Repeat("x", agentclient.MaxAnswer+1), "a\x00b", "a\x1b[2Jb", "a\u202eb", "a\xffb"} {
		refused("bad words", agentclient.SetPrice{Exclusive: &yes, Answer: &bad}, "answer")
	}
	if own, err := p.Price(t.Context(), ""); err != nil || own.Exclusive || own.Answer != "" {
		t.Errorf("after the refusals: %+v, %v", own, err)
	}
	s.setDown(true) // the escrow has no part in it
	on, err := p.SetPrice(t.Context(), agentclient.SetPrice{Exclusive: &yes, Answer: &words})
	must(t, err)
	if !on.Exclusive || !strings.HasPrefix(on.AnswerText, words+"\n\n") {
		t.Errorf("switched on: %+v", on)
	}
	history, err := p.PriceHistory(t.Context(), "")
	must(t, err)
	if len(history) != 1 {
		t.Errorf("the history has %d prices", len(history))
	}
	off, err := p.SetPrice(t.Context(), agentclient.SetPrice{Exclusive: &no})
	must(t, err)
	if off.Exclusive || off.Answer != words {
		t.Errorf("switched off: %+v", off)
	}
}

func TestK17_ARemovedAccountLeavesNoAnswers(t *testing.T) {
	t.Parallel()
	s, p := newStrangers(t, escrow.Terms{})
	s.exclusive(p, true)
	s.writes("ann@"+shop, p)
	s.are(p, "ann@"+shop)
	s.mu.Lock()
	s.away = true
	s.mu.Unlock()
	s.writes("ben@"+shop, p) // waits for the DNS
	eventually(t, "one is waiting", func() bool { return s.tallies(p)["answer"] == 3 })
	if got := s.tallies(p); got["answered"] != 2 {
		t.Errorf("before: %v", got)
	}
	must(t, p.RemoveAccount(t.Context(), agentclient.RemoveAccount{Address: p.address, Force: true}))
	s.nothingLeft(p, nil)
}
