package sqlstore

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"earnest/internal/pgtest"
)

// madeSchemas are those of books that this program makes, on each engine.
func madeSchemas(t *testing.T, cluster *pgtest.Cluster) map[bool][]string {
	t.Helper()
	return map[bool][]string{false: schemaOf(t, openTest(t)), true: schemaOf(t, openPostgresTest(t, cluster))}
}

// schemaQueries tell all that steps make, in lines that do not depend on the order in
// which columns were added.
func schemaQueries(s *Store) []string {
	if _, ok := s.engine.(*sqliteEngine); ok {
		return []string{
			`SELECT 'column ' || m.name || '.' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || COALESCE(c.dflt_value, '-') || ' ' || c.pk
				FROM sqlite_schema m JOIN pragma_table_info(m.name) c`,
			`SELECT 'reference ' || m.name || '.' || f."from" || ' ' || f."table" || '.' || COALESCE(f."to", '')
				FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f`,
			`SELECT type || ' ' || sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL`,
			`SELECT 'strict ' || name || ' ' || strict FROM pragma_table_list WHERE schema = 'main'`,
			`SELECT 'numbered ' || name FROM sqlite_schema WHERE sql LIKE '%AUTOINCREMENT%'`,
		}
	}
	return []string{
		`SELECT 'column ' || c.table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || COALESCE(column_default, '-')
			FROM information_schema.columns c WHERE table_schema = 'public'`,
		`SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'`,
		`SELECT 'view ' || viewname || ' ' || definition FROM pg_views WHERE schemaname = 'public'`,
		`SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace`,
		`SELECT 'table ' || relname || ' ' || relpersistence::text || ' ' || COALESCE(reloptions::text, '-') FROM pg_class
			WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
	}
}

func schemaOf(t *testing.T, s *Store) (lines []string) {
	t.Helper()
	for _, query := range schemaQueries(s) {
		rows, err := s.engine.reading().QueryContext(t.Context(), query)
		if err := each(rows, err, func(scan func(...any) error) error {
			var line string
			err := scan(&line)
			lines = append(lines, line)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(lines) < 200 {
		t.Fatalf("the schema is %q", lines)
	}
	slices.Sort(lines)
	return lines
}

// difference is what only one of two sorted lists has.
func difference(a, b []string) string {
	var lines []string
	for _, line := range a {
		if !slices.Contains(b, line) {
			lines = append(lines, "- "+line)
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			lines = append(lines, "+ "+line)
		}
	}
	return strings.Join(lines, "\n")
}

// Books that miss a step in the middle are of another version, whatever their newest
// step is; and a step that was taken is taken no second time.
func TestBooksWithoutAStepAreRefused(t *testing.T) {
	cluster := pgtest.For(t)
	for name, database := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "books.db"), "PostgreSQL": emptyDatabase(t, cluster)} {
		t.Run(name, func(t *testing.T) {
			s := openAt(t, database)
			exec(t, s, `DELETE FROM schema_step WHERE version_id = 7`)
			if s, err := OpenToRead(t.Context(), database); err == nil || !strings.Contains(err.Error(), "without [7]") {
				t.Errorf("read %v, %v", s, err)
			}
			if s, err := Open(t.Context(), database); err == nil || !strings.Contains(err.Error(), "deliver_moved") && !strings.Contains(err.Error(), "duplicate") && !strings.Contains(err.Error(), "exists") {
				t.Errorf("opened %v, %v", s, err)
			}
		})
	}
}

// The control of what is compared after an upgrade: books that count a step as taken
// which they have not do not open, or have another schema.
func TestAStepThatWasNotTakenShows(t *testing.T) {
	cluster := pgtest.For(t)
	made := madeSchemas(t, cluster)[true]
	old := allOldBooks(t)["1-6"]
	taken := stepsOf(t, old.file)
	steps, err := schemaSteps()
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range steps {
		if slices.Contains(taken, left.version) {
			continue
		}
		t.Run(strconv.FormatInt(left.version, 10), func(t *testing.T) {
			url := old.onPostgres(t, cluster)
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			_, err = conn.Exec(t.Context(), `INSERT INTO schema_step (version_id, is_applied) VALUES ($1, true)`, left.version)
			if err := errors.Join(err, conn.Close(t.Context())); err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), url)
			if err != nil {
				return
			}
			defer s.Close()
			if slices.Equal(schemaOf(t, s), made) {
				t.Error("nobody would notice")
			}
		})
	}
}
