package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/pressly/goose/v3"
)

// engine is what SQLite and PostgreSQL do differently: how a batch begins, and how
// its questions and writes reach the database. Both get the same texts, each
// written for one row with a ? for every value; SQLite is given them row by row,
// PostgreSQL all rows at once (see [setwise]).
type engine interface {
	begin(ctx context.Context) (conn, error)
	// atOnce is how many batches make progress at the same time.
	atOnce() int
	// again reports a failure that the same batch may not meet a second time:
	// another process was faster, or held what this one waited for.
	again(err error) bool
	// reading is a pool of connections outside of batches.
	reading() *sql.DB
	// snapshot is a transaction that reads the books as of one moment.
	snapshot(ctx context.Context) (*sql.Tx, error)
	// check has the database look for damage of its own.
	check(ctx context.Context, q querier, fault func(string)) error
	// schema prepares the migrations.
	schema(steps []step) (*goose.Provider, error)
	// text is the statement in the engine's words.
	text(statement string) string
	close() error
}

// conn is one transaction of the engine.
type conn interface {
	querier
	// ask puts the questions, each for all of its values.
	ask(ctx context.Context, questions []question) error
	// exec makes one write and returns how many rows it changed.
	exec(ctx context.Context, text string, values ...any) (int64, error)
	// lock waits until no other transaction holds the name; it is held to the end.
	lock(ctx context.Context, name string) error
	commit(ctx context.Context) error
	// rollback after a commit does nothing.
	rollback()
}

// setWriter is a conn that makes many writes in one go, the questions after them.
type setWriter interface {
	writeSets(ctx context.Context, writes []writes, questions []question) error
}

// question is asked for several rows of values, and its answer's rows are read
// with the number of the values that they belong to.
type question struct {
	text   string
	values [][]any
	row    func(i int, scan func(...any) error) error
}

// querier answers single questions: a pool of connections or a transaction.
type querier interface {
	query(ctx context.Context, text string, values ...any) (rows, error)
	row(ctx context.Context, text string, values ...any) row
}

type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

type row interface{ Scan(dest ...any) error }

// each runs over the rows of a query and closes them.
func each(rows rows, err error, row func(scan func(...any) error) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// found turns "no rows" into false.
func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// sqlQuerier is a querier on database/sql, as all that reads outside of a batch is: of
// what it fails with, the end of the connection is told by [unreached].
type sqlQuerier struct {
	db interface {
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	}
	engine engine
}

func (q sqlQuerier) query(ctx context.Context, text string, values ...any) (rows, error) {
	rows, err := q.db.QueryContext(ctx, q.engine.text(text), values...)
	return sqlRows{rows}, unreached(err)
}

func (q sqlQuerier) row(ctx context.Context, text string, values ...any) row {
	return sqlRow{q.db.QueryRowContext(ctx, q.engine.text(text), values...)}
}

type sqlRows struct{ *sql.Rows }

func (r sqlRows) Err() error { return unreached(r.Rows.Err()) }

type sqlRow struct{ *sql.Row }

func (r sqlRow) Scan(dest ...any) error { return unreached(r.Row.Scan(dest...)) }

// Locks that only PostgreSQL needs: SQLite has one writer.
const (
	lockAccount = " FOR NO KEY UPDATE"
	lockRow     = " FOR UPDATE"
	// lockFree takes the rows that nobody else has locked: for what can as well be
	// done the next time, and waits for nobody.
	lockFree = " FOR UPDATE SKIP LOCKED"
)

func withoutLocks(statement string) string {
	for _, lock := range []string{lockFree, lockAccount, lockRow} {
		statement = strings.Replace(statement, lock, "", 1)
	}
	return statement
}
