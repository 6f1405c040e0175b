package escrowserver

import (
	"sync"

	"earnest/escrow"
)

// news wakes those who wait for a change of an account's list of bonds.
type news struct {
	mu      sync.Mutex
	waiting map[escrow.KeyID]*waiters
}

type waiters struct {
	changed chan struct{}
	count   int
}

// wait returns a channel that closes at the account's next change, and a
// function to call when nobody listens to it any more.
func (n *news) wait(account escrow.KeyID) (<-chan struct{}, func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting == nil {
		n.waiting = map[escrow.KeyID]*waiters{}
	}
	w := n.waiting[account]
	if w == nil {
		w = &waiters{changed: make(chan struct{})}
		n.waiting[account] = w
	}
	w.count++
	return w.changed, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if w.count--; w.count == 0 && n.waiting[account] == w {
			delete(n.waiting, account)
		}
	}
}

// tellAll wakes everybody.
func (n *news) tellAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for account, w := range n.waiting {
		close(w.changed)
		delete(n.waiting, account)
	}
}

func (n *news) tell(accounts []escrow.KeyID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, account := range accounts {
		if w := n.waiting[account]; w != nil {
			close(w.changed)
			delete(n.waiting, account)
		}
	}
}
