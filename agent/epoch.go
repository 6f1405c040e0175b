package agent

import (
	"context"

	"earnest/agent/store"
)

// dropWithdrawn forgets the unsold keys that the escrow withdrew when it was
// restored from a backup: they are never sold any more, and who bought one in the
// time that was lost has no bond. First it brings the list of bonds up to date, so
// that no key of a living bond is taken for unsold.
func (a *account) dropWithdrawn(ctx context.Context, epoch int64) error {
	stale := 0
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		return a.uploadedBefore(tx, epoch, func(store.Key) error {
			stale++
			return nil
		})
	})
	if err != nil || stale == 0 {
		return err
	}
	for more := true; more; {
		if more, err = a.syncBonds(ctx, 0); err != nil {
			return err
		}
	}
	dropped := 0
	err = a.Store.Update(ctx, "pool.withdrawn", func(tx *store.Tx) error {
		dropped = 0
		return a.uploadedBefore(tx, epoch, func(key store.Key) error {
			dropped++
			return dropKey(tx, key)
		})
	})
	if err == nil && dropped > 0 {
		a.Log.Warn("the escrow was restored from a backup: unsold one-time keys of before were dropped, new ones are made", "keys", dropped)
	}
	return err
}

// uploadedBefore shows the unsold keys that were uploaded before the epoch.
func (a *account) uploadedBefore(tx *store.Tx, epoch int64, see func(store.Key) error) error {
	keys, err := store.List[store.Key](tx, store.KeyUploaded)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key.Account != a.id || key.Epoch >= epoch {
			continue
		}
		if err := see(key); err != nil {
			return err
		}
	}
	return nil
}
