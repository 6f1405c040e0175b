package agent

import (
	"context"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/mail"
)

// attached is how many attachments an opened mail has. One whose parts cannot be
// read shows none.
func attached(content []byte) int {
	read, err := mail.Read(content)
	if err != nil {
		return 0
	}
	return len(read.Attachments)
}

// noteAttached keeps how many a mail has that was opened before they were counted.
func (a *Agent) noteAttached(ctx context.Context, m *store.Mail, n int) error {
	if m.Attachments == n {
		return nil
	}
	err := a.Store.Update(ctx, "attached", func(tx *store.Tx) error {
		now, ok, err := store.Get[store.Mail](tx, m.ID)
		if err != nil || !ok {
			return err
		}
		now.Attachments = n
		*m = now
		return store.Put(tx, now)
	})
	if err == nil {
		a.tell(agentclient.EventMail, m.ID, m.State)
	}
	return err
}
