package agenttest

import (
	"context"
	"slices"
	"time"

	"earnest/agentclient"
)

// Inbox implements [agentclient.Agent].
func (a *Agent) Inbox(ctx context.Context) ([]agentclient.Mail, error) {
	if err := a.begin(ctx, "Inbox"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	list := []agentclient.Mail{}
	for _, m := range a.mails {
		list = append(list, m.Mail)
	}
	return list, nil
}

// Message implements [agentclient.Agent]: the mail is read from now on.
func (a *Agent) Message(ctx context.Context, id string) (agentclient.Message, error) {
	if err := a.begin(ctx, "Message"); err != nil {
		return agentclient.Message{}, err
	}
	defer a.mu.Unlock()
	m, err := a.mail(id)
	if err != nil {
		return agentclient.Message{}, err
	}
	if m.State == "held" {
		return agentclient.Message{}, failure("unavailable", "The escrow does not answer, so this mail is not opened yet.")
	}
	if m.State == "damaged" {
		return agentclient.Message{}, failure(agentclient.CodeDamaged, "This mail was changed on its way and cannot be trusted.")
	}
	if m.Unread {
		m.Unread = false
		a.emit(agentclient.EventMail, m.ID, m.State)
	}
	opened := *m
	opened.Attachments = nil
	for _, attachment := range m.Attachments {
		attachment.Data = nil
		opened.Attachments = append(opened.Attachments, attachment)
	}
	opened.Checks = slices.Clone(m.Checks)
	return opened, nil
}

// Attachment implements [agentclient.Agent].
func (a *Agent) Attachment(ctx context.Context, id string, n int) (agentclient.Attachment, error) {
	if err := a.begin(ctx, "Attachment"); err != nil {
		return agentclient.Attachment{}, err
	}
	defer a.mu.Unlock()
	m, err := a.mail(id)
	if err != nil {
		return agentclient.Attachment{}, err
	}
	if n < 0 || n >= len(m.Attachments) {
		return agentclient.Attachment{}, failure(agentclient.CodeNotFound, "The mail has no such attachment.")
	}
	return m.Attachments[n], nil
}

// Accept implements [agentclient.Agent].
func (a *Agent) Accept(ctx context.Context, id string) (agentclient.Mail, error) {
	return a.decide(ctx, "Accept", id, "waiting", "accepted")
}

// Reject implements [agentclient.Agent].
func (a *Agent) Reject(ctx context.Context, id string) (agentclient.Mail, error) {
	return a.decide(ctx, "Reject", id, "waiting", "rejecting")
}

// Undo implements [agentclient.Agent].
func (a *Agent) Undo(ctx context.Context, id string) (agentclient.Mail, error) {
	return a.decide(ctx, "Undo", id, "rejecting", "waiting")
}

func (a *Agent) decide(ctx context.Context, method, id, from, to string) (agentclient.Mail, error) {
	if err := a.begin(ctx, method); err != nil {
		return agentclient.Mail{}, err
	}
	defer a.mu.Unlock()
	m, err := a.mail(id)
	if err != nil {
		return agentclient.Mail{}, err
	}
	if m.State != from {
		return agentclient.Mail{}, failure(agentclient.CodeState, "The mail is "+m.State+", so this cannot be done.")
	}
	m.State, m.EffectiveAt = to, time.Time{}
	if to == "rejecting" {
		m.EffectiveAt = a.now().Add(Undo)
	}
	m.Queued = a.escrowDown()
	a.emit(agentclient.EventMail, m.ID, m.State)
	return m.Mail, nil
}

func (a *Agent) escrowDown() bool {
	return slices.ContainsFunc(a.status.Accounts, func(account agentclient.Account) bool { return !account.EscrowUp })
}

func (a *Agent) mail(id string) (*agentclient.Message, error) {
	for i := range a.mails {
		if a.mails[i].ID == id {
			return &a.mails[i], nil
		}
	}
	return nil, failure(agentclient.CodeNotFound, "There is no such mail.")
}
