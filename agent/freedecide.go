package agent

import (
	"context"
	"errors"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/openpgp"
	"earnest/escrow"
)

// decideFree decides about a mail that came over a connection. Only one whose
// sender has no free mails left is open to it.
func (a *account) decideFree(ctx context.Context, m store.Mail, chosen choice) error {
	if m.State != store.MailUnpaid || chosen.verdict == escrow.Undo {
		return agentclient.Refuse(agentclient.CodeState,
			agentclient.Say("decide.free", "This mail came free, from somebody with whom you are connected: no bond hangs on it."),
			agentclient.Say("decide.free-means", "Nothing was changed, and no money is in it."),
			agentclient.Say("decide.free-do", "Say how much they may write with: earnest people set {Address} --free N, or end it with: earnest people remove {Address}", "Address", m.From))
	}
	if chosen.verdict == escrow.Reject {
		return a.rejectUnpaid(ctx, m.ID, chosen.reason)
	}
	return a.acceptUnpaid(ctx, m, chosen.free)
}

// rejectUnpaid deletes a mail here that came when no free mails were left.
func (a *account) rejectUnpaid(ctx context.Context, id, reason string) error {
	err := a.Store.Update(ctx, "free.reject", func(tx *store.Tx) error {
		m, err := unpaid(tx, id)
		if err != nil {
			return err
		}
		m.State, m.Reason = store.MailRejected, reason
		return errors.Join(store.Delete[store.Content](tx, id), store.Put(tx, m))
	})
	if err == nil {
		a.tell(agentclient.EventMail, id, store.MailRejected)
	}
	return err
}

// unpaid reads a mail that is still open to a decision.
func unpaid(tx *store.Tx, id string) (store.Mail, error) {
	m, _, err := store.Get[store.Mail](tx, id)
	if err == nil && m.State != store.MailUnpaid {
		err = wrongState(agentclient.Say("decide.meantime", "This mail was decided in the meantime."),
			agentclient.Say("decide.look-again", "Look again with: earnest inbox"))
	}
	return m, err
}

// acceptUnpaid opens a mail that came when no free mails were left, and lets its
// sender write so many further ones.
func (a *account) acceptUnpaid(ctx context.Context, m store.Mail, free agentclient.Free) error {
	a.opening.Lock()
	defer a.opening.Unlock()
	_, content, err := a.held(ctx, m.ID)
	if err != nil {
		return err
	}
	sealed, err := openpgp.Inspect(content.Raw)
	if err != nil {
		return err
	}
	f, err := a.decryptFree(ctx, sealed)
	if err != nil {
		return err
	}
	err = a.Store.Update(ctx, "free.accept", func(tx *store.Tx) error {
		now, err := unpaid(tx, m.ID)
		if err != nil {
			return err
		}
		// Whoever removed its sender has rejected it in the same transaction.
		conn, _, err := store.Get[store.Connection](tx, f.conn.ID)
		if err != nil {
			return err
		}
		if free == agentclient.FreePolicy { // never less than what is there already
			free = more(agentclient.Free(conn.Free), a.policy())
		}
		now.Unread, conn.Free = false, string(free)
		return a.showFree(tx, now, &conn, f)
	})
	if err != nil {
		return err
	}
	a.tell(agentclient.EventMail, m.ID, store.MailAccepted)
	a.tell(agentclient.EventPeople, string(f.conn.Address), "")
	return nil
}
