package agent

import (
	"context"
	"errors"

	"earnest/agent/store"
	"earnest/agentclient"
)

// ChangeAccount implements [agentclient.Agent].
func (a *Agent) ChangeAccount(ctx context.Context, req agentclient.AddAccount) (agentclient.Account, error) {
	a.adding.Lock()
	defer a.adding.Unlock()
	if _, err := typedAddress(req.Address); err != nil {
		return agentclient.Account{}, atField("address", err)
	}
	acct, err := a.byAddress(req.Address)
	if err != nil {
		return agentclient.Account{}, atField("address", err)
	}
	old := acct.get()
	if req.Escrow != "" && req.Escrow != old.Escrow {
		return agentclient.Account{}, agentclient.Refuse(agentclient.CodeUsage,
			agentclient.Say("account.stays", "An account stays with its escrow, which holds its money and its prices."),
			agentclient.Say("nothing.changed-nor-moved", "Nothing was changed and no money moved."), agentclient.Say("account.leave-out", "Leave the escrow out.")).At("escrow")
	}
	c, err := acct.changedCredential(req)
	if err != nil {
		return agentclient.Account{}, notChanged(err)
	}
	settings := changed(old, req)
	tried := agentclient.AddAccount{Address: req.Address, IMAP: settings.IMAP, SMTP: settings.SMTP, User: settings.User, CA: settings.CA}
	if tried, err = a.complete(ctx, withEscrow(tried, settings)); err != nil {
		return agentclient.Account{}, notChanged(err)
	}
	if err := a.tryServers(ctx, c, tried); err != nil {
		return agentclient.Account{}, notChanged(err)
	}
	if len(req.CA) > 0 { // they are for the escrow, too
		probe := settings
		if err := a.step(agentclient.StepEscrow, func() error { return a.askEscrow(ctx, &probe) }); err != nil {
			return agentclient.Account{}, notChanged(err)
		}
	}
	if err := acct.adopt(ctx, settings, c); err != nil {
		return agentclient.Account{}, notChanged(err)
	}
	a.logins.used(req.Login)
	a.tell(agentclient.EventStatus, acct.id, "")
	return acct.status(ctx)
}

func notChanged(err error) error {
	return meaning(err, agentclient.Say("account.goes-on", "Nothing was changed: the account goes on with what it had.").And(untouched()))
}

// withEscrow keeps complete from looking for one.
func withEscrow(req agentclient.AddAccount, settings store.Account) agentclient.AddAccount {
	req.Escrow = settings.Escrow
	return req
}

// changed is the settings with what a request says.
func changed(s store.Account, req agentclient.AddAccount) store.Account {
	for _, part := range []struct {
		to   *string
		said string
	}{{&s.IMAP, req.IMAP}, {&s.SMTP, req.SMTP}, {&s.User, req.User}} {
		if part.said != "" {
			*part.to = part.said
		}
	}
	if len(req.CA) > 0 {
		s.CA = req.CA
	}
	return s
}

// changedCredential is the new one of a request, or the old one.
func (a *account) changedCredential(req agentclient.AddAccount) (*credential, error) {
	if req.Password == "" && req.Login == "" {
		return a.signedInAs(), nil
	}
	return a.credentialOf(req, a.address)
}

// adopt keeps what was tested and has the mailbox watched with it. The old
// password is deleted from the keyring by what empties the trash, also after a
// crash.
func (a *account) adopt(ctx context.Context, tested store.Account, c *credential) (err error) {
	mailbox, err := a.mailboxOf(tested, c)
	if err != nil {
		return err
	}
	fresh, item := c != a.signedInAs(), ""
	if fresh {
		secret, missing := c.password(ctx)
		if missing != nil {
			return missing
		}
		item = a.id + "/password-" + newID()
		if failed := c.keep(ctx, item); failed != nil {
			return errors.Join(failed, a.Keyring.Delete(context.WithoutCancel(ctx), item))
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, a.Keyring.Delete(context.WithoutCancel(ctx), item))
				c.unkeep(secret)
			}
		}()
	}
	err = a.change(ctx, "account.change", func(tx *store.Tx, s *store.Account) error {
		s.IMAP, s.SMTP, s.User, s.CA = tested.IMAP, tested.SMTP, tested.User, tested.CA
		if !fresh {
			return nil
		}
		replaced := passwordItem(*s)
		s.Secret, s.Provider = item, c.provider
		return store.Put(tx, store.Trash{Name: replaced})
	})
	if err != nil {
		return err
	}
	a.reach(tested, c, mailbox)
	return nil
}
