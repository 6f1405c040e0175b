package powerloss

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/sqlstore"
)

// recording is a life of an escrow: what its files went through, and what its
// operations did.
type recording struct {
	begun    int // how many batches the first start of the escrow took
	trace    []event
	batches  []batch
	start    cut   // what was so when it began
	first    state // of the new books
	key      ed25519.PublicKey
	accounts []escrow.KeyID
	pools    []escrow.Address
	walked   *sync.Map // sums of the states whose walk found no fault
}

// life is an escrow at work, opened and closed some times.
type life struct {
	*testing.T
	recording
	rng    *rand.Rand
	rec    *recorder
	clock  *servicetest.Clock
	mails  *servicetest.Mails
	signer ed25519.PrivateKey

	store  *sqlstore.Store
	books  *books
	close  func() error
	server *escrowserver.Server

	people   []*person
	vouchers []string
	bonds    []*bond
	ids      int
}

// live records a life. The same seed makes the same one: what runs at the same
// time is led to the gate one after another, and random bytes are not.
func live(t *testing.T, dir string, seed uint64, lives, rounds int) (r recording) {
	t.Helper()
	cryptotest.SetGlobalRandom(t, seed)
	rec := newRecorder(dir)
	stop := record(t, rec, seed)
	defer stop()
	synctest.Test(t, func(t *testing.T) {
		l := &life{T: t, rng: rand.New(rand.NewPCG(seed, 1)), rec: rec, clock: servicetest.NewClock(), mails: &servicetest.Mails{}}
		l.walked = &sync.Map{}
		l.start = cut{answered: -1, asked: -1}
		public, private, err := ed25519.GenerateKey(nil)
		l.ok(err)
		l.key, l.signer = public, private
		l.meet()
		l.open()
		l.settle()
		for n := range lives {
			for range rounds {
				l.round()
			}
			l.ok(l.close())
			l.ok(rec.whole())
			if n < lives-1 {
				l.open()
			}
		}
		l.trace, l.batches = rec.trace, l.books.batches
		r = l.recording
	})
	return r
}

func (l *life) ok(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *life) open() {
	l.Helper()
	path := filepath.Join(l.rec.dir, booksFile)
	store, err := sqlstore.Open(l.Context(), path)
	l.ok(err)
	raw, err := openRaw(path)
	l.ok(err)
	look := looker{raw, store, &l.accounts, &l.pools}.state
	before := l.books
	l.store, l.books = store, &books{Store: store, rec: l.rec, gate: make(chan struct{}), look: look}
	if before != nil {
		l.books.batches = before.batches
	} else {
		l.rec.mark(opened, 0)
		l.first, err = look(l.Context())
		l.ok(err)
	}
	l.alone(func() (err error) { // its start writes, too
		l.server, err = escrowserver.New(servicetest.Config(l.books, l.clock, l.mails, l.signer))
		return err
	})
	if before == nil {
		l.begun = len(l.books.batches)
	}
	// The looker goes first: the store's own end is what is recorded.
	l.close = func() error { return errors.Join(l.books.fault, raw.Close(), store.Close()) }
}

// together has calls made at the same time. The first finds the store idle and
// goes alone; the others wait and share the next commits.
func (l *life) together(calls ...func() error) {
	l.Helper()
	running := len(calls)
	done := make(chan error, len(calls))
	for _, call := range calls {
		go func() { done <- call() }()
		synctest.Wait()
	}
	for running > 0 {
		select {
		case err := <-done:
			running--
			if code := escrow.CodeOf(err); code == escrow.Internal {
				l.Fatal(err)
			}
		default:
			l.books.gate <- struct{}{}
			synctest.Wait()
		}
	}
}

// alone has a call made that must succeed.
func (l *life) alone(call func() error) {
	l.Helper()
	l.together(func() error {
		err := call()
		if err != nil {
			l.Error(err)
		}
		return err
	})
}

// meet makes the people. Who they will be is known from the beginning, so that
// all states of the books are looked at in the same way.
func (l *life) meet() {
	for i := range 12 {
		_, key, err := ed25519.GenerateKey(nil)
		l.ok(err)
		p := &person{l: l, key: key, address: escrow.Address(fmt.Sprintf("p%d@place%d.example", i, i))}
		l.people, l.accounts = append(l.people, p), append(l.accounts, p.public().ID())
		if i < recipients {
			l.pools = append(l.pools, p.address)
		}
	}
}

// settle brings the people in.
func (l *life) settle() {
	for i, p := range l.people {
		l.alone(func() error {
			_, err := p.as().OpenAccount(context.Background(), escrow.OpenAccount{Key: p.public()})
			return err
		})
		l.alone(l.newVoucher)
		l.alone(p.topUp())
		nonce := l.id()
		l.alone(func() error {
			return p.as().ClaimAddress(context.Background(), escrow.AddressClaim{Address: string(p.address), Nonce: nonce})
		})
		mail, _ := l.mails.Last()
		l.alone(func() error {
			_, err := p.as().ProveAddress(context.Background(), escrow.AddressProof{Address: p.address, Nonce: nonce, Token: mail.Token})
			return err
		})
		if i < recipients {
			l.alone(p.offer())
			l.alone(p.addKeys(5))
		}
	}
}

// round has some people do something at the same time.
func (l *life) round() {
	if l.rng.IntN(6) == 0 {
		l.clock.Move(pauses[l.rng.IntN(len(pauses))])
		l.together(func() error { return l.server.SweepNow(context.Background()) })
		return
	}
	var calls []func() error
	for _, i := range l.rng.Perm(len(l.people))[:1+l.rng.IntN(len(l.people))] {
		if call := l.people[i].something(); call != nil {
			calls = append(calls, call)
		}
	}
	if l.rng.IntN(4) == 0 {
		calls = append(calls, l.newVoucher)
	}
	l.together(calls...)
}

func (l *life) id() string {
	l.ids++
	return fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", l.ids)
}

func (l *life) newVoucher() error {
	code, err := l.server.NewVoucher(context.Background(), servicetest.Currency, 200)
	if err == nil {
		l.vouchers = append(l.vouchers, code)
	}
	return err
}
