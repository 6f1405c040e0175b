package agent

import (
	"context"

	"earnest/agent/store"
)

// mailboxOf is the account's mailbox with these settings; it does nothing yet.
func (a *account) mailboxOf(settings store.Account, c *credential) (Mailbox, error) {
	return a.Outside.Mailbox(c.server(settings.IMAP, settings.User, settings.CA), incoming{a}, positions{a}, a.mailboxState)
}

// reach has the account's servers reached so from now on.
func (a *account) reach(settings store.Account, c *credential, mailbox Mailbox) {
	a.mu.Lock()
	a.signIn, a.mailbox = c, mailbox
	a.submit = c.server(settings.SMTP, settings.User, settings.CA)
	stop := a.stopWatch
	a.mu.Unlock()
	wake(a.signInNew)
	if stop != nil {
		stop() // watchMailbox goes on with the new one
	}
}

// submission is the server that sends the account's mail.
func (a *account) submission() Server {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.submit
}

func (a *account) signedInAs() *credential {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.signIn
}

// watchMailbox watches the mailbox, and another one when the settings change.
func (a *account) watchMailbox(ctx context.Context) error {
	for {
		watching, stop := context.WithCancel(ctx)
		a.mu.Lock()
		mailbox := a.mailbox
		a.stopWatch = stop
		a.mu.Unlock()
		err := mailbox.Run(watching)
		replaced := watching.Err() != nil
		stop()
		if ctx.Err() != nil || !replaced {
			return err
		}
	}
}
