// Package sqlstore keeps the escrow's books in SQL: on SQLite, in one file with one
// writer, or on PostgreSQL, where several processes may work on the same books. It
// satisfies escrowserver.Store on both with the same operations and the same texts.
//
// Operations come in batches. A batch locks the accounts that it is about, reads
// what its operations want to know in a few questions for all of them, decides them
// one after another in memory, and then makes all of their writes: each row once,
// however many operations changed it. See known.go for what is locked and why, and
// engine.go for what the two engines do differently.
package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Store keeps the books.
type Store struct {
	engine  engine
	batches keyBatches
	pools   soldKeys
}

// Open opens the books, makes them if they are not there, and brings their schema
// up to date. The database is the path of a SQLite file, or a URL that begins with
// postgres://.
func Open(ctx context.Context, database string) (*Store, error) {
	engine, err := openEngine(ctx, database)
	if err != nil {
		return nil, fmt.Errorf("open the books: %w", err)
	}
	return begun(ctx, &Store{engine: engine})
}

// begun brings the schema up to date.
func begun(ctx context.Context, s *Store) (*Store, error) {
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the books: %w", err), s.Close())
	}
	return s, nil
}

// OpenMade opens books as [Open] does, but makes no file: one that is gone, or was
// given another name, is an error and no empty books.
func OpenMade(ctx context.Context, database string) (*Store, error) {
	if IsPostgres(database) {
		return Open(ctx, database)
	}
	return begun(ctx, &Store{engine: openSQLite(database, "mode=rw")})
}

// OpenToRead opens books that are there, for reading only. It brings no schema up
// to date, since another program may be serving from them: books of another version
// are refused.
func OpenToRead(ctx context.Context, database string) (*Store, error) {
	var engine engine
	if IsPostgres(database) {
		var err error
		if engine, err = openPostgres(ctx, database, "default_transaction_read_only=on"); err != nil {
			return nil, fmt.Errorf("read the books: %w", err)
		}
	} else {
		engine = readSQLite(database)
	}
	s := &Store{engine: engine}
	if err := s.checkVersion(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("read the books: %w", err), s.Close())
	}
	return s, nil
}

func openEngine(ctx context.Context, database string) (engine, error) {
	if IsPostgres(database) {
		return openPostgres(ctx, database)
	}
	return openSQLite(database), nil
}

// IsPostgres tells a PostgreSQL URL from a file.
func IsPostgres(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// Close closes the books.
func (s *Store) Close() error { return s.engine.close() }
