package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"earnest/escrow/wire"
)

// Nonces is the memory for nonces of all processes on the same books. It is no part
// of the books: nothing of it is money, its rows last minutes, and its writes do not
// pass exec.go.
//
// Its tables are unlogged, so that remembering costs no wait for a disk, and a crash
// of the database empties them. The row that says since when it remembers is lost
// with them: whoever misses it writes it anew, and what was signed before is taken
// by nobody. So that this moment need not be later than anything that was taken by a
// process whose clock is ahead, a table that a crash leaves whole has the newest second
// in which anything was signed: the first request of a second waits for the disk, and
// none that was seen is dated after it. What was signed ahead of the escrow's clock
// would take that second into the future, and all that is signed until then with it;
// so each of those is written to another such table.
type Nonces struct {
	pool   *pgxpool.Pool
	mu     sync.Mutex
	wait   []nonceCall
	busy   int
	pruned int64
}

type nonceCall struct {
	r    wire.SharedRequest
	done chan nonceAnswer
}

type nonceAnswer struct {
	fresh bool
	err   error
}

const (
	// nonceMargin is by how much, in seconds, the clocks of the processes may differ.
	nonceMargin = 5
	// nonceBatch bounds one question, nonceBatches how many are under way at once.
	nonceBatch   = 256
	nonceBatches = 4
	nonceTimeout = 10 * time.Second
	// noncePrune is how often what is too old is deleted, in seconds.
	noncePrune = 30
)

// takeNonces takes what is new and signed since the memory began. A batch comes
// sorted by id, so that two processes do not wait for each other.
const takeNonces = `WITH since AS MATERIALIZED (SELECT since FROM nonce_since),
	want AS MATERIALIZED (SELECT id, account, signed, opening FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::boolean[]) AS want(id, account, signed, opening)),
	ahead AS (INSERT INTO nonce_ahead SELECT id FROM want WHERE signed > $5 AND EXISTS (SELECT FROM since) ON CONFLICT DO NOTHING),
	horizon AS (INSERT INTO nonce_horizon SELECT 1, MAX(signed) FROM want WHERE signed <= $5 AND EXISTS (SELECT FROM since)
		AND signed > COALESCE((SELECT h.signed FROM nonce_horizon h), 0) HAVING COUNT(*) > 0
		ON CONFLICT (one) DO UPDATE SET signed = EXCLUDED.signed WHERE nonce_horizon.signed < EXCLUDED.signed),
	opened AS (INSERT INTO nonce_opening SELECT DISTINCT ON (account) account, signed FROM want WHERE opening AND EXISTS (SELECT FROM since) ORDER BY account, signed ON CONFLICT DO NOTHING),
	taken AS (INSERT INTO nonce SELECT want.id FROM want, since WHERE want.signed >= since.since AND
		(want.opening OR NOT EXISTS (SELECT FROM nonce_opening o WHERE o.account = want.account AND o.signed > want.signed))
		ON CONFLICT DO NOTHING RETURNING id)
	SELECT NULL::bytea FROM since UNION ALL SELECT id FROM taken`

// Nonces is the memory that the processes on these books share; nil where there can
// be only one.
func (s *Store) Nonces() *Nonces {
	e, ok := s.engine.(*postgresEngine)
	if !ok {
		return nil
	}
	return &Nonces{pool: e.pool}
}

