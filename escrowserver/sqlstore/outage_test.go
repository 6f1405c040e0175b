package sqlstore

import (
	"path/filepath"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
)

// Books of an older program have outages that nobody signed: the first operation
// signs them before it counts on any deadline.
func TestOutageOfAnOlderProgramIsSigned(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "books.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := servicetest.NewHarness(t, s)
	servicetest.Story(t, h) // it leaves one bond held
	began, ended := h.Clock.Now(), h.Clock.Now().Add(time.Hour)
	h.Clock.Move(time.Hour)
	db := testDB(t, s)
	if _, err := db.ExecContext(t.Context(), `INSERT INTO outage (ended_at, began_at) VALUES (?, ?)`, micros(ended), micros(began)); err != nil {
		t.Fatal(err)
	}
	if found := faults(t, s, h.Server.ReceiptKey()); len(found) != 1 {
		t.Fatalf("before: %q", found)
	}
	server, err := escrowserver.New(servicetest.Config(s, h.Clock, h.Mails, h.ReceiptSigner))
	if err != nil {
		t.Fatal(err)
	}
	var held escrow.BondID
	if err := db.QueryRowContext(t.Context(), `SELECT id FROM bond WHERE state = 'held'`).Scan(&held); err != nil {
		t.Fatal(err)
	}
	before, err := s.Bond(t.Context(), held)
	if err != nil {
		t.Fatal(err)
	}
	h.Clock.Move(before.DeliverBy.Sub(h.Clock.Now())) // the quote's deadline
	if err := server.SweepNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := s.Bond(t.Context(), held)
	if err != nil || after.State != escrow.Held || !after.Due().Equal(before.DeliverBy.Add(time.Hour)) || len(after.Outages) != 1 {
		t.Errorf("the bond is %s, due %s, by %d outages, %v", after.State, after.Due(), len(after.Outages), err)
	}
	if found := faults(t, s, h.Server.ReceiptKey()); len(found) != 0 {
		t.Errorf("after: %q", found)
	}
}
