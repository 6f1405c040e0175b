package faults

import (
	"context"
	"testing"

	"earnest/test/overlay"
)

// killedBuy kills the escrow after it has committed a purchase and before it
// could say so, and holds everything against the books as ever.
func killedBuy(ctx context.Context, r *rig) error {
	way := paths()[0]
	var l letter
	for _, s := range way.steps {
		var taken []*task
		if s.name == way.steps[0].name {
			taken = []*task{{point: point{way.name, s.name, escrowProcess, "buy.commit#1"}}}
		}
		if _, err := r.playKilled(ctx, s, &l, taken); err != nil {
			return err
		}
	}
	return r.judge(ctx, &l, way.end)
}

// withoutIdempotency is the escrow that does not look whether it has done an
// operation before.
func withoutIdempotency() overlay.Patch {
	return overlay.Patch{File: serverWrites + "/buy.go", Edits: []overlay.Edit{{
		Old: `if by := t.known.used[op.Request.ID]; by.account != "" {`,
		New: `if by := t.known.used[op.Request.ID]; by.account != "" && false {`,
	}}}
}

func TestKilledBuyIsPaidOnce(t *testing.T) {
	for _, variant := range []struct {
		name  string
		more  []overlay.Patch
		holds bool
	}{
		{"as shipped", nil, true},
		{"control: no idempotency check", []overlay.Patch{withoutIdempotency()}, false},
	} {
		t.Run(variant.name, func(t *testing.T) {
			name := "faults"
			if !variant.holds {
				name = "no-idempotency"
			}
			r, err := newRig(t.Context(), programs.build(t, name, variant.more...), t.TempDir(), paths()[0].terms)
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			settled(t, killedBuy(t.Context(), r), variant.holds)
		})
	}
}
