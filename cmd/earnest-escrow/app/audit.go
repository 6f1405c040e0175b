package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"

	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
)

// audit writes a row into the books' log of operators.
func audit(ctx context.Context, cfg Config, store *sqlstore.Store, what string) error {
	result := store.Apply(ctx, []escrowserver.Op{escrowserver.Audit{Now: cfg.Now(), Who: operatorName(), What: what, Why: cfg.Why}})[0]
	if result.Err != nil {
		return fmt.Errorf("%w: what operators do could not be written into the log of the books: %w", ErrData, result.Err)
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

// audited opens the books for a deed and writes into their log that it is asked for:
// whatever happens, none is missing there. [openStore.ended] says what came of it.
func audited(ctx context.Context, cfg Config, what string) (*made, *openStore, error) {
	m, store, err := openBooks(ctx, cfg, sqlstore.OpenMade)
	if err != nil {
		return nil, nil, err
	}
	if err := audit(ctx, cfg, store.Store, "asked for: "+what); err != nil {
		_ = store.Close() // the first error says more
		return nil, nil, err
	}
	return m, store, nil
}

// reasonKept bounds what the log keeps of why a deed was not done.
const reasonKept = 300

// ended writes into the log whether the deed was done, and closes the books.
func (s *openStore) ended(ctx context.Context, cfg Config, what string, err error) error {
	row := "done: " + what
	if err != nil {
		reason := printable(err.Error())
		row = "not done: " + what + ": " + reason[:min(len(reason), reasonKept)]
	}
	if failed := audit(context.WithoutCancel(ctx), cfg, s.Store, row); failed != nil {
		err = errors.Join(err, fmt.Errorf("the log of the books could not be told how that ended: %w", failed))
	}
	return errors.Join(err, s.Close())
}
