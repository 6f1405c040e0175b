package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"earnest/escrowserver"
)

// people is a world with enough pairs and keys for all turns, on a new database.
func (b *bench) people(ctx context.Context, payees, turns int) (*world, error) {
	url, err := b.cluster.NewDatabase(ctx)
	if err != nil {
		return nil, err
	}
	return settle(ctx, url, b.plan(payees, turns))
}

func (b *bench) plan(payees, turns int) plan {
	const recipients = 100
	pairs := b.buys * b.rounds * turns
	return plan{senders: (pairs + recipients - 1) / recipients, recipients: recipients, keys: pairs/recipients + 100, payees: payees}
}

// buying is a turn of purchases at the store.
func (b *bench) buying(name string, w *world, clients int) turn {
	return turn{name, func(ctx context.Context) (float64, error) {
		ops, err := w.buys(b.buys)
		if err != nil {
			return 0, err
		}
		return run(ctx, w.store, clients, ops)
	}}
}

// pgbench is a turn of PostgreSQL's own program: its TPC-B, or a script.
func (b *bench) pgbench(name string, database string, args ...string) turn {
	return turn{name, func(ctx context.Context) (float64, error) {
		args := append([]string{"-n", "-M", "prepared", "-h", "127.0.0.1", "-p", b.cluster.Port(), "-U", "earnest", "-c", strconv.Itoa(clients), "-j", "2"}, args...)
		out, err := exec.CommandContext(ctx, b.cluster.Bin("pgbench"), append(args, database)...).CombinedOutput()
		found := regexp.MustCompile(`tps = ([0-9.]+) `).FindSubmatch(out)
		if err != nil || found == nil {
			return 0, fmt.Errorf("pgbench: %w\n%s", errors.Join(err, errors.New("no figure")), out)
		}
		return strconv.ParseFloat(string(found[1]), 64)
	}}
}

// tpcb makes the tables of pgbench's TPC-B.
func (b *bench) tpcb(ctx context.Context) (turn, error) {
	out, err := exec.CommandContext(ctx, b.cluster.Bin("pgbench"), "-h", "127.0.0.1", "-p", b.cluster.Port(), "-U", "earnest",
		"-i", "-q", "-s", "64", "postgres").CombinedOutput()
	if err != nil {
		return turn{}, fmt.Errorf("pgbench -i: %w\n%s", err, out)
	}
	return b.pgbench("pgbench TPC-B", "postgres", "-T", "3"), nil
}

func (b *bench) storeBesidePgbench(ctx context.Context) error {
	w, err := b.people(ctx, 1, 1)
	if err != nil {
		return err
	}
	defer w.store.Close()
	tpcb, err := b.tpcb(ctx)
	if err != nil {
		return err
	}
	got, err := b.takeTurns(ctx, b.buying("buys", w, clients), tpcb)
	if err != nil {
		return err
	}
	b.say("PostgreSQL: buys at the store / pgbench TPC-B", got[0]/got[1], 2, "%.0f and %.0f a second, %d clients, fsync on", got[0], got[1], clients)
	return nil
}

func (b *bench) oneCompany(ctx context.Context) error {
	one, err := b.people(ctx, 1, 1)
	if err != nil {
		return err
	}
	defer one.store.Close()
	spread, err := b.people(ctx, clients, 1)
	if err != nil {
		return err
	}
	defer spread.store.Close()
	got, err := b.takeTurns(ctx, b.buying("one", one, clients), b.buying("spread", spread, clients))
	if err != nil {
		return err
	}
	b.say("PostgreSQL: all pay one company / spread over 64", got[0]/got[1], 0.8, "%.0f and %.0f buys a second", got[0], got[1])
	return nil
}

// claimsBesideBare has all buyers buy at one address, beside the bare statement
// that takes a key, each in a transaction of its own, without anything else.
func (b *bench) claimsBesideBare(ctx context.Context) error {
	url, err := b.cluster.NewDatabase(ctx)
	if err != nil {
		return err
	}
	pairs := b.buys * b.rounds
	w, err := settle(ctx, url, plan{senders: pairs, recipients: 1, keys: pairs + 100, payees: 1})
	if err != nil {
		return err
	}
	defer w.store.Close()
	bare, err := b.bareClaims(ctx)
	if err != nil {
		return err
	}
	got, err := b.takeTurns(ctx, b.buying("buys", w, clients), bare)
	if err != nil {
		return err
	}
	b.say("PostgreSQL: buys at one address / bare SKIP LOCKED", got[0]/got[1], 0.5, "%.0f and %.0f a second", got[0], got[1])
	return nil
}

