package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver/sqlstore"
	"earnest/internal/pgtest"
	"earnest/test/overlay"
	"earnest/test/soak"
)

const clients = 64

// TestClaims_ExactlyOnce: 64 clients in three processes on PostgreSQL buy at ten
// addresses at once. No key is sold twice, none is lost, and nobody is told that
// there is none while there is one.
func TestClaims_ExactlyOnce(t *testing.T) {
	r := newRun(t, onPostgres(t), 3, soak.Times(10_000, 1_000_000))
	r.play(build(t))
	r.report(t)
}

// The same on SQLite, with one process, in a file that costs no disk: what a power
// failure does is shown elsewhere.
func TestClaims_ExactlyOnceOnSQLite(t *testing.T) {
	r := newRun(t, inMemory(t), 1, soak.Times(10_000, 1_000_000))
	r.play(build(t))
	r.report(t)
}

// TestClaims_Control takes the protections out: it must be seen.
func TestClaims_Control(t *testing.T) {
	// Without the lock the writes find that what they were decided on is no longer so.
	const tooLate = "failed and was done again"
	const constraint = `ALTER TABLE bond DROP CONSTRAINT bond_key_fingerprint_key`
	noLock := overlay.Patch{File: "escrowserver/sqlstore/engine.go", Edits: []overlay.Edit{{Old: `lockAccount = " FOR NO KEY UPDATE"`, New: `lockAccount = ""`}}}
	noTake := overlay.Patch{File: "escrowserver/sqlstore/writes.go", Edits: []overlay.Edit{{
		Old: "`DELETE FROM one_time_key WHERE id = ?`", New: "`UPDATE one_time_key SET batch = batch WHERE id = ?`"}}}
	for _, c := range []struct {
		name, prepare, want string
		patch               overlay.Patch
	}{
		{"as shipped", "", "", overlay.Patch{}},
		{"accounts are not locked", "", tooLate, noLock},
		{"the key stays in the pool", "", "without an answer", noTake},
		{"the key stays in the pool, and may be sold twice", constraint, "was sold to", noTake},
	} {
		t.Run(c.name, func(t *testing.T) {
			var patches []overlay.Patch
			if c.want != "" {
				patches = append(patches, c.patch)
			}
			r := newRun(t, onPostgres(t), 3, 400)
			if c.prepare != "" {
				r.exec(t, c.prepare)
			}
			r.play(build(t, patches...))
			faults := strings.Join(r.faults, "\n")
			if c.want == tooLate {
				faults += r.log
			}
			if c.want == "" && (faults != "" || r.logged > 0) || !strings.Contains(faults, c.want) {
				t.Errorf("want %q, found: %.2000s", c.want, faults)
			}
			t.Logf("%d faults, %.300s", len(r.faults), faults)
		})
	}
}

func onPostgres(t *testing.T) string {
	t.Helper()
	url, err := pgtest.For(t).NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func inMemory(t *testing.T) string {
	t.Helper()
	memory := "/dev/shm"
	if _, err := os.Stat(memory); err != nil {
		memory = ""
	}
	dir, err := os.MkdirTemp(memory, "earnest-claims")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "books.db")
}

func build(t *testing.T, patches ...overlay.Patch) string {
	t.Helper()
	root, err := overlay.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	bin, err := overlay.Build(t.Context(), root, t.TempDir(), patches, "test/claims")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(bin, "claims")
}

// run is all claims on one database.
type run struct {
	t                 *testing.T
	database          string
	processes, claims int
	keys              [pools]int // how many each pool has
	seed              uint64

	mu      sync.Mutex
	answers map[claim]*answer
	faults  []string
	logged  int // lines that the processes have logged
	log     string
	took    time.Duration
}

// answer is what came of a claim, made by one process or by all.
type answer struct {
	began, ended int64
	key          string // or sold_out, or - for none
}

func newRun(t *testing.T, database string, processes, claims int) *run {
	t.Helper()
	r := &run{t: t, database: database, processes: processes, claims: claims, seed: soak.Seed(t), answers: map[claim]*answer{}}
	senders := claims / pools
	for n := range r.keys {
		// Half of the pools have just enough, so that nobody may be sent away; the
		// others run empty under the claims.
		r.keys[n] = senders - n%2*senders/20
	}
	r.settle(senders)
	return r
}

