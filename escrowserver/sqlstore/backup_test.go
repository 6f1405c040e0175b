package sqlstore

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
	"earnest/test/soak"
)

// copies are the books of a test in one file after the other, each made from a
// backup of the one before.
type copies struct {
	*Store
	t      *testing.T
	folder string
	made   int
	epochs bool
}

func (c *copies) Backup() (restore func() escrowserver.Store) {
	c.made++
	file := filepath.Join(c.folder, fmt.Sprintf("%d.db", c.made))
	if err := c.Store.Backup(c.t.Context(), file); err != nil {
		c.t.Fatal(err)
	}
	return func() escrowserver.Store {
		if err := c.Store.Close(); err != nil {
			c.t.Fatal(err)
		}
		var err error
		if c.Store, err = Open(c.t.Context(), file); err != nil {
			c.t.Fatal(err)
		}
		if c.epochs {
			apply(c.t, c.Store, escrowserver.NewEpoch{Epoch: time.Now().UnixMicro()})
		}
		return c.Store
	}
}

func restores(t *testing.T, seed uint64, times int, epochs bool) (sold, again int) {
	t.Helper()
	c := &copies{t: t, folder: t.TempDir(), epochs: epochs}
	var err error
	if c.Store, err = Open(t.Context(), filepath.Join(c.folder, "first.db")); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Store.Close() }()
	sold, again = servicetest.Restores(t, servicetest.NewHarness(t, c.Store), c.Backup, soak.Random(seed, 1), times)
	return sold, again
}

// TestItem6_NoKeyIsSoldAgainAfterARestore from a backup of a random moment. The
// control: without a new epoch of the pools some are.
func TestItem6_NoKeyIsSoldAgainAfterARestore(t *testing.T) {
	seed, times := soak.Seed(t), soak.Times(5, 100)
	sold, again := restores(t, seed, times, true)
	if again > 0 || sold == 0 {
		t.Errorf("%d of %d keys were sold again", again, sold)
	}
	controlSold, control := restores(t, seed, max(times/4, 12), false)
	if control == 0 {
		t.Errorf("the control sold none of %d keys again: this test shows nothing", controlSold)
	}
	soak.Result(t, "%d restores, %d keys sold, %d of them again; without the epoch %d of %d", times, sold, again, control, controlSold)
}

// A backup is whole while others write, with all that was answered before it began;
// and PostgreSQL is told from SQLite.
func TestABackupIsSoundBooks(t *testing.T) {
	s := openTest(t)
	h := servicetest.NewHarness(t, s)
	servicetest.Story(t, h)
	answered, stop := servicetest.Writers(t, h, 4)
	folder, meanwhile := t.TempDir(), 0
	for i := range 8 {
		before := answered()
		file := filepath.Join(folder, fmt.Sprintf("%d.db", i))
		if err := s.Backup(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		meanwhile += len(answered()) - len(before)
		copied := openAt(t, file)
		if found := faults(t, copied, h.Server.ReceiptKey()); len(found) > 0 {
			t.Errorf("faults: %q", found)
		}
		for _, bond := range before {
			if _, err := copied.Bond(t.Context(), bond); err != nil {
				t.Errorf("bond %s was answered before backup %d began: %v", bond, i, err)
			}
		}
	}
	stop()
	if meanwhile == 0 {
		t.Error("nobody wrote while the books were copied")
	}
	if err := s.Backup(t.Context(), filepath.Join(folder, "0.db")); err == nil {
		t.Error("a file that was there was written over")
	}
	if err := openPostgresTest(t, pgtest.For(t)).Backup(t.Context(), filepath.Join(folder, "new.db")); !errors.Is(err, ErrOtherEngine) {
		t.Error(err)
	}
}
