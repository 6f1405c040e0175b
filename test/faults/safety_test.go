package faults

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"earnest/agentclient"
	"earnest/crypto/paper"
	"earnest/escrow"
	"earnest/internal/sandbox"
	"earnest/test/overlay"
)

// owner is the recipient, whose agent keeps the account's keys.
type owner struct {
	*rig
	account string // its id at the escrow
	paper   string // the recovery key that is written down; none before the first
	rotated int
}

func newOwner(r *rig) (*owner, error) {
	o := &owner{rig: r}
	return o, r.books.QueryRow(`SELECT account FROM address WHERE address = ?`, r.Recipient.Address).Scan(&o.account)
}

// stored is a value of the account as the escrow has it, as text.
func (o *owner) stored(column string) (value string) {
	_ = o.books.QueryRow(`SELECT CAST(`+column+` AS TEXT) FROM account WHERE id = ?`, o.account).Scan(&value)
	return value
}

// ordered orders until the account stands as it is to. Asked is whether that was
// ordered already and waits.
func (o *owner) ordered(ctx context.Context, order agentclient.AccountOrder, done, asked func(agentclient.AccountSafety) bool) error {
	order.Address = o.Recipient.Address
	return o.until(ctx, "the order "+order.Order+" is done", func() (bool, error) {
		now, err := o.Recipient.Agent.OrderAccount(ctx, agentclient.AccountOrder{Address: order.Address})
		if err != nil || done(now) {
			return err == nil, err
		}
		if asked != nil && asked(now) {
			return false, fmt.Errorf("it waits: %+v", now)
		}
		_, err = o.Recipient.Agent.OrderAccount(ctx, order)
		return false, err
	})
}

func frozen(s agentclient.AccountSafety) bool { return !s.FrozenAt.IsZero() }
func thawed(s agentclient.AccountSafety) bool { return s.FrozenAt.IsZero() }

func waits(kind escrow.Action) func(agentclient.AccountSafety) bool {
	return func(s agentclient.AccountSafety) bool {
		for _, c := range s.Changes {
			if c.Kind == string(kind) {
				return true
			}
		}
		return false
	}
}

func (o *owner) freeze(ctx context.Context) error {
	return o.ordered(ctx, agentclient.AccountOrder{Order: agentclient.OrderFreeze}, frozen, nil)
}

func (o *owner) unfreeze(ctx context.Context) error {
	return o.ordered(ctx, agentclient.AccountOrder{Order: agentclient.OrderUnfreeze, Recovery: o.paper}, thawed, nil)
}

func (o *owner) unfreezeLater(ctx context.Context) error {
	return o.ordered(ctx, agentclient.AccountOrder{Order: agentclient.OrderUnfreeze}, thawed, waits(escrow.ActionUnfreeze))
}

// name has a new recovery key count: by the one before it, or with notice.
func (o *owner) name(byRecovery bool) func(context.Context) error {
	return func(ctx context.Context) error {
		made, err := o.Recipient.Agent.NewRecoveryKey(ctx, agentclient.AccountAddress{Address: o.Recipient.Address})
		if err != nil {
			return err
		}
		key, err := paper.Parse(made.Code)
		if err != nil {
			return err
		}
		order := agentclient.AccountOrder{Order: agentclient.OrderRecovery, NewRecovery: made.Code}
		if byRecovery {
			order.Recovery = o.paper
		}
		named := strings.ToUpper(hex.EncodeToString(key.Public().(ed25519.PublicKey)))
		err = o.ordered(ctx, order, func(s agentclient.AccountSafety) bool {
			return o.stored(`hex(recovery)`) == named && !s.RecoveryHere
		}, func(s agentclient.AccountSafety) bool {
			return o.stored(`hex(recovery)`) == named || waits(escrow.ActionRecovery)(s)
		})
		o.paper = made.Code
		return err
	}
}

// rotate has another key take the account over. It has one of the two all the time.
func (o *owner) rotate(byRecovery bool) func(context.Context) error {
	return func(ctx context.Context) error {
		was := o.stored(`key_id`)
		o.rotated++
		order := agentclient.AccountOrder{Order: agentclient.OrderRotate}
		if byRecovery {
			order.Recovery = o.paper
		}
		return o.ordered(ctx, order, func(s agentclient.AccountSafety) bool {
			return s.Identity != was && s.Identity == o.stored(`key_id`) && s.NextIdentity == nil
		}, func(s agentclient.AccountSafety) bool { return s.NextIdentity != nil })
	}
}

