package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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
	// Kept are the files that the books were in, under their new names.
	Kept []string
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
		return Moved{}, errors.Join(fmt.Errorf("%w: books are moved from SQLite to a postgres:// URL", ErrCommand), err)
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
	if err := checkFiles(cfg.DataDir, m); err != nil {
		return Moved{}, err
	}
	if m == nil || !exists(filepath.Join(cfg.DataDir, fileBooks)) {
		return Moved{}, fmt.Errorf("%w: there are no books on SQLite in %s", ErrData, cfg.DataDir)
	}
	if err := writable(cfg.File); err != nil {
		return Moved{}, err
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
		moved.Kept, err = cfg.retire()
		return err
	})
	if err != nil && !errors.Is(err, ErrFaults) {
		err = fmt.Errorf("%w: nothing was moved: %w", ErrData, err)
	}
	if err != nil {
		return moved, err
	}
	if err := nameDatabase(cfg.File, to); err != nil {
		return moved, fmt.Errorf("the books are in the database, but that is not written down: write database = %q at the top of %s yourself: %w", to, cfg.File, err)
	}
	return moved, nil
}

// retire renames the books, and tells their new names; all of them, or none. Their
// journal goes with them: SQLite finds it by name.
func (c Config) retire() (kept []string, err error) {
	var before []string
	for _, name := range []string{fileMade, fileBooks + "-wal", fileBooks + "-shm", fileBooks} {
		file := filepath.Join(c.DataDir, name)
		renamed := file + movedSuffix
		if rest, ok := strings.CutPrefix(name, fileBooks); ok {
			renamed = filepath.Join(c.DataDir, fileBooks+movedSuffix+rest)
		}
		err := os.Rename(file, renamed)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			for i, file := range before {
				err = errors.Join(err, os.Rename(kept[i], file))
			}
			return nil, fmt.Errorf("%w: %w", ErrData, err)
		}
		before, kept = append(before, file), append(kept, renamed)
	}
	return kept, syncBooks(c.DataDir)
}

// databaseLine matches a line of the configuration that names the database.
const databaseLine = `^\s*database\s*=`

// nameDatabase writes into the configuration where the books are now, and leaves the
// rest of it as the operator wrote it.
func nameDatabase(file, database string) error {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	mode := os.FileMode(0o600)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	names := regexp.MustCompile(databaseLine)
	section := false
	lines := slices.DeleteFunc(strings.SplitAfter(string(text), "\n"), func(line string) bool {
		section = section || strings.HasPrefix(strings.TrimSpace(line), "[")
		return !section && names.MatchString(line)
	})
	if len(text) == 0 {
		lines = []string{fmt.Sprintf("version = %d\n", settingsVersion)}
	}
	return replace(file, []byte(fmt.Sprintf("database = %q\n", database)+strings.Join(lines, "")), mode)
}

// writable says before anything is moved that a file could not be written after it.
func writable(file string) error {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return fmt.Errorf("%w: the database is written into the configuration %s, which cannot be: %w", ErrData, file, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
