package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

// sqliteEngine keeps the books in one file, with one writer.
type sqliteEngine struct {
	path      string
	write     *sql.DB // one connection
	read      *sql.DB
	beginning string

	writing sync.Mutex // held by the batch at hand
	conn    *sql.Conn  // the connection of write
	// statements were prepared on conn: to parse one takes longer than to run it.
	statements map[string]*sql.Stmt
}

// checkpointAt is how many pages of 4 KiB the log of writes holds before they go into
// the file: 64 MiB. Each page goes there once for all that was written to it since, so
// that purchases, which write to the same pages again and again, gain by waiting.
const checkpointAt = "_pragma=wal_autocheckpoint(16000)"

func openSQLite(path string, more ...string) *sqliteEngine {
	with := func(settings ...string) *sql.DB {
		return sql.OpenDB(connector{dsn(path, append(settings, more...)...)})
	}
	e := &sqliteEngine{
		path:      path,
		write:     with("_txlock=immediate", "_pragma=cache_size(-65536)", checkpointAt),
		read:      with("_txlock=deferred", "_pragma=query_only(1)"),
		beginning: "BEGIN IMMEDIATE",
	}
	e.write.SetMaxOpenConns(1)
	e.read.SetMaxOpenConns(4)
	return e
}

// readSQLite opens a file that is there, for reading only.
func readSQLite(path string) *sqliteEngine {
	db := sql.OpenDB(connector{dsn(path, "mode=rw", "_txlock=deferred", "_pragma=query_only(1)")})
	db.SetMaxOpenConns(4)
	return &sqliteEngine{path: path, write: db, read: db, beginning: "BEGIN"}
}

func (e *sqliteEngine) reading() *sql.DB             { return e.read }
func (e *sqliteEngine) again(error) bool             { return false }
func (e *sqliteEngine) atOnce() int                  { return 1 }
func (e *sqliteEngine) text(statement string) string { return withoutLocks(statement) }

func (e *sqliteEngine) snapshot(ctx context.Context) (*sql.Tx, error) {
	return e.read.BeginTx(ctx, nil)
}

// check looks for pages and indices that are damaged, and for rows that name others
// that are not there.
func (e *sqliteEngine) check(ctx context.Context, q querier, fault func(string)) error {
	rows, err := q.query(ctx, `PRAGMA integrity_check`)
	if err := each(rows, err, func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil || text == "ok" {
			return err
		}
		fault("the file of the books: " + text)
		return nil
	}); err != nil {
		return err
	}
	rows, err = q.query(ctx, `PRAGMA foreign_key_check`)
	return each(rows, err, func(scan func(...any) error) error {
		var table, parent string
		var row sql.NullInt64
		var key int
		err := scan(&table, &row, &parent, &key)
		fault(fmt.Sprintf("row %d of table %s names something that is not in table %s", row.Int64, table, parent))
		return err
	})
}

func (e *sqliteEngine) schema(steps []step) (*goose.Provider, error) {
	types := strings.NewReplacer(
		"BIGSERIAL PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT",
		"BIGINT", "INTEGER",
		"CREATE UNLOGGED TABLE", "CREATE TABLE",
		"BYTEA", "BLOB",
		"strpos(", "instr(",
		"\n);", "\n) STRICT;")
	// What only PostgreSQL knows is for its speed.
	return migrations(steps, goose.DialectSQLite3, e.write, func(step string) string {
		var kept []string
		for line := range strings.Lines(step) {
			if !strings.HasPrefix(line, "ALTER TABLE") || !strings.Contains(line, " DROP CONSTRAINT ") && !strings.Contains(line, " SET (") {
				kept = append(kept, line)
			}
		}
		return types.Replace(strings.Join(kept, ""))
	})
}

func (e *sqliteEngine) close() error {
	e.writing.Lock()
	defer e.writing.Unlock()
	return errors.Join(e.leave(), e.write.Close(), e.read.Close())
}

// leave gives the connection of the batches back.
func (e *sqliteEngine) leave() error {
	var errs []error
	for _, stmt := range e.statements {
		errs = append(errs, stmt.Close())
	}
	if e.conn != nil {
		errs = append(errs, e.conn.Close())
	}
	e.conn, e.statements = nil, nil
	return errors.Join(errs...)
}

func (e *sqliteEngine) begin(ctx context.Context) (conn, error) {
	e.writing.Lock()
	if e.conn == nil {
		conn, err := e.write.Conn(ctx)
		if err != nil {
			e.writing.Unlock()
			return nil, err
		}
		e.conn, e.statements = conn, map[string]*sql.Stmt{}
	}
	if _, err := e.conn.ExecContext(ctx, e.beginning); err != nil {
		err = errors.Join(err, e.leave())
		e.writing.Unlock()
		return nil, err
	}
	return &sqliteConn{e: e}, nil
}

// sqliteConn is the one transaction of the file.
type sqliteConn struct {
	e     *sqliteEngine
	ended bool
}

func (c *sqliteConn) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt, ok := c.e.statements[text]; ok {
		return stmt, nil
	}
	stmt, err := c.e.conn.PrepareContext(ctx, c.e.text(text))
	if err == nil {
		c.e.statements[text] = stmt
	}
	return stmt, err
}

func (c *sqliteConn) ask(ctx context.Context, questions []question) error {
	for _, q := range questions {
		for i, values := range q.values {
			rows, err := c.query(ctx, q.text, values...)
			if err := each(rows, err, func(scan func(...any) error) error { return q.row(i, scan) }); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *sqliteConn) query(ctx context.Context, text string, values ...any) (rows, error) {
	stmt, err := c.prepared(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, plain(values)...)
}

func (c *sqliteConn) row(ctx context.Context, text string, values ...any) row {
	stmt, err := c.prepared(ctx, text)
	if err != nil {
		return failedRow{err}
	}
	return stmt.QueryRowContext(ctx, plain(values)...)
}

func (c *sqliteConn) exec(ctx context.Context, text string, values ...any) (int64, error) {
	stmt, err := c.prepared(ctx, text)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(ctx, plain(values)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// plain keeps "no bytes" apart from "none": database/sql would store the first.
func plain(values []any) []any {
	for i, v := range values {
		if b, ok := v.([]byte); ok && b == nil {
			values[i] = nil
		}
	}
	return values
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }

// lock has nothing to wait for: a batch is alone.
func (c *sqliteConn) lock(context.Context, string) error { return nil }

func (c *sqliteConn) commit(ctx context.Context) error {
	_, err := c.e.conn.ExecContext(ctx, "COMMIT")
	if err == nil {
		c.ended = true
		c.e.writing.Unlock()
	}
	return err
}

func (c *sqliteConn) rollback() {
	if c.ended {
		return
	}
	c.ended = true
	if _, err := c.e.conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
		_ = c.e.leave() // a connection that may be within a transaction is used no more
	}
	c.e.writing.Unlock()
}

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