// cancel stops a rotation that waits: its key is dropped, and the old one goes on.
func (o *owner) cancel(ctx context.Context) error {
	was := o.stored(`key_id`)
	return o.until(ctx, "the rotation is cancelled", func() (bool, error) {
		now, err := o.Recipient.Agent.OrderAccount(ctx, agentclient.AccountOrder{Address: o.Recipient.Address})
		if err != nil || now.NextIdentity == nil && len(now.Changes) == 0 {
			return err == nil && now.Identity == was && o.stored(`key_id`) == was, err
		}
		if len(now.Changes) == 1 {
			_, err = o.Recipient.Agent.OrderAccount(ctx, agentclient.AccountOrder{Address: o.Recipient.Address, Order: agentclient.OrderCancel, Change: now.Changes[0].ID})
		}
		return false, err
	})
}

// rotateLater orders what cancel stops.
func (o *owner) rotateLater(ctx context.Context) error {
	return o.ordered(ctx, agentclient.AccountOrder{Order: agentclient.OrderRotate},
		func(s agentclient.AccountSafety) bool { return waits(escrow.ActionRotate)(s) && s.NextIdentity != nil }, nil)
}

// limit sets what the sender's mails may cost a day, here and at the escrow.
func (o *owner) limit(ctx context.Context) error {
	return o.until(ctx, "the escrow holds to the limit", func() (bool, error) {
		var day int64
		if err := o.books.QueryRow(`SELECT COALESCE(MAX(per_day), 0) FROM spending_limit`).Scan(&day); err != nil || day == 9000 {
			return err == nil, err
		}
		_, err := o.Sender.Agent.SetLimit(ctx, agentclient.SetLimit{Currency: sandbox.EscrowName, PerDay: "90.00"})
		return false, err
	})
}

// deeds are all that an owner does about the account's safety.
func (o *owner) deeds() []deed {
	const (
		soon      = "1s"
		asked     = "order.change order.inventory order.commit apply.changed apply.commit "
		keysGone  = " prove.offer prove.keys"
		begun     = "rotate.begin.account rotate.begin.commit rotate.order.account rotate.order.commit "
		changed   = "rotate.done.account rotate.done.commit"
		poolsGone = " pool.replaced.trash pool.replaced.key pool.replaced.batch pool.replaced.account pool.replaced.commit"
		named     = "recovery.order.account recovery.order.commit recovery.acts.account recovery.acts.commit"
	)
	on := func(escrowWrites, agentWrites string) map[string]string {
		return map[string]string{escrowProcess: escrowWrites, recipientProcess: agentWrites}
	}
	return []deed{
		{"limit", "", o.limit, map[string]string{escrowProcess: "limit.limit limit.inventory limit.commit", senderProcess: "limit.limit limit.commit"}},
		{"first recovery key", "", o.name(true), on("order.order order.recovery order.inventory order.commit", named+" recovery.acts.trash")},
		{"freeze", "", o.freeze, on("order.freeze order.inventory order.commit", "")},
		{"unfreeze at once", "", o.unfreeze, on("order.unfreeze order.commit", "")},
		{"freeze again", "", o.freeze, nil},
		{"unfreeze with notice", soon, o.unfreezeLater, on(asked+"apply.unfreeze apply.inventory", "unfreeze.order.account unfreeze.order.commit")},
		{"recovery key with notice", soon, o.name(false), on(asked+"apply.recovery apply.inventory", named)},
		{"rotate with notice", soon, o.rotate(false), on(asked+"apply.replaced apply.rotate"+keysGone, changed+poolsGone)},
		{"rotation that waits", "", o.rotateLater, on("", begun+"rotate.waits.account rotate.waits.commit")},
		{"cancel", "", o.cancel, on("order.order order.changed order.inventory order.commit", "rotate.drop.trash rotate.drop.account rotate.drop.commit")},
		{"rotate at once", "", o.rotate(true), on("order.changes order.replaced order.rotate order.commit"+keysGone, begun+changed)},
	}
}

