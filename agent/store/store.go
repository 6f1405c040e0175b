// Package store is what the agent remembers: a SQLite file of sealed records.
//
// Everything that a record says is sealed with a key that rests in the keyring.
// In the clear are only what queries need: the kind of a record, its id, a
// state and a number that orders it. Ids are random or hashes, never addresses.
package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver registers itself; there is no other door
)

// Sealer keeps content unreadable at rest. Context binds a sealed record to its
// place, so that one cannot be put in place of another.
type Sealer interface {
	Seal(plain []byte, context string) []byte
	Open(sealed []byte, context string) ([]byte, error)
}

// Store is the agent's database. It is safe for concurrent use; there is one
// writer at a time.
type Store struct {
	db     *sql.DB
	sealer Sealer
}

const schema = `
CREATE TABLE IF NOT EXISTS record (
	kind   TEXT NOT NULL,
	id     TEXT NOT NULL,
	state  TEXT NOT NULL,
	number INTEGER NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_by_state ON record (kind, state, number);
PRAGMA user_version = 1;
`

// Open opens or makes the database at path. Only its owner can read it.
func Open(ctx context.Context, path string, sealer Sealer) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	file.Close()
	query := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)",
		// Replaced records leave nothing behind, and sorting stays in memory.
		"secure_delete(ON)", "temp_store(MEMORY)",
	}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db.SetMaxOpenConns(4)
	var synchronous, version int
	err = errors.Join(db.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous),
		db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version))
	switch {
	case err != nil:
	case synchronous != 2:
		err = fmt.Errorf("synchronous is %d, not FULL", synchronous)
	case version > 1:
		err = fmt.Errorf("its version %d is newer than this program", version)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), db.Close())
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		db.Close()
		return nil, fmt.Errorf("open store: %w", err)
	}
	return &Store{db: db, sealer: sealer}, nil
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Tx is a transaction. Records read in it are read anew.
type Tx struct {
	tx     *sql.Tx
	sealer Sealer
	label  string
}

// Update runs fn in a transaction that is durable when Update returns nil.
// The label names the step, for logs and for the tests that kill the agent there.
func (s *Store) Update(ctx context.Context, label string, fn func(*Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: begin: %w", label, err)
	}
	defer tx.Rollback()
	if err := fn(&Tx{tx, s.sealer, label}); err != nil {
		return err
	}
	if err := commit(tx, label); err != nil {
		return fmt.Errorf("%s: commit: %w", label, err)
	}
	return nil
}

// View runs fn in a transaction that changes nothing.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("read store: %w", err)
	}
	defer tx.Rollback()
	return fn(&Tx{tx, s.sealer, "view"})
}

// Record is a kind of thing that the agent remembers.
type Record interface {
	// place is the kind and id under which the record lies, and its state and
	// number, by which it is found.
	place() place
}

type place struct {
	kind, id, state string
	number          int64
}

func (p place) context() string { return p.kind + "/" + p.id }

// Put writes a record over the one with the same id.
func Put[R Record](tx *Tx, r R) error {
	p := r.place()
	plain, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("%s: write %s: %w", tx.label, p.kind, err)
	}
	err = exec(tx.tx, tx.label+"."+p.kind,
		`INSERT INTO record (kind, id, state, number, sealed) VALUES (?, ?, ?, ?, ?)
		 ON CONFLICT (kind, id) DO UPDATE SET state = excluded.state, number = excluded.number, sealed = excluded.sealed`,
		p.kind, p.id, p.state, p.number, tx.sealer.Seal(plain, p.context()))
	if err != nil {
		return fmt.Errorf("%s: write %s: %w", tx.label, p.kind, err)
	}
	return nil
}

// Get reads the record with the id; false if there is none.
func Get[R Record](tx *Tx, id string) (R, bool, error) {
	var r R
	kind := r.place().kind
	var sealed []byte
	err := tx.tx.QueryRow(`SELECT sealed FROM record WHERE kind = ? AND id = ?`, kind, id).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	if err == nil {
		err = unseal(tx.sealer, sealed, place{kind: kind, id: id}, &r)
	}
	if err != nil {
		return r, false, fmt.Errorf("%s: read %s: %w", tx.label, kind, err)
	}
	return r, true, nil
}

// List reads the records in any of the states, or all, by number.
func List[R Record](tx *Tx, states ...string) ([]R, error) {
	return Since[R](tx, math.MinInt64, states...)
}

// Since reads those whose number is at least from.
func Since[R Record](tx *Tx, from int64, states ...string) ([]R, error) {
	var zero R
	kind := zero.place().kind
	wanted, _ := json.Marshal(states)
	rows, err := tx.tx.Query(
		`SELECT id, sealed FROM record WHERE kind = ?1 AND number >= ?4
		 AND (?2 OR state IN (SELECT value FROM json_each(?3))) ORDER BY number, id`,
		kind, len(states) == 0, string(wanted), from)
	if err != nil {
		return nil, fmt.Errorf("%s: list %s: %w", tx.label, kind, err)
	}
	defer rows.Close()
	var all []R
	for rows.Next() {
		var id string
		var sealed []byte
		var r R
		if err := rows.Scan(&id, &sealed); err != nil {
			return nil, fmt.Errorf("%s: list %s: %w", tx.label, kind, err)
		}
		if err := unseal(tx.sealer, sealed, place{kind: kind, id: id}, &r); err != nil {
			return nil, fmt.Errorf("%s: list %s: %w", tx.label, kind, err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// Delete removes the record with the id, if there is one.
func Delete[R Record](tx *Tx, id string) error {
	var zero R
	kind := zero.place().kind
	if err := exec(tx.tx, tx.label+"."+kind, `DELETE FROM record WHERE kind = ? AND id = ?`, kind, id); err != nil {
		return fmt.Errorf("%s: delete %s: %w", tx.label, kind, err)
	}
	return nil
}

func unseal(sealer Sealer, sealed []byte, p place, into any) error {
	plain, err := sealer.Open(sealed, p.context())
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}
