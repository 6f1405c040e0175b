package sqlstore

import "strings"

// dialect is where the SQL of two engines differs.
type dialect struct {
	// types turns the schema, written for PostgreSQL, into the engine's words.
	types *strings.Replacer
	// claim takes the oldest unsold key of an address. No one text serves both
	// engines: SQLite has one writer and knows no FOR, and its text on
	// PostgreSQL would say "none" while keys remain.
	claim string
}

func sqliteDialect() dialect {
	return dialect{
		types: strings.NewReplacer(
			"BIGSERIAL PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT",
			"BIGINT", "INTEGER",
			"BYTEA", "BLOB",
			"\n);", "\n) STRICT;"),
		claim: `DELETE FROM one_time_key WHERE id = (
				SELECT id FROM one_time_key WHERE address = ? ORDER BY id LIMIT 1)
			RETURNING fingerprint, certificate, batch`,
	}
}
