package imapwatch_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"earnest/imapwatch"
	"earnest/internal/mailhost"
)

func TestK8_MailComesOnceAndNothingIsAltered(t *testing.T) {
	h, b := embedded(t, mailhost.Options{})
	before := [][]byte{foreign("<f1>"), encrypted("<e1>"), token("<t1>"), foreign("<f2>")}
	for _, raw := range before {
		b.deliver(t, "INBOX", raw)
	}
	var s states
	var k taker
	watch(t, b.config(&s), &k, &memory{})
	k.wants(t, "<e1>", "<t1>")
	await(t, "watching", func() bool { return s.count(imapwatch.Watching) == 1 })
	b.deliver(t, "INBOX", foreign("<f3>"))
	b.deliver(t, "INBOX", encrypted("<e2>"))
	k.wants(t, "<e1>", "<t1>", "<e2>")
	for i, want := range map[int][]byte{0: before[1], 1: before[2], 2: encrypted("<e2>")} {
		if !bytes.Equal(k.mails[i].Raw, want) {
			t.Errorf("mail %d is %q, want %q", i, k.mails[i].Raw, want)
		}
	}
	if m := k.mails[1]; m.Claim != "abc" || m.From != "escrow@example.net" || m.Mailbox != "INBOX" || m.UID != 3 {
		t.Errorf("header of the token mail is %+v", m.Header)
	}
	held, err := h.Messages(t.Context(), "bob", "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range append(before, foreign("<f3>"), encrypted("<e2>")) {
		if !bytes.Equal(held[i], want) {
			t.Errorf("mail %d in the mailbox was changed", i)
		}
	}
	flags, err := h.Flags(t.Context(), "bob", "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range flags {
		if len(f) != 0 {
			t.Errorf("mail %d has flags %v, want none", i, f)
		}
	}
}

func TestK8_MaildirStaysAsItWas(t *testing.T) {
	t.Parallel()
	d, b := dovecot(t)
	b.deliver(t, "INBOX", foreign("<f1>"))
	b.deliver(t, "INBOX", encrypted("<e1>"))
	list := func() map[string]string {
		files := make(map[string]string)
		for _, sub := range []string{"new", "cur"} {
			dir := filepath.Join(d.Maildir("bob"), sub)
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
				if err != nil {
					t.Fatal(err)
				}
				files[filepath.Join(sub, e.Name())] = string(raw)
			}
		}
		return files
	}
	before := list()
	var s states
	var k taker
	stop := watch(t, b.config(&s), &k, &memory{})
	k.wants(t, "<e1>")
	stop()
	// Opened for writing, Dovecot would move them from new to cur.
	if after := list(); len(before) != 2 || !maps.Equal(before, after) {
		t.Errorf("the Maildir held %d mails and was changed", len(before))
	}
}

func TestIdleTellsAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, b backend) {
		var s states
		var k taker
		cfg := b.config(&s)
		cfg.Timing.LookEvery = time.Hour // no poll helps
		cfg.Timing.LookAfterMail = time.Hour
		watch(t, cfg, &k, &memory{})
		await(t, "watching", func() bool { return s.count(imapwatch.Watching) == 1 })
		for i := range 3 {
			began := time.Now()
			b.deliver(t, "INBOX", encrypted(fmt.Sprintf("<e%d>", i)))
			await(t, "the mail", func() bool { return len(k.ids()) == i+1 })
			// Dovecot gathers news for half a second itself.
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("mail %d took %v", i, took)
			}
		}
	})
}

func TestK20_JunkAndArchiveAreWatchedToo(t *testing.T) {
	onBoth(t, func(t *testing.T, b backend) {
		b.deliver(t, b.junk, encrypted("<old in junk>"))
		var s states
		var k taker
		watch(t, b.config(&s), &k, &memory{})
		k.wants(t, "<old in junk>")
		b.deliver(t, b.junk, foreign("<spam>"))
		b.deliver(t, b.junk, token("<token in junk>"))
		b.deliver(t, b.archive, encrypted("<archived>"))
		b.deliver(t, "INBOX", encrypted("<in inbox>"))
		k.wants(t, "<old in junk>", "<token in junk>", "<archived>", "<in inbox>")
		if n := s.count(imapwatch.Failing); n != 0 {
			t.Errorf("it failed %d times: %v", n, s.failure(t))
		}
	})
}

func TestCutConnectionLosesAndRepeatsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, b backend) {
		w := newWire(t, b.addr)
		b.addr = w.addr
		var s states
		var k taker
		watch(t, b.config(&s), &k, &memory{})
		var want []string
		for i := range 5 {
			await(t, "watching", func() bool { return s.count(imapwatch.Watching) >= i+1 })
			for j := range 2 {
				id := fmt.Sprintf("<e%d.%d>", i, j)
				want = append(want, id)
				b.deliver(t, "INBOX", encrypted(id))
			}
			w.cut()
		}
		k.wants(t, want...)
	})
}

func TestDeadConnectionIsNoticed(t *testing.T) {
	onBoth(t, func(t *testing.T, b backend) {
		w := newWire(t, b.addr)
		b.addr = w.addr
		var s states
		var k taker
		cfg := b.config(&s)
		cfg.Timing.LookEvery = time.Hour
		cfg.Timing.LookAfterMail = time.Hour
		cfg.Timing.IdleRestart = 400 * time.Millisecond
		cfg.Timing.Command, cfg.Timing.Search = 400*time.Millisecond, 400*time.Millisecond
		watch(t, cfg, &k, &memory{})
		await(t, "watching", func() bool { return s.count(imapwatch.Watching) == 1 })
		b.deliver(t, "INBOX", encrypted("<e0>"))
		k.wants(t, "<e0>")
		// Now it waits in IDLE, where nothing is due and nothing is missed.
		time.Sleep(100 * time.Millisecond)
		w.goDeaf(true)
		b.deliver(t, "INBOX", encrypted("<e1>"))
		if err := s.failure(t); err == nil {
			t.Error("a failure without an error")
		}
		w.goDeaf(false)
		k.wants(t, "<e0>", "<e1>")
	})
}

func TestRestartGoesOnWhereItStopped(t *testing.T) {
	onBoth(t, func(t *testing.T, b backend) {
		var s states
		var k taker
		m := &memory{}
		b.deliver(t, "INBOX", encrypted("<e1>"))
		stop := watch(t, b.config(&s), &k, m)
		k.wants(t, "<e1>")
		stop()
		b.deliver(t, "INBOX", encrypted("<e2>"))
		b.deliver(t, b.junk, encrypted("<j1>"))
		watch(t, b.config(&s), &k, m)
		k.wants(t, "<e1>", "<e2>", "<j1>")
	})
}

func TestNewUIDValidityScansAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, b backend) {
		var s states
		var k taker
		m := &memory{}
		b.deliver(t, "INBOX", encrypted("<e1>"))
		b.deliver(t, "INBOX", encrypted("<e2>"))
		stop := watch(t, b.config(&s), &k, m)
		k.wants(t, "<e1>", "<e2>")
		stop()
		b.renumber(t)
		b.deliver(t, "INBOX", encrypted("<e3>"))
		watch(t, b.config(&s), &k, m)
		// The handler knows by their content that it had the first two.
		k.wants(t, "<e1>", "<e2>", "<e1>", "<e2>", "<e3>")
	})
}

func TestFailedMailIsOfferedAgainAndOthersGoOn(t *testing.T) {
	_, b := embedded(t, mailhost.Options{})
	var s states
	m := &memory{}
	tries := 0
	k := taker{fail: func(m imapwatch.Mail) error {
		if m.MessageID == "<e1>" {
			if tries++; tries <= 3 {
				return errors.New("escrow is away")
			}
		}
		return nil
	}}
	b.deliver(t, "INBOX", encrypted("<e1>"))
	b.deliver(t, "INBOX", encrypted("<e2>"))
	watch(t, b.config(&s), &k, m)
	k.wants(t, "<e2>", "<e1>")
	if ids := k.ids(); ids[0] != "<e2>" || tries != 4 {
		t.Errorf("got %v after %d tries, want the other mail first and 4 tries", ids, tries)
	}
	if p, _ := m.Position(t.Context(), "INBOX"); len(p.Pending) != 0 || p.LastUID != 2 {
		t.Errorf("position is %+v, want nothing pending", p)
	}
}

