package linear

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"earnest/escrow"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
	"earnest/test/soak"
)

// TestHistories_InProcess: whatever six clients at once are told about accounts,
// pools and bonds, one clerk could have told them one after the other. Some hang
// up before they are answered, and some of them come back under the same id.
func TestHistories_InProcess(t *testing.T) { inProcess(t, onSQLite, soak.Times(200, 10_000)) }

// The same on PostgreSQL, where each client is before another of several servers.
func TestHistories_Postgres(t *testing.T) {
	inProcess(t, onPostgres(pgtest.For(t), 3), soak.Times(80, 10_000))
}

func inProcess(t *testing.T, open opener, histories int) {
	// A reject takes effect at once, or never while the clock stands still.
	undone := escrow.DefaultTerms()
	undone.Undo = 0
	towns := []*town{newTown(t, open, escrow.DefaultTerms()), newTown(t, open, undone)}
	var count tally
	report(t, count.run(t, soak.Seed(t), histories, func(seed uint64) (*history, bool) {
		which := int(seed % 2)
		c := towns[which].cast(plain{towns[which]})
		return c.play(t.Context(), seed), which == 1
	}))
	for _, w := range towns {
		w.verified()
	}
}

// tally runs histories and counts what they were like.
type tally struct{ histories, undecided, operations, unknown, refused, bought atomic.Int64 }

// run stops at the first history that is wrong, and tells it.
func (c *tally) run(t *testing.T, seed uint64, histories int, play func(seed uint64) (h *history, atOnce bool)) (wrong string) {
	t.Helper()
	began := time.Now()
	var next atomic.Int64
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for n := next.Add(1); n <= int64(histories) && !t.Failed(); n = next.Add(1) {
				h, atOnce := play(seed + uint64(n))
				c.count(h)
				switch h.judge(atOnce) {
				case porcupine.Unknown:
					c.undecided.Add(1)
				case porcupine.Illegal:
					mu.Lock()
					wrong = fmt.Sprintf("history %d of seed %d\n%s", n, seed, h)
					mu.Unlock()
					next.Add(int64(histories))
				}
			}
		})
	}
	all.Wait()
	soak.Result(t, "%d histories, %d operations (%d bought, %d refused, %d without an answer), %d too long to judge, in %.1f s", c.histories.Load(),
		c.operations.Load(), c.bought.Load(), c.refused.Load(), c.unknown.Load(), c.undecided.Load(), time.Since(began).Seconds())
	if wrong == "" && (c.bought.Load() == 0 || c.unknown.Load() == 0 || c.refused.Load() == 0) {
		t.Error("the histories show too little")
	}
	if undecided := c.undecided.Load(); undecided > c.histories.Load()/1000 {
		t.Errorf("%d histories could not be judged within the time", undecided)
	}
	return wrong
}

func report(t *testing.T, wrong string) {
	t.Helper()
	if wrong != "" {
		t.Errorf("no clerk could have answered so: %s", wrong)
	}
}

func (c *tally) count(h *history) {
	c.histories.Add(1)
	for _, o := range h.done {
		in, out := o.Input.(input), o.Output.(output)
		c.operations.Add(1)
		switch {
		case out.unknown:
			c.unknown.Add(1)
		case out.code != "":
			c.refused.Add(1)
		case in.kind == buy:
			c.bought.Add(1)
		}
	}
}

// String is the history as it is read when it is wrong.
func (h *history) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "first %+v %b\n", h.first.money, h.first.unsold)
	for _, o := range h.done {
		fmt.Fprintf(&b, "%6d %6d %+v -> %+v\n", o.Call, min(o.Return, 999999), o.Input, o.Output)
	}
	return b.String()
}

// plain are certificates that only look like OpenPGP.
type plain struct{ *town }

func (p plain) key() ([]byte, string) {
	c := servicetest.NewCertificate(p)
	return c.Binary, c.Fingerprint
}

func (p plain) signer() ([]byte, escrow.ArrivalProof) {
	c := servicetest.NewCertificate(p)
	return c.Binary, c.Proof("mail "+p.id(), "")
}

// cast settles new people for one history, so that many share an escrow.
func (w *town) cast(f forms) *cast {
	w.Helper()
	c := &cast{forms: f, keys: map[string]int8{}, now: w.now, newID: w.id, at: w.at, giveUp: 50, try: hangUp}
	for i := range c.shops {
		c.shops[i] = w.shop(0)
		for range 2 {
			binary, fingerprint := c.key()
			_, err := c.shops[i].AddKeys(w.Context(), c.shops[i].upload(w.id(), w.now(), servicetest.Certificate{Binary: binary, Fingerprint: fingerprint}))
			w.ok(err)
			c.first.unsold[i] |= 1 << len(c.keys)
			c.keys[fingerprint] = int8(len(c.keys))
		}
	}
	for i := range c.buyers {
		c.buyers[i] = w.settle(2 * price)
		c.first.money[i].available = 2 * price
		for j := range c.shops {
			var err error
			c.quotes[i][j], err = c.buyers[i].quote(w.Context(), c.shops[j])
			w.ok(err)
		}
	}
	for range 3 {
		c.vouchers = append(c.vouchers, w.voucher(price))
	}
	return c
}

// hangUp ends one in ten requests early.
func hangUp(ctx context.Context, random *rand.Rand, ask func(context.Context) error) (int64, error) {
	if random.IntN(10) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(random.IntN(2000))*time.Microsecond)
		defer cancel()
	}
	return 1, ask(ctx)
}
