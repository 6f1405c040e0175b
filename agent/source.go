package agent

import (
	"context"
	"io"

	"earnest/agent/store"
	"earnest/agentclient"
)

// MailByID is one line of the inbox; it opens nothing.
func (a *Agent) MailByID(ctx context.Context, id string) (agentclient.Mail, error) {
	m, err := a.mailByID(ctx, id)
	if err != nil {
		return agentclient.Mail{}, err
	}
	return a.viewMail(m), nil
}

// Source is an opened mail as it was inside the encryption, byte for byte.
func (a *Agent) Source(ctx context.Context, id string) (agentclient.Source, error) {
	m, content, err := a.opened(ctx, id)
	if err != nil {
		return agentclient.Source{}, err
	}
	if content == nil {
		return agentclient.Source{}, unopened(m)
	}
	return agentclient.Source{Raw: content}, nil
}

// unopened says why a mail has nothing to show.
func unopened(m store.Mail) error {
	return agentclient.Refuse(agentclient.CodeState, whyUnopened(m),
		agentclient.Say("source.nothing", "There is nothing to show or to save, and nothing was decided."),
		agentclient.Say("source.in-mailbox", "The mail as it travelled is in your mailbox."))
}

// saveStep is how much of an attachment is written between two words on how far
// it is.
const saveStep = 64 << 10

// SaveAttachment writes the n-th attachment to w and tells how far it is.
func (a *Agent) SaveAttachment(ctx context.Context, id string, n int, w io.Writer, progress func(done, total int64)) error {
	at, err := a.Attachment(ctx, id, n)
	if err != nil {
		return err
	}
	for done := 0; done < len(at.Data); {
		if err := ctx.Err(); err != nil {
			return err
		}
		wrote, err := w.Write(at.Data[done:min(done+saveStep, len(at.Data))])
		if err != nil {
			return err
		}
		if done += wrote; progress != nil {
			progress(int64(done), at.Size)
		}
	}
	return nil
}
