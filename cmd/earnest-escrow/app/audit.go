package app

import (
	"context"
	"fmt"
	"os"
	"os/user"

	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
)

// audit writes into the books' log what an operator did. It comes before the deed
// where it can: a deed that failed then is in the log, and none is missing.
func audit(ctx context.Context, cfg Config, store *sqlstore.Store, what string) error {
	result := store.Apply(ctx, []escrowserver.Op{escrowserver.Audit{Now: cfg.Now(), Who: operatorName(), What: what, Why: cfg.Why}})[0]
	if result.Err != nil {
		return fmt.Errorf("%w: nothing was done, since it could not be written into the log: %w", ErrData, result.Err)
	}
	return nil
}

// operatorName is the system's name of who runs the command, and who that was
// before becoming root.
func operatorName() string {
	name := fmt.Sprintf("uid %d", os.Getuid())
	if me, err := user.Current(); err == nil {
		name = me.Username
	}
	if before := os.Getenv("SUDO_USER"); before != "" {
		name = before + " as " + name
	}
	return name
}

// audited opens the books for a command, and writes it into their log.
func audited(ctx context.Context, cfg Config, what string) (*made, *openStore, error) {
	m, store, err := openBooks(ctx, cfg, sqlstore.OpenMade)
	if err != nil {
		return nil, nil, err
	}
	if err := audit(ctx, cfg, store.Store, what); err != nil {
		_ = store.Close() // the first error says more
		return nil, nil, err
	}
	return m, store, nil
}
