package linear

import (
	"context"
	"syscall"
	"testing"
	"time"

	"earnest/internal/pgtest"
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
	t.Run("SQLite commits twice", func(t *testing.T) {
		program := build(t, overlay.Patch{File: "escrowserver/sqlstore/apply.go", Edits: []overlay.Edit{{
			Old: "	defer conn.rollback() // after a commit it does nothing\n",
			New: "	conn = &halved{conn: conn, engine: s.engine}\n	defer conn.rollback()\n",
		}}}, overlay.Patch{File: "escrowserver/sqlstore/halved.go", Text: halved})
		mustLose(t, func() (*process, func(*load) error) {
			p := serve(t, program, "")
			return p, p.killed
		})
	})
	t.Run("an event of the card provider is kept after the answer", func(t *testing.T) {
		program := build(t, overlay.Patch{File: "escrowserver/service_checkout.go", Edits: []overlay.Edit{
			{Old: "	fresh, err := do[bool](ctx, s, KeepEvent{", New: "	time.AfterFunc(20*time.Millisecond, func() { s.late(ctx, record) })\n	return nil\n}\n\nfunc (s *Server) late(ctx context.Context, record EventRecord) error {\n	name, event := record.Provider, record.Event\n	fresh, err := do[bool](ctx, s, KeepEvent{"},
		}})
		mustLose(t, func() (*process, func(*load) error) {
			p := serve(t, program, "")
			return p, p.killed
		})
	})
	t.Run("a payment by card is credited for each event", func(t *testing.T) {
		program := build(t, overlay.Patch{File: "escrowserver/sqlstore/checkout.go", Edits: []overlay.Edit{
			{Old: "	case c.State == escrow.CheckoutPaid || c.State == escrow.CheckoutWrong:", New: "	case c.State == escrow.CheckoutWrong:"},
			{Old: "CreditLine{ID: c.ID, Kind", New: "CreditLine{ID: c.ID + op.Now.String(), Kind"},
		}})
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

// halved commits what it has in the middle of a batch, and some moments after the rest.
const halved = `package sqlstore

import (
	"context"
	"time"
)

type halved struct {
	conn
	engine engine
	writes int
}

func (h *halved) exec(ctx context.Context, text string, values ...any) (int64, error) {
	if h.writes++; h.writes == 4 {
		if err := h.conn.commit(ctx); err != nil {
			return 0, err
		}
		time.Sleep(20 * time.Millisecond) // longer than all else, so that kills fall into it
		next, err := h.engine.begin(ctx)
		if err != nil {
			return 0, err
		}
		h.conn = next
	}
	return h.conn.exec(ctx, text, values...)
}
`

func newDatabase(t testing.TB, cluster *pgtest.Cluster) string {
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
	seed, done, again := soak.Seed(t), map[string]int{}, map[string]int{}
	const perBooks = 50
	for killed := 0; killed < times && !t.Failed(); killed += perBooks {
		t.Run("books", func(t *testing.T) {
			random := soak.Random(seed, uint64(killed))
			p, kill := begin(t)
			l := startLoad(p)
			for n := range min(perBooks, times-killed) {
				l.some(1 + random.IntN(30))
				time.Sleep(time.Duration(random.IntN(10_000)) * time.Microsecond)
				if err := kill(l); err != nil {
					t.Errorf("kill %d of seed %d: %v", killed+n+1, seed, err)
					break
				}
			}
			l.end()
			if err := l.judge(); err != nil {
				t.Error(err)
			}
			add(done, l.done)
			add(again, l.again)
		})
	}
	for _, kind := range kinds() {
		if done[kind] == 0 {
			t.Errorf("under the kills there was no %s", kind)
		}
	}
	soak.Result(t, "%d kills, answered %v, repeated %v: none lost, none done by half", times, done, again)
}

func add(to, more map[string]int) {
	for kind, n := range more {
		to[kind] += n
	}
}

// mustLose demands that a lost operation is seen within some kills.
func mustLose(t *testing.T, begin func() (*process, func(*load) error)) {
	t.Helper()
	p, kill := begin()
	l := startLoad(p)
	defer func() { l.hopeless.Store(true); l.end() }()
	for n := range 30 {
		l.some(10)
		if err := kill(l); err != nil {
			t.Logf("seen at kill %d: %.300s", n+1, err.Error())
			return
		}
	}
	t.Error("what was acknowledged and lost is not missed")
}
