package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
)

// OpenToRead opens a file that is there, for reading only. It brings no schema up
// to date, since another program may be serving from it: a file of another
// version is refused.
func OpenToRead(ctx context.Context, path string) (*Store, error) {
	db := sql.OpenDB(connector{dsn(path, "mode=rw", "_txlock=deferred", "_pragma=query_only(1)")})
	db.SetMaxOpenConns(4)
	s := &Store{dialect: sqliteDialect(), write: db, read: db}
	if err := s.checkVersion(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("read the books %s: %w", path, err), db.Close())
	}
	return s, nil
}

func (s *Store) checkVersion(ctx context.Context) error {
	names, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		return err
	}
	var have int
	if err := s.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM schema_version`).Scan(&have); err != nil {
		return err
	}
	if have != len(names) {
		return fmt.Errorf("they are of version %d, this program reads %d: use the program that serves them, or have this one serve them first", have, len(names))
	}
	return nil
}
