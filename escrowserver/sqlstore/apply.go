package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/internal/trace"
)

// tx is one transaction: the operations of a batch, what is known of their rows,
// and the writes that they have put together so far.
type tx struct {
	conn    conn
	batches *keyBatches
	pools   *soldKeys
	// soldTo is the newest key that the batch takes of each address.
	soldTo map[escrow.Address]int64
	known  known
	writes [writeCount]writes
	// touched are the accounts whose list of bonds the operation at hand changed.
	touched []escrow.KeyID
	// listing are the accounts whose inventories are signed at the end of what is done.
	listing []escrow.KeyID
}

// errNotAsRead: a row is not what the batch read of it.
var errNotAsRead = errors.New("the row is gone, or not as it was read")

// Apply does the operations in one transaction, each failing alone. An operation
// checks first and changes after, so that one which is refused has changed nothing
// and needs no savepoint; what fails all the same rolls back the batch, and it is
// done again one by one.
func (s *Store) Apply(ctx context.Context, ops []escrowserver.Op) []escrowserver.Result {
	results, err := s.applyTogether(ctx, ops)
	if err == nil {
		return results
	}
	if lost(err) {
		return s.applyAfterLoss(ctx, ops, err)
	}
	return s.applyOneByOne(ctx, ops, err)
}

// AtOnce is how many batches are worth to be applied at the same time.
func (s *Store) AtOnce() int { return s.engine.atOnce() }

// applyOneByOne does the operations of a batch that failed.
func (s *Store) applyOneByOne(ctx context.Context, ops []escrowserver.Op, surprise error) []escrowserver.Result {
	if len(ops) == 1 {
		return []escrowserver.Result{s.applyAlone(ctx, ops[0], surprise)}
	}
	var results []escrowserver.Result
	for _, op := range ops {
		one, err := s.applyTogether(ctx, []escrowserver.Op{op})
		if err != nil {
			one = []escrowserver.Result{s.applyAlone(ctx, op, err)}
		}
		results = append(results, one...)
	}
	results[0].Surprise = surprise
	return results
}

// tries bounds how often an operation is done again that other processes were in
// the way of.
const tries = 5

// applyAlone does an operation again that failed, if another try may do better.
func (s *Store) applyAlone(ctx context.Context, op escrowserver.Op, err error) escrowserver.Result {
	for try := 1; try < tries && s.engine.again(err); try++ {
		var results []escrowserver.Result
		if results, err = s.applyTogether(ctx, []escrowserver.Op{op}); err == nil {
			return results[0]
		}
	}
	if lost(err) {
		return s.applyAfterLoss(ctx, []escrowserver.Op{op}, err)[0]
	}
	return escrowserver.Result{Err: err}
}

// applyTogether fails, with nothing changed, if any operation fails by surprise.
func (s *Store) applyTogether(ctx context.Context, ops []escrowserver.Op) ([]escrowserver.Result, error) {
	begin := trace.From(ctx).Child("begin")
	conn, err := s.engine.begin(ctx)
	begin.End()
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer conn.rollback() // after a commit it does nothing
	t := &tx{conn: conn, batches: &s.batches, pools: &s.pools, soldTo: map[escrow.Address]int64{}, known: newKnown()}
	results := make([]escrowserver.Result, 0, len(ops))
	plans := make([]plan, len(ops))
	for i, op := range ops {
		plans[i] = planOf(op)
	}
	if err := t.prepare(ctx, plans); err != nil {
		return nil, err
	}
	for i, op := range ops {
		if !plans[i].together() {
			if err := t.flush(ctx); err != nil {
				return nil, err
			}
		}
		t.touched = nil
		value, err := t.do(ctx, plans[i])
		if err != nil && !refusal(err) {
			return nil, fmt.Errorf("%s: %w", op.Name(), err)
		}
		results = append(results, escrowserver.Result{Value: value, Err: err, Touched: slices.Clone(t.touched)})
		if !plans[i].together() && i+1 < len(ops) {
			if err := t.prepare(ctx, plans[i+1:]); err != nil {
				return nil, err
			}
		}
	}
	if err := t.flush(ctx); err != nil {
		return nil, err
	}
	label := "batch.commit"
	if len(ops) == 1 {
		label = ops[0].Name() + ".commit"
	}
	commit := trace.From(ctx).Child("commit")
	err = t.commit(label)
	commit.End()
	if err != nil {
		return nil, err
	}
	s.pools.note(t.soldTo)
	return results, nil
}

// prepare locks the accounts of the operations, and reads what those want that are
// decided together next.
func (t *tx) prepare(ctx context.Context, plans []plan) error {
	defer trace.From(ctx).Child("load").End()
	var w, later wants
	run := true
	for _, p := range plans {
		switch run = run && p.together(); {
		case run:
			p.add(&w)
		case p.together():
			p.add(&later)
		default:
			w.accounts = append(w.accounts, p.account)
		}
	}
	// All locks at once: who takes some more later may wait for one who waits for it.
	w.accounts, w.later = append(w.accounts, later.accounts...), later.bonds
	return t.load(ctx, w)
}

// refusal tells an operation that was refused from one that broke.
func refusal(err error) bool {
	code := escrow.CodeOf(err)
	return code != "" && code != escrow.Internal
}

func (t *tx) do(ctx context.Context, p plan) (any, error) {
	if p.together() {
		var w wants
		p.add(&w)
		if err := t.load(ctx, w); err != nil { // what its batch has not read yet
			return nil, err
		}
	}
	return p.do(ctx, t)
}

// heartbeat notes that an account's agent is alive.
func (t *tx) heartbeat(ctx context.Context, op escrowserver.Heartbeat) error {
	_, err := t.exec(ctx, "heartbeat.beat", `INSERT INTO heartbeat (account, beat_at) VALUES (?, ?)
		ON CONFLICT (account) DO UPDATE SET beat_at = excluded.beat_at`, op.Account, micros(op.Now))
	return err
}

// micros is how times are stored: exact, and 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
