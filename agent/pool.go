package agent

import (
	"context"
	"errors"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// batchSize is how many keys are made and uploaded at a time: the first ones are
// for sale before the last are made.
const batchSize = 20

// keepPool keeps enough one-time keys for sale.
func (a *account) keepPool(ctx context.Context) error {
	pause := time.Minute
	for {
		if err := a.fillPool(ctx); err != nil && ctx.Err() == nil {
			if !errors.Is(err, escrow.Unavailable) && !errors.Is(err, escrow.InsufficientFunds) {
				a.Log.Warn("the pool of one-time keys could not be filled", "err", err)
			}
			pause = 30 * time.Second
		} else {
			pause = 10 * time.Minute
		}
		if !sleep(ctx, a.wakePool, pause) {
			return nil
		}
	}
}

// fillPool uploads keys until PoolSize are for sale, once fewer than PoolRefill
// are left.
func (a *account) fillPool(ctx context.Context) error {
	settings := a.get()
	if !settings.Proven || settings.Offer == "" {
		return nil
	}
	if err := a.dropReplaced(ctx); err != nil {
		return err
	}
	if err := a.publishAgain(ctx); err != nil {
		return err
	}
	if err := a.retryBatches(ctx); err != nil {
		return err
	}
	pool, err := a.service.Pool(ctx, a.address)
	if err != nil {
		return err
	}
	a.setPool(pool.Free)
	if err := a.dropWithdrawn(ctx, pool.Epoch); err != nil {
		return err
	}
	if pool.Free >= escrow.PoolRefill && pool.Aged == 0 {
		return nil
	}
	// The first upload takes those from sale that were there for too long.
	for free := pool.Free - pool.Aged; free < escrow.PoolSize; {
		batch, err := a.makeBatch(ctx, min(batchSize, escrow.PoolSize-free), pool.Epoch)
		if err != nil {
			return err
		}
		if free, err = a.upload(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

func (a *account) setPool(free int) {
	a.mu.Lock()
	changed := a.pool != free
	a.pool = free
	a.mu.Unlock()
	if changed {
		a.tell(agentclient.EventStatus, a.id, "pool")
	}
}

// retryBatches uploads what was made but not acknowledged before a crash or an
// outage, under the same operation id.
func (a *account) retryBatches(ctx context.Context) error {
	var batches []store.Batch
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		batches, err = store.List[store.Batch](tx, "waiting")
		return err
	})
	if err != nil {
		return err
	}
	for _, batch := range batches {
		if batch.Account != a.id {
			continue
		}
		if _, err := a.upload(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// makeBatch makes n keys and signs their list. Everything is stored before
// anything is sent: a key that is sold is a key that we have.
func (a *account) makeBatch(ctx context.Context, n int, epoch int64) (store.Batch, error) {
	now := a.Now()
	list := escrow.KeyBatch{ID: newID(), Address: a.address, Made: now.UTC(), Epoch: epoch}
	batch := store.Batch{ID: list.ID, Account: a.id}
	var keys []store.Key
	for range n {
		name := a.id + "/key/" + newID()
		// The user id says nothing: a key must not tell whose it is.
		certificate, err := a.OpenPGP.Generate(ctx, name, "one-time key")
		if err != nil {
			return store.Batch{}, err
		}
		keys = append(keys, store.Key{
			Fingerprint: certificate.Fingerprint, Account: a.id, Name: name, State: store.KeyLocal,
			KeyIDs: certificate.KeyIDs, Certificate: certificate.Raw, Batch: batch.ID, Number: now.UnixMilli(), Epoch: epoch,
		})
		list.Keys = append(list.Keys, escrow.KeyBrief{Fingerprint: certificate.Fingerprint, Hash: escrow.Hash(certificate.Raw)})
		batch.Upload.Certificates = append(batch.Upload.Certificates, certificate.Raw)
	}
	var err error
	if batch.Upload.Batch, err = escrow.Sign(a.signer, escrow.KindKeys, list); err != nil {
		return store.Batch{}, err
	}
	err = a.Store.Update(ctx, "pool", func(tx *store.Tx) error {
		for _, key := range keys {
			if err := errors.Join(store.Put(tx, key), nameKey(tx, key)); err != nil {
				return err
			}
		}
		return store.Put(tx, batch)
	})
	return batch, err
}

// upload hands a batch to the escrow and returns how many keys are for sale.
func (a *account) upload(ctx context.Context, batch store.Batch) (int, error) {
	pool, err := a.service.AddKeys(ctx, batch.Upload)
	refused := err != nil && (errors.Is(err, escrow.Invalid) || errors.Is(err, escrow.Conflict) || errors.Is(err, escrow.Limited))
	if err != nil && !refused {
		return 0, err
	}
	stored := a.Store.Update(ctx, "pool.uploaded", func(tx *store.Tx) error {
		keys, err := store.List[store.Key](tx, store.KeyLocal)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if key.Batch != batch.ID {
				continue
			}
			if refused {
				if err := store.Delete[store.Key](tx, key.Fingerprint); err != nil {
					return err
				}
				err = store.Put(tx, store.Trash{Name: key.Name})
			} else {
				key.State = store.KeyUploaded
				err = store.Put(tx, key)
			}
			if err != nil {
				return err
			}
		}
		return store.Delete[store.Batch](tx, batch.ID)
	})
	if err == nil {
		a.setPool(pool.Free)
	}
	return pool.Free, errors.Join(err, stored)
}
