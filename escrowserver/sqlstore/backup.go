package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// ErrOtherEngine: books on PostgreSQL are copied by its own programs.
var ErrOtherEngine = errors.New("the books are on PostgreSQL")

// Backup writes the books into a new SQLite file, as of one moment, while others
// read and write them. Who puts the copy in the place of the books must withdraw its
// unsold keys (see [escrowserver.NewEpoch]).
func (s *Store) Backup(ctx context.Context, file string) error {
	e, ok := s.engine.(*sqliteEngine)
	if !ok {
		return ErrOtherEngine
	}
	// A connection of its own: to copy takes long, and those of the store are few.
	db := sql.OpenDB(connector{dsn(e.path, "mode=rw")})
	_, err := db.ExecContext(ctx, `VACUUM INTO ?`, file)
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("copy the books: %w", err)
	}
	return nil
}
