package agent

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/paper"
	"earnest/escrow"
)

// RecoverAccount implements [agentclient.Agent]: the account of a machine that was
// lost goes on here. It is tested as a new one is; then it is frozen, so that nobody
// who has the machine spends anything, and handed to a key that is made here. Where
// that breaks off the recovery key still has the account: it is done again.
func (a *Agent) RecoverAccount(ctx context.Context, req agentclient.RecoverAccount) (agentclient.Recovered, error) {
	a.adding.Lock()
	defer a.adding.Unlock()
	address, err := a.newAddress(req.Address, func(address escrow.Address) agentclient.Said {
		return agentclient.Say("recover.rotate", "To have another key sign for it: earnest account rotate {Address} --recovery", "Address", address)
	})
	if err != nil {
		return agentclient.Recovered{}, err
	}
	key, err := paperKey("recovery", req.Recovery)
	if err != nil {
		return agentclient.Recovered{}, err
	}
	if err := a.step(agentclient.StepKeyring, func() error { return a.checkKeyring(ctx) }); err != nil {
		return agentclient.Recovered{}, err
	}
	settings, c, err := a.reached(ctx, req.AddAccount, address)
	if err != nil {
		return agentclient.Recovered{}, notAdded(err)
	}
	settings.Connected = true // nothing of before is here
	settings.Safety = store.Safety{Account: escrow.KeyID(base64.RawURLEncoding.EncodeToString(key.Account())), Recovery: publicOf(key), RecoveredAt: a.Now()}
	var acct *account
	err = a.step(agentclient.StepKeys, func() (err error) {
		acct, err = a.takeAccount(ctx, settings, c, key)
		return err
	})
	if err != nil {
		return agentclient.Recovered{}, err
	}
	a.logins.used(req.Login)
	open := acct.openBefore(ctx)
	a.start(acct)
	a.Log.Warn("an account was recovered: it is signed for by a key of this machine now")
	a.tell(agentclient.EventStatus, acct.id, "")
	view, err := acct.status(ctx)
	done := agentclient.Recovered{Account: view, Open: open, SayLost: acct.lost(open)}
	for _, said := range done.SayLost {
		done.Lost = append(done.Lost, said.String())
	}
	return done, err
}

// reached finds the servers and the escrow of an account, and tests them.
func (a *Agent) reached(ctx context.Context, req agentclient.AddAccount, address escrow.Address) (settings store.Account, c *credential, err error) {
	if c, err = a.credentialOf(req, address); err != nil {
		return settings, c, err
	}
	if req, err = a.complete(ctx, req); err != nil {
		return settings, c, err
	}
	if err := a.tryServers(ctx, c, req); err != nil {
		return settings, c, err
	}
	settings = store.Account{
		ID: newID(), Number: a.Now().UnixMilli(), Address: address, Typed: req.Address,
		IMAP: req.IMAP, SMTP: req.SMTP, User: req.User, Escrow: req.Escrow, CA: req.CA, Provider: c.provider,
	}
	return settings, c, a.step(agentclient.StepEscrow, func() error { return a.askEscrow(ctx, &settings) })
}

