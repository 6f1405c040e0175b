package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"earnest/agentclient"
)

// ending is what a decision says that bond and money must be.
type ending struct {
	state, money string
	decisions    []string
}

// judge holds both sides and the escrow's books against the decision: nothing
// lost, nothing doubled, no cent made or gone.
func (r *rig) judge(ctx context.Context, l *letter, want ending) error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	sent, err := r.sentAs(ctx, l.subject)
	fault(err != nil || len(sent) != 1, "the sender has %d mails like that (%v), not one", len(sent), err)
	for _, s := range sent {
		fault(s.State != want.state || s.Money != want.money || s.Error != "",
			"the sender says %s, %s (%s), not %s, %s", s.State, s.Money, s.Error, want.state, want.money)
	}
	mail, err := r.mailOf(ctx, l.bond)
	fault(err != nil || mail.State != want.state || mail.Queued || mail.Error != "",
		"the recipient says %q, queued %v (%s, %v), not %q", mail.State, mail.Queued, mail.Error, err, want.state)
	fault(r.stateAtEscrow(l) != want.state, "the escrow says %s, not %s", r.stateAtEscrow(l), want.state)
	decisions, err := r.decisions(l)
	fault(err != nil || !slices.Equal(decisions, want.decisions), "decisions at the escrow are %v (%v), not %v", decisions, err, want.decisions)
	for _, agent := range []*agentclient.Client{r.Sender.Agent, r.Recipient.Agent} {
		events, err := chain(ctx, agent, l.bond)
		wanted := []string{"paid", "arrived", want.state}
		fault(err != nil || !slices.Equal(events, wanted), "receipts say %v (%v), not %v", events, err, wanted)
		status, err := agent.Status(ctx)
		fault(err != nil || status.Outbox != 0 || status.Queued != 0, "an agent is not at rest: outbox %d, queued %d (%v)", status.Outbox, status.Queued, err)
	}
	faults = append(faults, r.money(), r.counted(ctx), r.VerifyBooks(ctx))
	if err := errors.Join(faults...); err != nil {
		return found("%s (bond %s): %v", l.subject, l.bond, err)
	}
	return nil
}

// chain is the events of a bond's receipts, verified offline by the agent.
func chain(ctx context.Context, agent *agentclient.Client, bond string) (events []string, err error) {
	receipts, err := agent.Receipts(ctx, bond)
	if err == nil && !receipts.Verified {
		err = errors.New(receipts.Fault)
	}
	for _, step := range receipts.Steps {
		if step.N > 0 {
			events = append(events, step.Event)
		}
	}
	return events, err
}

// decisions are the recipient's signed decisions in the escrow's books, in order.
func (r *rig) decisions(l *letter) (verdicts []string, err error) {
	rows, err := r.books.Query(`SELECT verdict, n FROM statement WHERE bond = ? AND verdict IN ('accept', 'reject', 'undo') ORDER BY n`, l.bond)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	last := int64(0)
	for rows.Next() {
		var verdict string
		var n int64
		if err := rows.Scan(&verdict, &n); err != nil {
			return nil, err
		}
		if n <= last {
			return nil, fmt.Errorf("decision %d has the number %d, the one before %d", len(verdicts)+1, n, last)
		}
		last = n
		verdicts = append(verdicts, verdict)
	}
	return verdicts, rows.Err()
}

// money holds the sum of all balances against the vouchers, and what is held
// against the open bonds. One mail is one bond.
func (r *rig) money() error {
	var others, issuance, held, open int64
	var bonds int
	err := errors.Join(
		r.books.QueryRow(`SELECT SUM(available + held) FROM balance WHERE holder <> 'issuance'`).Scan(&others),
		r.books.QueryRow(`SELECT SUM(available + held) FROM balance WHERE holder = 'issuance'`).Scan(&issuance),
		r.books.QueryRow(`SELECT SUM(held) FROM balance`).Scan(&held),
		r.books.QueryRow(`SELECT COALESCE(SUM(amount), 0) FROM transfer WHERE state = 'pending'`).Scan(&open),
		r.books.QueryRow(`SELECT COUNT(*) FROM bond`).Scan(&bonds))
	var faults []string
	if others != r.issued || issuance != -r.issued {
		faults = append(faults, fmt.Sprintf("vouchers of %d were issued, people have %d, issuance is %d", r.issued, others, issuance))
	}
	if held != open {
		faults = append(faults, fmt.Sprintf("%d is held for pending bonds of %d", held, open))
	}
	if bonds != r.mails {
		faults = append(faults, fmt.Sprintf("%d bonds for %d mails", bonds, r.mails))
	}
	if len(faults) > 0 {
		err = errors.Join(err, errors.New(strings.Join(faults, "; ")))
	}
	return err
}
