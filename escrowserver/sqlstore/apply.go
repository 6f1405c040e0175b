package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// tx is one transaction and what is known about its writes.
type tx struct {
	sql     *sql.Tx
	dialect dialect
	// drift is by how much the balances of each currency changed in sum. It must
	// be zero when the transaction is committed.
	drift map[string]int64
	// touched are the accounts whose list of bonds the operation at hand changed.
	touched []escrow.KeyID
}

// Apply does the operations in one transaction, each failing alone.
func (s *Store) Apply(ctx context.Context, ops []escrowserver.Op) []escrowserver.Result {
	results, err := s.applyTogether(ctx, ops)
	if err == nil {
		return results
	}
	if len(ops) == 1 {
		return []escrowserver.Result{{Err: err}}
	}
	surprise := err
	results = results[:0]
	for _, op := range ops {
		one, err := s.applyTogether(ctx, []escrowserver.Op{op})
		if err != nil {
			one = []escrowserver.Result{{Err: err}}
		}
		results = append(results, one...)
	}
	results[0].Surprise = surprise
	return results
}

// applyTogether fails, with nothing changed, if any operation fails by surprise.
func (s *Store) applyTogether(ctx context.Context, ops []escrowserver.Op) ([]escrowserver.Result, error) {
	sqlTx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer sqlTx.Rollback() // after a commit it does nothing
	t := &tx{sql: sqlTx, dialect: s.dialect, drift: map[string]int64{}}
	results := make([]escrowserver.Result, 0, len(ops))
	for _, op := range ops {
		t.touched = nil
		value, err := t.do(ctx, op)
		if err != nil && !refusal(err) {
			return nil, fmt.Errorf("%s: %w", op.Name(), err)
		}
		results = append(results, escrowserver.Result{Value: value, Err: err, Touched: slices.Clone(t.touched)})
	}
	for currency, sum := range t.drift {
		if sum != 0 {
			return nil, fmt.Errorf("the books of %s would be off by %d: nothing was written", currency, sum)
		}
	}
	label := "batch.commit"
	if len(ops) == 1 {
		label = ops[0].Name() + ".commit"
	}
	if err := t.commit(label); err != nil {
		return nil, err
	}
	return results, nil
}

// refusal tells an operation that was refused from one that broke.
func refusal(err error) bool {
	code := escrow.CodeOf(err)
	return code != "" && code != escrow.Internal
}

func (t *tx) do(ctx context.Context, op escrowserver.Op) (any, error) {
	switch op := op.(type) {
	case escrowserver.OpenAccount:
		return t.openAccount(ctx, op)
	case escrowserver.NewVoucher:
		return nil, t.newVoucher(ctx, op)
	case escrowserver.TopUp:
		return t.topUp(ctx, op)
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
	case escrowserver.Heartbeat:
		return nil, t.heartbeat(ctx, op)
	}
	return nil, fmt.Errorf("the store knows no operation %T", op)
}

// heartbeat notes an outage with the beat that ends it, so that none is forgotten.
func (t *tx) heartbeat(ctx context.Context, op escrowserver.Heartbeat) error {
	if !op.AwaySince.IsZero() {
		if _, err := t.exec(ctx, "heartbeat.outage", `INSERT INTO outage (ended_at, began_at) VALUES (?, ?) ON CONFLICT (ended_at) DO NOTHING`,
			micros(op.AwayUntil), micros(op.AwaySince)); err != nil {
			return err
		}
	}
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

// found turns "no rows" into false.
func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