// takeAccount has the account handed to a new key. If it fails, the keyring is left
// as it was.
func (a *Agent) takeAccount(ctx context.Context, settings store.Account, c *credential, key *paper.Key) (acct *account, err error) {
	secret, err := c.password(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err == nil {
			return
		}
		for _, name := range []string{firstItem(settings.ID), passwordItem(settings)} {
			if gone := a.Keyring.Delete(context.WithoutCancel(ctx), name); gone != nil {
				err = errors.Join(err, gone)
			}
		}
		c.unkeep(secret)
	}()
	signer, err := a.Keyring.NewSigner(ctx, firstItem(settings.ID))
	if err != nil {
		return nil, err
	}
	if err := c.keep(ctx, passwordItem(settings)); err != nil {
		return nil, err
	}
	service, err := a.Outside.Escrow(settings.Escrow, settings.CA, signer)
	if err != nil {
		return nil, err
	}
	order, err := rotation(settings.Safety.Account, signer)
	if err != nil {
		return nil, err
	}
	give := func(order escrow.Order, keep func(escrow.Signed) error) (escrow.Account, error) {
		known, err := giveOrder(ctx, service, settings.Safety.Account, order, key, a.Now(), keep)
		return known, explain(escrowAt(settings.Escrow), err)
	}
	unkept := func(escrow.Signed) error { return nil }
	known, err := give(escrow.Order{Action: escrow.ActionFreeze}, unkept)
	if code := escrow.CodeOf(err); code == escrow.Unauthorized || code == escrow.NotFound {
		return nil, notTheRecovery(settings.Info.Name)
	}
	if err != nil {
		return nil, notAdded(err)
	}
	if err := holds(known, settings.Address); err != nil {
		_, thawed := give(escrow.Order{Action: escrow.ActionUnfreeze}, unkept)
		return nil, errors.Join(err, thawed)
	}
	known, err = give(order, func(signed escrow.Signed) error {
		settings.Safety.Follows = []escrow.Signed{signed}
		return nil
	})
	if err != nil {
		return nil, meaning(err, agentclient.Say("recover.frozen", "The account is frozen, so nobody spends anything; it may not be yours again yet.").And(
			agentclient.Say("recover.again", "Recover it once more: the same recovery key counts.")))
	}
	settings.Identity = publicOf(signer)
	for _, proven := range known.Addresses {
		if proven.Address == settings.Address {
			settings.Proven, settings.RenewBy = true, proven.RenewBy
		}
	}
	if acct, err = a.accountWith(ctx, settings, c); err != nil {
		return nil, err
	}
	return acct, a.Store.Update(ctx, "recovered", func(tx *store.Tx) error { return store.Put(tx, settings) })
}

// holds refuses an account that holds other addresses. One that holds none any more
// proves its address anew.
func holds(known escrow.Account, address escrow.Address) error {
	var all []string
	for _, proven := range known.Addresses {
		all = append(all, string(proven.Address))
	}
	if len(all) == 0 || slices.Contains(all, string(address)) {
		return nil
	}
	return agentclient.Refuse(agentclient.CodeState,
		agentclient.Say("recover.other-address", "That recovery key is of the account of {Address}.", "Address", all[0]),
		agentclient.Say("nothing.changed", "Nothing was changed."),
		agentclient.Say("recovery.right-paper", "Take the one that was written down for {Address}.", "Address", address)).At("recovery")
}

// openBefore fetches the bonds of before, and counts those that nobody can decide.
func (a *account) openBefore(ctx context.Context) (open int) {
	for more := true; more; {
		var err error
		if more, err = a.syncBonds(ctx, 0); err != nil {
			break // it is followed anyway; then fewer are told of
		}
	}
	_ = a.Store.View(ctx, func(tx *store.Tx) error {
		bonds, err := store.List[store.Bond](tx, "recipient.open")
		for _, bond := range bonds {
			if bond.Account == a.id && a.lostBefore(bond.BondView) {
				open++
			}
		}
		return err
	})
	return open
}

// lost says what the other machine alone had.
func (a *account) lost(open int) []agentclient.Said {
	said := []agentclient.Said{
		agentclient.Say("recover.lost-people", "Whom you let in, and who let you in, is known to the other machine alone: you pay each other again, once."),
		agentclient.Say("recover.lost-price", "Your price was withdrawn with the keys of the other machine. Set it again: earnest price set"),
		agentclient.Say("recover.lost-card", "Your card has another fingerprint now. Who saw the old one is shown that this one follows from it, if your price named the recovery key; others must compare it with you."),
	}
	if open > 0 {
		said = append([]agentclient.Said{agentclient.Say("recover.lost-mails",
			"Mails to you that were paid for and not decided: {N}. Their one-time keys are lost with the other machine: nobody can open or decide them, and their money goes back at the deadlines.", "N", open)}, said...)
	}
	return said
}
