package servicetest

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// shop sells one recipient's keys and remembers every one that was sold, also what
// the books forget.
type shop struct {
	*world
	owner   *person
	pending *escrow.KeyUpload // sent, and the answer was lost
	sold    map[string]escrow.BondID
	again   int
	buyers  int
}

// Restores plays an escrow whose books are put back to a backup of a random moment,
// as often as said, with purchases and uploads of keys around each. It counts the
// keys sold, and those sold more than once.
func Restores(t testing.TB, h Harness, backup func() (restore func() escrowserver.Store), random *rand.Rand, times int) (sold, again int) {
	t.Helper()
	w := &world{TB: t, Harness: h}
	s := &shop{world: w, sold: map[string]escrow.BondID{}}
	s.owner = w.recipient("bob@recipient.example", 25, 0)
	s.refill()
	for range times {
		s.some(random)
		restore := backup()
		s.some(random)
		if random.IntN(2) == 0 {
			s.sellUnanswered()
		}
		s.reopen(restore())
		s.refill()
		s.some(random)
	}
	return len(s.sold), s.again
}

// reopen puts a server with the same key on other books.
func (s *shop) reopen(store escrowserver.Store) {
	s.Helper()
	server, err := escrowserver.New(Config(store, s.Clock, s.Mails, s.ReceiptSigner))
	s.ok(err)
	s.Server, s.Store = server, store
	s.As = func(key ed25519.PrivateKey) escrow.Service {
		return server.As(escrow.PublicKey(key.Public().(ed25519.PublicKey)))
	}
	s.owner.Service = s.As(s.owner.key)
}

// some is what happens by chance.
func (s *shop) some(random *rand.Rand) {
	s.Helper()
	for range 1 + random.IntN(8) {
		s.Clock.Move(time.Second)
		switch random.IntN(6) {
		case 0:
			s.refill()
		case 1: // the answer is lost: the agent sends the same batch later
			upload := s.batch(3)
			_, err := s.owner.AddKeys(context.Background(), upload)
			s.pool(err)
			s.pending = &upload
		default:
			s.purchase()
		}
	}
}

// sellUnanswered sells keys of a batch whose answer was lost.
func (s *shop) sellUnanswered() {
	s.Helper()
	for before := -1; before != len(s.sold); { // until it is sold out
		before = len(s.sold)
		s.purchase()
	}
	upload := s.batch(3)
	_, err := s.owner.AddKeys(context.Background(), upload)
	s.pool(err)
	s.pending = &upload
	s.purchase()
	s.purchase()
}

// pool lets pass what a pool may answer to an honest agent.
func (s *shop) pool(err error) {
	s.Helper()
	if err != nil && !errors.Is(err, escrow.Limited) && !errors.Is(err, escrow.Conflict) && !errors.Is(err, escrow.Invalid) {
		s.Fatal(err)
	}
}

func (s *shop) batch(n int) escrow.KeyUpload {
	s.Helper()
	pool, err := s.owner.Pool(context.Background(), s.owner.address)
	s.ok(err)
	return s.owner.uploadFor(n, pool.Epoch)
}

// refill does what agents do: first what was not answered, then new keys.
func (s *shop) refill() {
	s.Helper()
	if s.pending != nil {
		_, err := s.owner.AddKeys(context.Background(), *s.pending)
		s.pool(err)
		s.pending = nil
	}
	_, err := s.owner.AddKeys(context.Background(), s.batch(2))
	s.pool(err)
}

// purchase sells a key to somebody new, if there is one.
func (s *shop) purchase() {
	s.Helper()
	s.buyers++
	buyer := s.world.owner(escrow.Address(fmt.Sprintf("anna@sender%d.example", s.buyers)), 100)
	quote, err := buyer.quote(s.owner, 25)
	if errors.Is(err, escrow.SoldOut) {
		return
	}
	s.ok(err)
	purchase, err := buyer.Buy(context.Background(), escrow.BuyRequest{ID: escrow.BondID(s.id()), Quote: quote,
		Verification: NewCertificate(s).Binary, Reply: NewCertificate(s).Binary})
	if errors.Is(err, escrow.SoldOut) {
		return
	}
	s.ok(err)
	key := escrow.Hash(purchase.Certificate)
	if _, before := s.sold[key]; before {
		s.again++
	}
	s.sold[key] = purchase.Bond.ID
}
