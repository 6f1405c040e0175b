package agent_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earnest/agent"
	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/imapwatch"
	"earnest/internal/logx"
)

// quarrelsome is a world whose servers fail with words that name everything.
type quarrelsome struct {
	*world
	words string
}

func (q quarrelsome) fault() error {
	return fmt.Errorf("at %s: %w", q.words, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New(q.words)})
}

func (q quarrelsome) Mailbox(_ agent.Server, _ imapwatch.Handler, _ imapwatch.Memory, state func(imapwatch.State)) (agent.Mailbox, error) {
	return failing{q, state}, nil
}

type failing struct {
	quarrelsome
	state func(imapwatch.State)
}

func (f failing) Run(ctx context.Context) error {
	f.state(imapwatch.State{Phase: imapwatch.Failing, Err: f.fault()})
	<-ctx.Done()
	return nil
}

// A report for strangers names nobody: not the owner, nor who writes, nor a
// server, a file, a subject or an amount, wherever they stand.
func TestDiagnostics_NameNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("zaunkoenig", "4.75"), w.join("sumpfmeise", "1.00")
	w.price(recipient, "0.25")
	mail := w.write(sender, recipient, "Zugvogelatlas")
	_, err := recipient.SaveDraft(t.Context(), agentclient.Draft{Mail: agentclient.Compose{To: []string{"rohrdommel@c.example"}, Subject: "Nebelkraehe"}})
	must(t, err)
	_, err = recipient.Reject(t.Context(), mail.ID, agentclient.Reject{Reason: "Kiebitz"})
	must(t, err)
	_, err = recipient.SetSettings(t.Context(), agentclient.Settings{Model: "single", Currency: euro.Name})
	must(t, err)
	recipient.stop()

	planted := []string{"zaunkoenig", "sumpfmeise", "rohrdommel", "mail.example", "c.example", "escrow.example", "Zugvogelatlas", "Nebelkraehe", "Kiebitz",
		"4.75", "0.25", "127.0.0.1", "Ada Fischadler", "pw ", recipient.home, filepath.Base(recipient.home), mail.From, mail.To}
	words := strings.Join(planted, " ")
	sealer, err := recipient.ring.Sealer(t.Context(), "archive")
	must(t, err)
	memory, err := store.Open(t.Context(), filepath.Join(recipient.home, "agent.db"), sealer)
	must(t, err)
	defer memory.Close()
	recent := logx.NewRecent(500, logx.NewHasher([]byte("k")))
	log := slog.New(recent.Handler(slog.LevelInfo))
	a, err := agent.New(t.Context(), agent.Config{Store: memory, Keyring: recipient.ring,
		OpenPGP: openpgp.NewKeys(recipient.ring, time.Now), Outside: quarrelsome{w, words}, Now: w.now,
		Log: log, Recent: recent.Lines, Version: "1.2.3"})
	must(t, err)
	w.setDown(true)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = a.Run(ctx) }()
	defer func() { stop(); <-ended }()
	for _, err := range []error{errors.New(words), &agentclient.Failure{Happened: words}, escrow.Errorf(escrow.Invalid, "%s", words), quarrelsome{w, words}.fault()} {
		log.Warn("it failed", "err", err, "code", words, "state", words, "home", words, "to", recipient.address, "any", []string{words})
	}
	log.Error("http: panic serving " + words)
	eventually(t, "the mailbox fails", func() bool {
		status, err := a.Status(t.Context())
		return err == nil && status.Accounts[0].Mailbox == "failing"
	})

	report, err := a.Diagnostics(t.Context())
	must(t, err)
	for _, word := range planted {
		if strings.Contains(strings.ToLower(report.Text), strings.ToLower(word)) {
			t.Errorf("%q is in the report", word)
		}
	}
	for _, part := range []string{"version  1.2.3, go", "keyring  memory", "model    single", "account 1\n", "proven true", "mailbox  failing [*net.OpError]",
		"escrow   up ", "pool     ", "mail rejecting", "draft                1", "WARN  it failed err=[*agentclient.Failure]", "ERROR -"} {
		if !strings.Contains(report.Text, part) {
			t.Errorf("the report lacks %q", part)
		}
	}
	if t.Failed() {
		t.Log(report.Text)
	}
	lines, err := a.LogLines(t.Context())
	must(t, err)
	all := fmt.Sprint(lines)
	if len(lines) < 5 || strings.Contains(all, "zaunkoenig@") || !strings.Contains(all, "Zugvogelatlas") {
		t.Errorf("the owner's own log: %s", all)
	}
	for range 300 {
		log.Info("one more")
	}
	if report, err = a.Diagnostics(t.Context()); err != nil || strings.Count(report.Text, "one more") != 200 || strings.Contains(report.Text, "panic") {
		t.Errorf("more than the last 200 lines: %d, %v", strings.Count(report.Text, "one more"), err)
	}
}
