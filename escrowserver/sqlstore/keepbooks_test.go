package sqlstore

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"earnest/escrowserver/servicetest"
)

// Books of today are packed as those of earlier programs are, and pass as one. Before a
// step joins the schema, they are kept: EARNEST_KEEP_BOOKS=FILE names where to, as
// testdata/books-STEPS.sql.gz with the steps so far.
func TestBooksOfTodayWillUpgrade(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "today.db"))
	if err != nil {
		t.Fatal(err)
	}
	first, err := json.Marshal(servicetest.Chronicled(t, servicetest.NewHarness(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	into := gzip.NewWriter(&packed)
	fmt.Fprintf(into, "-- %s\n%s", first, dumped(t, s))
	if err := into.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if keep := os.Getenv("EARNEST_KEEP_BOOKS"); keep != "" {
		if err := os.WriteFile(keep, packed.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := unpackOldBooks(t, packed.Bytes())
	goesOn(t, old, old.file, schemaOf(t, openTest(t)))
}

// dumped is SQL that makes the same file of SQLite again.
func dumped(t *testing.T, s *Store) string {
	t.Helper()
	lines := func(query string) (all []string) {
		rows, err := s.engine.reading().QueryContext(t.Context(), query)
		if err := each(rows, err, func(scan func(...any) error) error {
			var line string
			err := scan(&line)
			all = append(all, line+";\n")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	const (
		tables = ` FROM sqlite_schema m WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY rowid`
		values = `(SELECT group_concat('quote(' || c.name || ')', ' || '','' || ') FROM pragma_table_info(m.name) c)`
	)
	all := []string{"PRAGMA foreign_keys = OFF;\nBEGIN;\n"}
	all = append(all, lines(`SELECT sql`+tables)...)
	for _, rows := range lines(`SELECT 'SELECT ''INSERT INTO ' || name || ' VALUES ('' || ' || ` + values + ` || ' || '')'' FROM ' || name` + tables) {
		all = append(all, lines(rows)...)
	}
	all = append(all, "DELETE FROM sqlite_sequence;\n")
	all = append(all, lines(`SELECT 'INSERT INTO sqlite_sequence VALUES (' || quote(name) || ',' || seq || ')' FROM sqlite_sequence`)...)
	all = append(all, lines(`SELECT sql FROM sqlite_schema WHERE type IN ('index', 'view') AND sql IS NOT NULL ORDER BY rowid`)...)
	return strings.Join(append(all, "COMMIT;\n"), "")
}
