package powerloss

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
)

// errLost: an operation that was acknowledged is gone.
var errLost = errors.New("an acknowledged operation is lost")

// found is what a cut left of the batch that was on its way.
type found struct{ done, undone bool }

// judge opens the books of a cut in a new folder and holds them against what was
// acknowledged.
func (r recording) judge(ctx context.Context, c cut, parent string) (f found, err error) {
	dir, err := os.MkdirTemp(parent, "cut")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(dir)
	if err := c.write(dir); err != nil {
		return f, err
	}
	return r.reopen(ctx, c, dir, nil)
}

// write puts the cut's files into the folder.
func (c cut) write(dir string) error {
	for name, bytes := range c.image {
		if err := os.WriteFile(filepath.Join(dir, name), bytes, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// reopen opens the books that a cut left in the folder, judges them, and closes
// them. The marks, if any, are told when the newest batch is done again.
func (r recording) reopen(ctx context.Context, c cut, dir string, mark func(kind, state)) (f found, err error) {
	path := filepath.Join(dir, booksFile)
	store, err := sqlstore.Open(ctx, path)
	if err != nil {
		return f, fmt.Errorf("the books do not open: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	raw, err := openRaw(path)
	if err != nil {
		return f, err
	}
	defer raw.Close()
	look := looker{raw, store, &r.accounts, &r.pools}
	if c.opened {
		got, err := pages(ctx, raw)
		if err != nil {
			return f, fmt.Errorf("the books cannot be read: %w", err)
		}
		if f, err = r.place(c, got); err != nil {
			if seen, _ := look.seen(ctx); seen == r.first.seen && c.answered >= 0 {
				return f, fmt.Errorf("%w: the books are as new", errLost) // and their schema was made again
			}
			return f, err
		}
	}
	newest := c.answered
	if f.done {
		newest = c.asked
	}
	if err := r.soundAfter(ctx, look, newest); err != nil {
		return f, err
	}
	return f, r.repeat(ctx, look, c, f, mark)
}

// after is the state that the batch left; -1 is that of new books.
func (r recording) after(batch int) state {
	if batch < 0 {
		return r.first
	}
	return r.batches[batch].after
}

// place finds the books' bytes in their history: they must be those after the
// newest acknowledged batch, or after the one that was on its way.
func (r recording) place(c cut, got [32]byte) (f found, err error) {
	f.undone = got == r.after(c.answered).bytes
	f.done = c.asked >= 0 && got == r.after(c.asked).bytes
	if f.done || f.undone {
		return f, nil
	}
	for n := c.answered - 1; n >= -1; n-- {
		if got == r.after(n).bytes {
			return f, fmt.Errorf("%w: the books end after batch %d of %d", errLost, n, c.answered)
		}
	}
	return f, fmt.Errorf("the books are in a state that they never had")
}

// soundAfter walks the books that a batch left; none before the first start of the
// escrow was through: they do not say yet what it writes into them, and it starts again.
func (r recording) soundAfter(ctx context.Context, look looker, batch int) error {
	if batch < r.begun-1 {
		return nil
	}
	return r.sound(ctx, look)
}

// sound walks the books as `earnest-escrow verify` does: once for each state of
// them, since the same bytes make the same walk.
func (r recording) sound(ctx context.Context, look looker) error {
	sum, err := pages(ctx, look.db)
	if err != nil {
		return fmt.Errorf("the books cannot be read: %w", err)
	}
	if _, known := r.walked.Load(sum); known {
		return nil
	}
	report, err := escrowserver.Verify(ctx, look.store, r.key)
	if err != nil {
		return err
	}
	if len(report.Faults) > 0 {
		return fmt.Errorf("the walk found faults: %q", report.Faults)
	}
	r.walked.Store(sum, true)
	return nil
}

// repeat does the newest batch again, as clients do that had no answer: what was
// done answers as it did and changes nothing, what was not is done once.
func (r recording) repeat(ctx context.Context, look looker, c cut, f found, mark func(kind, state)) error {
	n := max(c.asked, c.answered)
	if n < 0 || !c.opened {
		return nil
	}
	b := r.batches[n]
	fresh := c.asked >= 0 && !f.done
	ops, before := b.ops, b.results
	if !fresh {
		ops, before = b.repeatable()
	}
	if mark != nil {
		mark(asked, state{})
	}
	results := look.store.Apply(ctx, ops)
	if mark != nil {
		now, err := look.state(ctx)
		if err != nil {
			return err
		}
		mark(answered, now)
	}
	for i, got := range results {
		want := before[i]
		if escrow.CodeOf(want.Err) != escrow.CodeOf(got.Err) || !reflect.DeepEqual(want.Value, got.Value) {
			return fmt.Errorf("%s done again (for the first time: %v) gives %v, %v; it gave %v, %v",
				ops[i].Name(), fresh, got.Value, got.Err, want.Value, want.Err)
		}
	}
	seen, err := look.seen(ctx)
	if err != nil {
		return err
	}
	if seen != b.after.seen {
		return fmt.Errorf("done again, batch %d leaves\n%s\ninstead of\n%s", n, seen, b.after.seen)
	}
	return r.soundAfter(ctx, look, n)
}

// repeatable are the operations that were done and that somebody may do again, and
// what they must answer: an operator who had no answer makes another voucher, with
// another code, and the token of a claim is not mailed twice. What was refused may
// be refused for another reason now, or be right; and to ask for a bond back is too
// late once its mail has arrived.
func (b batch) repeatable() (ops []escrowserver.Op, results []escrowserver.Result) {
	for i, op := range b.ops {
		result := b.results[i]
		if result.Err != nil {
			continue
		}
		switch op := op.(type) {
		case escrowserver.NewVoucher:
			continue
		case escrowserver.StartClaim:
			result.Value = false
		case escrowserver.AskWithdraw:
			if slices.ContainsFunc(b.ops[i:], func(later escrowserver.Op) bool {
				arrive, ok := later.(escrowserver.Arrive)
				return ok && arrive.Bond == op.Bond
			}) {
				continue
			}
		}
		ops, results = append(ops, op), append(results, result)
	}
	return ops, results
}
