package agent

import (
	"context"
	"errors"
	"slices"

	"earnest/agent/store"
	"earnest/crypto/openpgp"
)

// forget removes the account and all that is remembered of it, in one transaction:
// after a crash it is there as before, or gone. What of it is in the keyring is named
// in the trash, and deleted by what empties that, also after a crash.
func (a *account) forget(ctx context.Context) error {
	a.changing.Lock()
	defer a.changing.Unlock()
	err := a.Store.Update(ctx, "account.remove", func(tx *store.Tx) error {
		if err := a.nothingOpen(tx); err != nil { // something was sent while the loops ended
			return err
		}
		settings := a.get()
		for _, forget := range []func(*store.Tx) error{a.forgetSent, a.forgetPeople, a.forgetMails, a.forgetBonds, a.forgetKeys, a.forgetPlaces, a.forgetLimits} {
			if err := forget(tx); err != nil {
				return err
			}
		}
		return errors.Join(store.Put(tx, store.Trash{Name: passwordItem(settings)}), store.Put(tx, store.Trash{Name: recoveryItem(a.id)}),
			trash(tx, identityItems(settings)),
			store.Delete[store.Account](tx, a.id))
	})
	if err != nil {
		return err
	}
	a.Agent.mu.Lock()
	defer a.Agent.mu.Unlock()
	a.gone = true
	a.accounts = slices.DeleteFunc(slices.Clone(a.accounts), func(other *account) bool { return other == a })
	return nil
}

func trash(tx *store.Tx, items []string) error {
	for _, item := range items {
		if err := store.Put(tx, store.Trash{Name: item}); err != nil {
			return err
		}
	}
	return nil
}

func (a *account) removed() bool {
	a.Agent.mu.Lock()
	defer a.Agent.mu.Unlock()
	return a.gone
}

// stays refuses to write for an account that was removed meanwhile.
func (a *account) stays(tx *store.Tx) error {
	there, err := store.Has[store.Account](tx, a.id)
	if err == nil && !there {
		err = noAccount()
	}
	return err
}

// drop deletes the records that are the account's, and what hangs on each.
func drop[R store.Record](tx *store.Tx, id func(R) (string, bool), also ...func(R) error) error {
	all, err := store.List[R](tx)
	if err != nil {
		return err
	}
	for _, r := range all {
		name, ours := id(r)
		if !ours {
			continue
		}
		for _, further := range also {
			if err := further(r); err != nil {
				return err
			}
		}
		if err := store.Delete[R](tx, name); err != nil {
			return err
		}
	}
	return nil
}

// forgetSent deletes what was sent, and the keys of its purchases.
func (a *account) forgetSent(tx *store.Tx) error {
	return drop(tx, func(s store.Sent) (string, bool) { return s.ID, s.Account == a.id }, func(s store.Sent) error {
		if err := store.Delete[store.Letter](tx, s.ID); err != nil || len(s.Buy.Reply) == 0 || !s.OwnKeys() {
			return err
		}
		if err := store.Put(tx, store.Trash{Name: verifyName(s)}); err != nil {
			return err
		}
		if _, err := openpgp.ParseCertificate(s.Buy.Reply); err != nil {
			return store.Put(tx, store.Trash{Name: replyName(s)})
		}
		return dropReply(tx, s)
	})
}

// forgetPeople deletes the connections with their keys.
func (a *account) forgetPeople(tx *store.Tx) error {
	return drop(tx, func(c store.Connection) (string, bool) { return c.ID, c.Account == a.id }, func(c store.Connection) error {
		for _, pair := range c.Pairs {
			if err := store.Put(tx, store.Trash{Name: pair.Name}); err != nil {
				return err
			}
		}
		return errors.Join(forgetSeen(tx, c.ID), store.Delete[store.Refused](tx, refusedOf(store.Mail{Connection: c.ID})))
	})
}

