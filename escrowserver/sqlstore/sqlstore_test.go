package sqlstore

import (
	"database/sql"
	"path/filepath"
	"testing"

	"earnest/escrowserver/servicetest"
)

func openTest(t testing.TB) *Store {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "books ?#%.db"))
}

func openAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestService(t *testing.T) {
	servicetest.Run(t, func(t *testing.T) servicetest.Harness { return servicetest.NewHarness(t, openTest(t)) })
}

func TestMachine(t *testing.T) {
	servicetest.Machine(t, func(t *testing.T) servicetest.Harness { return servicetest.NewHarness(t, openTest(t)) }, 10, 500)
}

// testDB writes past the store.
func testDB(t testing.TB, s *Store) *sql.DB {
	t.Helper()
	e, ok := s.engine.(*sqliteEngine)
	if !ok {
		return s.engine.reading()
	}
	db := sql.OpenDB(connector{dsn(e.path)})
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
