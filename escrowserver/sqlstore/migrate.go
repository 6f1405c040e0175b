package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
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

// migrations are the steps of schema/, in the engine's words, each in a transaction
// of its own.
func migrations(dialect goose.Dialect, db *sql.DB, words func(string) string, options ...goose.ProviderOption) (*goose.Provider, error) {
	names, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	var steps []*goose.Migration
	for _, name := range names {
		text, err := schema.ReadFile(name)
		if err != nil {
			return nil, err
		}
		version, err := versionOf(name)
		if err != nil {
			return nil, err
		}
		statement := words(string(text))
		steps = append(steps, goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, statement)
			return err
		}}, nil))
	}
	return goose.NewProvider(dialect, db, nil, append(options, goose.WithGoMigrations(steps...),
		goose.WithTableName(versions), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))...)
}

// versionOf is the number that a step's file begins with.
func versionOf(name string) (int64, error) {
	number, _, _ := strings.Cut(path.Base(name), "_")
	return strconv.ParseInt(number, 10, 64)
}

// newest is the version that this program reads and writes.
func newest() (int64, error) {
	names, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		return 0, err
	}
	return versionOf(slices.Max(names))
}

// migrate takes the steps of the schema that the books have not taken yet. If
// another process is doing the same, one of the two finds it done.
func (s *Store) migrate(ctx context.Context) error {
	provider, err := s.engine.schema()
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

// checkVersion refuses books of another version than this program's.
func (s *Store) checkVersion(ctx context.Context) error {
	known, err := newest()
	if err != nil {
		return err
	}
	var have int64
	err = s.reader().row(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM `+versions).Scan(&have)
	switch {
	case err != nil:
		return errors.Join(errors.New("they do not tell their version: an older program has made them, or they are no books; have this program serve them first"), err)
	case have > known:
		return fmt.Errorf("they are of version %d, this program knows %d: use the newer program", have, known)
	case have < known:
		return fmt.Errorf("they are of version %d, this program reads %d: use the program that serves them, or have this one serve them first", have, known)
	}
	return nil
}
