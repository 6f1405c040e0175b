package realmail

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/internal/sandbox"
)

// TestK15_TenMailsBothWaysWithTheEscrowOff has one mail accepted, stops the
// escrow's process, and writes ten more, by the command line and by the agents.
func TestK15_TenMailsBothWaysWithTheEscrowOff(t *testing.T) {
	if !withKeyring(t) {
		return
	}
	s := system(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	if err := s.Prepare(ctx); err != nil {
		t.Fatal(err)
	}
	body := filepath.Join(t.TempDir(), "body.txt")
	if err := os.WriteFile(body, []byte("The first one, with a bond.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var sent []agentclient.Sent
	earnest(ctx, t, s, s.Sender, &sent, "send", "--to", s.Recipient.Address, "--subject", "First", "--body-file", body)
	earnest(ctx, t, s, s.Recipient, nil, "accept", waiting(ctx, t, s, sent[0].Bond).ID)
	eventually(t, "the sender knows what the accept gave", func() bool {
		people, err := s.Sender.Agent.People(ctx)
		return err == nil && len(people) == 1 && people[0].FreeThere == agentclient.FreeAlways
	})
	if err := s.StopEscrow(); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		from, to := s.Sender, s.Recipient
		if i%2 == 1 {
			from, to = to, from
		}
		writeFree(ctx, t, s, from, to, fmt.Sprintf("Free %d", i), body)
	}
	for _, p := range []*sandbox.Person{s.Sender, s.Recipient} {
		var people []agentclient.Person
		earnest(ctx, t, s, p, &people, "people")
		if len(people) != 1 || people[0].Sent != 5 || people[0].Received != 5 {
			t.Errorf("%s knows %+v", p.Name, people)
		}
	}
}

// writeFree has a mail go over the connection and read at the other end.
func writeFree(ctx context.Context, t *testing.T, s *sandbox.System, from, to *sandbox.Person, subject, body string) {
	t.Helper()
	begun := time.Now()
	var sent []agentclient.Sent
	earnest(ctx, t, s, from, &sent, "send", "--to", to.Address, "--subject", subject, "--body-file", body)
	if !sent[0].Free || sent[0].Bond != "" {
		t.Fatalf("%s did not go free: %+v", subject, sent[0])
	}
	var came agentclient.Mail
	eventually(t, subject+" comes", func() bool {
		list, err := to.Agent.Inbox(ctx)
		for _, m := range list {
			if m.Subject == subject && m.Free && m.State == "accepted" {
				came = m
			}
		}
		return err == nil && came.ID != ""
	})
	var message agentclient.Message
	earnest(ctx, t, s, to, &message, "read", came.ID)
	if message.From != from.Address || message.Text == "" {
		t.Errorf("read as %+v", message)
	}
	t.Logf("%s from %s to %s in %v, with the escrow's process stopped", subject, from.Name, to.Name, time.Since(begun).Round(time.Millisecond))
}
