package agent

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/imapwatch"
)

// account is one address at work: its mailbox, its escrow, its bonds.
type account struct {
	*Agent
	id      string
	address escrow.Address
	signer  crypto.Signer
	service escrow.Service
	// former are identities that were replaced; blinder is the first.
	former  map[escrow.KeyID]crypto.Signer
	blinder crypto.Signer
	// claimed gets what became of a request for the token mail.
	claimed chan error
	// signInNew is woken when signIn is another.
	signInNew chan struct{}

	// Each wakes the loop of its name.
	wakeReports, wakeOutbox, wakePool, wakeHeld, wakeChains, wakeBeat, wakeAnswers, wakePaying, wakeKeys chan struct{}

	// stop ends the loops and waits for it; gone: the account was removed. Both are
	// the agent's, under its lock.
	stop func()
	gone bool

	// changing keeps the settings here and in the store in the same order.
	changing    sync.Mutex
	mu          sync.Mutex
	settings    store.Account
	signIn      *credential
	submit      Server
	mailbox     Mailbox
	stopWatch   context.CancelFunc // of the mailbox that is watched now
	phase       imapwatch.State
	escrowErr   error
	escrowSince time.Time
	pool        int
	guard       guard
	keyGone     bool            // the escrow does not take the account's key any more
	listed      bool            // the list of bonds was complete when last asked for
	purchases   map[string]bool // being made right now, by id

	// rotating lets one at a time order about the account's keys, or see what became
	// of it.
	rotating sync.Mutex
	// pricing lets one offer at a time be made and published.
	pricing sync.Mutex
	// paying lets one at a time ask for the same that is paid in the world outside.
	paying turns
	// payoutAsked is until when this process signed a request for a payout, by its id.
	payoutAsked sync.Map
	// opening lets one mail at a time go from held to waiting.
	opening sync.Mutex
	trials  limiter
	// strangers bounds how many ordinary mails are looked at.
	strangers limiter
}

func (a *Agent) newAccount(ctx context.Context, settings store.Account) (*account, error) {
	return a.accountWith(ctx, settings, &credential{Agent: a, address: settings.Typed, provider: settings.Provider, item: passwordItem(settings)})
}

func (a *Agent) accountWith(ctx context.Context, settings store.Account, c *credential) (*account, error) {
	signer, err := a.Keyring.Signer(ctx, identityItem(settings))
	if err != nil {
		return nil, fmt.Errorf("identity of an account: %w", err)
	}
	service, err := a.Outside.Escrow(settings.Escrow, settings.CA, signer)
	if err != nil {
		return nil, err
	}
	acct := &account{
		Agent: a, id: settings.ID, address: settings.Address, settings: settings,
		signer: signer, escrowSince: a.Now(),
		phase:       imapwatch.State{Phase: "connecting"},
		wakeReports: make(chan struct{}, 1), wakeOutbox: make(chan struct{}, 1),
		wakePool: make(chan struct{}, 1), wakeHeld: make(chan struct{}, 1), wakeChains: make(chan struct{}, 1), wakeBeat: make(chan struct{}, 1),
		purchases: map[string]bool{},
		trials:    limiter{most: hiddenMailsAnHour, every: time.Hour},
		strangers: limiter{most: answerMailsAnHour, every: time.Hour}, wakeAnswers: make(chan struct{}, 1), wakePaying: make(chan struct{}, 1),
	}
	acct.service = watched{service, acct}
	if err := acct.loadFormer(ctx, settings); err != nil {
		return nil, fmt.Errorf("first identity of an account: %w", err)
	}
	acct.wakeKeys = make(chan struct{}, 1)
	acct.claimed, acct.signInNew = make(chan error, 1), make(chan struct{}, 1)
	mailbox, err := acct.mailboxOf(settings, c)
	if err != nil {
		return nil, err
	}
	acct.reach(settings, c, mailbox)
	return acct, nil
}

