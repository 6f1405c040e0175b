// Command claims is one of several processes that buy one-time keys from the same
// books at once, through the escrow's own purchase. Its tests hold the keys that
// were answered against the books: each is sold once, and none is said to be gone
// while there is one.
package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/sqlstore"
	"earnest/ledger"
	"earnest/payment"
)

const (
	price = 25
	// pools is how many addresses there are to buy at: few, so that all are hot.
	pools = 10
	// perAccount is how many sender addresses an account has. Each buys once at each
	// pool, and an account may have 100 bonds open.
	perAccount = 8
	// shared claims are made by all processes, under the same id.
	shared = 50
	// tries bounds how often a claim without an answer is made again under its id.
	tries = 20
)

// claim is one purchase: a sender address, at a pool.
type claim int

func (c claim) sender() int { return int(c) / pools }
func (c claim) pool() int   { return int(c) % pools }

func (c claim) id() escrow.BondID {
	return escrow.BondID(fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", int(c)))
}

func key(kind string, n int) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(fmt.Appendf(nil, "%-8s %-23d", kind, n))
}

func public(k ed25519.PrivateKey) escrow.PublicKey {
	return escrow.PublicKey(k.Public().(ed25519.PublicKey))
}

func senderAddress(n int) escrow.Address {
	return escrow.Address(fmt.Sprintf("s%d@sender%d.example", n, n))
}
func poolAddress(n int) escrow.Address {
	return escrow.Address(fmt.Sprintf("p%d@pool%d.example", n, n))
}

func option() payment.Option {
	return payment.Option{System: payment.SystemEscrow, Currency: servicetest.Currency, Amount: price, Scale: 2}
}

// newServer is the escrow of every process, with the same key.
func newServer(store escrowserver.Store, log *slog.Logger) (*escrowserver.Server, *servicetest.Clock, error) {
	clock := servicetest.NewClock()
	cfg := servicetest.Config(store, clock, &servicetest.Mails{}, key("receipt", 0))
	cfg.Log = log
	server, err := escrowserver.New(cfg)
	return server, clock, err
}

func main() {
	var b buyer
	database := flag.String("database", "", "the books")
	flag.IntVar(&b.process, "process", 0, "which process this is")
	flag.IntVar(&b.processes, "processes", 1, "how many there are")
	flag.IntVar(&b.claims, "claims", 0, "how many claims there are in all")
	flag.IntVar(&b.clients, "clients", 1, "how many clients this process has")
	flag.Uint64Var(&b.seed, "seed", 0, "in which order they are made")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := b.run(ctx, *database); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

// buyer is the process.
type buyer struct {
	process, processes, claims, clients int
	seed                                uint64

	server *escrowserver.Server
	now    time.Time
	offers [pools]escrow.Signed
	mu     sync.Mutex
	out    *bufio.Writer
	failed atomic.Bool
}

func (b *buyer) run(ctx context.Context, database string) error {
	store, err := sqlstore.Open(ctx, database)
	if err != nil {
		return err
	}
	defer store.Close()
	server, clock, err := newServer(store, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	b.server, b.now, b.out = server, clock.Now(), bufio.NewWriter(os.Stdout)
	for n := range b.offers {
		record, err := store.Offer(ctx, poolAddress(n), b.now)
		if err != nil {
			return err
		}
		b.offers[n] = record.Signed
	}
	// All processes go through the claims in the same order, so that they meet.
	order := rand.New(rand.NewPCG(b.seed, 0)).Perm(b.claims)
	var next atomic.Int64
	var all sync.WaitGroup
	for range b.clients {
		all.Go(func() {
			for n := next.Add(1) - 1; n < int64(b.claims) && !b.failed.Load() && ctx.Err() == nil; n = next.Add(1) - 1 {
				if c := claim(order[n]); int(c)%shared == 0 || int(n)%b.processes == b.process {
					b.make(ctx, c)
				}
			}
		})
	}
	all.Wait()
	return b.out.Flush()
}

// make makes a claim and tells what came of it, and between which moments.
func (b *buyer) make(ctx context.Context, c claim) {
	began := time.Now().UnixNano()
	answer := "-"
	purchase, err := b.buy(ctx, c)
	for try := 1; try < tries && unanswered(err); try++ {
		time.Sleep(5 * time.Millisecond)
		purchase, err = b.buy(ctx, c)
	}
	switch {
	case err == nil:
		answer = purchase.Bond.KeyFingerprint
	case escrow.CodeOf(err) == escrow.SoldOut:
		answer = string(escrow.SoldOut)
	default:
		b.failed.Store(true)
		fmt.Fprintln(os.Stderr, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintln(b.out, int(c), began, time.Now().UnixNano(), answer)
}

func unanswered(err error) bool {
	code := escrow.CodeOf(err)
	return err != nil && (code == escrow.Internal || code == escrow.Unavailable)
}

// buy signs the quote itself, as the escrow does, and buys.
func (b *buyer) buy(ctx context.Context, c claim) (escrow.Purchase, error) {
	account := public(key("account", c.sender()/perAccount))
	terms := escrow.DefaultTerms()
	quote, err := escrow.Sign(key("receipt", 0), escrow.KindQuote, escrow.Quote{ID: fmt.Sprint("quote ", int(c)), Offer: b.offers[c.pool()],
		Sender: senderAddress(c.sender()), Account: account.ID(), Recipient: poolAddress(c.pool()), Option: option(),
		Beneficiary: ledger.Company, BeneficiaryName: "Example Foundation", Terms: terms, Salt: fmt.Sprint("salt ", int(c)),
		Made: b.now, Expires: b.now.Add(terms.Quote.Duration())})
	if err != nil {
		return escrow.Purchase{}, err
	}
	certificate := append([]byte("test certificate "), public(key("mail", c.sender()))...)
	return b.server.As(account).Buy(ctx, escrow.BuyRequest{ID: c.id(), Quote: quote, Verification: certificate, Reply: certificate})
}
