package app_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrowserver/sqlstore"
	"earnest/internal/pgtest"
)

// What a command has written is never left behind in a file that nobody reads: every
// voucher that was made beside a move is in the database.
func TestAMoveLosesNoCommand(t *testing.T) {
	cluster := pgtest.For(t)
	cfg := made(t, nil)
	to := database(t, cluster)
	ended, some, made := make(chan struct{}), make(chan struct{}, 3), make(chan int, 3)
	for range 3 {
		go func() {
			n := 0
			for {
				if _, _, err := app.NewVoucher(context.Background(), cfg, "EUR", "5.00"); err == nil {
					if n++; n == 1 {
						some <- struct{}{}
					}
				}
				time.Sleep(30 * time.Millisecond) // commands follow each other, and do not always overlap
				select {
				case <-ended:
					made <- n
					return
				default:
				}
			}
		}()
	}
	for range 3 {
		<-some
	}
	var err error
	for range 20 {
		if _, err = app.Move(t.Context(), cfg, to); err == nil || !strings.Contains(err.Error(), "has the books") {
			break
		}
	}
	if err != nil {
		t.Error(err)
	}
	// Who comes late finds no books, and makes none.
	if _, _, err := app.NewVoucher(t.Context(), cfg, "EUR", "5.00"); !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), "escrow.db.moved") {
		t.Errorf("after the move: %v", err)
	}
	close(ended)
	n := <-made + <-made + <-made
	if _, err := os.Stat(filepath.Join(cfg.DataDir, "escrow.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a new file of books: %v", err)
	}
	cfg.Database = to
	status, err := app.ReadStatus(t.Context(), cfg)
	if err != nil || n == 0 || status.Figures.OpenVouchers != int64(n) {
		t.Errorf("%d vouchers were made, %d are in the database: %v", n, status.Figures.OpenVouchers, err)
	}
}

// TestBooksInUseAreNotMovedAway, nor restored over.
func TestBooksInUseAreNotMovedAway(t *testing.T) {
	cfg := made(t, nil)
	begun, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := app.Export(context.Background(), cfg, nil, slow{begun, goOn})
		done <- err
	}()
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := app.Move(ctx, cfg, "postgres://nobody@127.0.0.1:1/none"); !errors.Is(err, app.ErrData) || !strings.Contains(err.Error(), "has the books") {
		t.Errorf("beside a command: %v", err)
	}
	if _, _, err := app.NewVoucher(t.Context(), cfg, "EUR", "1"); err != nil {
		t.Errorf("two commands: %v", err)
	}
	_, stop := start(t, cfg)
	stop()
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// slow is written to when goOn says so.
type slow struct{ begun, goOn chan struct{} }

func (s slow) Write(text []byte) (int, error) {
	close(s.begun)
	<-s.goOn
	return len(text), nil
}

// TestCommandsMakeNoBooks where the file has gone since they looked.
func TestCommandsMakeNoBooks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "escrow.db")
	if store, err := sqlstore.OpenMade(t.Context(), file); err == nil {
		t.Error("books that are not there were opened")
		store.Close()
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}
