package agent_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// cutting loses orders of one kind, before the escrow has them or on the way back.
type cutting struct {
	escrow.Service
	action escrow.Action
	after  bool
}

func (c cutting) Order(ctx context.Context, signed escrow.Signed) (escrow.Account, error) {
	var order escrow.Order
	if escrow.Peek(signed, &order) != nil || order.Action != c.action {
		return c.Service.Order(ctx, signed)
	}
	if c.after {
		if known, err := c.Service.Order(ctx, signed); err != nil {
			return known, err
		}
	}
	return escrow.Account{}, &escrow.Error{Code: escrow.Unavailable}
}

// cut loses them from now on, until heal.
func (w *world) cut(action escrow.Action, after bool) {
	w.between(func(s escrow.Service) escrow.Service { return cutting{s, action, after} })
}

func (w *world) heal() { w.between(func(s escrow.Service) escrow.Service { return s }) }

// holds fails unless the agent's key has the account, and its keyring has no key that
// is neither the account's nor was.
func (w *world) holds(p *person) {
	w.t.Helper()
	eventually(w.t, "the agent's key has the account", func() bool {
		_, err := w.server.As(escrow.PublicKey(w.signer(p).Public().(ed25519.PublicKey))).Account(w.t.Context())
		return err == nil
	})
	former, waits := 0, 0
	w.look(p, func(tx *store.Tx) error {
		all, err := store.List[store.Account](tx)
		if former = len(all[0].Safety.Former); all[0].Safety.Rotation != nil {
			waits = 1
		}
		return err
	})
	eventually(w.t, "no key is left over", func() bool {
		p.names.mu.Lock()
		defer p.names.mu.Unlock()
		n := 0
		for name := range p.names.all {
			if strings.Contains(name, "/identity") {
				n++
			}
		}
		return n == 1+former+waits
	})
}

// A crash at any moment of a rotation loses neither key nor account: the restart
// goes on, or leaves all as it was.
func TestK_ACrashInARotationLosesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		byRecovery bool
		after      bool          // the escrow had the order
		off        time.Duration // how long the agent was off
		rotates    bool
	}{
		{"before the order left", false, false, 0, true},
		{"before the order left, for long", false, false, time.Hour, true},
		{"after the escrow took it", false, true, time.Hour, true},
		{"before it left, by the recovery key", true, false, 0, true},
		{"before it left, by the recovery key, for long", true, false, time.Hour, false},
		{"after the escrow took it, by the recovery key", true, true, time.Hour, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, escrow.Terms{})
			p := w.join("recipient", "1.00")
			w.price(p, "0.25")
			order := agentclient.AccountOrder{Address: p.address, Order: agentclient.OrderRotate}
			if code := w.onPaper(p); c.byRecovery {
				order.Recovery = code
			}
			was := w.identity(p)
			w.cut(escrow.ActionRotate, c.after)
			_, _ = p.OrderAccount(t.Context(), order) // its answer is lost with the crash
			p.stop()
			w.heal()
			w.pass(c.off)
			w.start(p)
			if !c.rotates {
				eventually(t, "the order is given up", func() bool {
					safety, err := p.OrderAccount(t.Context(), agentclient.AccountOrder{Address: p.address})
					return err == nil && safety.NextIdentity == nil
				})
				w.holds(p)
				if w.identity(p) != was {
					t.Error("it has another key")
				}
				return
			}
			if !c.byRecovery {
				eventually(t, "the change waits", func() bool {
					safety, err := p.OrderAccount(t.Context(), agentclient.AccountOrder{Address: p.address})
					must(t, err)
					return len(safety.Changes) == 1 && !safety.Changes[0].Foreign && safety.NextIdentity != nil && !safety.NextIdentity.DueAt.IsZero()
				})
				p.stop()
				w.pass(49 * time.Hour)
				must(t, w.server.SweepNow(t.Context()))
				w.start(p)
			}
			eventually(t, "another key signs", func() bool { return w.identity(p) != was })
			w.holds(p)
			w.price(p, "0.30")
		})
	}
}

