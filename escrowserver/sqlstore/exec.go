package sqlstore

import (
	"context"
	"fmt"
)

// Every write of the store passes through this file and no other. Tests put
// another exec.go in its place, which ends the process at a chosen label.

// exec makes a write and returns how many rows it touched.
func (t *tx) exec(ctx context.Context, label, query string, args ...any) (int64, error) {
	n, err := t.conn.exec(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", label, err)
	}
	return n, nil
}

// execSets makes many writes in one go, where the engine can, and then asks the
// questions.
func (t *tx) execSets(ctx context.Context, conn setWriter, label string, sets []writes, questions []question) error {
	if err := conn.writeSets(ctx, sets, questions); err != nil {
		return fmt.Errorf("%s: %w", label, err)
	}
	return nil
}

// commit makes the writes of the transaction durable.
func (t *tx) commit(label string) error {
	if err := t.conn.commit(context.Background()); err != nil {
		return fmt.Errorf("%s: %w", label, err)
	}
	return nil
}
