// Command waiting measures how soon a paid mail waits for its reader: from the
// 250 of Dovecot's LMTP to the agent's event "waiting" (found, matched,
// decrypted, verified, reported to the escrow, sealed and stored), beside the
// EXISTS that a bare IDLE client hears on the same mailbox, mail by mail in one
// run with the real programs.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
	"earnest/internal/mailtest"
	"earnest/internal/sandbox"
	"earnest/mail"
	"earnest/test/programs"
	"earnest/test/realmail"
)

func main() {
	mails := flag.Int("mails", 40, "mails to deliver")
	flag.Parse()
	err := mailtest.InProgram(func(t mailtest.T) error { return run(context.Background(), t, *mails) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "waiting:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, t mailtest.T, mails int) error {
	dir, err := os.MkdirTemp("", "ewb")
	if err != nil {
		return err
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := programs.Build(dir); err != nil {
		return err
	}
	provider := realmail.Start(t, "recipient", "sender")
	system, err := sandbox.Start(ctx, sandbox.Options{Dir: dir, Programs: dir, Terms: sandbox.LongTerms, Provider: provider})
	t.Cleanup(func() { _ = system.Stop() })
	if err != nil {
		return err
	}
	if err := system.Prepare(ctx); err != nil {
		return err
	}
	idler, err := mailtest.NewIdler(provider.Dovecot.IMAPAddr, provider.Dovecot.TLSConfig(), system.Recipient.User, system.Recipient.Password)
	if err != nil {
		return err
	}
	defer idler.Close()
	return measure(ctx, mails, provider, system, idler)
}

// stranger is a sender with keys of their own, who buys and hands the mail to
// LMTP directly: nothing but the delivery lies between the two clocks.
type stranger struct {
	keys   *openpgp.Keys
	own    openpgp.Certificate
	system *sandbox.System
}

func measure(ctx context.Context, mails int, provider realmail.Provider, system *sandbox.System, idler *mailtest.Idler) error {
	s := stranger{keys: openpgp.NewKeys(keyring.OpenMemory(), time.Now), system: system}
	var err error
	if s.own, err = s.keys.Generate(ctx, "own", "stranger"); err != nil {
		return err
	}
	waiting := make(chan time.Time, 16)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listening := make(chan struct{}, 1)
	go func() {
		seen := map[string]bool{}
		_ = system.Recipient.Agent.Events(ctx, func(e agentclient.Event) {
			switch {
			case e.Type == agentclient.EventStatus:
				select {
				case listening <- struct{}{}:
				default:
				}
			case e.Type == agentclient.EventMail && e.State == "waiting" && !seen[e.ID]:
				seen[e.ID] = true
				waiting <- time.Now()
			}
		})
	}()
	<-listening
	var agent, bare []time.Duration
	for range mails {
		raw, err := s.letter(ctx)
		if err != nil {
			return err
		}
		// Dovecot's debounce begins anew once it is quiet.
		time.Sleep(300 * time.Millisecond)
		if err := provider.Dovecot.Deliver(system.Recipient.User, raw); err != nil {
			return err
		}
		delivered := time.Now()
		exists, err := idler.Next(ctx)
		if err != nil {
			return err
		}
		bare = append(bare, exists.Sub(delivered))
		agent = append(agent, (<-waiting).Sub(delivered))
		if err := s.accepted(ctx); err != nil {
			return err
		}
	}
	report(agent, bare)
	return nil
}

// letter buys a key and seals a mail to it.
func (s stranger) letter(ctx context.Context) ([]byte, error) {
	to := s.system.Recipient.Address
	bought, err := s.system.Sender.Agent.Buy(ctx, agentclient.BuyKey{To: to, Certificate: s.own.Raw})
	if err != nil {
		return nil, err
	}
	key, err := openpgp.ParseCertificate([]byte(bought.Key))
	if err != nil {
		return nil, err
	}
	from := s.system.Sender.Address
	return s.keys.Seal(ctx, openpgp.SealRequest{
		Letter: mail.Letter{From: from, To: to, Subject: "How soon", Text: "4 KiB of text would be much the same.\n",
			Date: time.Now(), MessageID: mail.NewMessageID(from)},
		Stamp: openpgp.Stamp{Bond: bought.Bond, Key: bought.Fingerprint, Reply: s.own.Fingerprint},
		To:    key, SignWith: "own",
	})
}

// accepted accepts what waits, so that the next bond can be bought.
func (s stranger) accepted(ctx context.Context) error {
	list, err := s.system.Recipient.Agent.Inbox(ctx)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.State == "waiting" {
			if _, err := s.system.Recipient.Agent.Accept(ctx, m.ID, agentclient.Accept{}); err != nil {
				return err
			}
		}
	}
	return nil
}

func report(agent, bare []time.Duration) {
	var added []time.Duration
	for i := range agent {
		added = append(added, agent[i]-bare[i])
	}
	a, b := median(agent), median(bare)
	fmt.Printf("%d mails, LMTP 250 to: bare IDLE client's EXISTS median %s; agent's waiting event median %s\n", len(agent), ms(b), ms(a))
	fmt.Printf("ratio of medians %.2f (goal at most 1.20); difference mail by mail median %s (goal 60 ms), worst %s\n",
		float64(a)/float64(b), ms(median(added)), ms(slices.Max(added)))
}

func median(of []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
