package powerloss

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"earnest/escrowserver"
	"earnest/test/soak"
)

// size is how much a test does.
type size struct{ lives, cuts, twice int }

// sizeOf is the short run, or by `make soak` the long one of 10,000 cuts and more.
func sizeOf() size {
	return size{lives: soak.Times(1, 4), cuts: soak.Times(240, 2500), twice: soak.Times(2, 10)}
}

// memory is a folder in memory if the system has one: the cuts are the test's, so
// no real disk has to take part.
func memory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "earnest-powerloss")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// tally counts what the cuts came to.
type tally struct {
	mu                                  sync.Mutex
	cuts, took, done, undone, lost, bad int
	first                               error // the first fault that is no loss
}

func (n *tally) String() string {
	return fmt.Sprintf("%d cuts, %d of them with writes lost or torn; the batch on its way was there after %d and not after %d; "+
		"acknowledged operations lost after %d; otherwise wrong after %d", n.cuts, n.took, n.done, n.undone, n.lost, n.bad)
}

func (n *tally) add(c cut, f found, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts++
	switch {
	case errors.Is(err, errLost):
		n.lost++
	case err != nil:
		n.bad++
		if n.first == nil {
			n.first = err
		}
	case c.asked >= 0 && f.done != f.undone:
		if f.done {
			n.done++
		} else {
			n.undone++
		}
	}
	if c.took {
		n.took++
	}
}

// judgeAll judges the cuts at the places, as many at once as there are processors.
func (r recording) judgeAll(t *testing.T, seed uint64, at []int, n *tally, failed func(cut, error)) {
	t.Helper()
	dir := memory(t)
	cuts := make(chan cut)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for c := range cuts {
				f, err := r.judge(context.Background(), c, dir)
				n.add(c, f, err)
				if err != nil {
					failed(c, err)
				}
			}
		})
	}
	each(r, seed, at, func(c cut) { cuts <- c })
	close(cuts)
	wg.Wait()
}

// Item 4: an escrow at work, whose machine loses power at every moment, keeps all
// that it acknowledged, and nothing by half.
func TestItem4_PowerLoss(t *testing.T) {
	seed, size := soak.Seed(t), sizeOf()
	var n tally
	for life := range size.lives {
		seed := seed + uint64(life)
		began := time.Now()
		r := live(t, memory(t), seed, 3, 50)
		r.real(t)
		recorded := time.Since(began)
		at := places(r, size.cuts, rand.New(rand.NewPCG(seed, 2)))
		told := 0
		r.judgeAll(t, seed, at, &n, func(c cut, err error) {
			if told++; told <= 3 {
				t.Errorf("life of seed %d, cut before event %d of %d: %v", seed, c.at, len(r.trace), err)
			}
		})
		t.Logf("life of seed %d: %d batches, %d events, recorded in %.1f s, %d cuts in %.1f s",
			seed, len(r.batches), len(r.trace), recorded.Seconds(), len(at), (time.Since(began) - recorded).Seconds())
		r.twice(t, seed, size.twice, &n)
	}
	soak.Result(t, "%s", &n)
	if n.took == 0 || n.done == 0 || n.undone == 0 {
		t.Error("these cuts show nothing: some must lose writes, some find the last batch done, some not")
	}
}

// real demands that the life was one: batches, checkpoints while it ran, all kinds
// of operations with success.
func (r recording) real(t *testing.T) {
	t.Helper()
	did, most := map[string]int{}, 0
	for _, b := range r.batches {
		most = max(most, len(b.ops))
		for i, op := range b.ops {
			if b.results[i].Err == nil {
				did[op.Name()]++
			}
		}
	}
	for _, op := range []escrowserver.Op{escrowserver.OpenAccount{}, escrowserver.NewVoucher{}, escrowserver.TopUp{}, escrowserver.ProveAddress{},
		escrowserver.PublishOffer{}, escrowserver.AddKeys{}, escrowserver.Buy{}, escrowserver.Arrive{}, escrowserver.Decide{}, escrowserver.Sweep{}} {
		if did[op.Name()] < 5 {
			t.Errorf("the life has %d operations %q", did[op.Name()], op.Name())
		}
	}
	closes, checkpoints := 0, 0
	for _, e := range r.trace {
		if e.kind == deleted && e.name == booksFile+"-wal" {
			closes++
		}
		if e.kind == synced && e.file == 1 { // the books' own file, the first that was made
			checkpoints++
		}
	}
	// One sync more made the file, and one checkpoint comes with each close.
	if most < 5 || closes != 3 || checkpoints-1-closes < 1 {
		t.Errorf("the life has batches of at most %d, %d closes, %d checkpoints beside them", most, closes, checkpoints-1-closes)
	}
	t.Logf("operations done: %v; largest batch %d; %d checkpoints while running", did, most, checkpoints-1-closes)
}

// What a seed shows can be seen again.
func TestTheSameSeedIsTheSameLife(t *testing.T) {
	var lives [2]recording
	for i := range lives {
		lives[i] = live(t, memory(t), 11, 2, 8)
	}
	one, two := lives[0], lives[1]
	if len(one.trace) != len(two.trace) || len(one.trace) < 1000 {
		t.Fatalf("%d and %d events", len(one.trace), len(two.trace))
	}
	for i, e := range one.trace {
		o := two.trace[i]
		if e.kind != o.kind || e.file != o.file || e.name != o.name || e.off != o.off || e.kind == wrote && string(e.data) != string(o.data) {
			t.Fatalf("event %d is %d of file %d at %d, and %d of file %d at %d", i, e.kind, e.file, e.off, o.kind, o.file, o.off)
		}
	}
}

// A disk that lies about one kind of sync must be seen: were it not, the test
// above would say nothing about that sync.
func TestALyingDiskIsSeen(t *testing.T) {
	const seed = 12
	r := live(t, memory(t), seed, 2, 40)
	name := map[int]string{}
	for _, e := range r.trace {
		if e.kind == created {
			name[e.file] = e.name
		}
	}
	for what, lie := range map[string]func(event) bool{
		"the books": func(e event) bool { return e.kind == synced && name[e.file] == booksFile },
		"the log":   func(e event) bool { return e.kind == synced && filepath.Ext(name[e.file]) == ".db-wal" },
		"the names": func(e event) bool { return e.kind == dirSync },
	} {
		liar := r
		liar.trace = nil
		for _, e := range r.trace {
			if !lie(e) {
				liar.trace = append(liar.trace, e)
			}
		}
		var n tally
		liar.judgeAll(t, seed, places(liar, 40, rand.New(rand.NewPCG(seed, 3))), &n, func(cut, error) {})
		t.Logf("%s are not synced: %s; the first: %v", what, &n, n.first)
		if n.lost+n.bad == 0 {
			t.Errorf("nobody sees that %s are never synced", what)
		}
	}
}
