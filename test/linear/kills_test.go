package linear

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
	"earnest/payment"
	"earnest/test/overlay"
	"earnest/test/soak"
)

// TestKills_SQLite kills the real program under load: what it has answered is in
// the books, and nothing is there by half.
func TestKills_SQLite(t *testing.T) {
	program := build(t)
	kills(t, soak.Times(20, 1000), func(t *testing.T) (*process, func(*load) error) {
		p := serve(t, program, "")
		return p, p.killed
	})
}

// The same on PostgreSQL, which goes on.
func TestKills_Postgres(t *testing.T) {
	program, cluster := build(t), pgtest.For(t)
	kills(t, soak.Times(6, 300), func(t *testing.T) (*process, func(*load) error) {
		p := serve(t, program, newDatabase(t, cluster))
		return p, p.killed
	})
}

// TestKills_PostgresItself kills PostgreSQL with all of its processes. The program
// lives on and finds it again.
func TestKills_PostgresItself(t *testing.T) {
	program, cluster := build(t), pgtest.For(t)
	kills(t, soak.Times(2, 100), func(t *testing.T) (*process, func(*load) error) {
		return serve(t, program, newDatabase(t, cluster)), crashes(cluster)
	})
}

// TestKills_Control: what is acknowledged before it is durable is lost, and missed.
func TestKills_Control(t *testing.T) {
	t.Run("SQLite commits after the answer", func(t *testing.T) {
		program := build(t, overlay.Patch{File: "escrowserver/sqlstore/apply.go", Edits: []overlay.Edit{{
			Old: "	defer conn.rollback() // after a commit it does nothing\n",
			New: "	conn = &late{conn: conn}\n	defer conn.rollback()\n",
		}}}, overlay.Patch{File: "escrowserver/sqlstore/late.go", Text: late})
		mustLose(t, func() (*process, func(*load) error) {
			p := serve(t, program, "")
			return p, p.killed
		})
	})
	t.Run("PostgreSQL with synchronous_commit=off", func(t *testing.T) {
		program := build(t, overlay.Patch{File: "escrowserver/sqlstore/postgres.go", Edits: []overlay.Edit{
			{Old: `"synchronous_commit=on"`, New: `"synchronous_commit=off"`},
			{Old: `if value != "on" {`, New: `if value == "" {`},
		}})
		cluster := pgtest.For(t, "wal_writer_delay=1s")
		mustLose(t, func() (*process, func(*load) error) {
			return serve(t, program, newDatabase(t, cluster)), crashes(cluster)
		})
	})
}

// late acknowledges a commit and makes it some moments after.
const late = `package sqlstore

import (
	"context"
	"time"
)

type late struct {
	conn
	committed bool
}

func (l *late) commit(context.Context) error {
	l.committed = true
	go func() {
		time.Sleep(10 * time.Millisecond)
		_ = l.conn.commit(context.Background())
	}()
	return nil
}

func (l *late) rollback() {
	if !l.committed {
		l.conn.rollback()
	}
}
`

