package escrowserver

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// shelf is a store that keeps what each batch had, one for each step that it is
// given, or each in its time.
type shelf struct {
	Store
	step    chan struct{}
	takes   time.Duration // for a batch
	atOnce  int
	entered atomic.Int64
	mu      sync.Mutex
	batches [][]Op
}

func (s *shelf) AtOnce() int { return s.atOnce }

func (s *shelf) Apply(_ context.Context, ops []Op) []Result {
	s.entered.Add(1)
	if s.step != nil {
		<-s.step
	}
	time.Sleep(s.takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, ops)
	return make([]Result, len(ops))
}

// Who buys while a thousand bonds expire waits for the batch at hand, not for all of
// them; and the expiries go on beside a crowd of buyers.
func TestWhoWaitsGoesBeforeTheSweeper(t *testing.T) {
	store := &shelf{step: make(chan struct{}), atOnce: 1}
	q := NewQueue(store)
	var wg sync.WaitGroup
	wg.Go(func() { q.DoAside(t.Context(), make([]Op, 1000)) })
	store.step <- struct{}{}
	soon(t, "a second batch of expiries", func() bool { return store.entered.Load() == 2 })
	const buyers = 200
	for range buyers {
		wg.Go(func() { q.Do(t.Context(), Heartbeat{}) })
	}
	soon(t, "all buyers in the queue", func() bool { return q.waitingNow() == buyers })
	go func() {
		for {
			select {
			case store.step <- struct{}{}:
			case <-t.Context().Done():
				return
			}
		}
	}()
	wg.Wait()
	var behind, beside int // batches before the buyers', and expiries in it
	for _, batch := range store.batches {
		buys := 0
		for _, op := range batch {
			if op != nil {
				buys++
			}
		}
		if buys > 0 {
			beside = len(batch) - buys
			break
		}
		behind++
	}
	if behind > 2 || beside == 0 || beside > buyers {
		t.Errorf("the buyers waited for %d batches, and %d expiries were in theirs", behind, beside)
	}
}

// Expiries take all places at the store while nobody asks for anything, and one as
// soon as somebody does.
func TestTheSweeperTakesAllPlacesWhileNobodyAsks(t *testing.T) {
	for name, asked := range map[string]bool{"nobody asks": false, "somebody asked": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &shelf{step: make(chan struct{}), atOnce: 2}
				q := NewQueue(store)
				want := int64(2)
				time.Sleep(time.Hour)
				if asked {
					want = 1
					go q.Do(t.Context(), Heartbeat{})
					store.step <- struct{}{}
					store.entered.Store(0)
				}
				go q.DoAside(t.Context(), make([]Op, 1000))
				synctest.Wait()
				if n := store.entered.Load(); n != want {
					t.Errorf("%d batches run at once, want %d", n, want)
				}
				close(store.step)
			})
		})
	}
}

// While others ask, expiries take half of the time of the store, and no more.
func TestTheSweeperLeavesHalfOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const batch = 10 * time.Millisecond
		q := NewQueue(&shelf{takes: batch, atOnce: 1})
		ctx, stop := context.WithCancel(t.Context())
		var asking sync.WaitGroup
		asking.Go(func() {
			for ctx.Err() == nil {
				q.Do(ctx, Heartbeat{})
				time.Sleep(quiet / 2)
			}
		})
		time.Sleep(2 * quiet)
		began := time.Now()
		q.DoAside(ctx, make([]Op, 20*asideBusy))
		if took := time.Since(began); took < 2*20*batch {
			t.Errorf("20 batches of %s took %s", batch, took)
		}
		stop()
		asking.Wait()
		time.Sleep(time.Second) // what was begun ends
	})
}

func (q *Queue) waitingNow() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
