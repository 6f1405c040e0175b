package linear

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/internal/pgtest"
	"earnest/payment"
	"earnest/test/soak"
)

// market is buyers who buy at every shop, each before another of the servers.
type market struct {
	*town
	buyers, shops []*person
	mu            sync.Mutex
	bought        map[escrow.BondID]string // the key that was answered, by bond
	again         atomic.Int64             // how often a request was repeated under its id
}

func (w *town) market(buyers, shops int) *market {
	w.Helper()
	m := &market{town: w, bought: map[escrow.BondID]string{}}
	for range shops {
		m.shops = append(m.shops, w.shop(buyers))
	}
	for range buyers {
		m.buyers = append(m.buyers, w.settle(price*payment.Amount(shops)))
	}
	return m
}

// trade has every buyer buy at every shop, all at once.
func (m *market) trade() {
	m.Helper()
	var all sync.WaitGroup
	for n, buyer := range m.buyers {
		all.Go(func() {
			for i := range m.shops {
				m.buy(func() *person { return m.at(buyer, n) }, m.shops[(i+n)%len(m.shops)])
			}
		})
	}
	all.Wait()
	if m.Failed() {
		m.FailNow()
	}
}

// buy buys, and asks again under the same id while it is not known whether it did. Each
// try has the caller looked up anew, as each request of HTTP has.
func (m *market) buy(from func() *person, to *person) {
	var quote escrow.Signed
	if !m.answered(func() (err error) { quote, err = from().quote(m.Context(), to); return err }) {
		return
	}
	certificate, _ := plain{m.town}.signer()
	req := escrow.BuyRequest{ID: escrow.BondID(m.id()), Quote: quote, Verification: certificate, Reply: certificate}
	var p escrow.Purchase
	if m.answered(func() (err error) { p, err = from().Buy(m.Context(), req); return err }) {
		m.mu.Lock()
		m.bought[req.ID] = p.Bond.KeyFingerprint
		m.mu.Unlock()
	}
}

// answered asks until there is an answer.
func (m *market) answered(ask func() error) bool {
	var err error
	for range 100 {
		if err = ask(); err == nil {
			return true
		}
		if escrow.CodeOf(err) != escrow.Unavailable {
			break
		}
		m.again.Add(1)
		time.Sleep(10 * time.Millisecond)
	}
	m.Errorf("no answer: %v", err)
	return false
}

// settled demands that each purchase is in the books once, as it was answered, and
// no other.
func (m *market) settled() {
	m.Helper()
	sold := map[string]escrow.BondID{}
	for id, key := range m.bought {
		bond, err := m.Store.Bond(context.Background(), id)
		m.ok(err)
		if bond.KeyFingerprint != key {
			m.Fatalf("bond %s has key %s, and %s was answered", id, bond.KeyFingerprint, key)
		}
		if other := sold[key]; other != "" {
			m.Fatalf("the bonds %s and %s have the same key", id, other)
		}
		sold[key] = id
	}
	if want := len(m.buyers) * len(m.shops); len(m.bought) != want {
		m.Fatalf("%d bonds, want %d", len(m.bought), want)
	}
	for _, shop := range m.shops {
		if free, err := m.Store.Pool(context.Background(), shop.address); err != nil || free != 0 {
			m.Fatalf("%d keys are left, want none: %v", free, err)
		}
	}
	for _, buyer := range m.buyers {
		account, err := m.Store.Account(context.Background(), buyer.public().ID())
		m.ok(err)
		for _, b := range account.Balances {
			if b.Available != 0 || b.Held != price*payment.Amount(len(m.shops)) {
				m.Fatalf("a buyer has %+v", b)
			}
		}
	}
	m.verified()
}

// TestTrouble_CrossingBuys: two who buy of each other at the same time, at two
// servers, do not wait for each other for ever.
func TestTrouble_CrossingBuys(t *testing.T) {
	cluster := pgtest.For(t)
	w := newTown(t, onPostgres(cluster, 2), escrow.DefaultTerms())
	pairs := soak.Times(40, 2000)
	for range pairs {
		both := []*person{w.shop(1), w.shop(1)}
		var all sync.WaitGroup
		for n, p := range both {
			_, err := p.TopUp(t.Context(), escrow.TopUp{ID: w.id(), Voucher: w.voucher(price)})
			w.ok(err)
			all.Go(func() {
				m := &market{town: w, bought: map[escrow.BondID]string{}}
				m.buy(func() *person { return w.at(p, n) }, both[1-n])
			})
		}
		all.Wait()
	}
	w.verified()
	time.Sleep(1100 * time.Millisecond) // what a backend has counted is told once a second
	var deadlocks int
	conn, err := pgx.Connect(t.Context(), cluster.URL("postgres"))
	w.ok(err)
	defer conn.Close(context.Background())
	w.ok(conn.QueryRow(t.Context(), `SELECT SUM(deadlocks) FROM pg_stat_database`).Scan(&deadlocks))
	if deadlocks > 0 {
		t.Errorf("%d deadlocks", deadlocks)
	}
	soak.Result(t, "%d pairs, %d deadlocks", pairs, deadlocks)
}

