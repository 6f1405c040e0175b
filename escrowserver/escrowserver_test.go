package escrowserver_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/sqlstore"
	"earnest/ledger"
)

func open(t *testing.T, path string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSenderGroup(t *testing.T) {
	for address, want := range map[escrow.Address]string{
		"a@example.com":               "example.com",
		"a@mail.dept.example.com":     "example.com",
		"a@x.example.co.uk":           "example.co.uk",
		"a@someone.github.io":         "someone.github.io",
		"a.b+tag@gmail.com":           "ab@gmail.com",
		"a.b@mail.gmail.com":          "ab@mail.gmail.com",
		"a.b@yahoo.co.uk":             "ab@yahoo.co.uk",
		"a.b@hotmail.fr":              "ab@hotmail.fr",
		"a.b@gmx.at":                  "ab@gmx.at",
		"a.b@live.nl":                 "ab@live.nl",
		"a.b@outlook.com":             "ab@outlook.com",
		"a.b@pm.me":                   "ab@pm.me",
		"a.b@ziggo.nl":                "ab@ziggo.nl",
		"a.b@126.com":                 "ab@126.com",
		"a.b@yahoo.example.com":       "example.com",
		"a.b@yahoo.email":             "yahoo.email",
		"a@localhost":                 "localhost",
		"a@xn--bcher-kva.example.com": "example.com",
	} {
		if got := escrowserver.SenderGroup(address); got != want {
			t.Errorf("SenderGroup(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestConfigTellsEveryFault(t *testing.T) {
	_, err := escrowserver.New(escrowserver.Config{Beneficiaries: []escrow.Beneficiary{{ID: ledger.Burned}}})
	if err == nil {
		t.Fatal("an empty configuration was taken")
	}
	for _, want := range []string{"a name", "a currency", "a store", "the company", "an id", "signs receipts"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not tell of %q: %v", want, err)
		}
	}
}

func TestVoucherCodes(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "books.db"))
	defer store.Close()
	h := servicetest.NewHarness(t, store)
	form := regexp.MustCompile(`^EARN(-[0-9A-HJKMNP-TV-Z]{4}){7}$`)
	seen := map[string]bool{}
	for range 50 {
		code, err := h.Server.NewVoucher(t.Context(), servicetest.Currency, 1)
		if err != nil || !form.MatchString(code) || seen[code] {
			t.Fatalf("voucher %q, %v", code, err)
		}
		seen[code] = true
	}
}

// counting counts the batches that reach the store.
type counting struct {
	escrowserver.Store
	mu      sync.Mutex
	batches []int
	gate    chan struct{}
}

func (c *counting) Apply(ctx context.Context, ops []escrowserver.Op) []escrowserver.Result {
	<-c.gate
	c.mu.Lock()
	c.batches = append(c.batches, len(ops))
	c.mu.Unlock()
	return c.Store.Apply(ctx, ops)
}

// What waits while a commit runs is the next batch.
func TestConcurrentOperationsShareACommit(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "books.db"))
	defer store.Close()
	c := &counting{Store: store, gate: make(chan struct{})}
	close(c.gate) // what an escrow does when it is made is no operation of anybody's
	h := servicetest.NewHarness(t, c)
	c.gate, c.batches = make(chan struct{}), nil
	var wg sync.WaitGroup
	const callers = 20
	for range callers {
		wg.Go(func() {
			public, private, err := ed25519.GenerateKey(rand.Reader)
			if err == nil {
				_, err = h.As(private).OpenAccount(context.Background(), escrow.OpenAccount{Key: escrow.PublicKey(public)})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	c.gate <- struct{}{}
	time.Sleep(200 * time.Millisecond) // all others are waiting by now
	close(c.gate)
	wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := 0
	for _, n := range c.batches {
		sum += n
	}
	if sum != callers || len(c.batches) > 4 {
		t.Errorf("%d operations in batches of %v", sum, c.batches)
	}
}

// The sweeper needs nothing but the store: after a restart it goes on by itself.
func TestSweeperSurvivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	store := open(t, path)
	h := servicetest.NewHarness(t, store)
	servicetest.Story(t, h) // it leaves one bond held
	held := heldSum(t, store)
	if held == 0 {
		t.Fatal("nothing is held")
	}
	h.Clock.Move(40 * 24 * time.Hour)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	store = open(t, path)
	defer store.Close()
	server, err := escrowserver.New(servicetest.Config(store, h.Clock, h.Mails, h.ReceiptSigner))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	for range 500 {
		if heldSum(t, store) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if left := heldSum(t, store); left != 0 {
		t.Errorf("%d is still held after the deadline", left)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	report, err := escrowserver.Verify(t.Context(), store, server.ReceiptKey())
	if err != nil || len(report.Faults) > 0 || len(report.Lines) == 0 {
		t.Errorf("report %+v, %v", report, err)
	}
}

func heldSum(t *testing.T, store escrowserver.Store) (sum int64) {
	t.Helper()
	err := store.Walk(t.Context(), escrowserver.Visitor{Balance: func(b escrowserver.BalanceLine) error {
		sum += b.Balance.Held
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// broken is a store that fails with words that are not for callers.
type broken struct{ escrowserver.Store }

func (broken) Apply(_ context.Context, ops []escrowserver.Op) []escrowserver.Result {
	return make([]escrowserver.Result, len(ops)-1) // and one unanswered
}

func TestFailuresAreHidden(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "books.db"))
	defer store.Close()
	servicetest.NewHarness(t, store) // an escrow has served these books before
	h := servicetest.NewHarness(t, broken{store})
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.As(private).OpenAccount(t.Context(), escrow.OpenAccount{Key: escrow.PublicKey(public)})
	if escrow.CodeOf(err) != escrow.Internal || strings.Contains(err.Error(), "unanswered") {
		t.Errorf("the caller is told %v", err)
	}
}

// gone is a store whose caller has left.
type gone struct{ escrowserver.Store }

func (gone) Account(ctx context.Context, _ escrow.KeyID) (escrowserver.AccountRecord, error) {
	return escrowserver.AccountRecord{}, fmt.Errorf("read: %w", ctx.Err())
}

// Who leaves before the answer makes no noise in the operator's log; a batch that
// had to be done again does.
func TestLogTellsFailuresOnly(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "books.db"))
	defer store.Close()
	h := servicetest.NewHarness(t, store)
	var log strings.Builder
	cfg := servicetest.Config(gone{surprising{store}}, h.Clock, h.Mails, h.ReceiptSigner)
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	server, err := escrowserver.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	log.Reset() // of what the escrow does when it is made
	ctx, leave := context.WithCancel(t.Context())
	leave()
	_, err = server.As(make(escrow.PublicKey, ed25519.PublicKeySize)).Account(ctx)
	if !errors.Is(err, escrow.Unavailable) || log.Len() > 0 {
		t.Errorf("the caller is told %v, the operator %s", err, log.String())
	}
	if _, err := server.NewVoucher(t.Context(), servicetest.Currency, 1); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "the disk is strange") {
		t.Errorf("the operator is told %q", log.String())
	}
}

// surprising is a store that did its batch one by one.
type surprising struct{ escrowserver.Store }

func (s surprising) Apply(ctx context.Context, ops []escrowserver.Op) []escrowserver.Result {
	results := s.Store.Apply(ctx, ops)
	results[0].Surprise = errors.New("the disk is strange")
	return results
}

// beating counts the escrow's heartbeats.
type beating struct {
	escrowserver.Store
	beats *atomic.Int64
}

func (b beating) Apply(ctx context.Context, ops []escrowserver.Op) []escrowserver.Result {
	for _, op := range ops {
		if _, ok := op.(escrowserver.Beat); ok {
			b.beats.Add(1)
		}
	}
	return b.Store.Apply(ctx, ops)
}

// The sweeper wakes at every news; its heart beats each minute.
func TestHeartBeatsEachMinute(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "books.db"))
	defer store.Close()
	var beats atomic.Int64
	h := servicetest.NewHarness(t, beating{store, &beats})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Server.Run(ctx) }()
	servicetest.Story(t, h) // it moves the clock once
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := beats.Load(); n < 1 || n > 2 {
		t.Errorf("%d heartbeats, want one each minute", n)
	}
}

// asking counts how often the sweeper asks what is due.
type asking struct {
	escrowserver.Store
	asked *atomic.Int64
}

func (a asking) NextDue(ctx context.Context) (time.Time, error) {
	a.asked.Add(1)
	return a.Store.NextDue(ctx)
}

// Each commit wakes the sweeper; it looks once for many of them.
func TestSweeperAsksOnceForManyCommits(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "books.db"))
	defer store.Close()
	var asked atomic.Int64
	h := servicetest.NewHarness(t, asking{store, &asked})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- h.Server.Run(ctx) }()
	servicetest.DueBonds(t, h, 18)
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if most := 4 + int64(time.Since(began)/(50*time.Millisecond)); asked.Load() > most {
		t.Errorf("in %v the sweeper asked %d times what is due, want %d at most", time.Since(began), asked.Load(), most)
	}
}
