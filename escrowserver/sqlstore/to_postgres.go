package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Moved is a table that was copied.
type Moved struct {
	Table string
	Rows  int64
	sum   string // of its rows, in whatever order
}

// errOccupied: a database that has books, or the remains of a move that was cut off.
var errOccupied = errors.New("the database is not empty: it holds books, or the remains of a move that was cut off; make a new, empty one and name that")

// Move copies the books of a SQLite file into an empty PostgreSQL database, in one
// transaction: counts and sums of each table must be the same on both sides. Nobody
// else writes the file meanwhile, nor while done looks at the copy; if done fails,
// the database is emptied again.
func Move(ctx context.Context, from, to string, done func(copied *Store, tables []Moved) error) (err error) {
	source, err := Open(ctx, from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	held, err := source.engine.begin(ctx)
	if err != nil {
		return fmt.Errorf("hold the books: %w", err)
	}
	defer held.rollback() // nothing was written
	target, err := Open(ctx, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	engine, ok := target.engine.(*postgresEngine)
	if !ok {
		return errors.New("books are moved to PostgreSQL only")
	}
	tables, err := tablesOf(ctx, held)
	if err != nil {
		return fmt.Errorf("read the tables: %w", err)
	}
	moved, err := engine.take(ctx, held, tables)
	if err != nil {
		return fmt.Errorf("move the books: %w", err)
	}
	if err := done(target, moved); err != nil {
		return errors.Join(err, engine.empty(context.WithoutCancel(ctx), tables))
	}
	return nil
}

// table is one of the books, with its columns.
type table struct {
	name    string
	columns []string
}

func (t table) all() string { return `SELECT ` + strings.Join(t.columns, ", ") + ` FROM ` + t.name }

// tablesOf lists the tables so that each comes after those that it names.
func tablesOf(ctx context.Context, q querier) ([]table, error) {
	rows, err := q.query(ctx, `SELECT m.name, COALESCE((SELECT group_concat(DISTINCT f."table") FROM pragma_foreign_key_list(m.name) f), ''),
			(SELECT group_concat(c.name) FROM pragma_table_info(m.name) c)
		FROM sqlite_schema m WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite~_%' ESCAPE '~' AND m.name <> '`+versions+`' ORDER BY m.name`)
	waiting := map[string][]string{}
	var all, sorted []table
	err = each(rows, err, func(scan func(...any) error) error {
		var name, names, columns string
		if err := scan(&name, &names, &columns); err != nil {
			return err
		}
		waiting[name] = slices.DeleteFunc(strings.Split(names, ","), func(n string) bool { return n == "" || n == name })
		all = append(all, table{name, strings.Split(columns, ",")})
		return nil
	})
	for err == nil && len(sorted) < len(all) {
		before := len(sorted)
		for _, t := range all {
			waits := slices.ContainsFunc(waiting[t.name], func(n string) bool {
				return !slices.ContainsFunc(sorted, func(s table) bool { return s.name == n })
			})
			if !waits && !slices.ContainsFunc(sorted, func(s table) bool { return s.name == t.name }) {
				sorted = append(sorted, t)
			}
		}
		if len(sorted) == before {
			err = errors.New("tables name each other in a circle")
		}
	}
	return sorted, err
}

// take copies the tables in one transaction, in which nobody else sees them.
func (e *postgresEngine) take(ctx context.Context, from querier, tables []table) ([]Moved, error) {
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) // after a commit it does nothing
	for _, t := range tables {
		if _, err := tx.Exec(ctx, `LOCK TABLE `+t.name+` IN ACCESS EXCLUSIVE MODE`); err != nil {
			return nil, err
		}
		var occupied bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM `+t.name+`)`).Scan(&occupied); err != nil || occupied {
			return nil, errors.Join(err, errOccupied)
		}
	}
	var moved []Moved
	for _, t := range tables {
		read, err := copyTable(ctx, tx, from, t)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
		moved = append(moved, read)
	}
	if err := setSequences(ctx, tx, from); err != nil {
		return nil, err
	}
	return moved, tx.Commit(ctx)
}

// copyTable copies a table and reads it back.
func copyTable(ctx context.Context, tx pgx.Tx, from querier, t table) (Moved, error) {
	source, err := from.query(ctx, t.all())
	if err != nil {
		return Moved{}, err
	}
	defer source.Close()
	sent := tableSum{}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromFunc(func() ([]any, error) {
		if !source.Next() {
			return nil, source.Err()
		}
		values, into := make([]any, len(t.columns)), make([]any, len(t.columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := source.Scan(into...); err != nil {
			return nil, err
		}
		emptyIsThere(values)
		return values, sent.add(values)
	})); err != nil {
		return Moved{}, err
	}
	back, err := tx.Query(ctx, t.all())
	if err != nil {
		return Moved{}, err
	}
	defer back.Close()
	got := tableSum{}
	for back.Next() {
		values, err := back.Values()
		if err != nil {
			return Moved{}, err
		}
		if err := got.add(values); err != nil {
			return Moved{}, err
		}
	}
	if err := back.Err(); err != nil {
		return Moved{}, err
	}
	if got.rows != sent.rows || got.text() != sent.text() {
		return Moved{}, fmt.Errorf("%d rows with sum %s were sent and %d with sum %s are there", sent.rows, sent.text(), got.rows, got.text())
	}
	return Moved{Table: t.name, Rows: got.rows, sum: got.text()}, nil
}

// emptyIsThere keeps "no bytes" apart from "none": SQLite's driver gives the first as
// a nil of its type, which PostgreSQL's would send as NULL.
func emptyIsThere(values []any) {
	for i, value := range values {
		if data, ok := value.([]byte); ok && data == nil {
			values[i] = []byte{}
		}
	}
}

// tableSum is of rows in whatever order: the sum of their hashes.
type tableSum struct {
	rows int64
	sum  big.Int
}

func (s *tableSum) add(values []any) error {
	hash := sha256.New()
	for _, value := range values {
		var kind byte
		var data []byte
		switch v := value.(type) {
		case nil:
			kind = '-'
		case int64:
			kind, data = 'i', binary.BigEndian.AppendUint64(nil, uint64(v))
		case string:
			kind, data = 't', []byte(v)
		case []byte:
			kind, data = 'b', v
		default:
			return fmt.Errorf("a value is a %T", value)
		}
		hash.Write(append([]byte{kind}, binary.BigEndian.AppendUint64(nil, uint64(len(data)))...))
		hash.Write(data)
	}
	s.rows++
	s.sum.Add(&s.sum, new(big.Int).SetBytes(hash.Sum(nil)))
	return nil
}

func (s *tableSum) text() string { return s.sum.Text(16) }

// setSequences has new rows numbered after all that were ever there, in whichever
// column the table numbers them.
func setSequences(ctx context.Context, tx pgx.Tx, from querier) error {
	rows, err := from.query(ctx, `SELECT name, seq FROM sqlite_sequence WHERE seq > 0 ORDER BY name`)
	return each(rows, err, func(scan func(...any) error) error {
		var name string
		var newest int64
		if err := scan(&name, &newest); err != nil || name == versions {
			return err
		}
		tag, err := tx.Exec(ctx, `SELECT setval(pg_get_serial_sequence($1, attname), $2) FROM pg_attribute
			WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND pg_get_serial_sequence($1, attname) IS NOT NULL`, name, newest)
		if err == nil && tag.RowsAffected() != 1 {
			err = fmt.Errorf("table %s numbers its rows in %d columns, not in one", name, tag.RowsAffected())
		}
		return err
	})
}

// empty takes back what was copied.
func (e *postgresEngine) empty(ctx context.Context, tables []table) error {
	var names []string
	for _, t := range tables {
		names = append(names, t.name)
	}
	_, err := e.pool.Exec(ctx, `TRUNCATE `+strings.Join(names, ", "))
	return err
}
