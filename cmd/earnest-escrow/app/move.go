package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
)

// movedSuffix is added to the names of files whose books are in a database now.
const movedSuffix = ".moved"

// Moved says what was moved.
type Moved struct {
	Tables []sqlstore.Moved
	// Report is of the books where they are now.
	Report escrowserver.Report
}

// Move moves the books from SQLite to PostgreSQL: whole, or not at all. The escrow
// must not run. What was copied is verified before it counts; then the files have
// other names, so that nobody serves from them again.
func Move(ctx context.Context, cfg Config, to string) (Moved, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return Moved{}, err
	}
	target := cfg
	target.Database = to
	if err := checkDatabase(to); err != nil || to == "" || cfg.Database != "" {
		return Moved{}, errors.Join(fmt.Errorf("%w: books are moved from SQLite to a postgres:// URL", ErrConfig), err)
	}
	unlock, err := alone(ctx, cfg)
	if err != nil {
		return Moved{}, err
	}
	defer unlock()
	m, err := readMade(cfg.DataDir)
	if err != nil {
		return Moved{}, err
	}
	if m == nil || !exists(filepath.Join(cfg.DataDir, fileBooks)) {
		return Moved{}, fmt.Errorf("%w: there are no books on SQLite in %s", ErrData, cfg.DataDir)
	}
	signer, err := receiptKey(filepath.Join(cfg.DataDir, fileReceipt), false)
	if err != nil {
		return Moved{}, err
	}
	public, _ := signer.Public().(ed25519.PublicKey) // as receiptKey promises
	var moved Moved
	err = sqlstore.Move(ctx, filepath.Join(cfg.DataDir, fileBooks), to, func(copied *sqlstore.Store, tables []sqlstore.Moved) error {
		moved.Tables = tables
		var err error
		if moved.Report, err = escrowserver.Verify(ctx, copied, public); err != nil {
			return err
		}
		if n := len(moved.Report.Faults); n > 0 {
			return fmt.Errorf("%w: %d of them, so nothing was moved", ErrFaults, n)
		}
		if err := audit(ctx, cfg, copied, "move to PostgreSQL"); err != nil {
			return err
		}
		none := (*made)(nil)
		if err := none.keepIn(ctx, copied, public, m.currencies()); err != nil {
			return err
		}
		return cfg.retire()
	})
	if err != nil && !errors.Is(err, ErrFaults) {
		err = fmt.Errorf("%w: nothing was moved: %w", ErrData, err)
	}
	if err != nil {
		return moved, err
	}
	return moved, nameDatabase(cfg.DataDir, to)
}

// retire renames the books. Their journal goes with them: SQLite finds it by name.
func (c Config) retire() error {
	for _, name := range []string{fileMade, fileBooks + "-wal", fileBooks + "-shm", fileBooks} {
		file := filepath.Join(c.DataDir, name)
		renamed := file + movedSuffix
		if rest, ok := strings.CutPrefix(name, fileBooks); ok {
			renamed = filepath.Join(c.DataDir, fileBooks+movedSuffix+rest)
		}
		if err := os.Rename(file, renamed); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%w: %w", ErrData, err)
		}
	}
	return syncBooks(c.DataDir)
}

// nameDatabase writes into the folder's configuration where the books are now, and
// leaves the rest of it as the operator wrote it.
func nameDatabase(dataDir, database string) error {
	file := filepath.Join(dataDir, fileConfig)
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(strings.TrimSpace(l), "database ") })
	if len(text) == 0 {
		lines = []string{fmt.Sprintf("version = %d\n", settingsVersion)}
	}
	return replace(file, []byte(fmt.Sprintf("database = %q\n", database)+strings.Join(lines, "")), 0o600)
}
