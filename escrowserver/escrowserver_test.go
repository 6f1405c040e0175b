package escrowserver_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
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
	h := servicetest.NewHarness(t, c)
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
