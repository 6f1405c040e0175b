package agent_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"earnest/agent"
	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
	"earnest/crypto/secret"
)

// place is where keys rest, opened when a test says so.
type place struct {
	t      *testing.T
	hold   chan struct{} // each try waits for it
	tries  atomic.Int32
	found  atomic.Bool // there is a keyring now
	phrase atomic.Value
}

func (p *place) open() (agent.Opened, error) {
	ring := keyring.OpenMemory()
	sealer, err := secret.NewSealer(secret.NewKey())
	must(p.t, err)
	memory, err := store.Open(p.t.Context(), filepath.Join(p.t.TempDir(), "agent.db"), sealer)
	must(p.t, err)
	p.t.Cleanup(func() { memory.Close() })
	return agent.Opened{Store: memory, Keyring: ring, OpenPGP: openpgp.NewKeys(ring, time.Now)}, nil
}

func (p *place) Find(context.Context) (agent.Opened, error) {
	if !p.found.Load() {
		return agent.Opened{}, keyring.ErrNoKeyring
	}
	return p.open()
}

func (p *place) Choose(ctx context.Context, phrase []byte) (agent.Opened, error) {
	return p.Unlock(ctx, phrase)
}

func (p *place) Unlock(_ context.Context, phrase []byte) (agent.Opened, error) {
	p.tries.Add(1)
	p.phrase.Store(phrase)
	if p.hold != nil {
		<-p.hold
	}
	return p.open()
}

// shut is a locked agent, and the one that takes its place.
func shut(t *testing.T, p *place, why string) (locked *agent.Locked, turned func() agentclient.Agent) {
	t.Helper()
	var present atomic.Value
	locked = agent.NewLocked(agent.Config{Now: time.Now, Log: slog.New(slog.DiscardHandler), Version: "1"}, p, why,
		func(a agentclient.Agent) { present.Store(a) })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- locked.Run(ctx) }()
	t.Cleanup(func() { stop(); must(t, <-ended) })
	return locked, func() agentclient.Agent { a, _ := present.Load().(agentclient.Agent); return a }
}

func codeAt(err error) string {
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok {
		return fmt.Sprint(err)
	}
	return failure.Code + " " + failure.Field
}

// TestALockedAgentRefusesWhatNeedsKeys: each question that it does not answer itself.
func TestALockedAgentRefusesWhatNeedsKeys(t *testing.T) {
	answered := []string{"Status", "Events", "Discover", "BeginLogin", "LogLines", "Doctor", "ChooseKeyFile", "Unlock"}
	for why, code := range map[string]string{agentclient.LockedPassphrase: agentclient.CodeLocked, agentclient.LockedNoKeyring: agentclient.CodeNoKeyring} {
		locked, turned := shut(t, &place{t: t}, why)
		asked := reflect.ValueOf(agentclient.Agent(locked))
		for method := range reflect.TypeFor[agentclient.Agent]().Methods() {
			if slices.Contains(answered, method.Name) {
				continue
			}
			call := asked.MethodByName(method.Name)
			in := []reflect.Value{reflect.ValueOf(t.Context())}
			for i := 1; i < call.Type().NumIn(); i++ {
				in = append(in, reflect.Zero(call.Type().In(i)))
			}
			out := call.Call(in)
			err, _ := out[len(out)-1].Interface().(error)
			if codeAt(err) != code+" " {
				t.Errorf("%s: %v, want %s", method.Name, err, code)
			}
		}
		if turned() != nil {
			t.Errorf("%s: it was opened", why)
		}
	}
}

