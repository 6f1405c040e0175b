package agent

import (
	"context"
	"errors"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/mail"
)

// Message opens a mail that was kept at arrival. That a person saw it is told to
// the sender if the offer says so.
func (a *Agent) Message(ctx context.Context, id string) (agentclient.Message, error) {
	return a.message(ctx, id, a.markRead)
}

// Look opens a mail without marking it as read: a window that goes on to the next mail
// by itself does not know yet whether anybody looks at it.
func (a *Agent) Look(ctx context.Context, id string) (agentclient.Message, error) {
	return a.message(ctx, id, func(context.Context, *store.Mail) error { return nil })
}

func (a *Agent) message(ctx context.Context, id string, seen func(context.Context, *store.Mail) error) (agentclient.Message, error) {
	m, content, err := a.opened(ctx, id)
	if err != nil {
		return agentclient.Message{}, err
	}
	if content == nil {
		message := agentclient.Message{Mail: a.viewMail(m)}
		tellChecks(&message, whyUnopened(m))
		return message, nil
	}
	read, err := mail.Read(content)
	if err != nil {
		return agentclient.Message{}, agentclient.Refuse(agentclient.CodeDamaged,
			agentclient.Say("mail.parts-unreadable", "The mail is signed by its sender but its parts cannot be read: {Why}.", "Why", err),
			agentclient.Say("mail.parts-unreadable-means", "Nothing was decided; the bond is held as before."),
			agentclient.Say("mail.parts-unreadable-do", "Answer its sender, accept, reject or let it go back by itself."))
	}
	if err := errors.Join(seen(ctx, &m), a.noteAttached(ctx, &m, len(read.Attachments))); err != nil {
		return agentclient.Message{}, err
	}
	message := agentclient.Message{Mail: a.viewMail(m)}
	tellChecks(&message, checks(m)...)
	viewContent(&message, read)
	return message, nil
}

// Attachment returns the n-th attachment of a mail with its data.
func (a *Agent) Attachment(ctx context.Context, id string, n int) (agentclient.Attachment, error) {
	_, content, err := a.opened(ctx, id)
	if err != nil {
		return agentclient.Attachment{}, err
	}
	read, err := mail.Read(content)
	if err != nil || n < 0 || n >= len(read.Attachments) {
		return agentclient.Attachment{}, agentclient.Refuse(agentclient.CodeNotFound, agentclient.Say("mail.no-attachment", "The mail has no such attachment."),
			agentclient.Say("nothing.saved", "Nothing was saved."), agentclient.Say("mail.see-attachments", "See what it has with: earnest read {ID}", "ID", id))
	}
	at := read.Attachments[n]
	return agentclient.Attachment{Name: at.Name, Type: at.Type, Size: int64(len(at.Data)), Data: at.Data}, nil
}

// opened returns a mail and, if it may be shown, its content.
func (a *Agent) opened(ctx context.Context, id string) (m store.Mail, content []byte, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		var ok bool
		if m, ok, err = store.Get[store.Mail](tx, id); err != nil {
			return err
		}
		if !ok {
			return noMail(true)
		}
		c, _, err := store.Get[store.Content](tx, id)
		if c.Opened {
			content = c.Raw
		}
		return err
	})
	return m, content, err
}

// markRead stores that the mail was seen, with the statement for the sender.
func (a *Agent) markRead(ctx context.Context, m *store.Mail) error {
	acct := a.byID(m.Account)
	if !m.Unread || acct == nil {
		return nil
	}
	err := a.Store.Update(ctx, "read", func(tx *store.Tx) error {
		now, ok, err := store.Get[store.Mail](tx, m.ID)
		if err != nil || !ok || !now.Unread {
			return err
		}
		now.Unread = false
		*m = now
		if err := store.Put(tx, now); err != nil {
			return err
		}
		bond, _, err := store.Get[store.Bond](tx, store.BondID(acct.id, m.Bond))
		if err != nil || !tellsRead(bond) {
			return err
		}
		statement, err := acct.statement(bond.BondView, escrow.EventRead, "")
		if err != nil {
			return err
		}
		return acct.putReport(tx, store.Report{Bond: m.Bond, Mail: m.ID, Event: escrow.EventRead, Signed: statement})
	})
	if err == nil {
		wake(acct.wakeReports)
		a.tell(agentclient.EventMail, m.ID, m.State)
	}
	return err
}

// tellsRead reports whether the offer under which the bond was bought promised
// to tell, and the bond can still take it.
func tellsRead(bond store.Bond) bool {
	var quote escrow.Quote
	if escrow.Peek(bond.Quote, &quote) != nil || bond.State.Ended() || !bond.ReadAt.IsZero() {
		return false
	}
	offer, err := escrow.VerifyOffer(quote.Offer)
	return err == nil && offer.TellRead
}

// whyUnopened says in words why nothing of a mail is shown.
func whyUnopened(m store.Mail) agentclient.Said {
	switch m.State {
	case store.MailDamaged:
		return agentclient.Say("unopened.damaged", "Not opened, and nothing of it is shown.")
	case store.MailHeld:
		return agentclient.Say("unopened.held", "Not opened yet: it waits for the escrow. It is opened by itself when the escrow answers, and its deadlines wait too.")
	case store.MailExtra:
		return agentclient.Say("unopened.extra", "Not opened: another mail came first on this bond, and a bond pays for one.")
	case store.MailUnpaid:
		return agentclient.Say("unopened.unpaid", "Not opened: the free mails of this sender are used up. Accept it to open it, or reject it to delete it here; no money is in it.")
	case store.MailRejected:
		if m.Connection != "" {
			return agentclient.Say("unopened.deleted", "Not opened, and it never will be: it was deleted here.")
		}
	}
	return agentclient.Say("unopened.ended", "Not opened, and it never will be: its bond is {State}.", "State", stateWord(m.State))
}

// checks says in words what was verified before the mail was shown.
func checks(m store.Mail) []agentclient.Said {
	if m.Connection != "" {
		lines := []agentclient.Said{agentclient.Say("check.free", "Free: encrypted to the key of your connection with its sender, and signed with theirs. No server was asked.")}
		if m.Unprotected {
			return append(lines, agentclient.Say("check.free-unprotected", "Its subject travelled unprotected; the sender's address is the one you are connected with."))
		}
		return append(lines, agentclient.Say("check.protected", "Sender, recipient and subject were encrypted and signed with it."))
	}
	lines := []agentclient.Said{
		agentclient.Say("check.paid", "Paid: encrypted to a one-time key that its sender bought."),
		agentclient.Say("check.signed", "Signed by the buyer; the escrow has the proof that it arrived."),
	}
	if m.Unprotected {
		lines = append(lines, agentclient.Say("check.unprotected", "Its subject and addresses travelled unprotected; the sender's address is the one that paid."))
	} else {
		lines = append(lines, agentclient.Say("check.protected", "Sender, recipient and subject were encrypted and signed with it."))
	}
	if m.Late {
		lines = append(lines, agentclient.Say("check.late", "It came late: the bond had gone back to its sender before."))
	}
	return lines
}

// tellChecks adds what was verified, in English and in phrases.
func tellChecks(message *agentclient.Message, checks ...agentclient.Said) {
	for _, check := range checks {
		message.Checks = append(message.Checks, check.String())
	}
	message.SayChecks = append(message.SayChecks, checks...)
}
