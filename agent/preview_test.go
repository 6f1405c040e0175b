package agent_test

import (
	"context"
	"crypto"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"earnest/agent"
	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
)

// A preview is what the recipient then gets, and nothing happens for it.
func TestPreview_IsWhatTheRecipientSees(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	ctx := t.Context()
	compose := agentclient.Compose{To: []string{recipient.address}, Subject: "Größe\r\nBcc: x@mail.example", Body: "Grüße \x1b[31m\u202e,\r\n\tS.\n",
		Attachments: []agentclient.Attachment{file("../../größe .txt", []byte(strings.Repeat("data ", 3000)))}, InReplyTo: "<q@mail.example>"}
	w.switchOff(true)
	previews, err := sender.Preview(ctx, compose)
	must(t, err)
	if asked := w.askedWhileOff(); len(asked) > 0 {
		t.Errorf("the escrow was asked for %q", asked)
	}
	w.switchOff(false)
	if sent, err := sender.Sent(ctx); err != nil || len(sent) != 0 {
		t.Errorf("sent: %+v, %v", sent, err)
	}
	w.has(sender, "1.00", "0.00")
	sent, err := sender.Send(ctx, compose)
	must(t, err)
	mail := w.waits(recipient, sent[0].Bond, "waiting")
	got, err := recipient.Message(ctx, mail.ID)
	must(t, err)
	seen := previews[0].Message
	if seen.From != got.From || seen.To != got.To || seen.Name != got.Name || seen.Subject != got.Subject || seen.Text != got.Text || len(seen.Blocks) != 0 ||
		len(seen.Attachments) != 1 || seen.Attachments[0].Name != got.Attachments[0].Name || seen.Attachments[0].Size != got.Attachments[0].Size {
		t.Errorf("foreseen\n%+v\ncame\n%+v", seen, got)
	}
	delivered, err := w.mail.Messages(ctx, recipient.address, "INBOX")
	must(t, err)
	raw := delivered[len(delivered)-1]
	if off := float64(previews[0].Size)/float64(len(raw)) - 1; off < -0.05 || off > 0.05 {
		t.Errorf("%d bytes were foreseen, it had %d", previews[0].Size, len(raw))
	}
	outside := previews[0].Outside
	for _, name := range []string{"From: ", "To: ", "Subject: [...]", "Date: ", "Message-ID: ", "In-Reply-To: <q@mail.example>", "Content-Type: multipart/encrypted;"} {
		if !slices.ContainsFunc(outside, func(line string) bool { return strings.HasPrefix(line, name) }) {
			t.Errorf("no %q among %q", name, outside)
		}
	}
	if strings.Contains(strings.Join(outside, "\n"), "Gr") || strings.ContainsAny(strings.Join(outside, ""), "\r\n") {
		t.Errorf("outside: %q", outside)
	}
	if _, err := openpgp.Inspect(raw); err != nil {
		t.Errorf("what was measured is no sealed mail: %v", err)
	}
}

func TestPreview_NeedsNoEscrowAndRefusesWhatSendRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	sender := w.join("sender", "1.00")
	w.switchOff(true)
	ctx := t.Context()
	previews, err := sender.Preview(ctx, agentclient.Compose{To: []string{"A@b.example", "c@d.example", "a@B.example"}})
	must(t, err)
	if len(previews) != 2 || previews[1].Message.To != "c@d.example" {
		t.Errorf("previews: %+v", previews)
	}
	for name, compose := range map[string]agentclient.Compose{"no recipient": {}, "no address": {To: []string{"x"}}, "another's": {From: "x@y.example", To: []string{"a@b.example"}}} {
		if _, err := sender.Preview(ctx, compose); err == nil || code(err) == agentclient.CodeInternal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// keptShut is a keyring that counts who uses it.
type keptShut struct {
	agent.Keyring
	used *atomic.Int64
}

func (k keptShut) Signer(ctx context.Context, name string) (crypto.Signer, error) {
	k.used.Add(1)
	return k.Keyring.Signer(ctx, name)
}

func (k keptShut) NewSigner(ctx context.Context, name string) (crypto.Signer, error) {
	k.used.Add(1)
	return k.Keyring.NewSigner(ctx, name)
}

func (k keptShut) Password(ctx context.Context, name string) (string, error) {
	k.used.Add(1)
	return k.Keyring.Password(ctx, name)
}

func (k keptShut) Delete(ctx context.Context, name string) error {
	k.used.Add(1)
	return k.Keyring.Delete(ctx, name)
}

// An agent without OpenPGP and with a keyring that is watched can preview.
func TestPreview_TouchesNoKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	sender := w.join("sender", "")
	sender.stop()
	sealer, err := sender.ring.Sealer(t.Context(), "archive")
	must(t, err)
	memory, err := store.Open(t.Context(), filepath.Join(sender.home, "agent.db"), sealer)
	must(t, err)
	defer memory.Close()
	var used atomic.Int64
	a, err := agent.New(t.Context(), agent.Config{Store: memory, Keyring: keptShut{sender.ring, &used}, Outside: w, Now: w.now,
		Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	before := used.Load()
	if before == 0 {
		t.Error("the keyring is not watched")
	}
	_, err = a.Preview(t.Context(), agentclient.Compose{To: []string{"a@b.example"}, Subject: "S", Body: "B"})
	must(t, err)
	if used.Load() != before {
		t.Errorf("the keyring was used %d times", used.Load()-before)
	}
}
