package faults

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/test/overlay"
)

// withoutProof is the escrow that takes any proof of arrival.
func withoutProof() overlay.Patch {
	return overlay.Patch{File: "crypto/openpgp/proof.go", Edits: []overlay.Edit{{
		Old: "	return VerifyArrival(cert, proof)\n", New: "	return nil\n",
	}}}
}

// finding is what an attack achieved, apart from what kept it from being tried.
type finding string

func (f finding) Error() string { return string(f) }

func found(format string, args ...any) error { return finding(fmt.Sprintf(format, args...)) }

// settled demands that an attack was tried, and that it achieved something only
// where the protection is gone.
func settled(t *testing.T, err error, holds bool) {
	t.Helper()
	t.Logf("found: %v", err)
	_, is := errors.AsType[finding](err)
	switch {
	case holds && err != nil:
		t.Error(err)
	case !holds && err == nil:
		t.Error("the protection is gone and the test has not noticed")
	case !holds && !is:
		t.Errorf("the control failed for another reason: %v", err)
	}
}

// forfeitWithoutMail plays a recipient who wants a bond forfeited though no mail
// ever came: decide at once, then claim an arrival and reject. It returns what
// the attacker achieved; nil if nothing.
func forfeitWithoutMail(ctx context.Context, r *rig) error {
	anna, bob, purchase, err := r.strangers(ctx)
	if err != nil {
		return err
	}
	bond := purchase.Bond
	for n, verdict := range []escrow.Verdict{escrow.Reject, escrow.Accept} {
		decision, err := bob.decision(bond, verdict, int64(n+1))
		if err != nil {
			return err
		}
		if _, err := bob.Decide(ctx, bond.ID, verdict, decision); escrow.CodeOf(err) != escrow.NotArrived {
			return found("%s before arrived was answered with %v", verdict, err)
		}
	}
	arrival, err := bob.fabricated(bond)
	if err != nil {
		return err
	}
	_, arrived := bob.Arrive(ctx, bond.ID, arrival)
	decision, err := bob.decision(bond, escrow.Reject, 3)
	if err != nil {
		return err
	}
	_, rejected := bob.Decide(ctx, bond.ID, escrow.Reject, decision)
	time.Sleep(1500 * time.Millisecond) // the time to undo is a second
	after, err := anna.Bond(ctx, bond.ID)
	if err != nil {
		return err
	}
	account, err := anna.Account(ctx)
	if err != nil {
		return err
	}
	money := account.Balances[0]
	if after.State != escrow.Held || money.Available != 75 || money.Held != 25 {
		return found("without a mail the bond is %s, and its sender has %d and %d held (arrived: %v, rejected: %v)",
			after.State, money.Available, money.Held, arrived, rejected)
	}
	if escrow.CodeOf(arrived) != escrow.BadProof {
		return found("a fabricated proof was answered with %v", arrived)
	}
	return nil
}

// strangers are two people, one of whom has bought a bond of the other.
func (r *rig) strangers(ctx context.Context) (anna, bob *person, b bought, err error) {
	if anna, err = r.join(ctx, "anna"); err != nil {
		return anna, bob, b, err
	}
	if bob, err = r.join(ctx, "bob"); err != nil {
		return anna, bob, b, err
	}
	if err = bob.sell(ctx, 2); err != nil {
		return anna, bob, b, err
	}
	b, err = anna.buy(ctx, bob)
	return anna, bob, b, err
}

func TestNoForfeitWithoutAMail(t *testing.T) {
	for _, variant := range []struct {
		build string
		more  []overlay.Patch
		holds bool
	}{
		{"faults", nil, true},
		{"no-proof", []overlay.Patch{withoutProof()}, false},
	} {
		t.Run(variant.build, func(t *testing.T) {
			r, err := bareRig(t.Context(), programs.build(t, variant.build, variant.more...), t.TempDir(), paths()[1].terms)
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			settled(t, forfeitWithoutMail(t.Context(), r), variant.holds)
			if err := r.VerifyBooks(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
