package escrowserver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"earnest/escrow"
)

// Peers are the other processes of the escrow on the same books. What they tell each
// other makes things fast; nothing depends on it. Who waits for news that was lost
// looks again when the wait is over, and two who sweep at once end each bond once.
type Peers interface {
	// Hear says what the others told, until ctx ends or the connection is lost.
	// Listening is called once nothing told from then on will be missed. No accounts
	// at all means that everybody is to look again.
	Hear(ctx context.Context, listening func(), told func([]escrow.KeyID)) error
	// Tell tells the others of accounts whose list of bonds changed; none: everybody's.
	Tell(ctx context.Context, accounts []escrow.KeyID) error
	// Lead waits until no other process leads, and says so. It returns when ctx ends
	// or when this process may no longer be the one that leads.
	Lead(ctx context.Context, leading func()) error
}

// shared is a store that other processes may be on too; Peers is nil if none can be.
type shared interface{ Peers() Peers }

// company is what a process does with the others.
type company struct {
	peers Peers // nil: there are none
	leads atomic.Bool
	news  unsent
}

// peerRetry is how long to wait before a lost connection to the others is made anew.
const peerRetry = time.Second

// peersOf finds the others through the store.
func peersOf(store Store) Peers {
	if s, ok := store.(shared); ok {
		return s.Peers()
	}
	return nil
}

// Join hears and tells the other processes' news and stands by to lead, until ctx
// ends. Run does it too.
func (s *Server) Join(ctx context.Context) {
	if s.company.peers == nil {
		return
	}
	var all sync.WaitGroup
	for what, work := range map[string]func(context.Context) error{"hear": s.hear, "tell": s.tellPeers, "lead": s.lead} {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := work(ctx); err != nil && ctx.Err() == nil {
					s.log.Warn("the escrow's other processes are out of reach; news may come late", "for", what, "error", err)
				}
				pause(ctx, peerRetry)
			}
		})
	}
	all.Wait()
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// hear passes on what the others told. What was told before it listened is unknown,
// so everybody looks again.
func (s *Server) hear(ctx context.Context) error {
	return s.company.peers.Hear(ctx, func() { s.heard(nil) }, s.heard)
}

func (s *Server) heard(accounts []escrow.KeyID) {
	if len(accounts) == 0 {
		s.news.tellAll()
	} else {
		s.news.tell(accounts)
	}
	s.wakeSweeper()
}

func (s *Server) lead(ctx context.Context) error {
	defer s.company.leads.Store(false)
	return s.company.peers.Lead(ctx, func() {
		s.log.Info("this process sweeps now")
		s.company.leads.Store(true)
		s.wakeSweeper()
	})
}

// sweeps reports whether it is on this process to end what is due.
func (s *Server) sweeps() bool { return s.company.peers == nil || s.company.leads.Load() }

func (s *Server) wakeSweeper() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// tellPeers tells the others what happened while it told them the last.
func (s *Server) tellPeers(ctx context.Context) error {
	for {
		accounts, everybody, ok := s.company.news.next(ctx)
		if !ok {
			return nil
		}
		if everybody {
			accounts = nil
		}
		if err := s.company.peers.Tell(ctx, accounts); err != nil {
			s.company.news.add(nil)
			return err
		}
	}
}

// unsent are accounts of which the others are to be told.
type unsent struct {
	mu        sync.Mutex
	accounts  map[escrow.KeyID]struct{}
	everybody bool
	some      chan struct{}
}

// maxUnsent bounds the accounts that are named; of more, everybody is told.
const maxUnsent = 5000

// add notes accounts; none means everybody.
func (u *unsent) add(accounts []escrow.KeyID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.accounts == nil {
		u.accounts = map[escrow.KeyID]struct{}{}
	}
	for _, account := range accounts {
		u.accounts[account] = struct{}{}
	}
	if len(accounts) == 0 || len(u.accounts) > maxUnsent {
		u.everybody, u.accounts = true, nil
	}
	select {
	case u.ready() <- struct{}{}:
	default:
	}
}

func (u *unsent) ready() chan struct{} {
	if u.some == nil {
		u.some = make(chan struct{}, 1)
	}
	return u.some
}

// next waits for accounts to tell of.
func (u *unsent) next(ctx context.Context) (accounts []escrow.KeyID, everybody, ok bool) {
	u.mu.Lock()
	ready := u.ready()
	u.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return nil, false, false
		case <-ready:
		}
		if accounts, everybody = u.take(); everybody || len(accounts) > 0 {
			return accounts, everybody, true
		}
		// What this one was woken for has been told with what came before.
	}
}

func (u *unsent) take() (accounts []escrow.KeyID, everybody bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for account := range u.accounts {
		accounts = append(accounts, account)
	}
	everybody = u.everybody
	u.accounts, u.everybody = nil, false
	return accounts, everybody
}
