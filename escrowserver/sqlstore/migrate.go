package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed schema/*.sql
var schema embed.FS

// versions is the table in which the steps that were taken are counted.
const versions = "schema_step"

// step is a change of the schema, in PostgreSQL's words.
type step struct {
	version int64
	text    string
}

// schemaSteps are those of schema/, in order. A step that was published never
// changes: books that have taken it would never take the change.
func schemaSteps() ([]step, error) {
	names, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	var steps []step
	for _, name := range names {
		text, err := schema.ReadFile(name)
		if err != nil {
			return nil, err
		}
		version, err := versionOf(name)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{version, string(text)})
	}
	return steps, nil
}

// migrations has the steps taken in the engine's words, each in a transaction of its
// own. Steps were published in another order than that of their numbers: books that
// miss one in the middle take it, before those with higher numbers that they miss.
func migrations(steps []step, dialect goose.Dialect, db *sql.DB, words func(string) string, options ...goose.ProviderOption) (*goose.Provider, error) {
	var all []*goose.Migration
	for _, step := range steps {
		statement := words(step.text)
		all = append(all, goose.NewGoMigration(step.version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, statement)
			return err
		}}, nil))
	}
	return goose.NewProvider(dialect, db, nil, append(options, goose.WithGoMigrations(all...), goose.WithAllowOutofOrder(true),
		goose.WithTableName(versions), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))...)
}

// versionOf is the number that a step's file begins with.
func versionOf(name string) (int64, error) {
	number, _, _ := strings.Cut(path.Base(name), "_")
	return strconv.ParseInt(number, 10, 64)
}

// migrate takes the steps of the schema that the books have not taken yet. If
// another process is doing the same, one of the two finds it done.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := schemaSteps()
	if err != nil {
		return err
	}
	provider, err := s.engine.schema(steps)
	if err != nil {
		return err
	}
	if err := s.adoptVersions(ctx); err != nil {
		return err
	}
	for try := 0; ; try++ {
		if _, err = provider.Up(ctx); err == nil || try == tries {
			break
		}
	}
	if err != nil {
		return err
	}
	return s.checkVersion(ctx)
}

// adoptVersions takes over how SQLite books counted their steps at first.
func (s *Store) adoptVersions(ctx context.Context) error {
	e, ok := s.engine.(*sqliteEngine)
	if !ok {
		return nil
	}
	tx, err := e.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	var tables, have int64
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master WHERE name = 'schema_version'`).Scan(&tables); err != nil || tables == 0 {
		return err
	}
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM schema_version`).Scan(&have); err != nil {
		return err
	}
	store, err := database.NewStore(database.DialectSQLite3, versions)
	if err != nil {
		return err
	}
	if err := store.CreateVersionTable(ctx, tx); err != nil {
		return err
	}
	for version := range have + 1 { // goose counts from 0
		if err := store.Insert(ctx, tx, database.InsertRequest{Version: version}); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `DROP TABLE schema_version`); err != nil {
		return err
	}
	return tx.Commit()
}

// checkVersion refuses books of another version than this program's: they have taken
// each of its steps and no other.
func (s *Store) checkVersion(ctx context.Context) error {
	steps, err := schemaSteps()
	if err != nil {
		return err
	}
	missing := map[int64]bool{} // the steps that are known
	for _, step := range steps {
		missing[step.version] = true
	}
	var have, unknown int64
	rows, err := s.reader().query(ctx, `SELECT version_id FROM `+versions+` WHERE version_id > 0`) // goose counts from 0
	err = each(rows, err, func(scan func(...any) error) error {
		var version int64
		if err := scan(&version); err != nil {
			return err
		}
		if _, known := missing[version]; !known {
			unknown = max(unknown, version)
		}
		have, missing[version] = max(have, version), false
		return nil
	})
	maps.DeleteFunc(missing, func(_ int64, missing bool) bool { return !missing })
	known := steps[len(steps)-1].version
	switch {
	case err != nil:
		return errors.Join(errors.New("they do not tell their version: an older program has made them, or they are no books; have this program serve them first"), err)
	case unknown > 0:
		return fmt.Errorf("they are of version %d, this program knows %d: use the newer program", unknown, known)
	case len(missing) > 0:
		return fmt.Errorf("they are of version %d without %v, this program reads %d: use the program that serves them, or have this one serve them first",
			have, slices.Sorted(maps.Keys(missing)), known)
	}
	return nil
}
