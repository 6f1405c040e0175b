package sqlstore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// postgresEngine keeps the books in PostgreSQL, for any number of processes.
type postgresEngine struct {
	pool  *pgxpool.Pool // for batches
	reads *pgxpool.Pool
	read  *sql.DB // on reads

	texts sync.Map // statements in PostgreSQL's words
}

// openPostgres connects. Settings are the session's own, such as name=value.
func openPostgres(ctx context.Context, url string, settings ...string) (*postgresEngine, error) {
	// A commit is durable when it is answered, whatever the server's default is.
	settings = append(settings, "synchronous_commit=on", "default_transaction_isolation=read committed")
	// A batch looks rows up by an index, each of them. Left alone, the planner would
	// take a table that was small when the statement was first prepared for one that
	// stays small, and read all of it.
	pool, err := connect(ctx, url, append(settings, "enable_seqscan=off", "jit=off"))
	if err != nil {
		return nil, err
	}
	read, err := connect(ctx, url, settings)
	if err != nil {
		pool.Close()
		return nil, err
	}
	e := &postgresEngine{pool: pool, reads: read, read: stdlib.OpenDBFromPool(read)}
	if err := e.safe(ctx); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func connect(ctx context.Context, url string, settings []string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the URL of the database cannot be read; it looks like postgres://USER@HOST/NAME") // it may hold a password
	}
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		config.ConnConfig.RuntimeParams[name] = value
	}
	return pgxpool.NewWithConfig(ctx, config)
}

// safe refuses a server that may lose what it has acknowledged.
func (e *postgresEngine) safe(ctx context.Context) error {
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		var value string
		if err := e.read.QueryRowContext(ctx, "SHOW "+setting).Scan(&value); err != nil {
			return err
		}
		if value != "on" {
			return fmt.Errorf("PostgreSQL's %s is %s, it must be on: else a power failure loses money", setting, value)
		}
	}
	return nil
}

func (e *postgresEngine) reading() *sql.DB { return e.read }

// atOnce: while PostgreSQL works for one batch, the other is decided and signed
// here. Those that are about the same account wait for each other all the same.
func (e *postgresEngine) atOnce() int { return 2 }

func (e *postgresEngine) snapshot(ctx context.Context) (*sql.Tx, error) {
	return e.read.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
}

// check looks for rows that name others that are not there, where no constraint
// does (schema step 012). Damaged pages fail the reading.
func (e *postgresEngine) check(ctx context.Context, q querier, fault func(string)) error {
	for _, names := range [][4]string{
		{"operation", "account", "account", "id"},
		{"bond", "sender_account", "account", "id"},
		{"bond", "recipient_account", "account", "id"},
		{"bond", "key_fingerprint", "key_fingerprint", "fingerprint"},
		{"sold_key", "bond", "bond", "id"},
		{"sold_key", "batch", "key_batch", "hash"},
		{"receipt", "bond", "bond", "id"},
		{"statement", "bond", "bond", "id"},
		{"proof", "bond", "bond", "id"},
	} {
		table, column, parent, key := names[0], names[1], names[2], names[3]
		var n int64
		if err := q.row(ctx, `SELECT COUNT(*) FROM `+table+` AS child WHERE NOT EXISTS (
			SELECT 1 FROM `+parent+` AS parent WHERE parent.`+key+` = child.`+column+`)`).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			fault(fmt.Sprintf("%d rows of table %s name something that is not in table %s", n, table, parent))
		}
	}
	return nil
}

func (e *postgresEngine) schema(steps []step) (*goose.Provider, error) {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return migrations(steps, goose.DialectPostgres, e.read, func(step string) string { return step }, goose.WithSessionLocker(locker))
}

func (e *postgresEngine) text(statement string) string {
	return e.kept(statement, func() string { return numbered(statement) })
}

func (e *postgresEngine) kept(key string, text func() string) string {
	if known, ok := e.texts.Load(key); ok {
		return known.(string)
	}
	made := text()
	e.texts.Store(key, made)
	return made
}

func (e *postgresEngine) close() error {
	err := e.read.Close()
	e.reads.Close()
	e.pool.Close()
	return err
}

