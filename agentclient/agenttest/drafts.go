package agenttest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"earnest/agentclient"
)

// Drafts implements [agentclient.Agent].
func (a *Agent) Drafts(ctx context.Context) ([]agentclient.Draft, error) {
	if err := a.begin(ctx, "Drafts"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	list := []agentclient.Draft{}
	for _, d := range a.drafts {
		d.Mail.Attachments = slices.Clone(d.Mail.Attachments)
		for i := range d.Mail.Attachments {
			d.Mail.Attachments[i].Data = nil
		}
		list = append(list, d)
	}
	return list, nil
}

// DraftByID implements [agentclient.Agent].
func (a *Agent) DraftByID(ctx context.Context, id string) (agentclient.Draft, error) {
	if err := a.begin(ctx, "DraftByID"); err != nil {
		return agentclient.Draft{}, err
	}
	defer a.mu.Unlock()
	for _, d := range a.drafts {
		if d.ID == id {
			return d, nil
		}
	}
	return agentclient.Draft{}, failure(agentclient.CodeNotFound, "There is no such draft.")
}

// SaveDraft implements [agentclient.Agent].
func (a *Agent) SaveDraft(ctx context.Context, draft agentclient.Draft) (agentclient.Draft, error) {
	if err := a.begin(ctx, "SaveDraft"); err != nil {
		return agentclient.Draft{}, err
	}
	defer a.mu.Unlock()
	return a.saveDraft(draft), nil
}

func (a *Agent) saveDraft(draft agentclient.Draft) agentclient.Draft {
	if draft.ID == "" {
		draft.ID = a.id("draft")
	}
	draft.Changed = a.now()
	draft.Mail.Attachments = slices.Clone(draft.Mail.Attachments)
	for i := range draft.Mail.Attachments {
		at := &draft.Mail.Attachments[i]
		if len(at.Data) == 0 {
			at.Data = a.keptFile(draft.ID, *at)
		}
		at.Size = int64(len(at.Data))
	}
	a.dropDraft(draft.ID)
	a.drafts = slices.Insert(a.drafts, 0, draft)
	a.emit(agentclient.EventDraft, draft.ID, "")
	return draft
}

// keptFile is the data of a draft's file of that name and size.
func (a *Agent) keptFile(id string, wanted agentclient.Attachment) []byte {
	for _, d := range a.drafts {
		for _, at := range d.Mail.Attachments {
			if d.ID == id && at.Name == wanted.Name && at.Size == wanted.Size {
				return at.Data
			}
		}
	}
	return nil
}

func (a *Agent) dropDraft(id string) {
	a.drafts = slices.DeleteFunc(a.drafts, func(d agentclient.Draft) bool { return id != "" && d.ID == id })
}

// DeleteDraft implements [agentclient.Agent].
func (a *Agent) DeleteDraft(ctx context.Context, id string) error {
	if err := a.begin(ctx, "DeleteDraft"); err != nil {
		return err
	}
	defer a.mu.Unlock()
	a.dropDraft(id)
	a.emit(agentclient.EventDraft, id, "")
	return nil
}

// Redraft implements [agentclient.Agent].
func (a *Agent) Redraft(ctx context.Context, id string) (agentclient.Draft, error) {
	if err := a.begin(ctx, "Redraft"); err != nil {
		return agentclient.Draft{}, err
	}
	defer a.mu.Unlock()
	sent, err := a.sentMail(id)
	if err != nil {
		return agentclient.Draft{}, err
	}
	if !sent.Kept {
		return agentclient.Draft{}, failure(agentclient.CodeState, "The text of that mail is not here any more.")
	}
	sent.Kept = false
	return a.saveDraft(agentclient.Draft{Mail: agentclient.Compose{To: []string{sent.To}, Subject: sent.Subject, Body: "The text that was kept.\n"}}), nil
}

// Preview implements [agentclient.Agent].
func (a *Agent) Preview(ctx context.Context, mail agentclient.Compose) ([]agentclient.Preview, error) {
	if err := a.begin(ctx, "Preview"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	list := []agentclient.Preview{}
	for _, to := range mail.To {
		from := mail.From
		if from == "" && len(a.status.Accounts) > 0 {
			from = a.status.Accounts[0].Address
		}
		p := agentclient.Preview{Size: int64(2*len(mail.Body)) + 4000, Outside: []string{"From: " + from, "To: " + to,
			"Date: " + a.now().Format(time.RFC1123Z), "Subject: [...]"}}
		p.Message.Mail = agentclient.Mail{From: from, To: to, Subject: mail.Subject, At: a.now(), FirstTime: true, State: "waiting"}
		p.Message.Text, p.Message.Date = mail.Body, a.now()
		for _, at := range mail.Attachments {
			at.Data = nil
			p.Message.Attachments = append(p.Message.Attachments, at)
		}
		// As the real agent does: it tries out without asking for the price.
		p.Message.Free = a.person(to) != nil && !mail.Paid
		list = append(list, p)
	}
	if len(list) == 0 {
		return nil, failure(agentclient.CodeUsage, fmt.Sprintf("The mail has %d recipients.", len(list)))
	}
	return list, nil
}
