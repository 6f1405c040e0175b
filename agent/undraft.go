package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/mail"
)

// draftOf says which draft a letter was, and to whom else it goes.
type draftOf struct {
	id     string
	first  bool // of the letters that the draft becomes
	others []string
}

// others are the recipients after the first.
func others(all []letter) (typed []string) {
	for _, l := range all[1:] {
		typed = append(typed, l.To)
	}
	return typed
}

// withFiles fills in what is attached to the draft that a mail comes from.
func (a *Agent) withFiles(ctx context.Context, compose agentclient.Compose) (agentclient.Compose, error) {
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		compose.Attachments, err = keptFiles(tx, compose.Draft, compose.Attachments)
		return err
	})
	return compose, err
}

// outOfDraft takes a letter's recipient out of its draft, and with the last one
// the draft goes. It stands in the transaction that puts the letter into the
// outbox: no crash loses the text or leaves it in both.
func outOfDraft(tx *store.Tx, l letter) error {
	if l.draft.id == "" {
		return nil
	}
	kept, ok, err := store.Get[store.Draft](tx, l.draft.id)
	if err != nil || !ok {
		return err
	}
	draft, err := viewDraft(kept)
	if err != nil {
		return err
	}
	if l.draft.first { // what is sent may be newer than what was kept
		now := composeOf(l.Letter)
		draft.Mail.To, draft.Mail.Subject, draft.Mail.Body = l.draft.others, now.Subject, now.Body
		draft.Mail.InReplyTo, draft.Mail.Attachments = now.InReplyTo, now.Attachments
	} else {
		draft.Mail.To = slices.DeleteFunc(draft.Mail.To, func(typed string) bool { return typed == l.To })
	}
	if len(draft.Mail.To) == 0 {
		return deleteDraft(tx, draft.ID)
	}
	if !l.draft.first {
		return writeDraft(tx, draft)
	}
	return writeWhole(tx, draft)
}

func (a *Agent) tellDraft(id string) {
	if id != "" {
		a.tell(agentclient.EventDraft, id, "")
	}
}

// backToDraft makes the draft again that a mail was for which nothing was paid.
func (a *account) backToDraft(tx *store.Tx, sent store.Sent) error {
	if sent.Draft == "" {
		return nil
	}
	text, ok, err := a.letterOf(tx, sent)
	if err != nil || !ok {
		return err
	}
	if err := store.Delete[store.Letter](tx, sent.ID); err != nil {
		return err
	}
	draft, ok, err := wholeDraft(tx, sent.Draft)
	if err != nil {
		return err
	}
	if !ok {
		return writeWhole(tx, agentclient.Draft{ID: sent.Draft, Changed: a.Now().UTC(), Mail: text})
	}
	if !sameText(draft.Mail, text) {
		// It was written on since, perhaps for others alone: one text must neither
		// replace the other nor go to whom it is not for.
		return writeWhole(tx, agentclient.Draft{ID: newID(), Changed: a.Now().UTC(), Mail: text})
	}
	if slices.Contains(draft.Mail.To, sent.ToTyped) {
		return nil
	}
	draft.Mail.To = append(draft.Mail.To, sent.ToTyped)
	return writeWhole(tx, draft)
}

// sameText reports whether two mails say the same, to whomever.
func sameText(a, b agentclient.Compose) bool {
	return a.Subject == b.Subject && a.Body == b.Body && a.InReplyTo == b.InReplyTo &&
		slices.EqualFunc(a.Attachments, b.Attachments, func(a, b agentclient.Attachment) bool {
			return a.Name == b.Name && a.Type == b.Type && bytes.Equal(a.Data, b.Data)
		})
}

// letterOf is the kept text of a mail, as it can be sent again.
func (a *account) letterOf(tx *store.Tx, sent store.Sent) (compose agentclient.Compose, ok bool, err error) {
	body, ok, err := store.Get[store.Letter](tx, sent.ID)
	if err != nil || !ok {
		return compose, false, err
	}
	var l mail.Letter
	if err := json.Unmarshal(body.Letter, &l); err != nil {
		return compose, false, err
	}
	return composeOf(l), true, nil
}

// composeOf is the mail that a letter was made of.
func composeOf(l mail.Letter) agentclient.Compose {
	compose := agentclient.Compose{From: l.From, To: []string{l.To}, Subject: l.Subject, Body: l.Text, InReplyTo: l.InReplyTo}
	for _, at := range l.Attachments {
		compose.Attachments = append(compose.Attachments, agentclient.Attachment{
			Name: at.Name, Type: at.Type, Size: int64(len(at.Data)), Data: at.Data})
	}
	return compose
}

// isKept reports whether the text of a mail that was never submitted is here and
// waits for nothing any more.
func isKept(tx *store.Tx, sent store.Sent, bond escrow.BondView) (bool, error) {
	over := sent.State == store.SentFailed || bond.State.Ended()
	if !over || !sent.SubmittedAt.IsZero() || !bond.ArrivedAt.IsZero() {
		return false, nil
	}
	return store.Has[store.Letter](tx, sent.ID)
}

// Redraft makes a draft of a mail that was never submitted. From then on its
// text is in the draft alone.
func (a *Agent) Redraft(ctx context.Context, id string) (draft agentclient.Draft, err error) {
	err = a.Store.Update(ctx, "redraft", func(tx *store.Tx) error {
		sent, ok, err := store.Get[store.Sent](tx, id)
		if err != nil {
			return err
		}
		acct := a.byID(sent.Account)
		if !ok || acct == nil {
			return noMail(true)
		}
		bond, _, err := store.Get[store.Bond](tx, store.BondID(acct.id, sent.Bond))
		if err != nil {
			return err
		}
		kept, err := isKept(tx, sent, bond.BondView)
		if err != nil {
			return err
		}
		if !kept {
			return wrongState(agentclient.Say("draft.not-again", "This mail cannot become a draft: it was handed over, is still on its way, or became one already."),
				agentclient.Say("sent.see", "See where it is with: earnest sent {ID}", "ID", id))
		}
		text, _, err := acct.letterOf(tx, sent)
		if err != nil {
			return err
		}
		if draft, err = a.putDraft(tx, agentclient.Draft{ID: newID(), Mail: text}); err != nil {
			return err
		}
		return store.Delete[store.Letter](tx, id)
	})
	if err != nil {
		return agentclient.Draft{}, err
	}
	a.tell(agentclient.EventSent, id, "")
	a.tell(agentclient.EventDraft, draft.ID, "")
	return draft, nil
}
