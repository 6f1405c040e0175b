package agent

import (
	"context"
	"errors"
	"slices"
	"time"

	"earnest/agent/store"
	"earnest/crypto/openpgp"
	"earnest/escrow"
)

// takeOverKey decides what becomes of a bond's key.
func (a *account) takeOverKey(tx *store.Tx, view escrow.BondView) error {
	key, ok, err := store.Get[store.Key](tx, view.KeyFingerprint)
	if err != nil || !ok || key.State == store.KeyDead {
		return err
	}
	key.Bond = view.ID
	held, err := heldFor(tx, key)
	if err != nil {
		return err
	}
	switch {
	case view.State == escrow.Held && !view.WithdrawAskedAt.IsZero() && !held:
		return a.destroyUnopened(tx, view, key)
	case view.State == escrow.Rejected, view.State == escrow.Withdrawn:
		return dropKey(tx, key)
	case view.State == escrow.Accepted, !view.LateAcceptedAt.IsZero():
		key.State = store.KeyConnected
		return errors.Join(store.Put(tx, key), a.connectAccepted(tx, view, key))
	default:
		// Sold. Also where the bond has expired: its mail may still come, or be
		// accepted, late; tidy deletes the key when that time is over.
		key.State = store.KeySold
	}
	return store.Put(tx, key)
}

// heldFor reports whether a mail to the key is here and not opened yet.
func heldFor(tx *store.Tx, key store.Key) (bool, error) {
	held, err := store.List[store.Mail](tx, store.MailHeld)
	for _, m := range held {
		names := slices.ContainsFunc(m.KeyIDs, func(id uint64) bool { return slices.Contains(key.KeyIDs, id) })
		if m.Bond == key.Bond || m.Bond == "" && names {
			return true, err
		}
	}
	return false, err
}

// dropKey forgets a key whose bond has ended. Its mail is sealed anew already.
func dropKey(tx *store.Tx, key store.Key) error {
	if err := store.Put(tx, store.Trash{Name: key.Name}); err != nil {
		return err
	}
	key.State = store.KeyDead
	return store.Put(tx, key)
}

// dropReply deletes the reply key of a purchase. One bought before reply keys had
// a record has its place in the keyring alone.
func dropReply(tx *store.Tx, sent store.Sent) error {
	reply, err := openpgp.ParseCertificate(sent.Buy.Reply)
	if err != nil {
		return err
	}
	key, ok, err := store.Get[store.Key](tx, reply.Fingerprint)
	if err != nil {
		return err
	}
	if ok && key.State == store.KeyDead {
		return nil
	}
	if !ok {
		key = replyKey(sent, reply)
	}
	return dropKey(tx, key)
}

// destroyUnopened gives up the key of a bond whose sender asked for it back, and
// has the escrow told so. A mail that came first would have cancelled it.
func (a *account) destroyUnopened(tx *store.Tx, view escrow.BondView, key store.Key) error {
	statement, err := a.statement(view, escrow.EventWithdrawn, "")
	if err != nil {
		return err
	}
	if err := dropKey(tx, key); err != nil {
		return err
	}
	return a.putReport(tx, store.Report{Bond: view.ID, Event: escrow.EventWithdrawn, Signed: statement})
}

// ownKeys are the keys that a mail names, of every account here and in every
// state.
func ownKeys(tx *store.Tx, sealed openpgp.Sealed) (own []store.Key, err error) {
	for _, id := range sealed.KeyIDs {
		named, _, err := store.Get[store.KeyNamed](tx, store.KeyID(id))
		if err != nil {
			return nil, err
		}
		for _, fingerprint := range named.Fingerprints {
			key, ok, err := store.Get[store.Key](tx, fingerprint)
			if err != nil {
				return nil, err
			}
			if ok {
				own = append(own, key)
			}
		}
	}
	return own, nil
}

// nameKey makes the key findable by its key ids. A key id is a hint: several keys
// may share it.
func nameKey(tx *store.Tx, key store.Key) error {
	for _, id := range key.KeyIDs {
		named, _, err := store.Get[store.KeyNamed](tx, store.KeyID(id))
		if err != nil {
			return err
		}
		named.ID = id
		named.Fingerprints = append(named.Fingerprints, key.Fingerprint)
		if err := store.Put(tx, named); err != nil {
			return err
		}
	}
	return nil
}

// tidy deletes, once a day, the keys of bonds that expired so long ago that no
// accept can connect them any more.
func (a *account) tidy(ctx context.Context) error {
	for {
		err := a.Store.Update(ctx, "tidy", func(tx *store.Tx) error {
			ended, err := store.List[store.Bond](tx, "recipient.ended", "sender.ended")
			for _, bond := range ended {
				if err != nil {
					return err
				}
				late := bond.State == escrow.Expired && bond.LateAcceptedAt.IsZero() && a.Now().After(bond.EndedAt.Add(escrow.LateAccept))
				if late && bond.Account == a.id {
					err = dropLate(tx, bond)
				}
			}
			return err
		})
		if err != nil && ctx.Err() == nil {
			a.Log.Warn("old keys could not be deleted yet", "err", err)
		}
		if !wait(ctx, 24*time.Hour) {
			return nil
		}
	}
}

func dropLate(tx *store.Tx, bond store.Bond) error {
	if bond.Role == escrow.RoleSender {
		sent, ok, err := store.Get[store.Sent](tx, string(bond.ID))
		if err != nil || !ok || !sent.OwnKeys() {
			return err
		}
		return dropReply(tx, sent)
	}
	key, ok, err := store.Get[store.Key](tx, bond.KeyFingerprint)
	if err != nil || !ok || key.State == store.KeyDead {
		return err
	}
	return dropKey(tx, key)
}

// blind names an address in the store so that nobody who has the file alone can
// tell whose it is: by a signature of the first identity, which is the same each time
// (RFC 8032) and which only the keyring can make.
func (a *account) blind(address escrow.Address) (string, error) {
	signature, err := escrow.Sign(a.blinder, "earnest-blind", address)
	return signature.Hash(), err
}
