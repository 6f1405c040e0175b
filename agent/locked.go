package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"

	"earnest/agent/store"
	"earnest/agentclient"
)

// Opened is what an agent has once its keys are open.
type Opened struct {
	Store   *store.Store
	Keyring Keyring
	OpenPGP OpenPGP
}

// Keys opens the place of the keys, and with it what is sealed under them. Each
// call does so or leaves all as it was. Errors are [*agentclient.Failure].
type Keys interface {
	// Find looks once more for a keyring that was not there at the start. An error
	// that is no failure says that there is still none.
	Find(ctx context.Context) (Opened, error)
	// Choose makes a key file under a new passphrase.
	Choose(ctx context.Context, passphrase []byte) (Opened, error)
	// Unlock opens the key file.
	Unlock(ctx context.Context, passphrase []byte) (Opened, error)
}

// Locked is an agent whose keys are not open yet. It watches nothing, answers what
// needs no keys, and refuses all else in words. Once its keys are open, the agent
// that it was made for takes its place.
type Locked struct {
	agentclient.Agent // refuses
	agent             *Agent
	keys              Keys
	why               string
	turn              func(agentclient.Agent)

	opening sync.Mutex    // one at a time tries: each try costs 64 MiB
	opened  chan struct{} // closed once the agent has its keys
}

// NewLocked makes an agent of a config without Store, Keyring and OpenPGP, which
// keys will open; why is one of agentclient's Locked… Turn is told the agent that
// is to be asked from then on.
func NewLocked(config Config, keys Keys, why string, turn func(agentclient.Agent)) *Locked {
	return &Locked{Agent: agentclient.Refusing(agentclient.FailLocked(why)), agent: &Agent{Config: config, started: config.Now()},
		keys: keys, why: why, turn: turn, opened: make(chan struct{})}
}

// Run waits until the keys are open, and then runs the agent until the context ends.
func (l *Locked) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-l.opened:
		return l.agent.Run(ctx)
	}
}

// open opens the keys unless they are open; it tells whether they were opened by this.
func (l *Locked) open(ctx context.Context, by func(context.Context) (Opened, error)) (done bool, err error) {
	l.opening.Lock()
	defer l.opening.Unlock()
	if l.isOpen() {
		return false, nil
	}
	// What has begun ends, although the one who asked may be gone: half of a new
	// key file is of no use to anybody.
	ctx = context.WithoutCancel(ctx)
	parts, err := by(ctx)
	if err != nil {
		return false, err
	}
	a := l.agent
	a.Store, a.Keyring, a.OpenPGP = parts.Store, parts.Keyring, parts.OpenPGP
	if err := a.remember(ctx); err != nil {
		return false, fmt.Errorf("open the keys: %w", err)
	}
	l.turn(a)
	close(l.opened)
	a.Log.Info("the keys are open", "keyring", a.Keyring.Kind())
	a.tell(agentclient.EventStatus, "", "")
	return true, nil
}

func (l *Locked) isOpen() bool {
	select {
	case <-l.opened:
		return true
	default:
		return false
	}
}

// ChooseKeyFile implements [agentclient.Agent].
func (l *Locked) ChooseKeyFile(ctx context.Context, req agentclient.Passphrase) (agentclient.Status, error) {
	if l.why != agentclient.LockedNoKeyring || l.isOpen() {
		return agentclient.Status{}, keysHavePlace()
	}
	if utf8.RuneCountInString(req.Passphrase) < agentclient.PassphraseLeast {
		return agentclient.Status{}, agentclient.Refuse(agentclient.CodeUsage,
			agentclient.Say("lock.short", "The passphrase has fewer than {Least} characters.", "Least", agentclient.PassphraseLeast),
			agentclient.Say("nothing.saved", "Nothing was saved."),
			agentclient.Say("lock.short-do", "Take several words that only you would put together.")).At(agentclient.FieldPassphrase)
	}
	taken, err := l.openWith(ctx, req, l.keys.Choose)
	if err == nil && !taken { // somebody was faster
		err = keysHavePlace()
	}
	if err != nil {
		return agentclient.Status{}, err
	}
	return l.agent.Status(ctx)
}

// Unlock implements [agentclient.Agent].
func (l *Locked) Unlock(ctx context.Context, req agentclient.Passphrase) (agentclient.Status, error) {
	if l.why != agentclient.LockedPassphrase {
		return agentclient.Status{}, agentclient.FailLocked(l.why)
	}
	if _, err := l.openWith(ctx, req, l.keys.Unlock); err != nil {
		return agentclient.Status{}, err
	}
	return l.agent.Status(ctx)
}

