package faults

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// rigsEach is how many sandboxes work on a path side by side: most of the time
// they wait for a process to come back.
const rigsEach = 3

// TestEveryWriteSurvivesKill kills the real server and agents with SIGKILL
// before and after every write of buy, arrived, accept, reject and undo.
func TestEveryWriteSurvivesKill(t *testing.T) {
	t.Parallel()
	began := time.Now()
	bin := programs.build(t, "faults")
	group, ctx := errgroup.WithContext(t.Context())
	plans := make([]*plan, len(paths()))
	for i, way := range paths() {
		group.Go(func() error {
			dir := t.TempDir()
			var err error
			plans[i], err = workPath(ctx, bin, dir, way)
			return err
		})
	}
	err := group.Wait()
	kills, must, faults := 0, 0, []string{}
	for _, p := range plans {
		if p == nil {
			continue
		}
		for _, one := range p.tasks {
			t.Logf("%d kills, %s at %s", one.kills, []string{"always", "first mail only", "by chance"}[one.meeting], one)
			kills += one.kills
			if one.meeting == chance {
				continue
			}
			must++
			if one.kills < killsEach {
				faults = append(faults, fmt.Sprintf("%s was hit %d times, not %d", one, one.kills, killsEach))
			}
		}
		faults = append(faults, p.missing()...)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(faults) > 0 {
		t.Fatal(strings.Join(faults, "\n"))
	}
	t.Logf("fault points: %d hit, each at least %d times; kills %d; verify clean (%v)", must, killsEach, kills, time.Since(began).Round(time.Second))
}

// workPath finds the points of a path and works them off on several rigs. The
// first rig has had its first mail; the others take the points of a first mail.
func workPath(ctx context.Context, bin, dir string, way path) (*plan, error) {
	scout, err := newRig(ctx, bin, filepath.Join(dir, "0"), way.terms)
	if err != nil {
		return nil, err
	}
	p, err := discover(ctx, scout, way)
	if err != nil {
		return p, joined(err, scout.close())
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return joined(p.work(ctx, scout, way, false), scout.close()) })
	for n := 1; n < rigsEach; n++ {
		group.Go(func() error {
			r, err := newRig(ctx, bin, filepath.Join(dir, fmt.Sprint(n)), way.terms)
			if err != nil {
				return err
			}
			return joined(p.work(ctx, r, way, true), r.close())
		})
	}
	return p, group.Wait()
}

func joined(err, closing error) error {
	if err == nil {
		return closing
	}
	if closing == nil {
		return err
	}
	return fmt.Errorf("%w (and when it was stopped: %v)", err, closing)
}

// missing names writes that every mail needs and that no dry run met: a dry run
// that finds nothing must not pass for one that found all.
func (p *plan) missing() (faults []string) {
	if len(p.tasks) == 0 {
		return []string{"the dry run found no point at all"}
	}
	needed := map[string][]string{
		"undone, accepted": {
			"escrow buy.key", "escrow buy.bond", "escrow buy.entry", "escrow buy.balance", "escrow buy.receipt",
			"escrow buy.change", "escrow buy.sold", "escrow buy.commit", "escrow acknowledge.commit",
			"sender buy.intend.commit", "sender buy.paid.commit", "sender sealed.commit", "sender submitted.commit", "sender bonds.commit",
			"escrow arrive.bond", "escrow arrive.receipt", "escrow arrive.proof", "escrow arrive.commit",
			"recipient receive.commit", "recipient arrive.take.commit", "recipient arrive.keep.commit", "recipient position.commit",
			"recipient reject.report", "recipient reject.commit", "recipient undo.report", "recipient undo.commit",
			"recipient accept.report", "recipient accept.commit", "recipient settle.mail", "recipient settle.commit",
			"sender bonds.connection", "sender free.send.connection", "sender free.send.commit", "sender free.submitted.commit",
			"recipient free.receive.commit", "recipient free.keep.connection", "recipient free.keep.commit",
			"recipient free.send.commit", "sender free.keep.commit",
			"escrow decide.entry", "escrow decide.balance", "escrow decide.receipt", "escrow decide.statement", "escrow decide.commit",
		},
		"rejected": {"escrow sweep.entry", "escrow sweep.balance", "escrow sweep.balance.new", "escrow sweep.receipt", "escrow sweep.bond", "escrow sweep.commit"},
	}
	for _, want := range needed[p.tasks[0].path] {
		met := slices.ContainsFunc(p.tasks, func(one *task) bool {
			return one.meeting != chance && strings.HasPrefix(one.process+" "+one.write, want+"#")
		})
		if !met {
			faults = append(faults, "the dry run never met "+want)
		}
	}
	return faults
}
