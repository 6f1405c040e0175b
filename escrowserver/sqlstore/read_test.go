package sqlstore_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
)

// TestOpenToReadOnlyReads: no file, no schema and no row is made by it.
func TestOpenToReadOnlyReads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "escrow.db")
	if _, err := sqlstore.OpenToRead(t.Context(), file); err == nil {
		t.Error("books that are not there are opened")
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was made")
	}
	serving, err := sqlstore.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	reading, err := sqlstore.OpenToRead(t.Context(), file)
	if err != nil {
		t.Fatalf("beside a serving one: %v", err)
	}
	if err := reading.Walk(t.Context(), escrowserver.Visitor{}); err != nil {
		t.Errorf("walk: %v", err)
	}
	op := escrowserver.NewVoucher{Now: time.Unix(1, 0), Hash: "h", Currency: "EUR", Amount: 1}
	if results := reading.Apply(t.Context(), []escrowserver.Op{op}); results[0].Err == nil {
		t.Error("it writes")
	}
	if err := reading.Close(); err != nil {
		t.Error(err)
	}
	if results := serving.Apply(t.Context(), []escrowserver.Op{op}); results[0].Err != nil {
		t.Error(results[0].Err)
	}
	if err := serving.Close(); err != nil {
		t.Error(err)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("DELETE FROM schema_step WHERE version_id = (SELECT MAX(version_id) FROM schema_step)"); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.OpenToRead(t.Context(), file); err == nil {
		t.Error("books of another version are opened")
	}
}
