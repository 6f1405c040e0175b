package agent

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/imapwatch"
	"earnest/oauth"
	"earnest/smtpsubmit"
)

// newAddress is what was typed, unless it is set up here already: then it says what
// can be done instead.
func (a *Agent) newAddress(typed string, instead func(escrow.Address) agentclient.Said) (escrow.Address, error) {
	address, err := typedAddress(typed)
	if err != nil {
		return address, atField("address", err)
	}
	if acct, err := a.byAddress(typed); err == nil {
		return address, agentclient.Refuse(agentclient.CodeState, agentclient.Say("setup.there", "{Address} is set up already.", "Address", acct.address),
			agentclient.Say("nothing.changed", "Nothing was changed."), instead(acct.address)).At("address")
	}
	return address, nil
}

// AddAccount finds out what it was not given, and tests everything step by step
// before anything is kept.
func (a *Agent) AddAccount(ctx context.Context, req agentclient.AddAccount) (agentclient.Account, error) {
	a.adding.Lock()
	defer a.adding.Unlock()
	address, err := a.newAddress(req.Address, func(escrow.Address) agentclient.Said { return agentclient.Say("setup.status", "See: earnest status") })
	if err != nil {
		return agentclient.Account{}, err
	}
	if err := a.step(agentclient.StepKeyring, func() error { return a.checkKeyring(ctx) }); err != nil {
		return agentclient.Account{}, err
	}
	settings, c, err := a.reached(ctx, req, address)
	if err != nil {
		return agentclient.Account{}, notAdded(err)
	}
	var acct *account
	err = a.step(agentclient.StepKeys, func() (err error) {
		acct, err = a.openAccount(ctx, settings, c)
		return err
	})
	if err != nil {
		return agentclient.Account{}, err
	}
	a.logins.used(req.Login)
	a.start(acct)
	a.tell(agentclient.EventStatus, acct.id, "")
	// If it cannot be asked now, the account stays and asks again by itself.
	_ = a.step(agentclient.StepAddress, func() error { return acct.wasClaimed(ctx) })
	return acct.status(ctx)
}

// step tells how a step of a set-up goes.
func (a *Agent) step(name string, try func() error) error {
	a.tell(agentclient.EventSetup, name, "trying")
	err := try()
	a.tell(agentclient.EventSetup, name, either(err == nil, "ok", "failed"))
	return err
}

func (a *Agent) checkKeyring(ctx context.Context) error {
	err := a.Keyring.Check(ctx)
	if err == nil {
		return nil
	}
	return agentclient.Refuse(agentclient.CodeNoKeyring, agentclient.Verbatim(err.Error()), agentclient.Say("nothing.saved", "Nothing was saved."),
		agentclient.Say("setup.keyring", "Start a keyring such as gnome-keyring, or unlock it, then try again"))
}

// credentialOf is the password of a request, or the sign-in that it names.
func (a *Agent) credentialOf(req agentclient.AddAccount, address escrow.Address) (*credential, error) {
	if req.Login != "" {
		return a.logins.signedIn(req.Login, address, a.Now())
	}
	if req.Password == "" {
		return nil, agentclient.Refuse(agentclient.CodeUsage, agentclient.Say("setup.no-secret", "There is no password and no sign-in."), nil,
			agentclient.Say("setup.give-secret", "Give the password of the mailbox, or sign in with its provider.")).At("password")
	}
	return &credential{Agent: a, address: req.Address, secret: req.Password}, nil
}

