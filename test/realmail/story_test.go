package realmail

import (
	"context"
	"testing"
	"time"

	"earnest/internal/sandbox"
)

// TestStoryOnRealServersAndKeyring plays every step of the story with Postfix,
// Dovecot and gnome-keyring in place of the stand-ins.
func TestStoryOnRealServersAndKeyring(t *testing.T) {
	if !withKeyring(t) {
		return
	}
	s := system(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	err := s.Play(ctx, func(step sandbox.Step) {
		t.Logf("%-12s ok=%-5v sender %s+%s held, recipient %s+%s held: %s", step.Name, step.OK,
			step.Balances["sender"].Available, step.Balances["sender"].Held,
			step.Balances["recipient"].Available, step.Balances["recipient"].Held, step.Detail)
	})
	if err != nil {
		t.Fatal(err)
	}
	status, err := s.Recipient.Agent.Status(ctx)
	if err != nil || status.Keyring != "os" {
		t.Errorf("the agent keeps its keys in %q (%v)", status.Keyring, err)
	}
}
