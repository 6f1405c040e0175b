package store

import "fmt"

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
