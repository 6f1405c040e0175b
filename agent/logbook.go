package agent

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/internal/logx"
)

// diagnosedLines is how much of the log goes into a diagnostics report.
const diagnosedLines = 200

func (a *Agent) recent() []logx.Line {
	if a.Recent == nil {
		return nil
	}
	return a.Recent()
}

// LogLines is what the agent logged last, the newest last.
func (a *Agent) LogLines(context.Context) ([]agentclient.LogLine, error) {
	list := []agentclient.LogLine{}
	for _, line := range a.recent() {
		list = append(list, agentclient.LogLine{Time: line.Time, Level: line.Level.String(), Text: line.Text})
	}
	return list, nil
}

// Diagnostics is a report to hand to somebody who helps. Nothing that a person,
// a server or a mail is called comes into it: it is made of the program's own
// words, numbers and times.
func (a *Agent) Diagnostics(ctx context.Context) (agentclient.Diagnostics, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "Earnest diagnostics, %s\n", stamp(a.Now()))
	fmt.Fprintf(&b, "No addresses, names, subjects, amounts, hosts or paths are in it; \"-\" stands for what was left out.\n\n")
	fmt.Fprintf(&b, "version  %s, %s, %s/%s\n", a.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(&b, "started  %s\n", stamp(a.started))
	fmt.Fprintf(&b, "keyring  %s\n", a.Keyring.Kind())
	settings, err := a.Settings(ctx)
	if err != nil {
		return agentclient.Diagnostics{}, err
	}
	fmt.Fprintf(&b, "model    %s\n", settings.Model)
	for i, acct := range a.each() {
		acct.diagnose(&b, i+1)
	}
	err = a.Store.View(ctx, func(tx *store.Tx) error { return counts(tx, &b) })
	if err != nil {
		return agentclient.Diagnostics{}, err
	}
	lines := a.recent()
	lines = lines[max(0, len(lines)-diagnosedLines):]
	fmt.Fprintf(&b, "\nlog, the last %d lines\n", len(lines))
	for _, line := range lines {
		fmt.Fprintf(&b, "%s %-5s %s\n", stamp(line.Time), line.Level, line.Bare)
	}
	return agentclient.Diagnostics{Text: b.String()}, nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// diagnose says how an account is, under a number.
func (a *account) diagnose(b *strings.Builder, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fmt.Fprintf(b, "\naccount %d\n", n)
	fmt.Fprintf(b, "  address  proven %v\n", a.settings.Proven)
	fmt.Fprintf(b, "  mailbox  %s%s\n", a.phase.Phase, why(a.phase.Err))
	fmt.Fprintf(b, "  escrow   up %v since %s%s\n", a.escrowErr == nil, stamp(a.escrowSince), why(a.escrowErr))
	fmt.Fprintf(b, "  offer    made %v, published %v\n", a.settings.Offer != "", a.settings.Published)
	fmt.Fprintf(b, "  pool     %d\n", a.pool)
	fmt.Fprintf(b, "  trusts further certificates: %v\n", len(a.settings.CA) > 0)
}

func why(err error) string {
	if err == nil {
		return ""
	}
	return " " + logx.Kinds(err)
}

// counts says how many there are of what the agent remembers, by state.
func counts(tx *store.Tx, b *strings.Builder) error {
	all, err := store.Tallies(tx)
	if err != nil {
		return err
	}
	names, n := []string{}, map[string]int{}
	for _, tally := range all {
		name := tally.Kind
		// Reports have an account's id for a state.
		if !strings.ContainsFunc(tally.State, func(r rune) bool { return r != '.' && (r < 'a' || r > 'z') }) {
			name += " " + tally.State
		}
		if n[name] == 0 {
			names = append(names, name)
		}
		n[name] += tally.N
	}
	fmt.Fprintf(b, "\nrecords\n")
	for _, name := range names {
		fmt.Fprintf(b, "  %-20s %d\n", name, n[name])
	}
	return nil
}
