package sqlstore

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
)

// richBooks are in a file of SQLite, with a row of everything that the stories make.
func richBooks(t *testing.T) (string, servicetest.Harness) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "books.db")
	s, err := Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	h := servicetest.NewHarness(t, s)
	servicetest.Story(t, h)
	servicetest.MoneyStory(t, h)
	servicetest.SafetyStory(t, h)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return file, h
}

// numberedTables are the tables whose rows the database numbers, each with the newest
// number that a row has.
func numberedTables(t *testing.T, s *Store) map[string]int64 {
	t.Helper()
	rows, err := s.reader().query(t.Context(), `SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relkind = 'r' AND s.nspname = 'public' AND c.relname <> '`+versions+`' AND pg_get_serial_sequence(c.relname, a.attname) IS NOT NULL`)
	columns, newest := map[string]string{}, map[string]int64{}
	if err := each(rows, err, func(scan func(...any) error) error {
		var table, column string
		err := scan(&table, &column)
		columns[table] = column
		return err
	}); err != nil || len(columns) < 4 {
		t.Fatalf("numbered tables %v, %v", columns, err)
	}
	for table, column := range columns {
		var n int64
		if err := s.reader().row(t.Context(), `SELECT COALESCE(MAX(`+column+`), 0) FROM `+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		newest[table] = n
	}
	return newest
}

// Books in which keys were rotated, accounts deleted and money came and went by all
// ways move whole, and go on: new rows are numbered after the old ones.
func TestBooksOfAllStoriesMoveToPostgres(t *testing.T) {
	file, h := richBooks(t)
	url := emptyDatabase(t, pgtest.For(t))
	if err := Move(t.Context(), file, url, func(copied *Store, _ []Moved) error {
		if found := faults(t, copied, h.Server.ReceiptKey()); len(found) > 0 {
			t.Errorf("faults: %q", found)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, url)
	before := numberedTables(t, s)
	servicetest.Sequel(t, servicetest.HarnessOn(t, s, h.Clock, h.ReceiptSigner))
	for table, newest := range numberedTables(t, s) {
		if newest <= before[table] {
			t.Errorf("table %s: the newest row has number %d, before it was %d", table, newest, before[table])
		}
	}
	if found := faults(t, s, h.Server.ReceiptKey()); len(found) > 0 {
		t.Errorf("faults afterwards: %q", found)
	}
}

// A copy that is not as it was sent is taken back: a row that was changed on the way,
// and one that is not there.
func TestAMoveThatChangesARowIsTakenBack(t *testing.T) {
	file, _ := richBooks(t)
	cluster := pgtest.For(t)
	for name, change := range map[string]string{
		"changed": `NEW.made_at := NEW.made_at + 1; RETURN NEW;`,
		"dropped": `IF NEW.id LIKE ''%000001'' THEN RETURN NULL; END IF; RETURN NEW;`,
	} {
		t.Run(name, func(t *testing.T) {
			url := emptyDatabase(t, cluster)
			s := openAt(t, url)
			db := testDB(t, s)
			for _, statement := range []string{
				`CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN ` + change + ` END'`,
				`CREATE TRIGGER change BEFORE INSERT ON operation FOR EACH ROW EXECUTE FUNCTION change()`,
			} {
				if _, err := db.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			move := func() error { return Move(t.Context(), file, url, nothingMore) }
			if err := move(); err == nil || !strings.Contains(err.Error(), "table operation") || !strings.Contains(err.Error(), "sum") {
				t.Errorf("moved past a trigger: %v", err)
			}
			var rows int
			if err := s.reader().row(t.Context(), `SELECT COUNT(*) FROM operation`).Scan(&rows); err != nil || rows != 0 {
				t.Errorf("%d rows are left, %v", rows, err)
			}
			if _, err := db.ExecContext(t.Context(), `DROP TRIGGER change ON operation`); err != nil {
				t.Fatal(err)
			}
			if err := move(); err != nil {
				t.Errorf("without the trigger: %v", err)
			}
			if err := move(); !errors.Is(err, errOccupied) {
				t.Errorf("a second time: %v", err)
			}
		})
	}
}

func nothingMore(*Store, []Moved) error { return nil }
