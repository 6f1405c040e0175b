package agenttest

import (
	"context"
	"fmt"
	"io"
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
		list = append(list, listed(&m))
	}
	return list, nil
}

// listed is the mail's line: its attachments are counted once it is opened.
func listed(m *agentclient.Message) agentclient.Mail {
	line := m.Mail
	if m.State != "held" && m.State != "damaged" && m.State != "unpaid" {
		line.Attachments = len(m.Attachments)
	}
	return line
}

// Message implements [agentclient.Agent]: the mail is read from now on.
func (a *Agent) Message(ctx context.Context, id string) (agentclient.Message, error) {
	return a.message(ctx, id, "Message")
}

// Look implements [agentclient.Agent].
func (a *Agent) Look(ctx context.Context, id string) (agentclient.Message, error) {
	return a.message(ctx, id, "Look")
}

func (a *Agent) message(ctx context.Context, id, call string) (agentclient.Message, error) {
	if err := a.begin(ctx, call); err != nil {
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
	if m.Unread && call == "Message" {
		m.Unread = false
		a.emit(agentclient.EventMail, m.ID, m.State)
	}
	opened := *m
	opened.Mail = listed(m)
	opened.Attachments = nil
	for _, attachment := range m.Attachments {
		attachment.Data = nil
		opened.Attachments = append(opened.Attachments, attachment)
	}
	opened.Checks = slices.Clone(m.Checks)
	return opened, nil
}

// MailByID implements [agentclient.Agent].
func (a *Agent) MailByID(ctx context.Context, id string) (agentclient.Mail, error) {
	if err := a.begin(ctx, "MailByID"); err != nil {
		return agentclient.Mail{}, err
	}
	defer a.mu.Unlock()
	m, err := a.mail(id)
	if err != nil {
		return agentclient.Mail{}, err
	}
	return listed(m), nil
}

// Source implements [agentclient.Agent].
func (a *Agent) Source(ctx context.Context, id string) (agentclient.Source, error) {
	if err := a.begin(ctx, "Source"); err != nil {
		return agentclient.Source{}, err
	}
	defer a.mu.Unlock()
	m, err := a.mail(id)
	if err != nil {
		return agentclient.Source{}, err
	}
	if m.State == "held" || m.State == "damaged" || m.State == "unpaid" {
		return agentclient.Source{}, failure(agentclient.CodeState, "This mail is not opened.")
	}
	raw := fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: %s\r\n\r\n%s", m.From, m.To, m.Subject, m.MessageID, m.Text)
	return agentclient.Source{Raw: []byte(raw)}, nil
}

// SaveAttachment implements [agentclient.Agent].
func (a *Agent) SaveAttachment(ctx context.Context, id string, n int, w io.Writer, progress func(done, total int64)) error {
	at, err := a.Attachment(ctx, id, n)
	if err != nil {
		return err
	}
	const step = 32 << 10
	for done := 0; done < len(at.Data); {
		next := min(done+step, len(at.Data))
		if _, err := w.Write(at.Data[done:next]); err != nil {
			return err
		}
		if done = next; progress != nil {
			progress(int64(done), at.Size)
		}
	}
	return nil
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
func (a *Agent) Accept(ctx context.Context, id string, req agentclient.Accept) (agentclient.Mail, error) {
	m, err := a.decide(ctx, "Accept", id, "accepted", "waiting", "expired", "unpaid")
	if err == nil {
		a.connect(m, req.Free)
	}
	return m, err
}

// Reject implements [agentclient.Agent].
func (a *Agent) Reject(ctx context.Context, id string, req agentclient.Reject) (agentclient.Mail, error) {
	m, err := a.decide(ctx, "Reject", id, "rejecting", "waiting", "unpaid")
	if err != nil {
		return m, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	known, err := a.mail(id)
	if err != nil {
		return m, err
	}
	known.Reason = req.Reason
	return listed(known), nil
}

// Undo implements [agentclient.Agent].
func (a *Agent) Undo(ctx context.Context, id string) (agentclient.Mail, error) {
	return a.decide(ctx, "Undo", id, "waiting", "rejecting")
}

func (a *Agent) decide(ctx context.Context, method, id, to string, from ...string) (agentclient.Mail, error) {
	if err := a.begin(ctx, method); err != nil {
		return agentclient.Mail{}, err
	}
	defer a.mu.Unlock()
	m, err := a.mail(id)
	if err != nil {
		return agentclient.Mail{}, err
	}
	if !slices.Contains(from, m.State) {
		return agentclient.Mail{}, failure(agentclient.CodeState, "The mail is "+m.State+", so this cannot be done.")
	}
	if m.Free { // no bond hangs on it
		if m.State != "unpaid" {
			return agentclient.Mail{}, failure(agentclient.CodeState, "This mail came free: no bond hangs on it.")
		}
		if m.State = to; to == "rejecting" {
			m.State = "rejected"
		}
		a.emit(agentclient.EventMail, m.ID, m.State)
		return listed(m), nil
	}
	m.State, m.EffectiveAt = to, time.Time{}
	if to == "rejecting" {
		m.EffectiveAt = a.now().Add(Undo)
	}
	m.Queued = a.escrowDown()
	a.emit(agentclient.EventMail, m.ID, m.State)
	return listed(m), nil
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