func newDatabase(t *testing.T, cluster *pgtest.Cluster) string {
	t.Helper()
	url, err := cluster.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// killed kills the program, looks at the books that it left, and starts it again.
func (p *process) killed(l *load) error {
	p.end(syscall.SIGKILL)
	err := l.judge()
	p.start()
	return err
}

// crashes kills PostgreSQL and looks at the books when it is back.
func crashes(cluster *pgtest.Cluster) func(*load) error {
	return func(l *load) error {
		if err := cluster.Kill(); err != nil {
			return err
		}
		if err := cluster.Restart(context.Background()); err != nil {
			return err
		}
		return l.judge()
	}
}

// kills does so many, in books that are new now and then.
func kills(t *testing.T, times int, begin func(*testing.T) (*process, func(*load) error)) {
	t.Helper()
	seed, answered, again := soak.Seed(t), 0, 0
	const perBooks = 50
	for done := 0; done < times && !t.Failed(); done += perBooks {
		t.Run("books", func(t *testing.T) {
			random := soak.Random(seed, uint64(done))
			p, kill := begin(t)
			l := startLoad(p)
			for n := range min(perBooks, times-done) {
				l.some(1 + random.IntN(30))
				time.Sleep(time.Duration(random.IntN(10_000)) * time.Microsecond)
				if err := kill(l); err != nil {
					t.Errorf("kill %d of seed %d: %v", done+n+1, seed, err)
					break
				}
			}
			l.end()
			if err := l.judge(); err != nil {
				t.Error(err)
			}
			answered, again = answered+l.answered, again+l.again
		})
	}
	if answered < times {
		t.Errorf("only %d operations were answered", answered)
	}
	soak.Result(t, "%d kills, %d operations answered, %d requests repeated: none lost, none done by half", times, answered, again)
}

// mustLose demands that a lost operation is seen within some kills.
func mustLose(t *testing.T, begin func() (*process, func(*load) error)) {
	t.Helper()
	p, kill := begin()
	l := startLoad(p)
	defer l.end()
	for n := range 30 {
		l.some(10)
		if err := kill(l); err != nil {
			t.Logf("seen at kill %d: %.300s", n+1, err.Error())
			return
		}
	}
	t.Error("what was acknowledged and lost is not missed")
}

// load is people who use the escrow without a pause, and a journal of what was
// answered.
type load struct {
	*process
	*town // of the same escrow, past the program
	real  *real

	mu              sync.Mutex
	journal         []entry
	judged          int
	workers         []*worker
	answered, again int
	refused         []error // what should not have been
	stop            context.CancelFunc
	all             sync.WaitGroup
}

// entry is what was answered of a bond.
type entry struct {
	bond escrow.BondID
	key  string // that was sold, or
	// state is what the bond has come to.
	state escrow.State
}

// worker is a buyer and a shop: one mail after another.
type worker struct {
	*load
	buyer, shop        *person
	random             *rand.Rand
	keys, paid, bought int // that were answered
}

const workers = 6

func startLoad(p *process) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{process: p, town: p.beside(), real: newReal(p), stop: stop}
	transport := &http.Transport{MaxIdleConnsPerHost: workers}
	p.Cleanup(transport.CloseIdleConnections)
	for n := range workers {
		w := &worker{load: l, buyer: l.settle(price), shop: l.shop(0), random: rand.New(rand.NewPCG(uint64(n), 1))}
		for _, person := range []*person{w.buyer, w.shop} {
			client, err := escrowclient.New(escrowclient.Config{BaseURL: "http://" + p.listen, Signer: person.key, Transport: transport, Timeout: 3 * time.Second})
			l.ok(err)
			person.Service = client
		}
		l.workers = append(l.workers, w)
		l.all.Go(func() {
			for ctx.Err() == nil && w.mail(ctx) {
			}
		})
	}
	return l
}

// some waits until so many more operations were answered: a kill without load shows
// nothing. After a crash of PostgreSQL nothing is taken for a second or two, until no
// request that was seen before it can come again.
func (l *load) some(more int) {
	l.process.Helper()
	answered := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.answered
	}
	want := answered() + more
	for end := time.Now().Add(time.Minute); answered() < want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			l.process.Fatalf("the escrow answered %d of %d operations within a minute", answered()-want+more, more)
		}
	}
}

// end lets the people finish what they do.
func (l *load) end() {
	l.stop()
	l.all.Wait()
}

// mail is the life of one: a key, money, a purchase, the arrival, the accept.
func (w *worker) mail(ctx context.Context) bool {
	ctx = context.WithoutCancel(ctx)
	binary, fingerprint := w.real.key()
	certificate, proof := w.real.signer()
	upload := w.shop.upload(w.id(), w.now(), servicetest.Certificate{Binary: binary, Fingerprint: fingerprint})
	if !w.answer(func() error { _, err := w.shop.AddKeys(ctx, upload); return err }, func() { w.keys++ }) {
		return false
	}
	money := escrow.TopUp{ID: w.id(), Voucher: w.voucher()}
	if money.Voucher == "" {
		return false
	}
	if !w.answer(func() error { _, err := w.buyer.TopUp(ctx, money); return err }, func() { w.paid++ }) {
		return false
	}
	var quote escrow.Signed
	if !w.answer(func() (err error) { quote, err = w.buyer.quote(ctx, w.shop); return err }, func() {}) {
		return false
	}
	req := escrow.BuyRequest{ID: escrow.BondID(w.id()), Quote: quote, Verification: certificate, Reply: certificate}
	if !w.answer(func() error { _, err := w.buyer.Buy(ctx, req); return err }, func() {
		w.bought++
		w.journal = append(w.journal, entry{req.ID, fingerprint, escrow.Held})
	}) {
		return false
	}
	arrival := escrow.Arrival{Proof: proof, Statement: w.shop.statement(req.ID, quote, escrow.EventArrived, proof.Hash(), w.now())}
	if !w.answer(func() error { _, err := w.shop.Arrive(ctx, req.ID, arrival); return err }, func() {
		w.journal = append(w.journal, entry{req.ID, fingerprint, escrow.Arrived})
	}) {
		return false
	}
	accept := w.shop.decision(req.ID, quote, escrow.Accept, 1, w.now())
	return w.answer(func() error { _, err := w.shop.Decide(ctx, req.ID, escrow.Accept, accept); return err }, func() {
		w.journal = append(w.journal, entry{req.ID, fingerprint, escrow.Accepted})
	})
}