func (b *bench) bareClaims(ctx context.Context) (turn, error) {
	db, err := openRaw(b.cluster.URL("postgres"))
	if err != nil {
		return turn{}, err
	}
	defer db.Close()
	for _, statement := range []string{
		`CREATE TABLE pool (id BIGSERIAL PRIMARY KEY, address TEXT NOT NULL, fingerprint TEXT NOT NULL UNIQUE, certificate BYTEA NOT NULL)`,
		`CREATE INDEX pool_address ON pool (address, id)`,
		fmt.Sprintf(`INSERT INTO pool (address, fingerprint, certificate) SELECT 'bob', 'f' || n, convert_to(repeat('c', %d), 'UTF8')
			FROM generate_series(1, %d) AS n`, certificateSize, 50_000*b.rounds),
		`ANALYZE pool`,
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return turn{}, err
		}
	}
	script := filepath.Join(b.dir, "claim.sql")
	text := `DELETE FROM pool WHERE id = (SELECT id FROM pool WHERE address = 'bob' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING certificate;`
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		return turn{}, err
	}
	return b.pgbench("bare claims", "postgres", "-f", script, "-T", "3"), nil
}

// expiry compares how fast bonds are made with how fast they end by their
// deadline, and what that does to those who buy meanwhile.
func (b *bench) expiry(ctx context.Context) error {
	url, err := b.cluster.NewDatabase(ctx)
	if err != nil {
		return err
	}
	const recipients = 200
	makers, buyers := b.bonds/recipients+1, 4*b.buys/recipients+1
	w, err := settle(ctx, url, plan{senders: makers + buyers, recipients: recipients, keys: makers + buyers + 100, payees: 1})
	if err != nil {
		return err
	}
	defer w.store.Close()
	all := w.senders
	w.senders = all[:makers]
	ids, made, err := w.makeBonds(ctx, b.bonds)
	if err != nil {
		return err
	}
	// Whose bonds ended without a mail may not buy: those who buy meanwhile are others.
	w.senders, w.next = all[makers:], 0
	alone, err := b.patience(ctx, w, nil)
	if err != nil {
		return err
	}
	meanwhile, end := sweeping{due: ids[:len(ids)/2]}, sweeping{due: ids[len(ids)/2:]}
	beside, err := b.patience(ctx, w, meanwhile.run)
	if err != nil {
		return err
	}
	if err := end.run(ctx, escrowserver.NewQueue(w.store)); err != nil {
		return err
	}
	ended := float64(len(end.due)) / end.took.Seconds()
	b.say(fmt.Sprintf("PostgreSQL: expiry / creation of %d bonds", b.bonds), ended/made, 5, "%.0f and %.0f a second", ended, made)
	b.say("  a buyer's p99 alone / while they expire", alone.Seconds()/beside.Seconds(), 1/1.5, "%s and %s", alone.Round(time.Microsecond), beside.Round(time.Microsecond))
	return nil
}

// makeBonds makes bonds in turns, so that what waits to be bought needs little
// memory. It returns them and how many a second were made.
func (w *world) makeBonds(ctx context.Context, n int) (ids []escrowserver.Sweep, rate float64, err error) {
	var took time.Duration
	for len(ids) < n {
		ops, err := w.buys(min(10_000, n-len(ids)))
		if err != nil {
			return nil, 0, err
		}
		began := time.Now()
		if _, err := run(ctx, w.store, clients, ops); err != nil {
			return nil, 0, err
		}
		took += time.Since(began)
		for _, op := range ops {
			m := w.moment()
			m.Now = w.start.AddDate(0, 0, 31)
			ids = append(ids, escrowserver.Sweep{Moment: m, Bond: op.(escrowserver.Buy).Request.ID})
		}
	}
	return ids, float64(n) / took.Seconds(), nil
}
