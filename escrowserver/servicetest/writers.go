package servicetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earnest/escrow"
)

// Writers keep the escrow busy: each of n buys from a recipient of its own, has the
// mail arrive and accepted, and goes on until the test has stopped them. Answered are
// the bonds whose purchase was acknowledged so far.
func Writers(t testing.TB, h Harness, n int) (answered func() []escrow.BondID, stop func()) {
	t.Helper()
	var mu sync.Mutex
	var bonds []escrow.BondID
	answered = func() []escrow.BondID {
		mu.Lock()
		defer mu.Unlock()
		return bonds[:len(bonds):len(bonds)]
	}
	var stopped atomic.Bool
	var workers sync.WaitGroup
	var pairs [][2]*person
	for i := range n {
		w := &world{TB: t, Harness: h, ids: 10_000_000 + i*1_000_000}
		anna := w.owner(escrow.Address(fmt.Sprintf("anna@writer%d.example", i)), 1000)
		bob := w.recipient(escrow.Address(fmt.Sprintf("bob@writer%d.example", i)), 25, 10)
		pairs = append(pairs, [2]*person{anna, bob})
	}
	for _, pair := range pairs {
		workers.Go(func() {
			for !stopped.Load() {
				bond, err := pair[0].buysNewKey(pair[1])
				if err != nil {
					t.Errorf("a writer: %v", err)
					return
				}
				mu.Lock()
				bonds = append(bonds, bond.id())
				mu.Unlock()
				if err := bond.isAccepted(); err != nil {
					t.Errorf("a writer: %v", err)
					return
				}
			}
		})
	}
	stop = func() {
		stopped.Store(true)
		workers.Wait()
	}
	t.Cleanup(stop)
	for begun := time.Now(); len(answered()) < 2*n && time.Since(begun) < time.Minute; {
		time.Sleep(time.Millisecond)
	}
	return answered, stop
}

// buysNewKey buys a new key of the recipient's for the person.
func (p *person) buysNewKey(to *person) (*bought, error) {
	if _, err := to.addKeys(1); err != nil {
		return nil, err
	}
	quote, err := p.quote(to, 25)
	if err != nil {
		return nil, err
	}
	verification := NewCertificate(p.w)
	req := escrow.BuyRequest{ID: escrow.BondID(p.w.id()), Quote: quote, Verification: verification.Binary, Reply: NewCertificate(p.w).Binary}
	purchase, err := p.Buy(context.Background(), req)
	return &bought{Purchase: purchase, req: req, verification: verification, from: p, to: to}, err
}

// isAccepted has the mail arrive and accepts it.
func (b *bought) isAccepted() error {
	if _, err := b.to.Arrive(context.Background(), b.id(), b.arrival("mail of bond "+string(b.id()))); err != nil {
		return err
	}
	_, err := b.to.Decide(context.Background(), b.id(), escrow.Accept, b.decision(escrow.Accept))
	return err
}
