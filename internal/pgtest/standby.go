package pgtest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby starts a replica of the cluster, which follows it and answers reads, for a
// test, which stops it.
func (c *Cluster) Standby(t testing.TB) *Cluster {
	t.Helper()
	s, err := prepare(filepath.Dir(c.dir), c.settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	copied := s.command("pg_basebackup", "-D", s.dir+"/data", "-R", "-c", "fast", "-h", "127.0.0.1", "-p", c.port, "-U", "earnest")
	if out, err := copied.CombinedOutput(); err != nil {
		t.Fatalf("pg_basebackup: %v\n%s", err, out)
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// CatchUp waits until the standby has all that the cluster has committed.
func (c *Cluster) CatchUp(ctx context.Context, standby *Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	from, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	defer from.Close(ctx)
	to, err := pgx.Connect(ctx, standby.URL("postgres"))
	if err != nil {
		return err
	}
	defer to.Close(ctx)
	var end string
	err = from.QueryRow(ctx, `SELECT pg_current_wal_insert_lsn()::text`).Scan(&end)
	for there := false; err == nil && !there; {
		err = to.QueryRow(ctx, `SELECT COALESCE(pg_last_wal_replay_lsn() >= $1::pg_lsn, false)`, end).Scan(&there)
		if err == nil && !there {
			select {
			case <-ctx.Done():
				err = errors.New("the standby does not catch up")
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	if err != nil {
		return fmt.Errorf("standby: %w", err)
	}
	return nil
}
