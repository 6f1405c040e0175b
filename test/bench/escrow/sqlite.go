package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
)

// sqliteGroups compares purchases of 64 clients that share commits with a commit a
// purchase, and with the same where SQLite does not sync.
func (b *bench) sqliteGroups(ctx context.Context) (err error) {
	var worlds [2]*world
	for i, file := range []string{"grouped.db", "single.db"} {
		w, err := settle(ctx, filepath.Join(b.dir, file), b.plan(1, 1))
		if err != nil {
			return err
		}
		defer w.store.Close()
		worlds[i] = w
	}
	unsynced, stop, err := b.unsynced(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	got, err := b.takeTurns(ctx, b.buying("grouped", worlds[0], clients), b.single("single", worlds[1], worlds[1].store), unsynced)
	if err != nil {
		return err
	}
	syncs, err := b.syncs()
	if err != nil {
		return err
	}
	b.say("SQLite: 64 clients in groups / a commit each", got[0]/got[1], 5, "%.0f and %.0f buys a second; the disk syncs %.0f times a second", got[0], got[1], syncs)
	b.say("SQLite: in groups / the same with synchronous=OFF", got[0]/got[2], 0.9, "%.0f and %.0f buys a second", got[0], got[2])
	return b.slowSyncs(ctx)
}

// single is a turn of purchases with a commit each.
func (b *bench) single(name string, w *world, store escrowserver.Store) turn {
	return turn{name, func(ctx context.Context) (float64, error) {
		ops, err := w.buys(b.buys / 4)
		if err != nil {
			return 0, err
		}
		began := time.Now()
		for _, op := range ops {
			if r := store.Apply(ctx, []escrowserver.Op{op}); r[0].Err != nil {
				return 0, r[0].Err
			}
		}
		return float64(len(ops)) / time.Since(began).Seconds(), nil
	}}
}

// slowSync is a store on a disk that takes longer to sync: a commit syncs once.
type slowSync struct {
	*sqlstore.Store
	longer time.Duration
}

func (s slowSync) Apply(ctx context.Context, ops []escrowserver.Op) []escrowserver.Result {
	defer time.Sleep(s.longer)
	return s.Store.Apply(ctx, ops)
}

// slowSyncs compares the same on a disk without a memory that outlives the power,
// where a sync takes milliseconds.
func (b *bench) slowSyncs(ctx context.Context) error {
	const longer = 2 * time.Millisecond
	var worlds [2]*world
	for i, file := range []string{"slow-grouped.db", "slow-single.db"} {
		w, err := settle(ctx, filepath.Join(b.dir, file), b.plan(1, 1))
		if err != nil {
			return err
		}
		defer w.store.Close()
		worlds[i] = w
	}
	grouped := turn{"grouped, slow disk", func(ctx context.Context) (float64, error) {
		ops, err := worlds[0].buys(b.buys)
		if err != nil {
			return 0, err
		}
		return run(ctx, slowSync{worlds[0].store, longer}, clients, ops)
	}}
	got, err := b.takeTurns(ctx, grouped, b.single("single, slow disk", worlds[1], slowSync{worlds[1].store, longer}))
	if err != nil {
		return err
	}
	b.say("  both where each sync takes 2 ms longer", got[0]/got[1], 5, "%.0f and %.0f buys a second", got[0], got[1])
	return nil
}

// syncs is how often a second a small write is synced by fdatasync.
func (b *bench) syncs() (float64, error) {
	f, err := os.Create(filepath.Join(b.dir, "synced"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	page := make([]byte, 4096)
	began, n := time.Now(), 0
	for ; time.Since(began) < time.Second; n++ {
		if _, err := f.WriteAt(page, int64(n%64)*4096); err != nil {
			return 0, err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}