// A recovery key whose order's answer was lost is ordered again by who sees the error:
// it counts at once, and nothing waits.
func TestK_ARecoveryKeyThatIsOrderedAgainCounts(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]bool{"before the order left": false, "after the escrow took it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, escrow.Terms{})
			p := w.join("recipient", "1.00")
			key, err := p.NewRecoveryKey(t.Context(), agentclient.AccountAddress{Address: p.address})
			must(t, err)
			order := agentclient.AccountOrder{Address: p.address, Order: agentclient.OrderRecovery, NewRecovery: key.Code}
			w.cut(escrow.ActionRecovery, after)
			if _, err := p.OrderAccount(t.Context(), order); err == nil {
				t.Fatal("the answer was not lost")
			}
			w.heal()
			safety, err := p.OrderAccount(t.Context(), order)
			must(t, err)
			if safety.RecoveryHere || !safety.Recovery || len(safety.Changes) > 0 {
				t.Errorf("after the order was given again: %+v", safety)
			}
			order = agentclient.AccountOrder{Address: p.address, Order: agentclient.OrderRotate, Recovery: key.Code}
			_, err = p.OrderAccount(t.Context(), order)
			must(t, err)
		})
	}
}

// A rotation that is cancelled drops its key; one that a thief orders is told of, and
// the owner's cancels it.
func TestK_ARotationThatIsCancelledDropsItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("recipient", "1.00")
	was := w.identity(p)
	code := w.onPaper(p)
	order := agentclient.AccountOrder{Address: p.address, Order: agentclient.OrderRotate}
	safety, err := p.OrderAccount(t.Context(), order)
	must(t, err)
	_, err = p.OrderAccount(t.Context(), agentclient.AccountOrder{Address: p.address, Order: agentclient.OrderCancel, Change: safety.Changes[0].ID})
	must(t, err)
	p.stop()
	w.start(p)
	w.holds(p)
	eventually(t, "it is given up", func() bool {
		safety, err := p.OrderAccount(t.Context(), agentclient.AccountOrder{Address: p.address})
		must(t, err)
		return safety.NextIdentity == nil
	})
	// Now a thief with the account's key orders one.
	thief := w.signer(p)
	public, private, err := ed25519.GenerateKey(nil)
	must(t, err)
	id := escrow.PublicKey(thief.Public().(ed25519.PublicKey)).ID()
	accepted, err := escrow.Sign(private, escrow.KindNewKey, escrow.NewKey{Account: id, Key: escrow.PublicKey(public)})
	must(t, err)
	signed, err := escrow.Sign(thief, escrow.KindOrder, escrow.Order{ID: "theft", Account: id, Action: escrow.ActionRotate,
		Key: escrow.PublicKey(public), Accepted: accepted, Time: w.now().UTC()})
	must(t, err)
	_, err = w.server.As(escrow.PublicKey(thief.Public().(ed25519.PublicKey))).Order(t.Context(), signed)
	must(t, err)
	safety, err = p.OrderAccount(t.Context(), agentclient.AccountOrder{Address: p.address})
	must(t, err)
	if len(safety.Changes) != 1 || !safety.Changes[0].Foreign || !safety.Changes[0].Ours || safety.NextIdentity != nil {
		t.Fatalf("the thief's change: %+v", safety)
	}
	status, err := p.Status(t.Context())
	must(t, err)
	if len(status.Accounts[0].Changes) != 1 || !status.Accounts[0].Changes[0].Foreign {
		t.Fatalf("the status does not tell: %+v", status.Accounts[0])
	}
	// The recovery key ends that at once.
	order.Recovery = code
	safety, err = p.OrderAccount(t.Context(), order)
	must(t, err)
	if len(safety.Changes) != 0 || safety.Identity == was {
		t.Fatalf("after the recovery key: %+v", safety)
	}
	w.holds(p)
}

