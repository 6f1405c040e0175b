package sqlstore

import (
	"context"
	"encoding/json"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

func (t *tx) addKeys(ctx context.Context, op escrowserver.AddKeys) (any, error) {
	pool := escrow.Pool{Address: op.Batch.Address}
	if text, ok, err := t.reader().operation(ctx, op.Account, op.Batch.ID, op.Signed.Hash()); ok || err != nil {
		if err == nil {
			err = json.Unmarshal([]byte(text), &pool)
		}
		return pool, err
	}
	epoch, err := t.reader().epoch(ctx)
	if err != nil {
		return nil, err
	}
	if op.Batch.Epoch != epoch {
		return nil, escrowserver.StaleKeys()
	}
	if err := t.mayAddKeys(ctx, op); err != nil {
		return nil, err
	}
	if err := t.dropAged(ctx, op.Batch.Address, op.Now); err != nil {
		return nil, err
	}
	hash := op.Signed.Hash()
	if _, err := t.exec(ctx, "keys.batch", `INSERT INTO key_batch (hash, account, address, jws, made_at) VALUES (?, ?, ?, ?, ?)`,
		hash, op.Account, op.Batch.Address, op.Signed, micros(op.Now)); err != nil {
		return nil, err
	}
	for i, brief := range op.Batch.Keys {
		if _, err := t.exec(ctx, "keys.fingerprint", `INSERT INTO key_fingerprint (fingerprint, address, seen_at) VALUES (?, ?, ?)`,
			brief.Fingerprint, op.Batch.Address, micros(op.Now)); err != nil {
			return nil, err
		}
		if _, err := t.exec(ctx, "keys.key", `INSERT INTO one_time_key (address, fingerprint, certificate, batch) VALUES (?, ?, ?, ?)`,
			op.Batch.Address, brief.Fingerprint, op.Certificates[i], hash); err != nil {
			return nil, err
		}
	}
	free, err := t.reader().pool(ctx, op.Batch.Address)
	if err != nil {
		return nil, err
	}
	pool.Free, pool.Epoch = free, epoch
	text, err := json.Marshal(pool)
	if err != nil {
		return nil, err
	}
	t.keepAnswer(op.Name(), operationKey{op.Account, op.Batch.ID}, hash, string(text), op.Now)
	return pool, nil
}

func (t *tx) mayAddKeys(ctx context.Context, op escrowserver.AddKeys) error {
	if err := t.accountExists(ctx, op.Account); err != nil {
		return err
	}
	if err := t.mayChange(op.Account, op.Key); err != nil {
		return err
	}
	if err := t.owns(ctx, op.Account, op.Batch.Address, op.Now); err != nil {
		return err
	}
	var money int
	if err := t.conn.row(ctx, `SELECT COUNT(*) FROM balance WHERE holder = ? AND available + held > 0`, op.Account).Scan(&money); err != nil {
		return err
	}
	if money == 0 {
		return escrowserver.NoBalance()
	}
	free, err := t.reader().pool(ctx, op.Batch.Address)
	if err != nil {
		return err
	}
	aged, err := t.reader().aged(ctx, op.Batch.Address, op.Now)
	if err != nil {
		return err
	}
	if free -= aged; free+len(op.Batch.Keys) > escrow.PoolSize {
		return escrow.Errorf(escrow.Limited, "a pool holds %d keys and %d are unsold", escrow.PoolSize, free)
	}
	seen := map[string]bool{}
	for i, brief := range op.Batch.Keys {
		var n int
		if err := t.conn.row(ctx, `SELECT COUNT(*) FROM key_fingerprint WHERE fingerprint = ?`, brief.Fingerprint).Scan(&n); err != nil {
			return err
		}
		if n > 0 || seen[brief.Fingerprint] {
			return escrow.Errorf(escrow.Invalid, "key %d of the batch was here before; a one-time key is never taken twice", i+1)
		}
		seen[brief.Fingerprint] = true
	}
	return nil
}

// aged counts the unsold keys that were here for too long.
func (r reader) aged(ctx context.Context, address escrow.Address, now time.Time) (int, error) {
	var n int
	err := r.row(ctx, `SELECT COUNT(*) FROM one_time_key k JOIN key_batch b ON b.hash = k.batch WHERE k.address = ? AND b.made_at <= ?`,
		address, micros(now.Add(-escrow.KeyLife))).Scan(&n)
	return n, err
}

// dropAged takes them from sale: new ones come in their place.
func (t *tx) dropAged(ctx context.Context, address escrow.Address, now time.Time) error {
	_, err := t.exec(ctx, "keys.aged", `DELETE FROM one_time_key WHERE address = ? AND batch IN (SELECT hash FROM key_batch WHERE address = ? AND made_at <= ?)`,
		address, address, micros(now.Add(-escrow.KeyLife)))
	return err
}
