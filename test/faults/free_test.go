package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"earnest/agentclient"
)

// free writes one mail each way over the connection, as a person does who sees an
// error: look whether it is on its way, and only if it is not, write it again.
func (r *rig) free(ctx context.Context, l *letter) error {
	r.freed++
	there := r.writeFree(ctx, r.Sender.Agent, r.Recipient.Agent, r.Recipient.Address, l.subject+", free")
	back := r.writeFree(ctx, r.Recipient.Agent, r.Sender.Agent, r.Sender.Address, l.subject+", back")
	return errors.Join(there, back)
}

func (r *rig) writeFree(ctx context.Context, from, to *agentclient.Client, address, subject string) error {
	return r.until(ctx, subject+" is read", func() (bool, error) {
		people, err := from.People(ctx)
		if err != nil || len(people) != 1 || people[0].FreeThere != agentclient.FreeAlways {
			return false, errors.Join(err, fmt.Errorf("people are %+v", people))
		}
		sent, err := from.Sent(ctx)
		sent = slices.DeleteFunc(sent, func(s agentclient.Sent) bool { return s.Subject != subject })
		if err != nil {
			return false, err
		}
		if len(sent) == 0 {
			_, err := from.Send(ctx, agentclient.Compose{To: []string{address}, Subject: subject, Body: "Good day.\n"})
			return false, err
		}
		if len(sent) > 1 || !sent[0].Free || sent[0].State == "failed" {
			return false, errors.Join(errFinal, found("%s was sent as %+v", subject, sent))
		}
		mails, err := to.Inbox(ctx)
		mails = slices.DeleteFunc(mails, func(m agentclient.Mail) bool { return m.Subject != subject })
		if len(mails) > 1 {
			return false, errors.Join(errFinal, found("%s is shown %d times", subject, len(mails)))
		}
		return len(mails) == 1 && mails[0].State == "accepted" && mails[0].Free && sent[0].State == "submitted",
			errors.Join(err, fmt.Errorf("sent is %s, mails are %+v", sent[0].State, mails))
	})
}

// counted holds both sides' counts against the mails that were written: none lost,
// none counted twice.
func (r *rig) counted(ctx context.Context) error {
	for _, agent := range []*agentclient.Client{r.Sender.Agent, r.Recipient.Agent} {
		people, err := agent.People(ctx)
		if r.freed > 0 && (err != nil || len(people) != 1 || people[0].Sent != r.freed || people[0].Received != r.freed) {
			return fmt.Errorf("%d free mails went each way, and an agent knows %+v (%v)", r.freed, people, err)
		}
	}
	return nil
}
