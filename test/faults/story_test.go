package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"earnest/agentclient"
)

// letter is one mail of the story and what has become of it.
type letter struct {
	subject string
	bond    string
	mail    string // its id at the recipient
}

// send sends the mail, which was a draft, as a person does who sees an error: look
// whether it is on its way, and only if it is not, send it again. Its text is in
// one place all the time.
func (r *rig) send(ctx context.Context, l *letter) error {
	r.mails++
	l.subject = fmt.Sprintf("Letter %d", r.mails)
	mail := agentclient.Compose{To: []string{r.Recipient.Address}, Subject: l.subject, Body: "Good day.\n", Paid: true}
	saved := false
	err := r.until(ctx, "the mail is on its way", func() (bool, error) {
		sent, err := r.sentAs(ctx, l.subject)
		if err != nil {
			return false, err
		}
		drafts, err := r.draftsAs(ctx, l.subject)
		if err != nil {
			return false, err
		}
		switch {
		case saved && len(sent)+len(drafts) != 1:
			return false, errors.Join(errFinal, found("the text is in %d drafts and %d mails", len(drafts), len(sent)))
		case len(sent) == 0 && len(drafts) == 0:
			_, err := r.Sender.Agent.SaveDraft(ctx, agentclient.Draft{Mail: mail})
			return false, err
		case len(sent) == 0:
			saved, mail.Draft = true, drafts[0].ID
			_, err := r.Sender.Agent.Send(ctx, mail)
			return false, err
		}
		l.bond = sent[0].Bond
		return true, nil
	})
	if err != nil {
		return err
	}
	return r.until(ctx, "the mail has arrived and both know it", func() (bool, error) {
		sent, err := r.Sender.Agent.SentByID(ctx, l.bond)
		if err == nil && sent.State == "failed" {
			return false, errors.Join(errFinal, found("the mail failed: %s", sent.Error))
		}
		if err != nil || sent.State != "arrived" {
			return false, errors.Join(err, fmt.Errorf("sent is %s: %s", sent.State, sent.Error))
		}
		mail, err := r.mailOf(ctx, l.bond)
		l.mail = mail.ID
		return err == nil && mail.State == "waiting", errors.Join(err, fmt.Errorf("mail is %s: %s", mail.State, mail.Error))
	})
}

func (r *rig) sentAs(ctx context.Context, subject string) ([]agentclient.Sent, error) {
	all, err := r.Sender.Agent.Sent(ctx)
	return slices.DeleteFunc(all, func(s agentclient.Sent) bool { return s.Subject != subject }), err
}

func (r *rig) draftsAs(ctx context.Context, subject string) ([]agentclient.Draft, error) {
	all, err := r.Sender.Agent.Drafts(ctx)
	return slices.DeleteFunc(all, func(d agentclient.Draft) bool { return d.Mail.Subject != subject }), err
}

// mailOf is the one mail of a bond in the recipient's inbox.
func (r *rig) mailOf(ctx context.Context, bond string) (agentclient.Mail, error) {
	list, err := r.Recipient.Agent.Inbox(ctx)
	list = slices.DeleteFunc(list, func(m agentclient.Mail) bool { return m.Bond != bond })
	if err != nil || len(list) != 1 {
		return agentclient.Mail{}, errors.Join(err, fmt.Errorf("%d mails with that bond", len(list)))
	}
	return list[0], nil
}

// decide decides as a person does who sees an error: look what the mail's state
// is, and decide again only if nothing was kept.
func (r *rig) decide(ctx context.Context, l *letter, from, to string, verb func(context.Context, string) (agentclient.Mail, error), done func() bool) error {
	return r.until(ctx, "the mail is "+to, func() (bool, error) {
		mail, err := r.mailOf(ctx, l.bond)
		if err != nil {
			return false, err
		}
		if mail.State == from && !mail.Queued {
			_, err := verb(ctx, l.mail)
			return false, err
		}
		return mail.State == to && !mail.Queued && done(), fmt.Errorf("mail is %s, queued %v: %s", mail.State, mail.Queued, mail.Error)
	})
}

func (r *rig) letIn(ctx context.Context, id string) (agentclient.Mail, error) {
	return r.Recipient.Agent.Accept(ctx, id, agentclient.Accept{})
}

func (r *rig) sendAway(ctx context.Context, id string) (agentclient.Mail, error) {
	return r.Recipient.Agent.Reject(ctx, id, agentclient.Reject{})
}

func (r *rig) accept(ctx context.Context, l *letter) error {
	return r.decide(ctx, l, "waiting", "accepted", r.letIn, func() bool {
		sent, err := r.Sender.Agent.SentByID(ctx, l.bond)
		return err == nil && sent.State == "accepted"
	})
}

func (r *rig) reject(ctx context.Context, l *letter) error {
	return r.decide(ctx, l, "waiting", "rejecting", r.sendAway, func() bool { return r.stateAtEscrow(l) == "rejecting" })
}

func (r *rig) undo(ctx context.Context, l *letter) error {
	return r.decide(ctx, l, "rejecting", "waiting", r.Recipient.Agent.Undo, func() bool { return r.stateAtEscrow(l) == "arrived" })
}

// forfeit rejects and waits until the time to undo is over.
func (r *rig) forfeit(ctx context.Context, l *letter) error {
	return r.decide(ctx, l, "waiting", "rejected", r.sendAway, func() bool {
		sent, err := r.Sender.Agent.SentByID(ctx, l.bond)
		return err == nil && sent.State == "rejected"
	})
}

func (r *rig) stateAtEscrow(l *letter) (state string) {
	_ = r.books.QueryRow(`SELECT state FROM bond WHERE id = ?`, l.bond).Scan(&state)
	return state
}

// step is a part of the story that points belong to.
type step struct {
	name string
	play func(*rig, context.Context, *letter) error
	// quiet is how long writes may still come after the step (trash).
	quiet time.Duration
	// again: another path kills this step already.
	again bool
}

// path is a way through a bond's life, and how it must end.
type path struct {
	name  string
	terms string
	steps []step
	end   ending
}

// paths together do everything that is to survive a kill.
func paths() []path {
	const settle, trash = 250 * time.Millisecond, 2300 * time.Millisecond
	send := func(again bool) step { return step{"buy and arrived", (*rig).send, settle, again} }
	return []path{
		{"undone, accepted", "quote=10m,deliver=30d,decide=14d,undo=30m,final=60d", []step{
			send(false), {"reject", (*rig).reject, settle, false}, {"undo", (*rig).undo, settle, false}, {"accept", (*rig).accept, trash, false},
			{"free both ways", (*rig).free, settle, false},
		}, ending{"accepted", "refunded", []string{"reject", "undo", "accept"}}},
		{"rejected", "quote=10m,deliver=30d,decide=14d,undo=1s,final=60d", []step{
			send(true), {"reject takes effect", (*rig).forfeit, trash, false},
		}, ending{"rejected", "forfeited", []string{"reject"}}},
	}
}