// right holds books and agent against what was done: each once.
func (o *owner) right(ctx context.Context) error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	var replaced int
	err := o.books.QueryRow(`SELECT COUNT(*) FROM replaced_key WHERE account = ?`, o.account).Scan(&replaced)
	fault(err != nil || replaced != o.rotated, "%d keys were replaced, not %d (%v)", replaced, o.rotated, err)
	for change, want := range map[string]int{"unfreeze applied": 1, "recovery applied": 1, "rotate applied": 1, "rotate cancelled": 1, "%": 4} {
		var n int
		err := o.books.QueryRow(`SELECT COUNT(*) FROM account_change WHERE kind || ' ' || ending LIKE ? AND account = ?`, change, o.account).Scan(&n)
		fault(err != nil || n != want, "changes %s: %d, not %d (%v)", change, n, want, err)
	}
	now, err := o.Recipient.Agent.OrderAccount(ctx, agentclient.AccountOrder{Address: o.Recipient.Address})
	fault(err != nil || now.Identity != o.stored(`key_id`) || frozen(now) || len(now.Changes) > 0 || now.NextIdentity != nil,
		"the account stands so: %+v (%v)", now, err)
	return errors.Join(append(faults, o.money(), o.VerifyBooks(ctx))...)
}

// ownersStory is all that an owner does; then the account still is what it was: a mail
// to it can be bought, opened and accepted.
func ownersStory(ctx context.Context, r *rig) (kills int, err error) {
	o, err := newOwner(r)
	if err != nil {
		return 0, err
	}
	for _, d := range o.deeds() {
		n, err := r.once(ctx, d)
		if kills += n; err != nil {
			return kills, err
		}
	}
	if err := o.right(ctx); err != nil {
		return kills, err
	}
	var l letter
	if err := r.send(ctx, &l); err != nil {
		return kills, err
	}
	if err := r.accept(ctx, &l); err != nil {
		return kills, err
	}
	return kills, r.judge(ctx, &l, ending{"accepted", "refunded", []string{"accept"}})
}

// TestEveryWriteOfTheAccountsSafetySurvivesKill kills escrow and agents at every write
// of limits, freezing, recovery keys, rotations, of what acts with notice, and of giving
// addresses and accounts up: each is done once, or not at all.
func TestEveryWriteOfTheAccountsSafetySurvivesKill(t *testing.T) {
	t.Parallel()
	began, bin, all := time.Now(), programs.build(t, "faults"), [2]int{}
	var never [2][]string
	group, ctx := errgroup.WithContext(t.Context())
	for i, story := range []struct {
		begin func(ctx context.Context, programs, dir, terms string) (*rig, error)
		play  func(context.Context, *rig) (int, error)
	}{{newRig, ownersStory}, {bareRig, strangersStory}} {
		dir := t.TempDir()
		group.Go(func() error {
			r, err := story.begin(ctx, bin, dir, paths()[0].terms)
			if err != nil {
				return err
			}
			all[i], err = story.play(ctx, r)
			never[i] = r.unkilled("order", "apply", "limit")
			return joined(err, r.close())
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, labels := range never {
		if len(labels) > 0 {
			t.Errorf("the escrow was never killed at %v", labels)
		}
	}
	t.Logf("kills %d; verify clean (%v)", all[0]+all[1], time.Since(began).Round(time.Second))
}

// labels are the ends of the labels of a file's writes, as they stand in the source;
// those that are put together elsewhere are found when they are made.
func labels(name string) (ends []string, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "exec" && f.Sel.Name != "setFrozen" {
			return true
		}
		label := call.Args[1]
		if sum, ok := label.(*ast.BinaryExpr); ok {
			label = sum.Y
		}
		if text, ok := label.(*ast.BasicLit); ok {
			ends = append(ends, strings.Trim(text.Value, `"`))
		}
		return true
	})
	return ends, nil
}

// Whoever adds a write to one of these files adds it to the story.
func TestEveryWriteOfTheAccountsSafetyIsInTheStory(t *testing.T) {
	root, err := overlay.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	var played []string
	for _, d := range append((&owner{}).deeds(), leavings(nil, &person{}, &person{})...) {
		played = append(played, strings.Fields(d.writes[escrowProcess])...)
	}
	seen := 0
	for _, name := range []string{"safety.go", "changes.go", "limit.go"} {
		ends, err := labels(filepath.Join(root, serverWrites, name))
		if err != nil {
			t.Fatal(err)
		}
		seen += len(ends)
		for _, end := range ends {
			if !slices.ContainsFunc(played, func(label string) bool { return strings.HasSuffix(label, end) }) {
				t.Errorf("%s: no part of the story passes through %s", name, end)
			}
		}
	}
	if seen < 12 {
		t.Errorf("%d writes were seen in the source", seen)
	}
}