// complete finds out what was left empty.
func (a *Agent) complete(ctx context.Context, req agentclient.AddAccount) (agentclient.AddAccount, error) {
	if strings.ContainsFunc(req.User, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return req, agentclient.Refuse(agentclient.CodeUsage, agentclient.Say("setup.user", "The user name has characters that no name has."), nil,
			agentclient.Say("setup.user-again", "Type it again; often it is the address itself.")).At("user")
	}
	if req.IMAP == "" || req.SMTP == "" || req.Escrow == "" {
		found, err := a.Discover(ctx, req.Address)
		if err != nil {
			return req, err
		}
		for _, part := range []struct {
			said  *string
			found string
		}{{&req.IMAP, found.IMAP}, {&req.SMTP, found.SMTP}, {&req.Escrow, found.Escrow}} {
			if *part.said == "" {
				*part.said = part.found
			}
		}
		if req.User == "" && req.IMAP == found.IMAP {
			req.User = found.User
		}
	}
	if req.User == "" {
		req.User = req.Address
	}
	for _, part := range []struct {
		field, server string
		what          agentclient.Said
		example       string
	}{
		{"imap", req.IMAP, agentclient.Say("what.read", "where its mail is read"), "imaps://imap.example.org:993"},
		{"smtp", req.SMTP, agentclient.Say("what.sent", "where its mail is sent"), "smtps://smtp.example.org:465"},
	} {
		if part.server == "" {
			_, domain, _ := strings.Cut(req.Address, "@")
			return req, agentclient.Refuse(agentclient.CodeUsage,
				agentclient.Say("setup.not-found", "It could not be found out {What}: {Domain} says nothing of it.", "What", part.what, "Domain", domain), nil,
				agentclient.Say("setup.name-server", "Name the server as your provider's help pages do, like {Host}.", "Host", part.example)).At(part.field)
		}
	}
	return req, nil
}

// tryServers logs in to both, and sends nothing.
func (a *Agent) tryServers(ctx context.Context, c *credential, req agentclient.AddAccount) error {
	if err := cmp.Or(c.mayGoTo("imap", req.IMAP), c.mayGoTo("smtp", req.SMTP)); err != nil {
		return err
	}
	login := either(c.provider == "", "password", "login")
	err := a.step(agentclient.StepIMAP, func() error {
		err := a.Outside.CheckMailbox(ctx, c.server(req.IMAP, req.User, req.CA))
		field := either(loginRefused(err) || errors.Is(err, oauth.ErrRefused), login, "imap")
		return atField(field, c.explain(agentclient.Say("what.mailbox-at", "The mailbox at {Host}", "Host", hostPort(req.IMAP)), err))
	})
	if err != nil {
		return err
	}
	return a.step(agentclient.StepSMTP, func() error {
		err := a.Outside.CheckSubmission(ctx, c.server(req.SMTP, req.User, req.CA))
		err = atField("smtp", c.explain(agentclient.Say("what.submission-at", "The server that sends your mail, {Host},", "Host", hostPort(req.SMTP)), err))
		return tookElsewhere(err)
	})
}

// tookElsewhere: the mailbox took what this server refuses, so it may be the wrong
// server.
func tookElsewhere(err error) error {
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Code != agentclient.CodeLogin {
		return err
	}
	return failure.Saying(nil, nil, agentclient.Say("setup.smtp-alone", "The mailbox took the same: check the name and port of this server.").And(failure.Say.Do))
}

// hostPort names a server as a person does, with the port even where it is the
// usual one.
func hostPort(server string) string {
	at, err := url.Parse(server)
	if err != nil || at.Host == "" {
		return server
	}
	if at.Port() != "" {
		return at.Host
	}
	usual := map[string]string{"imaps": "993", "imap": "143", "smtps": "465", "smtp": "587", "https": "443", "http": "80"}
	return net.JoinHostPort(at.Hostname(), usual[at.Scheme])
}

// askEscrow asks the escrow what it says of itself, in nobody's name, and pins
// its receipt key.
func (a *Agent) askEscrow(ctx context.Context, settings *store.Account) error {
	if settings.Escrow == "" {
		return agentclient.Refuse(agentclient.CodeUsage,
			agentclient.Say("setup.no-escrow", "It is not known which escrow shall hold the money of those who write to you."), nil,
			agentclient.Say("setup.name-escrow", "Name one, like https://escrow.example.").And(
				agentclient.Say("setup.escrow-is", "An escrow holds each bond until you have decided, and gives it back or passes it on.")).And(
				agentclient.Say("setup.which-escrow", "Take the one of people you write with, whose cards name it, or run your own: earnest-escrow serve"))).At("escrow")
	}
	if !strings.Contains(settings.Escrow, "://") {
		settings.Escrow = "https://" + settings.Escrow
	}
	_, nobody, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	what := escrowAt(settings.Escrow)
	service, err := a.Outside.Escrow(settings.Escrow, settings.CA, nobody)
	if _, told := errors.AsType[*agentclient.Failure](err); err != nil && !told {
		return agentclient.Refuse(agentclient.CodeUsage, agentclient.Say("server.unusable", "{What} cannot be used: {Why}.", "What", what, "Why", cause(err)), nil,
			agentclient.Say("setup.escrow-like", "Write it like https://escrow.example or https://escrow.example:8443.")).At("escrow")
	}
	if err != nil {
		return atField("escrow", err)
	}
	if settings.Info, err = service.Info(ctx); err != nil {
		return atField("escrow", explain(what, err))
	}
	if len(settings.Info.Currencies) == 0 || len(settings.Info.Beneficiaries) == 0 {
		return agentclient.Refuse(agentclient.CodeUnreachable, agentclient.Say("setup.escrow-empty", "That escrow names no currency or nobody for forfeits."), nil,
			agentclient.Say("setup.escrow-other", "Use another escrow, or tell its operator.")).At("escrow")
	}
	settings.ReceiptKey = settings.Info.ReceiptKey
	return nil
}

