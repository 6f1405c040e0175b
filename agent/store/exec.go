package store

import "database/sql"

// Every write of the agent goes through these two, so that a test can put
// itself between any two of them.

func exec(tx *sql.Tx, label, query string, args ...any) error {
	_, err := tx.Exec(query, args...)
	return err
}

func commit(tx *sql.Tx, label string) error { return tx.Commit() }
