package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// tx is one transaction: the operations of a batch, what is known of their rows,
// and the writes that they have put together so far.
type tx struct {
	conn    conn
	batches *keyBatches
	sold    *soldKeys
	// taken is the newest key that the batch takes of each address.
	taken  map[escrow.Address]int64
	known  known
	writes [writeCount]writes
	// touched are the accounts whose list of bonds the operation at hand changed.
	touched []escrow.KeyID
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
	conn, err := s.engine.begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer conn.rollback() // after a commit it does nothing
	t := &tx{conn: conn, batches: &s.batches, sold: &s.sold, taken: map[escrow.Address]int64{}, known: newKnown()}
	results := make([]escrowserver.Result, 0, len(ops))
	if err := t.prepare(ctx, ops); err != nil {
		return nil, err
	}
	for i, op := range ops {
		if !together(op) {
			if err := t.flush(ctx); err != nil {
				return nil, err
			}
		}
		t.touched = nil
		value, err := t.do(ctx, op)
		if err != nil && !refusal(err) {
			return nil, fmt.Errorf("%s: %w", op.Name(), err)
		}
		results = append(results, escrowserver.Result{Value: value, Err: err, Touched: slices.Clone(t.touched)})
		if !together(op) && i+1 < len(ops) {
			if err := t.prepare(ctx, ops[i+1:]); err != nil {
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
	if err := t.commit(label); err != nil {
		return nil, err
	}
	s.sold.note(t.taken)
	return results, nil
}

// prepare locks the accounts of the operations, and reads what those want that are
// decided together next.
func (t *tx) prepare(ctx context.Context, ops []escrowserver.Op) error {
	var w, later wants
	run := true
	for _, op := range ops {
		switch run = run && together(op); {
		case run:
			w.add(op)
		case together(op):
			later.add(op)
		default:
			w.accounts = append(w.accounts, accountOf(op))
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

func (t *tx) do(ctx context.Context, op escrowserver.Op) (any, error) {
	if together(op) {
		var w wants
		w.add(op)
		if err := t.load(ctx, w); err != nil { // what its batch has not read yet
			return nil, err
		}
	}
	switch op := op.(type) {
	case escrowserver.OpenAccount:
		return t.openAccount(ctx, op)
	case escrowserver.NewVoucher:
		return nil, t.newVoucher(ctx, op)
	case escrowserver.TopUp:
		return t.topUp(op)
	case escrowserver.StartClaim:
		return t.startClaim(ctx, op)
	case escrowserver.DropClaim:
		_, err := t.exec(ctx, "dropclaim.claim", `DELETE FROM claim WHERE account = ? AND address = ? AND nonce = ?`, op.Account, op.Address, op.Nonce)
		return nil, err
	case escrowserver.ProveAddress:
		return t.proveAddress(ctx, op)
	case escrowserver.PublishOffer:
		return nil, t.publishOffer(ctx, op)
	case escrowserver.AddKeys:
		return t.addKeys(ctx, op)
	case escrowserver.Buy:
		return t.buy(ctx, op)
	case escrowserver.Acknowledge:
		return nil, t.acknowledge(ctx, op)
	case escrowserver.AskWithdraw:
		return t.askWithdraw(ctx, op)
	case escrowserver.Arrive:
		return t.arrive(ctx, op)
	case escrowserver.Read:
		return t.read(ctx, op)
	case escrowserver.Destroyed:
		return t.destroyed(ctx, op)
	case escrowserver.Decide:
		return t.decide(ctx, op)
	case escrowserver.Sweep:
		return nil, t.sweep(ctx, op)
	case escrowserver.Clean:
		return nil, t.clean(ctx, op)
	case escrowserver.SetLimit:
		return nil, t.setLimit(ctx, op)
	case escrowserver.Heartbeat:
		return nil, t.heartbeat(ctx, op)
	case escrowserver.Beat:
		return t.beat(ctx, op)
	case escrowserver.SealRows:
		return t.sealRows(ctx, op)
	case escrowserver.OutageWorkedOff:
		return nil, t.outageWorkedOff(ctx, op)
	}
	if value, done, err := t.doOperator(ctx, op); done {
		return value, err
	}
	if value, done, err := t.doSafety(ctx, op); done {
		return value, err
	}
	if value, mine, err := t.doMoney(ctx, op); mine {
		return value, err
	}
	return nil, fmt.Errorf("the store knows no operation %T", op)
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