// play has the processes make the claims, and holds them against the books.
func (r *run) play(program string) {
	r.t.Helper()
	began := time.Now()
	var all sync.WaitGroup
	for n := range r.processes {
		all.Go(func() {
			cmd := exec.CommandContext(r.t.Context(), program, "-database", r.database, "-process", fmt.Sprint(n), "-processes", fmt.Sprint(r.processes),
				"-claims", fmt.Sprint(r.claims), "-clients", fmt.Sprint((clients+n)/r.processes), "-seed", fmt.Sprint(r.seed))
			var log bytes.Buffer
			cmd.Stderr = &log
			out, err := cmd.StdoutPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				r.t.Error(err)
				return
			}
			for lines := bufio.NewScanner(out); lines.Scan(); {
				r.note(lines.Text())
			}
			if err := cmd.Wait(); err != nil {
				r.t.Errorf("process %d: %v", n, err)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			if lines := strings.Count(log.String(), "\n"); lines > 0 {
				r.logged += lines
				r.log += log.String()
				r.t.Logf("process %d logged %d lines: %.600s", n, lines, log.String())
			}
		})
	}
	all.Wait()
	r.took = time.Since(began)
	r.judge()
}

func (r *run) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// note reads a line of a process.
func (r *run) note(line string) {
	var c claim
	var a answer
	if _, err := fmt.Sscan(line, &c, &a.began, &a.ended, &a.key); err != nil {
		r.t.Errorf("a line of a process: %q: %v", line, err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	other := r.answers[c]
	if other == nil {
		r.answers[c] = &a
		return
	}
	if other.key != a.key {
		r.fault("claim %d was answered with %s and with %s", c, other.key, a.key)
	}
	other.began, other.ended = min(other.began, a.began), min(other.ended, a.ended)
}

// judge holds the answers against each other and against the books.
func (r *run) judge() {
	r.t.Helper()
	sold := map[string]claim{}
	var count, empty [pools]int
	var last, first [pools]int64 // when the last key was asked for, and when one was first refused
	for c, a := range r.answers {
		n := c.pool()
		switch a.key {
		case "-":
			r.fault("claim %d stays without an answer", c)
		case string(escrow.SoldOut):
			if empty[n]++; first[n] == 0 || a.ended < first[n] {
				first[n] = a.ended
			}
		default:
			if other, ok := sold[a.key]; ok {
				r.fault("key %s was sold to claim %d and to claim %d", a.key, other, c)
			}
			sold[a.key] = c
			count[n]++
			last[n] = max(last[n], a.began)
		}
	}
	for n := range pools {
		if empty[n] > 0 && first[n] < last[n] {
			r.fault("pool %d was said to be empty %s before a key of it was asked for and sold", n, time.Duration(last[n]-first[n]))
		}
		if want := min(r.keys[n], r.claims/pools); count[n] != want || count[n]+empty[n] != r.claims/pools {
			r.fault("pool %d: %d keys were sold and %d claims refused, want %d of %d", n, count[n], empty[n], want, r.claims/pools)
		}
	}
	r.books(sold)
}

// books demands that the books have the bonds that were answered, and no others.
func (r *run) books(sold map[string]claim) {
	r.t.Helper()
	there := 0
	r.rows(`SELECT id, key_fingerprint FROM bond`, func(id, key string) {
		there++
		if c, ok := sold[key]; !ok || string(c.id()) != id {
			r.fault("the books have bond %s with key %s, and that was answered to nobody or to another", id, key)
		}
	})
	if there != len(sold) {
		r.fault("the books have %d bonds, and %d were answered", there, len(sold))
	}
	r.rows(`SELECT address, fingerprint FROM one_time_key`, func(address, key string) {
		r.fault("key %s is left in the pool of %s", key, address)
	})
	store, err := sqlstore.OpenToRead(context.Background(), r.database)
	if err != nil {
		r.t.Fatal(err)
	}
	defer store.Close()
	r.verify(store)
}

func (r *run) report(t *testing.T) {
	t.Helper()
	for _, fault := range r.faults[:min(20, len(r.faults))] {
		t.Error(fault)
	}
	soak.Result(t, "%d claims by %d clients in %d processes: %d answered, %d faults, %d lines logged, %.0f a second", r.claims, clients, r.processes,
		len(r.answers), len(r.faults), r.logged, float64(len(r.answers))/r.took.Seconds())
}
