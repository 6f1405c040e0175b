package store

import (
	"encoding/json"
	"fmt"
)

// Has reports whether there is a record with the id, and unseals nothing.
func Has[R Record](tx *Tx, id string) (bool, error) {
	var zero R
	kind, n := zero.place().kind, 0
	err := tx.tx.QueryRow(`SELECT COUNT(*) FROM record WHERE kind = ? AND id = ?`, kind, id).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("%s: look for %s: %w", tx.label, kind, err)
	}
	return n > 0, nil
}

// Count tells how many records are in any of the states, or in all, and unseals
// none.
func Count[R Record](tx *Tx, states ...string) (n int, err error) {
	var zero R
	kind := zero.place().kind
	wanted, _ := json.Marshal(states)
	err = tx.tx.QueryRow(`SELECT COUNT(*) FROM record WHERE kind = ?1
		AND (?2 OR state IN (SELECT value FROM json_each(?3)))`, kind, len(states) == 0, string(wanted)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("%s: count %s: %w", tx.label, kind, err)
	}
	return n, nil
}

// Tally is how many records of a kind are in a state.
type Tally struct {
	Kind, State string
	N           int
}

// Tallies counts all that is remembered, and unseals nothing.
func Tallies(tx *Tx) ([]Tally, error) {
	rows, err := tx.tx.Query(`SELECT kind, state, COUNT(*) FROM record GROUP BY kind, state ORDER BY kind, state`)
	if err != nil {
		return nil, fmt.Errorf("%s: count records: %w", tx.label, err)
	}
	defer rows.Close()
	var all []Tally
	for rows.Next() {
		var t Tally
		if err := rows.Scan(&t.Kind, &t.State, &t.N); err != nil {
			return nil, fmt.Errorf("%s: count records: %w", tx.label, err)
		}
		all = append(all, t)
	}
	return all, rows.Err()
}
