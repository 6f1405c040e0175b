package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"earnest/agentclient"
	"earnest/internal/sandbox"
)

// fixture is the sandbox that the pictures are taken of.
type fixture struct{ *sandbox.System }

// fill gives the recipient an inbox, people, money and a past.
func (f *fixture) fill(ctx context.Context) error {
	if err := f.Prepare(ctx); err != nil {
		return err
	}
	me := f.Recipient.Agent
	if _, err := me.SetPrice(ctx, agentclient.SetPrice{Options: []string{"0.30"}}); err != nil {
		return err
	}
	if _, err := me.SetPrice(ctx, agentclient.SetPrice{Options: []string{"0.25"}}); err != nil {
		return err
	}
	for _, letter := range []struct {
		sandbox.Letter
		decide string
	}{
		{sandbox.Letter{Name: "friend", Subject: "Do you remember the summer school?", Body: "It was twelve years ago, and I still use your slides.\n\nBest,\nTomas\n"}, "accept"},
		{sandbox.Letter{Name: "host", Subject: "A keynote in spring?", Body: "Would you open our conference in April?\n\nLena Brandt\n"}, "accept"},
		{sandbox.Letter{Name: "seller", Subject: "Ten thousand followers, cheap", Body: "Buy now.\n"}, "reject"},
	} {
		mail, err := f.Stranger(ctx, letter.Letter)
		if err != nil {
			return err
		}
		if letter.decide == "accept" {
			_, err = me.Accept(ctx, mail.ID, agentclient.Accept{})
		} else {
			_, err = me.Reject(ctx, mail.ID, agentclient.Reject{Reason: "advertising"})
		}
		if err != nil {
			return err
		}
	}
	if err := f.waiting(ctx); err != nil {
		return err
	}
	return f.writing(ctx)
}

// waiting are mails to decide.
func (f *fixture) waiting(ctx context.Context) error {
	letters := append(sandbox.Letters(),
		sandbox.Letter{Name: "yael", Subject: "שאלה על ההרצאה שלך", Body: "שלום,\n\nראיתי את ההרצאה שלך על הסקת טיפוסים. האם יש גרסה כתובה?\n\nתודה,\nיעל\n"},
		sandbox.Letter{Name: "m.okafor", Subject: "Your talk on type inference: may I translate it for my students, with the drawings?",
			Body: "Dear author,\n\nI teach compilers to second-year students, and your talk on type inference is the clearest introduction that I know. " +
				"Few of my students read English well, so I would like to translate the slides and the notes, and publish them under your name " +
				"with a link to the original.\n\nTwo questions: under which licence are the drawings, and is there a newer version of the part on " +
				"generalisation? The one on your page stops at slide 41.\n\nA sample of the first ten pages is attached.\n\nThank you for your time,\nMariam Okafor\n",
			Attachments: []agentclient.Attachment{{Name: "sample-first-ten-pages.pdf", Type: "application/pdf", Data: make([]byte, 212_000)}}})
	for _, letter := range letters {
		if _, err := f.Stranger(ctx, letter); err != nil {
			return err
		}
	}
	return nil
}

// writing is what the recipient sent and drafted.
func (f *fixture) writing(ctx context.Context) error {
	if _, err := f.Sender.Agent.SetPrice(ctx, agentclient.SetPrice{Options: []string{"0.50", "1.00"}}); err != nil {
		return err
	}
	if err := f.sells(ctx, f.Sender); err != nil {
		return err
	}
	me := f.Recipient.Agent
	_, err := me.Send(ctx, agentclient.Compose{To: []string{f.Sender.Address}, Subject: "A correction to chapter 4", Body: "See page 88.\n", Paid: true})
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	for _, subject := range []string{"Licence of the drawings", "An answer that is not finished"} {
		_, err = me.SaveDraft(ctx, agentclient.Draft{Mail: agentclient.Compose{To: []string{f.Sender.Address}, Subject: subject, Body: "Dear reader,\n"}})
		if err != nil {
			return fmt.Errorf("draft: %w", err)
		}
	}
	return nil
}

// sells waits until the person's one-time keys are for sale.
func (f *fixture) sells(ctx context.Context, p *sandbox.Person) error {
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		status, err := p.Agent.Status(ctx)
		if err == nil && status.Accounts[0].Pool > 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("no one-time keys of %s are for sale: %w", p.Name, err)
		}
	}
}

// newcomer starts an agent that has no account.
func (f *fixture) newcomer(dir string) (*sandbox.Person, error) {
	p := &sandbox.Person{Name: "newcomer", Home: filepath.Join(dir, "n")}
	p.Agent = agentclient.New(p.Home)
	return p, errors.Join(os.MkdirAll(p.Home, 0o700), f.StartAgent(context.Background(), p))
}