// forgetMails deletes the mails here; those at the provider stay.
func (a *account) forgetMails(tx *store.Tx) error {
	return drop(tx, func(m store.Mail) (string, bool) { return m.ID, m.Account == a.id }, func(m store.Mail) error {
		err := store.Delete[store.Content](tx, m.ID)
		if m.From == "" || err != nil {
			return err
		}
		sender, err := a.blind(m.From)
		if err != nil {
			return err
		}
		return errors.Join(store.Delete[store.Met](tx, sender), forgetSeen(tx, sender))
	})
}

// forgetBonds deletes what the escrow told of bonds, and what was to be told to it.
func (a *account) forgetBonds(tx *store.Tx) error {
	openers, err := store.List[store.Opener](tx)
	if err != nil {
		return err
	}
	err = drop(tx, func(b store.Bond) (string, bool) { return store.BondID(b.Account, b.ID), b.Account == a.id }, func(b store.Bond) error {
		for _, o := range openers {
			if o.Bond == b.ID {
				if err := store.Delete[store.Opener](tx, o.ID); err != nil {
					return err
				}
			}
		}
		other, err := a.alsoOf(tx, b)
		if err != nil || other { // the other party is an account here, too
			return err
		}
		return errors.Join(store.Delete[store.Taken](tx, string(b.ID)), store.Delete[store.Refused](tx, string(b.ID)))
	})
	return errors.Join(err,
		drop(tx, func(c store.Chain) (string, bool) { return store.BondID(c.Account, c.Bond), c.Account == a.id }),
		drop(tx, func(r store.Report) (string, bool) { return r.ID, r.Account == a.id }))
}

// alsoOf tells that the bond is another account's here, as the recipient's.
func (a *account) alsoOf(tx *store.Tx, b store.Bond) (bool, error) {
	for _, other := range a.each() {
		if other.id == a.id {
			continue
		}
		if there, err := store.Has[store.Bond](tx, store.BondID(other.id, b.ID)); there || err != nil {
			return there, err
		}
	}
	return false, nil
}

// forgetKeys deletes the one-time keys, sold or not.
func (a *account) forgetKeys(tx *store.Tx) error {
	err := drop(tx, func(k store.Key) (string, bool) { return k.Fingerprint, k.Account == a.id }, func(k store.Key) error {
		for _, id := range k.KeyIDs {
			named, _, err := store.Get[store.KeyNamed](tx, store.KeyID(id))
			if err != nil {
				return err
			}
			named.Fingerprints = slices.DeleteFunc(named.Fingerprints, func(f string) bool { return f == k.Fingerprint })
			if err := renamed(tx, named, id); err != nil {
				return err
			}
		}
		if k.State == store.KeyDead {
			return nil
		}
		return store.Put(tx, store.Trash{Name: k.Name})
	})
	return errors.Join(err, drop(tx, func(b store.Batch) (string, bool) { return b.ID, b.Account == a.id }))
}

func renamed(tx *store.Tx, named store.KeyNamed, id uint64) error {
	if len(named.Fingerprints) == 0 {
		return store.Delete[store.KeyNamed](tx, store.KeyID(id))
	}
	return store.Put(tx, named)
}

// forgetPlaces deletes what was read, what was shown of others, and old prices.
func (a *account) forgetPlaces(tx *store.Tx) error {
	only := len(a.each()) == 1
	pins, err := store.List[store.Pin](tx)
	if err != nil {
		return err
	}
	for _, pin := range pins {
		id, err := a.blind(pin.Address)
		if err == nil && id == pin.ID {
			err = store.Delete[store.Pin](tx, id)
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(
		// One from before they named their account is the only account's.
		drop(tx, func(p store.Position) (string, bool) { return p.ID, p.Account == a.id || only && p.Account == "" }),
		drop(tx, func(p store.PriceChange) (string, bool) { return p.ID, p.Account == a.id }),
		drop(tx, func(p store.Paying) (string, bool) { return p.ID, p.Account == a.id }),
		drop(tx, func(s store.Answered) (string, bool) { return s.ID, s.Account == a.id }),
		a.dropAnswers(tx))
}