// run runs the loops of the account until the context ends.
func (a *account) run(ctx context.Context) error {
	if err := a.connectOld(ctx); err != nil && ctx.Err() == nil {
		a.Log.Error("connections of bonds accepted before could not be made; tried again at the next start", "err", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, loop := range []func(context.Context) error{
		a.watchMailbox, a.keepAccess, a.followBonds, a.sendReports, a.runOutbox, a.keepPool, a.openHeld, a.followChains, a.beat, a.tidy, a.answerStrangers, a.keepPaying, a.keepKeys,
	} {
		group.Go(func() error { return loop(ctx) })
	}
	return group.Wait()
}

// beat tells the escrow that this agent is alive, and renews what needs it.
func (a *account) beat(ctx context.Context) error {
	var told, safe time.Time
	for {
		if err := a.service.Heartbeat(ctx); err == nil {
			a.keepAddress(ctx)
			if a.Now().Sub(safe) > safetyEvery {
				if _, err := a.service.Account(ctx); err == nil { // what it tells is noted on its way
					safe = a.Now()
				}
			}
			if back := a.upSince(); a.Now().Sub(told) > infoEvery || back.After(told) {
				told = a.Now()
				a.keepInfo(ctx)
				a.keepLimits(ctx)
			}
		}
		if !sleep(ctx, a.wakeBeat, time.Minute) {
			return nil
		}
	}
}

// infoEvery is how often the escrow is asked what it says of itself; also when it
// comes back, since its operator may have changed something.
const infoEvery = time.Hour

// keepInfo keeps what the escrow says of itself: terms, currencies, beneficiaries.
// The receipt key stays the one that was pinned.
func (a *account) keepInfo(ctx context.Context) {
	info, err := a.service.Info(ctx)
	if err != nil || len(info.Currencies) == 0 || len(info.Beneficiaries) == 0 {
		return // as it was; the next beat asks again
	}
	if info.ReceiptKey.ID() != a.get().ReceiptKey.ID() {
		a.Log.Error("the escrow shows another receipt key than the one pinned; nothing it signs with it is believed")
		return
	}
	err = a.change(ctx, "info", func(_ *store.Tx, s *store.Account) error {
		s.Info = info
		return nil
	})
	if err != nil && ctx.Err() == nil {
		a.Log.Warn("what the escrow says of itself could not be stored", "err", err)
	}
}

// upSince is when the escrow last came back; zero while it is away.
func (a *account) upSince() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.escrowErr != nil {
		return time.Time{}
	}
	return a.escrowSince
}

// get returns the settings as they are now.
func (a *account) get() store.Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.settings
}

// change changes the settings in the store, and then here.
func (a *account) change(ctx context.Context, label string, fn func(*store.Tx, *store.Account) error) error {
	a.changing.Lock()
	defer a.changing.Unlock()
	var changed store.Account
	if a.removed() {
		return noAccount()
	}
	err := a.Store.Update(ctx, label, func(tx *store.Tx) error {
		settings, ok, err := store.Get[store.Account](tx, a.id)
		if err != nil {
			return err
		}
		if !ok {
			settings = a.get()
		}
		if err := fn(tx, &settings); err != nil {
			return err
		}
		changed = settings
		return store.Put(tx, settings)
	})
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.settings = changed
	a.mu.Unlock()
	return nil
}

func (a *account) mailboxState(state imapwatch.State) {
	a.mu.Lock()
	changed := a.phase.Phase != state.Phase
	a.phase = state
	a.mu.Unlock()
	if changed {
		a.tell(agentclient.EventStatus, a.id, string(state.Phase))
	}
}

// escrowAnswered notes whether the last request reached the escrow. When it
// comes back everything that waited for it goes on.
func (a *account) escrowAnswered(err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	if err != nil && !errors.Is(err, escrow.Unavailable) {
		err = nil // it answered, if only to refuse
	}
	a.mu.Lock()
	changed := (a.escrowErr == nil) != (err == nil)
	a.escrowErr = err
	if changed {
		a.escrowSince = a.Now()
	}
	a.mu.Unlock()
	if !changed {
		return
	}
	a.tell(agentclient.EventStatus, a.id, "")
	if err == nil {
		a.wakeAll()
	}
}

// escrowUp reports whether the last request reached the escrow.
func (a *account) escrowUp() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.escrowErr == nil
}

func (a *account) wakeAll() {
	for _, ch := range []chan struct{}{a.wakeReports, a.wakeOutbox, a.wakePool, a.wakeHeld, a.wakeChains, a.wakeBeat, a.wakePaying, a.wakeKeys} {
		wake(ch)
	}
}

func wake(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// sleep waits for a wake or for the time to pass; false when the context ended.
func sleep(ctx context.Context, ch <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-ch:
		return true
	case <-timer.C:
		return true
	}
}