func (l *Locked) openWith(ctx context.Context, req agentclient.Passphrase, open func(context.Context, []byte) (Opened, error)) (done bool, err error) {
	phrase := []byte(req.Passphrase)
	defer clear(phrase)
	return l.open(ctx, func(ctx context.Context) (Opened, error) { return open(ctx, phrase) })
}

// Status implements [agentclient.Agent].
func (l *Locked) Status(ctx context.Context) (agentclient.Status, error) {
	if l.isOpen() {
		return l.agent.Status(ctx)
	}
	return agentclient.Status{Version: l.agent.Version, Started: l.agent.started, Keyring: l.kind(), Locked: l.why}, nil
}

// kind of the place where the keys rest, as far as it is known.
func (l *Locked) kind() string { return either(l.why == agentclient.LockedPassphrase, "file", "none") }

// AddAccount implements [agentclient.Agent]: a keyring that was started since is
// taken.
func (l *Locked) AddAccount(ctx context.Context, req agentclient.AddAccount) (agentclient.Account, error) {
	if err := l.find(ctx); err != nil {
		return agentclient.Account{}, err
	}
	return l.agent.AddAccount(ctx, req)
}

// RecoverAccount implements [agentclient.Agent], as AddAccount.
func (l *Locked) RecoverAccount(ctx context.Context, req agentclient.RecoverAccount) (agentclient.Recovered, error) {
	if err := l.find(ctx); err != nil {
		return agentclient.Recovered{}, err
	}
	return l.agent.RecoverAccount(ctx, req)
}

func (l *Locked) find(ctx context.Context) error {
	if l.why != agentclient.LockedNoKeyring {
		return agentclient.FailLocked(l.why)
	}
	return l.agent.step(agentclient.StepKeyring, func() error {
		_, err := l.open(ctx, l.keys.Find)
		if _, told := errors.AsType[*agentclient.Failure](err); err != nil && !told {
			l.agent.Log.Info("there is still no keyring", "err", err)
			return agentclient.FailLocked(l.why)
		}
		return err
	})
}

// Discover implements [agentclient.Agent].
func (l *Locked) Discover(ctx context.Context, address string) (agentclient.Servers, error) {
	return l.agent.Discover(ctx, address)
}

// BeginLogin implements [agentclient.Agent]. What it ends with is in memory until
// an account is added.
func (l *Locked) BeginLogin(ctx context.Context, req agentclient.BeginLogin) (agentclient.Login, error) {
	return l.agent.BeginLogin(ctx, req)
}

// LogLines implements [agentclient.Agent].
func (l *Locked) LogLines(ctx context.Context) ([]agentclient.LogLine, error) {
	return l.agent.LogLines(ctx)
}

// Events implements [agentclient.Agent].
func (l *Locked) Events(ctx context.Context, fn func(agentclient.Event)) error {
	return l.agent.Events(ctx, fn)
}

// Doctor implements [agentclient.Agent].
func (l *Locked) Doctor(ctx context.Context) ([]agentclient.Check, error) {
	if l.isOpen() {
		return l.agent.Doctor(ctx)
	}
	return []agentclient.Check{check("keyring ("+l.kind()+")", agentclient.FailLocked(l.why), nil, nil)}, nil
}

// ChooseKeyFile implements [agentclient.Agent].
func (a *Agent) ChooseKeyFile(context.Context, agentclient.Passphrase) (agentclient.Status, error) {
	return agentclient.Status{}, keysHavePlace()
}

// Unlock implements [agentclient.Agent].
func (a *Agent) Unlock(context.Context, agentclient.Passphrase) (agentclient.Status, error) {
	return agentclient.Status{}, agentclient.Refuse(agentclient.CodeState, agentclient.Say("lock.open", "The agent is not locked."),
		agentclient.Say("nothing.changed", "Nothing was changed."), agentclient.Say("lock.nothing-to-do", "Nothing need be done."))
}

func keysHavePlace() error {
	return agentclient.Refuse(agentclient.CodeState, agentclient.Say("lock.has-place", "Your keys have their place already."),
		agentclient.Say("nothing.changed", "Nothing was changed."), agentclient.Say("lock.see-status", "See where they are: earnest status"))
}