// again: another process made the row first, or the two waited for each other. A
// lost connection is for [Store.applyAfterLoss].
func (e *postgresEngine) again(err error) bool {
	if errors.Is(err, errNotAsRead) {
		return true
	}
	failed, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch failed.Code {
	case "40001", "40P01", "23505": // serialization failure, deadlock, unique violation
		return true
	}
	return false
}

func (e *postgresEngine) begin(ctx context.Context) (conn, error) {
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return nil, failed(err)
	}
	return &postgresConn{e, tx}, nil
}

type postgresConn struct {
	e  *postgresEngine
	tx pgx.Tx
}

func (c *postgresConn) query(ctx context.Context, text string, values ...any) (rows, error) {
	rows, err := c.tx.Query(ctx, c.e.text(text), values...)
	return postgresRows{rows}, failed(err)
}

func (c *postgresConn) row(ctx context.Context, text string, values ...any) row {
	return postgresRow{c.tx.QueryRow(ctx, c.e.text(text), values...)}
}

func (c *postgresConn) exec(ctx context.Context, text string, values ...any) (int64, error) {
	tag, err := c.tx.Exec(ctx, c.e.text(text), values...)
	return tag.RowsAffected(), failed(err)
}

// lock takes the name's advisory lock until the transaction ends.
func (c *postgresConn) lock(ctx context.Context, name string) error {
	_, err := c.tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, name)
	return failed(err)
}

func (c *postgresConn) ask(ctx context.Context, questions []question) error {
	return c.send(ctx, nil, questions)
}

func (c *postgresConn) writeSets(ctx context.Context, sets []writes, questions []question) error {
	return c.send(ctx, sets, questions)
}

// send makes the writes and asks the questions in one round trip.
func (c *postgresConn) send(ctx context.Context, sets []writes, questions []question) error {
	batch := &pgx.Batch{}
	for _, set := range sets {
		arrays, types, err := columns(set.values)
		if err != nil {
			return err
		}
		var wrong error
		text := c.e.kept(set.write.text(), func() (text string) {
			text, wrong = writeSet(set.write.text(), types)
			return text
		})
		if wrong != nil {
			return wrong
		}
		batch.Queue(text, arrays...)
	}
	for _, q := range questions {
		arrays, types, err := columns(q.values)
		if err != nil {
			return err
		}
		text := c.e.kept("for each: "+q.text, func() string { return questionSet(q.text, types) })
		batch.Queue(text, arrays...)
	}
	results := c.tx.SendBatch(ctx, batch)
	if err := answers(results, sets, questions); err != nil {
		_ = results.Close() // it fails with the same
		return failed(err)
	}
	return failed(results.Close())
}

func answers(results pgx.BatchResults, sets []writes, questions []question) error {
	for _, set := range sets {
		tag, err := results.Exec()
		if err == nil && tag.RowsAffected() != int64(len(set.values)) && set.write.changesAll() {
			err = fmt.Errorf("%d of %d rows: %w", tag.RowsAffected(), len(set.values), errNotAsRead)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", set.write.name(), err)
		}
	}
	for _, q := range questions {
		rows, err := results.Query()
		if err := each(postgresRows{rows}, err, func(scan func(...any) error) error {
			// The first column is the number of the values, from 1, in binary.
			n := binary.BigEndian.Uint64(rows.RawValues()[0])
			return q.row(int(n-1), func(dest ...any) error { return scan(append([]any{nil}, dest...)...) })
		}); err != nil {
			return err
		}
	}
	return nil
}

func (c *postgresConn) commit(ctx context.Context) error {
	err := c.tx.Commit(ctx)
	if err != nil && connectionLost(err) {
		return fmt.Errorf("%w: %w", errUnknown, err)
	}
	return err
}

// failed marks an error before the commit that is the end of the connection.
func failed(err error) error {
	if err != nil && connectionLost(err) {
		return fmt.Errorf("%w: %w", errLost, err)
	}
	return err
}

func (c *postgresConn) rollback() { _ = c.tx.Rollback(context.Background()) } // after a commit it does nothing

// postgresRows closes as database/sql's rows do.
type postgresRows struct{ pgx.Rows }

func (r postgresRows) Close() error {
	r.Rows.Close()
	return r.Err()
}

func (r postgresRows) Err() error { return failed(r.Rows.Err()) }

type postgresRow struct{ pgx.Row }

func (r postgresRow) Scan(dest ...any) error { return failed(r.Row.Scan(dest...)) }
