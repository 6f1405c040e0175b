package sqlstore

import (
	"context"
	"fmt"
)

// Every write of the store passes through this file and no other. Tests put
// another exec.go in its place, which ends the process at a chosen label.

// exec makes a write and returns how many rows it touched.
func (t *tx) exec(ctx context.Context, label, query string, args ...any) (int64, error) {
	result, err := t.sql.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", label, err)
	}
	return result.RowsAffected()
}

// execReturning makes a write that returns one row, read into dest.
func (t *tx) execReturning(ctx context.Context, label string, dest []any, query string, args ...any) error {
	if err := t.sql.QueryRowContext(ctx, query, args...).Scan(dest...); err != nil {
		return fmt.Errorf("%s: %w", label, err)
	}
	return nil
}

// commit makes the writes of the transaction durable.
func (t *tx) commit(label string) error {
	if err := t.sql.Commit(); err != nil {
		return fmt.Errorf("%s: %w", label, err)
	}
	return nil
}
