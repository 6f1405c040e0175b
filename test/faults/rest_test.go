package faults

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/internal/sandbox"
	"earnest/test/overlay"
)

// withoutSealing is the agent whose store keeps records as they are.
func withoutSealing() overlay.Patch {
	return overlay.Patch{File: agentWrites + "/store.go", Edits: []overlay.Edit{
		{Old: "tx.sealer.Seal(plain, p.context())", New: "plain"},
		{Old: "plain, err := sealer.Open(sealed, p.context())", New: "plain, err := sealed, error(nil)"},
	}}
}

// Words that occur nowhere else: of the subject, the text and an attachment.
func markers() []string {
	return []string{"Zwetschgenkuchen", "Heidelbeergelee", "Stachelbeerwein"}
}

// killedInTheMiddle sends a mail with the words, kills the sender and then the
// recipient where each has just written it, searches with the process dead, and
// goes on. At the end the mail is read and accepted and all is searched again.
func killedInTheMiddle(ctx context.Context, r *rig, dir string) error {
	look := func(when string) error {
		hits, size, err := search(markers(), dir)
		if err == nil && len(hits) > 0 {
			return found("%s: %s", when, strings.Join(hits, "; "))
		}
		if err == nil && size < 100_000 {
			return fmt.Errorf("%s: only %d bytes were there to be searched", when, size)
		}
		return err
	}
	r.stop()
	r.keepers.Wait() // from here on the dead stay dead until they are started
	victims := []struct {
		person *sandbox.Person
		name   string
		write  string
	}{
		{r.Sender, senderProcess, "buy.intend.sent#1 after"},
		{r.Sender, senderProcess, "sealed.commit#1 after"},
		{r.Recipient, recipientProcess, "arrive.keep.content#1 after"},
		{r.Recipient, recipientProcess, "arrive.keep.commit#1 after"},
	}
	// All are armed before the first: an agent that is started again goes on at
	// once, and would be past the next point.
	for i := 0; i < len(victims); i += 2 {
		if err := r.arm(victims[i].name, []string{victims[i].write, victims[i+1].write}); err != nil {
			return err
		}
	}
	for _, victim := range victims {
		words := markers()
		sent, err := r.sentAs(ctx, words[0])
		if err == nil && len(sent) == 0 {
			// The agent dies in this call.
			_, _ = r.Sender.Agent.Send(ctx, agentclient.Compose{To: []string{r.Recipient.Address}, Subject: words[0], Body: strings.Repeat(words[1]+" ", 40), Paid: true,
				Attachments: []agentclient.Attachment{{Name: words[2] + ".txt", Type: "text/plain", Data: []byte(words[2] + " for two\n")}}})
		}
		select {
		case <-r.AgentEnded(victim.person):
		case <-ctx.Done():
			return fmt.Errorf("%s was not killed at %s: %w", victim.name, victim.write, ctx.Err())
		}
		if err := look("killed at " + victim.write); err != nil {
			return err
		}
		if err := r.StartAgent(ctx, victim.person); err != nil {
			select {
			case <-r.AgentEnded(victim.person): // at the next point, before it answered
			default:
				return err
			}
		}
	}
	if err := r.readAndAccept(ctx); err != nil {
		return err
	}
	return look("after the story")
}

// draftMarkers are words of a draft alone.
func draftMarkers() []string { return []string{"Quittengelee", "Mirabellenmus", "Schlehenlikoer"} }

// draftIsReadable keeps a draft with words of its own, and tells whether a search
// finds one of them on the sender's disk, before and after it is deleted.
func draftIsReadable(ctx context.Context, r *rig, dir string) (bool, error) {
	words := draftMarkers()
	draft, err := r.Sender.Agent.SaveDraft(ctx, agentclient.Draft{Mail: agentclient.Compose{To: []string{words[0] + "@example.org"},
		Subject: words[0], Body: strings.Repeat(words[1]+" ", 40),
		Attachments: []agentclient.Attachment{{Name: words[2] + ".txt", Type: "text/plain", Data: []byte(words[2] + " for two\n")}}}})
	if err != nil {
		return false, err
	}
	kept, _, err := search(words, dir)
	if err == nil {
		err = r.Sender.Agent.DeleteDraft(ctx, draft.ID)
	}
	if err != nil {
		return false, err
	}
	deleted, _, err := search(words, dir)
	return len(kept)+len(deleted) > 0, err
}

func (r *rig) readAndAccept(ctx context.Context) error {
	var l letter
	err := r.until(ctx, "the mail can be read", func() (bool, error) {
		sent, err := r.sentAs(ctx, markers()[0])
		if err != nil || len(sent) != 1 {
			return false, err
		}
		l.bond = sent[0].Bond
		mail, err := r.mailOf(ctx, l.bond)
		l.mail = mail.ID
		return err == nil && mail.State == "waiting", err
	})
	if err != nil {
		return err
	}
	message, err := r.Recipient.Agent.Message(ctx, l.mail)
	if err != nil || !strings.Contains(message.Text, markers()[1]) || len(message.Attachments) != 1 {
		return fmt.Errorf("the mail was not opened as it was written: %q (%w)", message.Text, err)
	}
	return r.accept(ctx, &l)
}

func TestPlaintextNeverRests(t *testing.T) {
	for _, variant := range []struct {
		build string
		more  []overlay.Patch
		holds bool
	}{
		{"faults", nil, true},
		{"no-sealing", []overlay.Patch{withoutSealing()}, false},
	} {
		t.Run(variant.build, func(t *testing.T) {
			dir := t.TempDir()
			ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
			defer cancel()
			r, err := newRig(ctx, programs.build(t, variant.build, variant.more...), dir, paths()[0].terms)
			if err != nil {
				t.Fatal(err)
			}
			if readable, err := draftIsReadable(ctx, r, dir); err != nil || readable == variant.holds {
				t.Errorf("a draft is readable: %v (%v)", readable, err)
			}
			err = killedInTheMiddle(ctx, r, dir)
			if stopped := r.close(); err == nil && stopped != nil {
				t.Error(stopped)
			}
			settled(t, err, variant.holds)
			if hits, size, err := search(markers(), filepath.Join(dir)); variant.holds && (err != nil || len(hits) > 0) {
				t.Errorf("after the end: %v (%v) in %d bytes", hits, err, size)
			}
		})
	}
}