func TestPendingMailSurvivesARestart(t *testing.T) {
	_, b := embedded(t, mailhost.Options{})
	var s states
	m := &memory{}
	b.deliver(t, "INBOX", encrypted("<e1>"))
	b.deliver(t, b.junk, encrypted("<j1>"))
	refuse := &taker{fail: func(imapwatch.Mail) error { return errors.New("not now") }}
	stop := watch(t, b.config(&s), refuse, m)
	await(t, "both pending", func() bool {
		in, _ := m.Position(t.Context(), "INBOX")
		junk, _ := m.Position(t.Context(), b.junk)
		return len(in.Pending) == 1 && len(junk.Pending) == 1
	})
	stop()
	var k taker
	watch(t, b.config(&s), &k, m)
	k.wants(t, "<e1>", "<j1>")
}

func TestMailAboveTheLimitIsToldAndNotFetched(t *testing.T) {
	_, b := embedded(t, mailhost.Options{})
	var s states
	var k taker
	cfg := b.config(&s)
	cfg.MaxMail = 2000
	big := append(encrypted("<big>"), bytes.Repeat([]byte("x"), 3000)...)
	b.deliver(t, "INBOX", encrypted("<e1>"))
	b.deliver(t, "INBOX", big)
	b.deliver(t, "INBOX", encrypted("<e2>"))
	watch(t, cfg, &k, &memory{})
	k.wants(t, "<e1>", "<big>", "<e2>")
	if m := k.mails[1]; !m.TooLarge || m.Raw != nil || m.Size != int64(len(big)) {
		t.Errorf("got TooLarge %v with %d bytes and size %d, want it told and not fetched", m.TooLarge, len(m.Raw), m.Size)
	}
}

func TestServerWithoutIdleIsPolled(t *testing.T) {
	_, b := embedded(t, mailhost.Options{NoIdle: true})
	var s states
	var k taker
	watch(t, b.config(&s), &k, &memory{})
	await(t, "watching", func() bool { return s.count(imapwatch.Watching) == 1 })
	b.deliver(t, "INBOX", encrypted("<e1>"))
	k.wants(t, "<e1>")
	b.deliver(t, "INBOX", encrypted("<e2>"))
	k.wants(t, "<e1>", "<e2>")
}

func TestRefusedLoginIsToldAndTriedAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, b backend) {
		var s states
		var k taker
		cfg := b.config(&s)
		right := make(chan struct{})
		cfg.Password = func(context.Context) (string, error) {
			select {
			case <-right:
				return bobPassword, nil
			default:
				return "wrong", nil
			}
		}
		if err := imapwatch.Check(t.Context(), cfg); !errors.Is(err, imapwatch.ErrLogin) {
			t.Errorf("Check returned %v, want a refused login", err)
		}
		watch(t, cfg, &k, &memory{})
		if err := s.failure(t); !errors.Is(err, imapwatch.ErrLogin) {
			t.Errorf("got %v, want a refused login", err)
		}
		close(right)
		await(t, "watching", func() bool { return s.count(imapwatch.Watching) == 1 })
		if err := imapwatch.Check(t.Context(), cfg); err != nil {
			t.Error(err)
		}
	})
}

func TestStartTLS(t *testing.T) {
	onBoth(t, func(t *testing.T, b backend) {
		var s states
		var k taker
		cfg := b.config(&s)
		cfg.TLS, cfg.Addr = imapwatch.StartTLS, b.startTLSAddr
		b.deliver(t, "INBOX", encrypted("<e1>"))
		watch(t, cfg, &k, &memory{})
		k.wants(t, "<e1>")
		cfg.TLSConfig = nil
		_, unknown := errors.AsType[x509.UnknownAuthorityError](imapwatch.Check(t.Context(), cfg))
		if !unknown {
			t.Error("a certificate of an unknown authority was taken")
		}
	})
}

func TestCertificateFaultsStayRecognisable(t *testing.T) {
	_, b := embedded(t, mailhost.Options{CertNotAfter: time.Now().Add(-time.Hour)})
	var s states
	for mode, addr := range map[imapwatch.TLSMode]string{imapwatch.Implicit: b.addr, imapwatch.StartTLS: b.startTLSAddr} {
		cfg := b.config(&s)
		cfg.TLS, cfg.Addr = mode, addr
		cfg.Password = func(context.Context) (string, error) {
			t.Error("the password was asked for")
			return "", nil
		}
		fault, ok := errors.AsType[x509.CertificateInvalidError](imapwatch.Check(t.Context(), cfg))
		if !ok || fault.Reason != x509.Expired {
			t.Errorf("mode %v: got %v, want an expired certificate", mode, fault)
		}
	}
}
