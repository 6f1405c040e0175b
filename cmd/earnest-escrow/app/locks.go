package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"earnest/escrowserver/sqlstore"
)

// Two files say who has the folder's books open. The first is held by the one
// escrow that serves them; the second is shared by all who have them open, and held
// alone by who takes them away or brings them: what is written meanwhile would be in
// the file that nobody reads any more.
const (
	fileLock  = "lock"
	fileUsers = "lock.users"
)

const (
	// usersWait is how long a move or restore waits for commands to end, and
	// commands for it: most take moments.
	usersWait = 5 * time.Second
	usersPoll = 20 * time.Millisecond
)

// alone makes sure that nobody serves the folder or has its books open, until unlock.
func alone(ctx context.Context, cfg Config) (unlock func(), err error) {
	serving, err := serveAlone(cfg)
	if err != nil {
		return nil, err
	}
	users := flock.New(filepath.Join(cfg.DataDir, fileUsers))
	if err := wait(ctx, users.TryLockContext, fmt.Sprintf("a command of earnest-escrow has the books in %s open; let it end and try again", cfg.DataDir)); err != nil {
		serving()
		return nil, err
	}
	return func() {
		_ = users.Close() // the process's end lets go of them too
		serving()
	}, nil
}

// serveAlone makes sure that no other escrow serves the folder, until unlock.
func serveAlone(cfg Config) (unlock func(), err error) {
	lock := flock.New(filepath.Join(cfg.DataDir, fileLock))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	if !locked {
		return nil, fmt.Errorf("%w: another earnest-escrow serves %s; stop it first", ErrData, cfg.DataDir)
	}
	return func() { _ = lock.Close() }, nil
}

// withOthers is held while books are open in the folder. Those in a database are not
// in it.
func withOthers(ctx context.Context, cfg Config) (unlock func(), err error) {
	if cfg.Database != "" {
		return func() {}, nil
	}
	users := flock.New(filepath.Join(cfg.DataDir, fileUsers))
	err = wait(ctx, users.TryRLockContext, fmt.Sprintf("the books in %s are being moved or restored; nothing was done; try again when that has ended", cfg.DataDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noBooks(cfg)
	}
	return func() { _ = users.Close() }, err
}

func wait(ctx context.Context, try func(context.Context, time.Duration) (bool, error), busy string) error {
	ctx, cancel := context.WithTimeout(ctx, usersWait)
	defer cancel()
	locked, err := try(ctx, usersPoll)
	switch {
	case locked:
		return nil
	case err == nil || ctx.Err() != nil:
		return fmt.Errorf("%w: %s", ErrData, busy)
	}
	return fmt.Errorf("%w: %w", ErrData, err)
}

func noBooks(cfg Config) error {
	return fmt.Errorf("%w: there are no books in %s; 'earnest-escrow serve' makes them", ErrData, cfg.DataDir)
}

// openStore is the books of a command, which nobody moves until they are closed.
type openStore struct {
	*sqlstore.Store
	unlock func()
}

// Close closes the books and lets others move them.
func (s *openStore) Close() error {
	defer s.unlock()
	return s.Store.Close()
}
