// Package sqlstore keeps the escrow's books in SQL. It satisfies
// escrowserver.Store on SQLite with one writer. Its schema is written in
// PostgreSQL's words and tested there too, with a claim of a one-time key for it.
//
// Each operation of a batch checks first and writes after, so that one that is
// refused has written nothing and needs no savepoint. If a write fails all the
// same, the whole batch is rolled back and done again one by one.
package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strings"

	"modernc.org/sqlite"
)

//go:embed schema/*.sql
var schema embed.FS

// Store keeps the books in one SQLite file.
type Store struct {
	write   *sql.DB // one connection: SQLite has one writer
	read    *sql.DB
	dialect dialect
}

// Open opens the file, makes it if it is not there, and brings its schema up to
// date.
func Open(ctx context.Context, path string) (*Store, error) {
	s := &Store{dialect: sqliteDialect()}
	s.write = sql.OpenDB(connector{dsn(path, "_txlock=immediate")})
	s.write.SetMaxOpenConns(1)
	s.read = sql.OpenDB(connector{dsn(path, "_txlock=deferred", "_pragma=query_only(1)")})
	s.read.SetMaxOpenConns(4)
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the books %s: %w", path, err), s.Close())
	}
	return s, nil
}

// Close closes the file.
func (s *Store) Close() error { return errors.Join(s.write.Close(), s.read.Close()) }

func dsn(path string, more ...string) string {
	params := append([]string{
		"_pragma=busy_timeout(10000)",
		"_pragma=journal_mode(WAL)",
		"_pragma=synchronous(FULL)",
		"_pragma=foreign_keys(ON)",
	}, more...)
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + strings.Join(params, "&")
}

// connector opens connections that have proven their settings. A WAL with
// synchronous=NORMAL would lose acknowledged commits at power loss, and no test
// that kills the process shows it, so the setting is read back every time.
type connector struct{ dsn string }

func (c connector) Driver() driver.Driver { return &sqlite.Driver{} }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(c.dsn)
	if err != nil {
		return nil, err
	}
	for pragma, want := range map[string]int64{"synchronous": 2, "foreign_keys": 1} {
		got, err := pragmaOf(ctx, conn, pragma)
		if err == nil && got != want {
			err = fmt.Errorf("SQLite's %s is %d, it must be %d", pragma, got, want)
		}
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

func pragmaOf(ctx context.Context, conn driver.Conn, pragma string) (int64, error) {
	queryer, ok := conn.(driver.QueryerContext)
	if !ok {
		return 0, errors.New("the SQLite driver cannot query")
	}
	rows, err := queryer.QueryContext(ctx, "PRAGMA "+pragma, nil)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	value, ok := row[0].(int64)
	if !ok {
		return 0, fmt.Errorf("SQLite does not tell its %s", pragma)
	}
	return value, nil
}

// migrate runs the steps of schema/ that the file has not seen, in their order,
// each in a transaction of its own.
func (s *Store) migrate(ctx context.Context) error {
	names, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		return err
	}
	if _, err := s.write.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT`); err != nil {
		return err
	}
	var have int
	if err := s.write.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM schema_version`).Scan(&have); err != nil {
		return err
	}
	if have > len(names) {
		return fmt.Errorf("the books are of version %d, this program knows %d: use the newer program", have, len(names))
	}
	for i := have; i < len(names); i++ {
		if err := s.step(ctx, names[i], i+1); err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
	}
	return nil
}

func (s *Store) step(ctx context.Context, name string, version int) error {
	text, err := schema.ReadFile(name)
	if err != nil {
		return err
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	if _, err := tx.ExecContext(ctx, s.dialect.types.Replace(string(text))); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO schema_version (version) VALUES (?)`, version); err != nil {
		return err
	}
	return tx.Commit()
}