// TestTrouble_LostConnections ends connections of the servers wherever they are in a
// batch: each purchase is answered in the end, and done once.
func TestTrouble_LostConnections(t *testing.T) {
	cluster := pgtest.For(t)
	m := newTown(t, onPostgres(cluster, 2), escrow.DefaultTerms()).market(soak.Times(10, 60), soak.Times(10, 60))
	ctx, stop := context.WithCancel(t.Context())
	ended := 0
	var killer sync.WaitGroup
	killer.Go(func() {
		conn, err := pgx.Connect(context.Background(), cluster.URL("postgres"))
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close(context.Background())
		for random := soak.Random(soak.Seed(t), 0); ctx.Err() == nil; time.Sleep(time.Duration(40+random.IntN(160)) * time.Millisecond) {
			var n int
			if err := conn.QueryRow(context.Background(), `SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE datname LIKE 'books%' AND state <> 'idle'`).Scan(&n); err != nil {
				t.Error(err)
			}
			ended += n
		}
	})
	m.trade()
	stop()
	killer.Wait()
	m.settled()
	if ended == 0 {
		t.Error("no connection was ended at work")
	}
	soak.Result(t, "%d connections ended at work, %d bonds, %d requests repeated", ended, len(m.bought), m.again.Load())
}

// TestTrouble_LostCommits cuts the connection before and after a commit is done,
// with its answer: what was done is answered when it is asked again, and not done again.
func TestTrouble_LostCommits(t *testing.T) {
	cluster := pgtest.For(t)
	random := soak.Random(soak.Seed(t), 0)
	l := newLossy(t, "127.0.0.1:"+cluster.Port())
	w := newTown(t, func(t testing.TB) []escrowserver.Store {
		direct, err := cluster.NewDatabase(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		address, err := url.Parse(direct)
		if err != nil {
			t.Fatal(err)
		}
		address.Host = l.listener.Addr().String()
		return []escrowserver.Store{openBooks(t, address.String())}
	}, escrow.DefaultTerms())
	m := w.market(soak.Times(10, 60), soak.Times(10, 60))
	var mu sync.Mutex
	l.fate.Store(func() fate {
		mu.Lock()
		defer mu.Unlock()
		return fate(random.IntN(6))
	})
	m.trade()
	l.fate.Store(func() fate { return passes })
	m.settled()
	if l.before.Load() == 0 || l.after.Load() == 0 {
		t.Error("no commit was lost")
	}
	soak.Result(t, "%d commits did not arrive, %d were done and not answered, %d bonds, %d requests repeated",
		l.before.Load(), l.after.Load(), len(m.bought), m.again.Load())
}

// fate is what becomes of a commit on its way; any other passes.
type fate int

const (
	lostBefore fate = iota
	lostAfter
	passes
)

// lossy is a way to PostgreSQL on which commits get lost.
type lossy struct {
	listener      net.Listener
	fate          atomic.Value // func() fate
	before, after atomic.Int64
}

func newLossy(t testing.TB, to string) *lossy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &lossy{listener: listener}
	l.fate.Store(func() fate { return passes })
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go l.carry(near, to)
		}
	}()
	return l
}

func (l *lossy) carry(near net.Conn, to string) {
	defer near.Close()
	far, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer far.Close()
	var mute atomic.Bool
	go func() {
		defer near.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := far.Read(buffer)
			if err != nil {
				return
			}
			if mute.Load() {
				return // it is done, and its answer does not come
			}
			if _, err := near.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := near.Read(buffer)
		if err != nil {
			return
		}
		if bytes.Contains(buffer[:n], []byte("commit\x00")) {
			switch l.fate.Load().(func() fate)() {
			case lostBefore:
				l.before.Add(1)
				return
			case lostAfter:
				l.after.Add(1)
				mute.Store(true)
				_, _ = far.Write(buffer[:n])
				_, _ = io.Copy(io.Discard, near) // until the answer has come, and near is closed
				return
			}
		}
		if _, err := far.Write(buffer[:n]); err != nil {
			return
		}
	}
}
