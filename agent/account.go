package agent

import (
	"context"
	"crypto"
	"crypto/ed25519"
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
	submit  Server
	mailbox Mailbox

	// Each wakes the loop of its name.
	wakeReports, wakeOutbox, wakePool, wakeHeld, wakeChains, wakeBeat chan struct{}

	// changing keeps the settings here and in the store in the same order.
	changing    sync.Mutex
	mu          sync.Mutex
	settings    store.Account
	phase       imapwatch.State
	escrowErr   error
	escrowSince time.Time
	pool        int
	listed      bool            // the list of bonds was complete when last asked for
	purchases   map[string]bool // being made right now, by id

	// opening lets one mail at a time go from held to waiting.
	opening sync.Mutex
	trials  limiter
}

func (a *Agent) newAccount(ctx context.Context, settings store.Account) (*account, error) {
	signer, err := a.Keyring.Signer(ctx, settings.ID+"/identity")
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
	}
	acct.service = watched{service, acct}
	password := func(ctx context.Context) (string, error) {
		return a.Keyring.Password(ctx, settings.ID+"/password")
	}
	acct.submit = Server{URL: settings.SMTP, User: settings.User, CA: settings.CA, Password: password}
	acct.mailbox, err = a.Outside.Mailbox(
		Server{URL: settings.IMAP, User: settings.User, CA: settings.CA, Password: password},
		incoming{acct}, positions{acct}, acct.mailboxState)
	if err != nil {
		return nil, err
	}
	return acct, nil
}

// run runs the loops of the account until the context ends.
func (a *account) run(ctx context.Context) error {
	if err := a.connectOld(ctx); err != nil && ctx.Err() == nil {
		a.Log.Error("connections of bonds accepted before could not be made; tried again at the next start", "err", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, loop := range []func(context.Context) error{
		a.mailbox.Run, a.followBonds, a.sendReports, a.runOutbox, a.keepPool, a.openHeld, a.followChains, a.beat, a.tidy,
	} {
		group.Go(func() error { return loop(ctx) })
	}
	return group.Wait()
}

// beat tells the escrow that this agent is alive, and renews what needs it.
func (a *account) beat(ctx context.Context) error {
	var told time.Time
	for {
		if err := a.service.Heartbeat(ctx); err == nil {
			a.keepAddress(ctx)
			if back := a.upSince(); a.Now().Sub(told) > infoEvery || back.After(told) {
				told = a.Now()
				a.keepInfo(ctx)
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
	for _, ch := range []chan struct{}{a.wakeReports, a.wakeOutbox, a.wakePool, a.wakeHeld, a.wakeChains, a.wakeBeat} {
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

// AddAccount tests everything that it is given, step by step, before anything
// is kept.
func (a *Agent) AddAccount(ctx context.Context, req agentclient.AddAccount) (agentclient.Account, error) {
	a.adding.Lock()
	defer a.adding.Unlock()
	address, err := typedAddress(req.Address)
	if err != nil {
		return agentclient.Account{}, err
	}
	if acct, err := a.byAddress(req.Address); err == nil {
		return agentclient.Account{}, &agentclient.Failure{Code: agentclient.CodeState,
			Happened: string(acct.address) + " is set up already.", Means: "Nothing was changed.", Do: "See: earnest status"}
	}
	if err := a.Keyring.Check(ctx); err != nil {
		return agentclient.Account{}, &agentclient.Failure{Code: agentclient.CodeNoKeyring,
			Happened: err.Error(), Means: "Nothing was saved.",
			Do: "Start a keyring such as gnome-keyring, or choose a passphrase file: earnest agent --keyring file"}
	}
	password := func(context.Context) (string, error) { return req.Password, nil }
	mailbox := Server{URL: req.IMAP, User: req.User, CA: req.CA, Password: password}
	if err := a.Outside.CheckMailbox(ctx, mailbox); err != nil {
		return agentclient.Account{}, notAdded(explain("The mailbox", err))
	}
	mailbox.URL = req.SMTP
	if err := a.Outside.CheckSubmission(ctx, mailbox); err != nil {
		return agentclient.Account{}, notAdded(explain("The server that sends your mail", err))
	}
	settings := store.Account{
		ID: newID(), Number: a.Now().UnixMilli(), Address: address, Typed: req.Address,
		IMAP: req.IMAP, SMTP: req.SMTP, User: req.User, Escrow: req.Escrow, CA: req.CA,
	}
	acct, err := a.openAccount(ctx, settings, req.Password)
	if err != nil {
		return agentclient.Account{}, err
	}
	a.start(acct)
	a.tell(agentclient.EventStatus, acct.id, "")
	return acct.status(ctx)
}

// notAdded says of a server that cannot be used what that means for an account
// which does not exist yet: nothing is kept that could be tried again.
func notAdded(err error) error {
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok {
		return err
	}
	told := *failure
	told.Means = "The account was not added: nothing was saved, the password neither. No mail and no money was touched."
	return &told
}

// openAccount makes the keys, opens the account at the escrow and pins its
// receipt key. If it fails, the keyring is left as it was.
func (a *Agent) openAccount(ctx context.Context, settings store.Account, password string) (acct *account, err error) {
	names := []string{settings.ID + "/identity", settings.ID + "/password"}
	defer func() {
		if err == nil {
			return
		}
		for _, name := range names {
			if gone := a.Keyring.Delete(context.WithoutCancel(ctx), name); gone != nil {
				err = errors.Join(err, gone)
			}
		}
	}()
	signer, err := a.Keyring.NewSigner(ctx, names[0])
	if err != nil {
		return nil, err
	}
	if err := a.Keyring.PutPassword(ctx, names[1], password); err != nil {
		return nil, err
	}
	settings.Identity = escrow.PublicKey(signer.Public().(ed25519.PublicKey))
	service, err := a.Outside.Escrow(settings.Escrow, settings.CA, signer)
	if err != nil {
		return nil, err
	}
	if settings.Info, err = service.Info(ctx); err != nil {
		return nil, notAdded(explain("The escrow", err))
	}
	if len(settings.Info.Currencies) == 0 || len(settings.Info.Beneficiaries) == 0 {
		return nil, &agentclient.Failure{Code: agentclient.CodeUnreachable,
			Happened: "That escrow names no currency or nobody for forfeits.", Means: "Nothing was saved.", Do: "Use another escrow, or tell its operator."}
	}
	settings.ReceiptKey = settings.Info.ReceiptKey
	if _, err := service.OpenAccount(ctx, escrow.OpenAccount{Key: settings.Identity}); err != nil {
		return nil, err
	}
	if acct, err = a.newAccount(ctx, settings); err != nil {
		return nil, err
	}
	err = a.Store.Update(ctx, "account", func(tx *store.Tx) error { return store.Put(tx, settings) })
	if err != nil {
		return nil, err
	}
	return acct, nil
}