// TestAPassphraseIsTriedOneAtATimeAndThenForgotten, while other questions are answered.
func TestAPassphraseIsTriedOneAtATimeAndThenForgotten(t *testing.T) {
	p := &place{t: t, hold: make(chan struct{})}
	locked, turned := shut(t, p, agentclient.LockedPassphrase)
	told := make(chan agentclient.Event, 10)
	go func() { _ = locked.Events(t.Context(), func(e agentclient.Event) { told <- e }) }()
	<-told // it listens
	ends := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := locked.Unlock(context.Background(), agentclient.Passphrase{Passphrase: "several words"})
			ends <- err
		}()
	}
	eventually(t, "a try has begun", func() bool { return p.tries.Load() == 1 })
	if status, err := locked.Status(t.Context()); err != nil || status.Locked != agentclient.LockedPassphrase || status.Keyring != "file" || status.Version != "1" {
		t.Errorf("meanwhile: %+v, %v", status, err)
	}
	close(p.hold)
	must(t, <-ends)
	must(t, <-ends)
	if n := p.tries.Load(); n != 1 {
		t.Errorf("the key was derived %d times", n)
	}
	if phrase := p.phrase.Load().([]byte); slices.ContainsFunc(phrase, func(b byte) bool { return b != 0 }) {
		t.Errorf("%q is still in memory", phrase)
	}
	if e := <-told; e.Type != agentclient.EventStatus {
		t.Errorf("told %+v", e)
	}
	status, err := turned().Status(t.Context())
	if err != nil || status.Locked != "" || status.Keyring != "memory" {
		t.Errorf("open: %+v, %v", status, err)
	}
	if _, err := turned().Unlock(t.Context(), agentclient.Passphrase{Passphrase: "several words"}); codeAt(err) != agentclient.CodeState+" " {
		t.Errorf("unlocked again: %v", err)
	}
	if _, err := locked.ChooseKeyFile(t.Context(), agentclient.Passphrase{Passphrase: "several words"}); codeAt(err) != agentclient.CodeState+" " {
		t.Errorf("another place for the keys: %v", err)
	}
}

// TestOfTwoNewPassphrasesOneIsTaken: the other is not told that the keys are under it.
func TestOfTwoNewPassphrasesOneIsTaken(t *testing.T) {
	p := &place{t: t, hold: make(chan struct{})}
	locked, _ := shut(t, p, agentclient.LockedNoKeyring)
	ends := make(chan string, 2)
	for i := range 2 {
		go func() {
			_, err := locked.ChooseKeyFile(context.Background(), agentclient.Passphrase{Passphrase: fmt.Sprint("several words ", i)})
			ends <- codeAt(err)
		}()
	}
	eventually(t, "a try has begun", func() bool { return p.tries.Load() == 1 })
	close(p.hold)
	got := []string{<-ends, <-ends}
	slices.Sort(got)
	if want := []string{"<nil>", agentclient.CodeState + " "}; !slices.Equal(got, want) {
		t.Errorf("answered %q, want %q", got, want)
	}
}

// TestWithoutAKeyringASetUpFailsAtItsFirstStep until there is one.
func TestWithoutAKeyringASetUpFailsAtItsFirstStep(t *testing.T) {
	p := &place{t: t}
	locked, turned := shut(t, p, agentclient.LockedNoKeyring)
	steps := make(chan string, 10)
	go func() {
		_ = locked.Events(t.Context(), func(e agentclient.Event) { steps <- e.Type + " " + e.ID + " " + e.State })
	}()
	<-steps
	_, err := locked.AddAccount(t.Context(), agentclient.AddAccount{Address: "me@mail.example"})
	if codeAt(err) != agentclient.CodeNoKeyring+" " {
		t.Errorf("without a keyring: %v", err)
	}
	for _, want := range []string{"setup keyring trying", "setup keyring failed"} {
		if got := <-steps; got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	}
	for _, phrase := range []string{"", "elf Zeichen"} {
		if _, err := locked.ChooseKeyFile(t.Context(), agentclient.Passphrase{Passphrase: phrase}); codeAt(err) != "usage passphrase" {
			t.Errorf("%q: %v", phrase, err)
		}
	}
	if _, err := locked.ChooseKeyFile(t.Context(), agentclient.Passphrase{Passphrase: "żółw żółw żó"}); err != nil || turned() == nil {
		t.Errorf("twelve characters are not enough: %v", err)
	}

	p = &place{t: t}
	locked, turned = shut(t, p, agentclient.LockedNoKeyring)
	p.found.Store(true)
	if _, err := locked.AddAccount(t.Context(), agentclient.AddAccount{Address: "no address"}); codeAt(err) != "usage address" {
		t.Errorf("with a keyring that was started since: %v", err)
	}
	if turned() == nil || p.tries.Load() != 0 {
		t.Error("the keyring was not taken")
	}
}

// TestAPassphraseIsNeverPrinted, however it is tried.
func TestAPassphraseIsNeverPrinted(t *testing.T) {
	phrase := agentclient.Passphrase{Passphrase: "several words"}
	if got := fmt.Sprintf("%v %+v %#v %s %x %v", phrase, phrase, phrase, phrase, phrase, slog.AnyValue(phrase).Resolve()); got != "[secret] [secret] [secret] [secret] [secret] [secret]" {
		t.Errorf("printed %s", got)
	}
}
