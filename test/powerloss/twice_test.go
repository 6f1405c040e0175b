package powerloss

import (
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// twice cuts the power again while the books recover from a cut, and while they do
// the newest batch once more.
func (r recording) twice(t *testing.T, seed uint64, times int, n *tally) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 4))
	var first []cut
	each(r, seed, places(r, times, rng), func(c cut) {
		if c.opened {
			first = append(first, c)
		}
	})
	for _, c := range first {
		again, err := r.recovery(t, seed, c)
		if err != nil {
			t.Errorf("life of seed %d, cut before event %d, recorded again: %v", seed, c.at, err)
			continue
		}
		head := len(c.image) * 4
		at := places(again, head+20, rng)
		at = slices.DeleteFunc(at, func(i int) bool { return i < head }) // the disk is what the first cut left
		again.judgeAll(t, seed, at, n, func(second cut, err error) {
			t.Errorf("life of seed %d, cut before event %d, and again before event %d of the recovery: %v", seed, c.at, second.at, err)
		})
	}
}

// recovery records how books come back from a cut. What the first start found is
// true from then on: it was told to people.
func (r recording) recovery(t *testing.T, seed uint64, c cut) (again recording, err error) {
	t.Helper()
	dir := memory(t)
	delete(c.image, booksFile+"-shm")
	if err := c.write(dir); err != nil {
		return again, err
	}
	rec := newRecorder(dir)
	for i, name := range slices.Sorted(maps.Keys(c.image)) {
		rec.last = i + 1
		rec.names[name] = rec.last
		rec.trace = append(rec.trace, event{kind: created, file: rec.last, name: name},
			event{kind: wrote, file: rec.last, data: c.image[name]}, event{kind: synced, file: rec.last}, event{kind: dirSync})
	}
	again = r
	again.batches = slices.Clone(r.batches)
	newest := max(c.answered, c.asked)
	stop := record(t, rec, seed)
	f, err := r.reopen(context.Background(), c, dir, func(k kind, now state) {
		rec.mark(k, newest)
		if k == answered {
			now.seen = again.batches[newest].after.seen
			again.batches[newest].after = now
		}
	})
	stop()
	if err != nil {
		return again, err
	}
	if err := rec.whole(); err != nil {
		return again, err
	}
	again.trace = rec.trace
	again.start = cut{opened: true, answered: c.answered, asked: -1}
	if f.done {
		again.start.answered = c.asked
	}
	return again, os.RemoveAll(dir)
}