// voucher is made past the program, which may be dead: it is no part of the load.
func (w *worker) voucher() string {
	for range 200 {
		if code, err := w.Server.NewVoucher(context.Background(), servicetest.Currency, price); err == nil {
			return code
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.process.Error("no voucher")
	return ""
}

// answer asks until there is an answer, and notes it.
func (w *worker) answer(ask func() error, note func()) bool {
	var err error
	for range 1000 {
		err = ask()
		if err == nil {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.answered++
			note()
			return true
		}
		if !unanswered(err) && escrow.CodeOf(err) != escrow.Internal {
			break
		}
		w.mu.Lock()
		w.again++
		w.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = append(w.refused, err)
	return false
}

// judge holds the books against the journal, and walks them. The journal may not
// have what was answered last, the books must have all that it has.
func (l *load) judge() error {
	l.mu.Lock()
	journal, refused := l.journal[l.judged:], l.refused
	l.judged = len(l.journal)
	counts := make([]worker, len(l.workers))
	for i, w := range l.workers {
		counts[i] = worker{keys: w.keys, paid: w.paid, bought: w.bought}
	}
	l.mu.Unlock()
	if len(refused) > 0 {
		return fmt.Errorf("an operation was refused: %w", refused[0])
	}
	ctx := context.Background()
	if err := l.reachable(ctx); err != nil {
		return err
	}
	for _, e := range journal {
		bond, err := l.Store.Bond(ctx, e.bond)
		if err != nil {
			return fmt.Errorf("bond %s was answered as %s: %w", e.bond, e.state, err)
		}
		if bond.KeyFingerprint != e.key || e.state == escrow.Arrived && bond.ArrivedAt.IsZero() || e.state == escrow.Accepted && bond.State != escrow.Accepted {
			return fmt.Errorf("bond %s was answered as %s, and is %s", e.bond, e.state, bond.State)
		}
	}
	for i, w := range l.workers {
		if err := l.counted(ctx, w, counts[i]); err != nil {
			return err
		}
	}
	report, err := escrowserver.Verify(ctx, l.Store, l.Server.ReceiptKey())
	if err == nil && len(report.Faults) > 0 {
		err = fmt.Errorf("the books have faults: %v", report.Faults)
	}
	return err
}

// reachable waits until this process has connections again, after PostgreSQL was away.
func (l *load) reachable(ctx context.Context) (err error) {
	for range 100 {
		if _, err = l.Store.Account(ctx, l.workers[0].buyer.public().ID()); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// counted holds money and keys against what was answered of them.
func (l *load) counted(ctx context.Context, w *worker, answered worker) error {
	account, err := l.Store.Account(ctx, w.buyer.public().ID())
	if err != nil {
		return err
	}
	var money payment.Amount
	for _, b := range account.Balances {
		money += b.Available + b.Held
	}
	if want := price * payment.Amount(1+answered.paid); money < want {
		return fmt.Errorf("a buyer was told of %d in all, and has %d", want, money)
	}
	free, err := l.Store.Pool(ctx, w.shop.address)
	if err != nil {
		return err
	}
	if free+answered.bought+1 < answered.keys {
		return fmt.Errorf("a shop was told of %d keys and %d bonds, and has %d keys", answered.keys, answered.bought, free)
	}
	return nil
}
