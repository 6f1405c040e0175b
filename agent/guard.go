package agent

import (
	"slices"
	"time"

	"earnest/agentclient"
	"earnest/escrow"
)

// guard is how the account was guarded when the escrow last told.
type guard struct {
	frozen  time.Time
	changes []agentclient.AccountChange
}

// safetyEvery is how often the escrow is asked whether the account is frozen, or
// somebody wants its address: such a change can be cancelled for 48 hours.
const safetyEvery = 10 * time.Minute

// sawSafety notes what the escrow tells, and tells who listens where it is new.
func (a *account) sawSafety(known escrow.Account) {
	s := a.safety(known)
	now := guard{frozen: s.FrozenAt, changes: s.Changes}
	same := func(x, y agentclient.AccountChange) bool { return x.ID == y.ID && x.DueAt.Equal(y.DueAt) }
	a.mu.Lock()
	was := a.guard
	a.guard = now
	a.mu.Unlock()
	if !was.frozen.Equal(now.frozen) || !slices.EqualFunc(was.changes, now.changes, same) {
		a.tell(agentclient.EventStatus, a.id, "safety")
	}
}