// openAccount makes the keys and opens the account at the escrow. If it fails, the
// keyring is left as it was.
func (a *Agent) openAccount(ctx context.Context, settings store.Account, c *credential) (acct *account, err error) {
	identity, item, recovery := firstItem(settings.ID), passwordItem(settings), recoveryItem(settings.ID)
	secret, err := c.password(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err == nil {
			return
		}
		for _, name := range []string{identity, item, recovery} {
			if gone := a.Keyring.Delete(context.WithoutCancel(ctx), name); gone != nil {
				err = errors.Join(err, gone)
			}
		}
		c.unkeep(secret)
	}()
	signer, err := a.Keyring.NewSigner(ctx, identity)
	if err != nil {
		return nil, err
	}
	if err := c.keep(ctx, item); err != nil {
		return nil, err
	}
	backup, err := a.Keyring.NewSigner(ctx, recovery)
	if err != nil {
		return nil, err
	}
	settings.Identity = escrow.PublicKey(signer.Public().(ed25519.PublicKey))
	service, err := a.Outside.Escrow(settings.Escrow, settings.CA, signer)
	if err != nil {
		return nil, err
	}
	if _, err := service.OpenAccount(ctx, escrow.OpenAccount{Key: settings.Identity, Recovery: escrow.PublicKey(backup.Public().(ed25519.PublicKey))}); err != nil {
		return nil, atField("escrow", notAdded(explain(escrowAt(settings.Escrow), err)))
	}
	if acct, err = a.accountWith(ctx, settings, c); err != nil {
		return nil, err
	}
	err = a.Store.Update(ctx, "account", func(tx *store.Tx) error { return store.Put(tx, settings) })
	if err != nil {
		return nil, err
	}
	return acct, nil
}

// passwordItem is where the account's password, or what renews its sign-in, is in
// the keyring.
func passwordItem(settings store.Account) string {
	if settings.Secret != "" {
		return settings.Secret
	}
	return settings.ID + "/password"
}

// claimPatience is how long a set-up waits to see that the escrow was asked.
const claimPatience = 10 * time.Second

// wasClaimed waits until the escrow was asked for the token mail.
func (a *account) wasClaimed(ctx context.Context) error {
	a.Agent.mu.Lock()
	running := a.running != nil
	a.Agent.mu.Unlock()
	if !running {
		return nil
	}
	timer := time.NewTimer(claimPatience)
	defer timer.Stop()
	select {
	case err := <-a.claimed:
		return err
	case <-timer.C:
		return context.DeadlineExceeded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// notAdded says of a server that cannot be used what that means for an account
// which does not exist yet: nothing is kept that could be tried again.
func notAdded(err error) error {
	return meaning(err, agentclient.Say("setup.not-added", "The account was not added: nothing was saved, the password neither.").And(untouched()))
}

func untouched() agentclient.Said {
	return agentclient.Say("setup.untouched", "No mail and no money was touched.")
}

func escrowAt(server string) agentclient.Said {
	return agentclient.Say("what.escrow-at", "The escrow at {Host}", "Host", hostPort(server))
}

func meaning(err error, means agentclient.Said) error {
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok {
		return err
	}
	return failure.Saying(nil, means, nil)
}

// atField says which field of the request is wrong, unless that is known.
func atField(field string, err error) error {
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Field != "" {
		return err
	}
	return failure.At(field)
}

// loginRefused: what an account shows was not taken.
func loginRefused(err error) bool {
	return errors.Is(err, imapwatch.ErrLogin) || errors.Is(err, smtpsubmit.ErrLogin)
}
