package sqlstore

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// postgresDialect is how the store would speak to PostgreSQL.
func postgresDialect() dialect {
	return dialect{
		types: strings.NewReplacer(),
		// A key that another buyer has locked is skipped. The buyer may yet roll
		// back, so before "sold out" it is tried once more without SKIP LOCKED.
		claim: `DELETE FROM one_time_key WHERE id = (
				SELECT id FROM one_time_key WHERE address = $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
			RETURNING fingerprint, certificate, batch`,
	}
}

// startPostgres starts a cluster for this test. The server refuses to run as
// root, so then it runs as nobody.
func startPostgres(t *testing.T) *sql.DB {
	t.Helper()
	binaries, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(binaries) == 0 {
		t.Fatal("this test needs PostgreSQL: apt-get install --no-install-recommends postgresql")
	}
	bin := binaries[len(binaries)-1]
	// Not t.TempDir: nobody may not enter the folders above it.
	dir, err := os.MkdirTemp("", "earnest-pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	var as *syscall.SysProcAttr
	if os.Getuid() == 0 {
		nobody, err := user.Lookup("nobody")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(nobody.Uid)
		gid, _ := strconv.Atoi(nobody.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), filepath.Join(bin, name), args...)
		c.Dir, c.SysProcAttr = dir, as
		return c
	}
	if out, err := command("initdb", "-D", dir+"/data", "-U", "earnest", "-A", "trust", "-N", "-E", "UTF8", "--locale=C").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	port := freePort(t)
	server := command("postgres", "-D", dir+"/data", "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off")
	server.Cancel = func() error { return server.Process.Signal(syscall.SIGINT) } // fast shutdown
	server.WaitDelay = 10 * time.Second
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Wait() }) // the test's context has ended by then
	db, err := sql.Open("pgx", "postgres://earnest@127.0.0.1:"+port+"/postgres?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for range 200 {
		if err = db.PingContext(t.Context()); err == nil {
			return db
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("PostgreSQL does not answer: %v", err)
	return nil
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	return port
}

// The schema loads into PostgreSQL, and its claim hands out each key once while
// 16 buyers pull at one pool: none twice, none left, and none refused too early.
func TestPostgresSchemaAndClaim(t *testing.T) {
	const clients, keys = 16, 400
	db := startPostgres(t)
	d := postgresDialect()
	run := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range schemaSteps(t) {
		run(d.types.Replace(text))
	}
	run(`INSERT INTO account (id, public_key, opened_at) VALUES ('bob', '', 0)`)
	run(`INSERT INTO key_batch (hash, account, address, jws, made_at) VALUES ('batch', 'bob', 'bob@recipient.example', '', 0)`)
	run(`INSERT INTO one_time_key (address, fingerprint, certificate, batch)
		SELECT 'bob@recipient.example', 'f' || n, '', 'batch' FROM generate_series(1, $1) AS n`, keys)

	var wg sync.WaitGroup
	var mu sync.Mutex
	claimed := map[string]int{}
	for range clients {
		wg.Go(func() {
			for {
				fingerprint, err := claimInTx(t, db, d)
				if errors.Is(err, sql.ErrNoRows) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				claimed[fingerprint]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(claimed) != keys {
		t.Errorf("%d keys were claimed, want %d", len(claimed), keys)
	}
	for fingerprint, n := range claimed {
		if n != 1 {
			t.Errorf("key %s was claimed %d times", fingerprint, n)
		}
	}
	var left int
	if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM one_time_key`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d keys are left, %v", left, err)
	}
	// The checks hold there too.
	for _, bad := range []string{
		`INSERT INTO balance (holder, currency, available, held) VALUES ('anna', 'c', -1, 0)`,
		`INSERT INTO balance (holder, currency, available, held) VALUES ('issuance', 'c', 0, -1)`,
		`INSERT INTO transfer (id, payer, payee, currency, amount, state) VALUES ('t', 'a', 'a', 'c', 1, 'posted')`,
	} {
		if _, err := db.ExecContext(t.Context(), bad); err == nil {
			t.Errorf("PostgreSQL took %s", bad)
		}
	}
}

func schemaSteps(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(schema, "schema/*.sql")
	if err != nil || len(names) < 3 {
		t.Fatalf("%d steps of the schema, %v", len(names), err)
	}
	var steps []string
	for _, name := range names {
		text, err := schema.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, string(text))
	}
	return steps
}

func claimInTx(t *testing.T, db *sql.DB, d dialect) (string, error) {
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		return "", fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // after a commit it does nothing
	var fingerprint, batch string
	var certificate []byte
	if err := tx.QueryRowContext(t.Context(), d.claim, "bob@recipient.example").Scan(&fingerprint, &certificate, &batch); err != nil {
		return "", err
	}
	// The rest of a purchase happens while the key is locked.
	if _, err := tx.ExecContext(t.Context(), `SELECT pg_sleep(0.0005)`); err != nil {
		return "", err
	}
	return fingerprint, tx.Commit()
}