// What is mistyped, another account's or replaced is refused in words, and changes
// nothing.
func TestK_AWrongRecoveryKeyChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p, other := w.join("recipient", "1.00"), w.join("sender", "")
	replaced, foreign := w.onPaper(p), w.onPaper(other)
	key, err := p.NewRecoveryKey(t.Context(), agentclient.AccountAddress{Address: p.address})
	must(t, err)
	if !key.Replaces || key.AtOnce {
		t.Fatalf("with one on paper: %+v", key)
	}
	_, err = p.OrderAccount(t.Context(), agentclient.AccountOrder{Address: p.address, Order: agentclient.OrderRecovery, NewRecovery: key.Code, Recovery: replaced})
	must(t, err)
	groups := strings.Fields(key.Code)
	groups[4] = "ZZZZZZ"
	was := w.identity(p)
	for name, c := range map[string]struct{ code, id string }{
		"mistyped":  {strings.Join(groups, " "), "recovery.mistyped"},
		"too short": {strings.Join(groups[:16], " "), "recovery.not-one"},
		"foreign":   {foreign, "recovery.other-account"},
		"replaced":  {replaced, "recovery.unknown"},
	} {
		for _, order := range []string{agentclient.OrderRotate, agentclient.OrderUnfreeze} {
			_, err := p.OrderAccount(t.Context(), agentclient.AccountOrder{Address: p.address, Order: order, Recovery: c.code})
			failure, ok := errors.AsType[*agentclient.Failure](err)
			if !ok || failure.Field != "recovery" || failure.Say.Happened[0].ID != c.id {
				t.Errorf("%s, %s: %v", name, order, err)
			}
		}
	}
	fresh := w.newMachine(&person{address: "nobody@mail.example"})
	for name, code := range map[string]string{"mistyped": strings.Join(groups, " "), "replaced": replaced} {
		_, err := fresh.RecoverAccount(t.Context(), w.recovery(p, code))
		if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Field != "recovery" {
			t.Errorf("recovered with what is %s: %v", name, err)
		}
	}
	if _, err := fresh.RecoverAccount(t.Context(), w.recovery(p, foreign)); err == nil {
		t.Error("recovered with another account's")
	}
	if len(fresh.names.all) > 0 {
		t.Errorf("the keyring has %v", fresh.names.all)
	}
	safety, err := other.OrderAccount(t.Context(), agentclient.AccountOrder{Address: other.address})
	must(t, err)
	if !safety.FrozenAt.IsZero() || w.identity(p) != was {
		t.Error("it changed something")
	}
}

// A crash while a recovery key is named: the restart finds out whether it counts.
func TestK_ACrashInNamingARecoveryKeyIsSettled(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]bool{"before the order left": false, "after the escrow took it": true} {
		for _, off := range []time.Duration{0, time.Hour} {
			t.Run(name+" "+off.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, escrow.Terms{})
				p := w.join("recipient", "1.00")
				key, err := p.NewRecoveryKey(t.Context(), agentclient.AccountAddress{Address: p.address})
				must(t, err)
				w.cut(escrow.ActionRecovery, after)
				if _, err := p.OrderAccount(t.Context(), agentclient.AccountOrder{Address: p.address, Order: agentclient.OrderRecovery, NewRecovery: key.Code}); err == nil {
					t.Error("it was told that the key counts")
				}
				p.stop()
				w.heal()
				w.pass(off)
				w.start(p)
				eventually(t, "the key on paper counts", func() bool {
					safety, err := p.OrderAccount(t.Context(), agentclient.AccountOrder{Address: p.address})
					must(t, err)
					return !safety.RecoveryHere
				})
				must(t, func() error {
					_, err := p.OrderAccount(t.Context(), agentclient.AccountOrder{Address: p.address, Order: agentclient.OrderRotate, Recovery: key.Code})
					return err
				}())
				w.holds(p)
			})
		}
	}
}