// Take remembers a request and reports whether it is new. Requests that come in
// while others are asked about are asked about together.
func (n *Nonces) Take(ctx context.Context, r wire.SharedRequest) (bool, error) {
	call := nonceCall{r, make(chan nonceAnswer, 1)}
	n.mu.Lock()
	n.wait = append(n.wait, call)
	start := n.busy < nonceBatches
	if start {
		n.busy++
	}
	n.mu.Unlock()
	if start {
		go n.drain()
	}
	select {
	case answer := <-call.done:
		return answer.fresh, answer.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (n *Nonces) drain() {
	for {
		n.mu.Lock()
		batch := n.wait[:min(len(n.wait), nonceBatch)]
		n.wait = slices.Clone(n.wait[len(batch):])
		if len(batch) == 0 {
			n.busy--
		}
		prune := len(batch) > 0 && batch[0].r.Now-n.pruned >= noncePrune
		if prune {
			n.pruned = batch[0].r.Now
		}
		n.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		n.answer(batch)
		if prune {
			n.prune(batch[0].r.Oldest)
		}
	}
}

func (n *Nonces) answer(batch []nonceCall) {
	ctx, cancel := context.WithTimeout(context.Background(), nonceTimeout)
	defer cancel()
	slices.SortFunc(batch, func(a, b nonceCall) int { return bytes.Compare(a.r.ID, b.r.ID) })
	taken, began, err := n.take(ctx, batch)
	for try := 0; err == nil && !began && try < tries; try++ {
		if err = n.begin(ctx, batch[0].r.Now); err == nil {
			taken, began, err = n.take(ctx, batch)
		}
	}
	if err == nil && !began {
		err = errors.New("the memory for nonces could not be begun")
	}
	for _, call := range batch {
		fresh := taken[string(call.r.ID)]
		delete(taken, string(call.r.ID)) // one of two that are the same
		call.done <- nonceAnswer{fresh && err == nil, err}
	}
}

func (n *Nonces) take(ctx context.Context, batch []nonceCall) (taken map[string]bool, began bool, err error) {
	var ids, accounts [][]byte
	var signed []int64
	var opening []bool
	for _, call := range batch {
		ids, accounts = append(ids, call.r.ID), append(accounts, call.r.Account)
		signed, opening = append(signed, call.r.Signed), append(opening, call.r.Opening)
	}
	taken = map[string]bool{}
	rows, err := n.pool.Query(ctx, takeNonces, ids, accounts, signed, opening, batch[0].r.Now)
	if err != nil {
		return nil, false, fmt.Errorf("nonces: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id []byte
		if err := rows.Scan(&id); err != nil {
			return nil, false, fmt.Errorf("nonces: %w", err)
		}
		began = began || id == nil
		taken[string(id)] = true
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("nonces: %w", err)
	}
	return taken, began, nil
}

// firstNonce is in nonce_ahead once the memory was ever begun. Before that nothing
// can have been seen in new books, so that everything may be taken; no request has that id.
const firstNonce = "first"

// begin says since when the memory remembers, and takes back what a crash has left.
func (n *Nonces) begin(ctx context.Context, now int64) error {
	return pgx.BeginFunc(ctx, n.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('earnest nonces', 0))`); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `INSERT INTO nonce_ahead VALUES ($1) ON CONFLICT DO NOTHING`, []byte(firstNonce))
		if err != nil {
			return err
		}
		since, err := sinceCrash(ctx, tx, now)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 1 {
			if since, err = sinceFirst(ctx, tx, now); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO nonce SELECT id FROM nonce_ahead ON CONFLICT DO NOTHING`); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO nonce_since VALUES (1, $1) ON CONFLICT DO NOTHING`, since)
		return err
	})
}

// sinceFirst is since when a memory remembers that is begun for the first time: always,
// in new books. Books with accounts were restored, or moved here, and what was signed
// before may have been seen where they come from. To restore them took longer than the
// clocks there differ by.
func sinceFirst(ctx context.Context, tx pgx.Tx, now int64) (int64, error) {
	var served bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM account)`).Scan(&served); err != nil || !served {
		return 0, err
	}
	return now + 1, nil
}

// sinceCrash is from when on nothing can have been seen, if the books are not older
// than the memory that was lost. They are after a failover to a standby that lagged:
// the clock bounds what can be taken twice then.
func sinceCrash(ctx context.Context, tx pgx.Tx, now int64) (int64, error) {
	var horizon int64
	err := tx.QueryRow(ctx, `SELECT signed FROM nonce_horizon`).Scan(&horizon)
	if errors.Is(err, pgx.ErrNoRows) {
		return now + nonceMargin + 1, nil // an older program, which kept none, may have taken anything
	}
	return max(horizon, now) + 1, err
}

// prune deletes what would be refused for its time anyway. What fails is tried
// again with the next.
func (n *Nonces) prune(oldest int64) {
	ctx, cancel := context.WithTimeout(context.Background(), nonceTimeout)
	defer cancel()
	before := wire.SharedSecond(oldest - nonceMargin)
	for _, table := range []string{"nonce", "nonce_ahead"} {
		_, _ = n.pool.Exec(ctx, `DELETE FROM `+table+` WHERE id < $1`, before)
	}
	_, _ = n.pool.Exec(ctx, `DELETE FROM nonce_opening WHERE signed < $1`, oldest-nonceMargin)
}
